"""Points of group-time effects agree with the package diff-diff, gaps in the panel or not."""

from __future__ import annotations

import warnings
from typing import Literal

import numpy as np
import pandas as pd
import pytest

from schooltrial.models.panel.staggered_adoption import fit_staggered_adoption

YEARS = np.arange(2012, 2020)


def _panel(seed: int, missing: float) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    cohort = random.choice([0, 2015, 2016, 2018], size=60, p=[0.5, 0.2, 0.2, 0.1])
    rows = pd.DataFrame({
        "school": np.repeat(np.arange(60), len(YEARS)), "year": np.tile(YEARS, 60),
        "cohort": np.repeat(cohort, len(YEARS)),
    })  # fmt: skip
    rows["y"] = random.normal(size=len(rows)) + rows["school"] / 10
    return rows[random.random(len(rows)) >= missing]


@pytest.mark.parametrize("missing", [0.0, 0.1])
@pytest.mark.parametrize("group", ["never_treated", "not_yet_treated"])
def test_every_average_and_cell_agrees(
    group: Literal["never_treated", "not_yet_treated"], missing: float
) -> None:
    from diff_diff import CallawaySantAnna

    panel = _panel(5, missing)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = CallawaySantAnna(
            control_group=group, estimation_method="reg", base_period="varying"
        ).fit(panel, outcome="y", unit="school", time="year", first_treat="cohort")
        events = theirs.aggregate("event_study")
    ours = fit_staggered_adoption(
        panel["y"].to_numpy(), school=panel["school"].to_numpy(), year=panel["year"].to_numpy(),
        cohort=panel["cohort"].to_numpy("float64"), comparison_group=group, draws=0,
    ).coef()  # fmt: skip
    assert ours["treated"] == pytest.approx(theirs.att, rel=1e-9)
    cells = theirs.to_dataframe()
    for row in cells.itertuples():
        found = ours[f"treated[cohort={row.group}, year={row.time}]"]
        assert found == pytest.approx(row.effect, rel=1e-9)
    for e, att in zip(events.event_time, events.att, strict=True):
        assert ours[f"treated[since={int(e)}]"] == pytest.approx(att, rel=1e-9)
