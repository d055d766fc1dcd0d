"""Claims about covariates of schools as columns of numbers."""

import numpy as np
import pandas as pd
import pytest

from schooltrial.analysis.panel.school_covariates import coded_covariates

ROWS = pd.DataFrame({
    "need": [1.0, 3.0, np.nan, 4.0], "sector": ["public", "charter", "charter", None],
    "none": [np.nan] * 4, "full": [2.0, 3.0, 5.0, 7.0],
})  # fmt: skip


def test_a_category_is_an_indicator_of_each_level_but_the_first() -> None:
    found = coded_covariates(ROWS[:3], ["sector", "full"])
    assert list(found) == ["sector=public", "full"]
    np.testing.assert_array_equal(found["sector=public"], [1, 0, 0])


def test_a_missing_value_has_an_indicator_or_stays_missing_or_is_refused() -> None:
    found = coded_covariates(ROWS, ["need"])
    np.testing.assert_allclose(found["need"], [1, 3, 8 / 3, 4])
    np.testing.assert_array_equal(found["need=missing"], [0, 0, 1, 0])
    dropped = coded_covariates(ROWS, ["need", "full"], "drop")
    np.testing.assert_array_equal(dropped["need"], [1, 3, np.nan, 4])
    np.testing.assert_array_equal(np.isnan(dropped["full"]), [False, False, True, False])
    with pytest.raises(ValueError, match=r"missing in some of the 4 cells .*: need 1; .*refuse"):
        coded_covariates(ROWS, ["need", "full"], "refuse")


def test_a_covariate_that_nobody_has_is_refused() -> None:
    with pytest.raises(ValueError, match="'none' is missing everywhere"):
        coded_covariates(ROWS, ["none"])
