"""The table of power says on what its numbers rest where a reader might take them for plans."""

from __future__ import annotations

import pandas as pd

from schooltrial.report.tables.checks import AS_ANALYSED, NO_VARIANCE, mdes_basis, power_terms


def _power(note: str, stage: str = "randomisation") -> pd.DataFrame:
    return pd.DataFrame({"stage": [stage], "note": [note], "r2_school": [0.4]})


def test_sizes_at_randomisation_that_rest_on_the_data_analysed_are_said_to() -> None:
    assert mdes_basis(_power("ICC, R² and covariates as analysed, since none are planned"))
    assert mdes_basis(_power("as planned")) == ""
    assert mdes_basis(_power("as analysed", stage="analysis")) == ""
    assert mdes_basis(None) == ""
    assert "MDES at randomisation" in AS_ANALYSED


def test_a_share_of_all_variance_is_explained_and_a_smaller_one_is_not() -> None:
    assert NO_VARIANCE in power_terms(_power("").assign(r2_school=1.0))
    assert NO_VARIANCE not in power_terms(_power(""))
