"""The range of an outcome in SD is that of its marks, in the widest of the cells."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.checks.attrition.missing_outcomes import bound_effects
from schooltrial.checks.attrition.outcome_bounds import outcome_support
from schooltrial.data.tables.parquet import FrameByYear
from schooltrial.data.variables.standardisation import standardise_by_control
from support.standard_study import outcome

PLAIN: Any = outcome(label="Maths", range=[100, 350], standardise="control")
DAYS = {"numerator": "days_present", "denominator": "days_enrolled", "times": 100}


def _marks(seed: int = 0) -> pd.DataFrame:
    """Return 4 schools of 60 pupils in two grades; a sixth of them has no mark."""
    rng = np.random.default_rng(seed)
    at = np.arange(240)
    frame = pd.DataFrame({
        "pupil": [f"p{n}" for n in at], "school": [f"S{n % 4}" for n in at], "year": 2020,
        "arm": np.where(at % 4 < 2, "control", "programme"), "grade": 3 + (at // 4) % 2,
        "days_enrolled": 180.0, "days_present": 180.0 - at % 20,
    })  # fmt: skip
    frame["maths"] = rng.normal(190 + 20 * (frame["grade"] - 3), 10 + 5 * (frame["grade"] - 3))
    return frame.assign(maths=frame["maths"].round(1).mask(at % 6 == 5))


def _support(frame: pd.DataFrame, **keys: Any) -> dict[str, tuple[float, float]]:
    scores = frame[["pupil", "year"]].assign(outcome="maths", value=frame["maths"])
    sample = frame
    outcomes: Any = {"maths": {**PLAIN, **keys}}
    if outcomes["maths"]["standardise"] != "none":
        sample = frame.assign(maths=standardise_by_control(frame, "maths", control="control"))
    return outcome_support(
        sample, FrameByYear(scores), level="pupil", outcomes=outcomes, years=[2020]
    )


def test_the_range_in_sd_is_that_of_the_grade_in_which_it_is_widest() -> None:
    frame = _marks()
    control = frame[frame["arm"] == "control"].groupby("grade")["maths"]
    low = ((100 - control.mean()) / control.std()).min()
    high = ((350 - control.mean()) / control.std()).max()
    assert _support(frame)["maths"] == pytest.approx((low, high), rel=1e-12)


def test_a_mark_at_the_end_of_the_range_lies_within_it() -> None:
    frame = _marks()
    frame.loc[[0, 1], "maths"] = [100.0, 350.0]
    scaled = standardise_by_control(frame, "maths", control="control")
    low, high = _support(frame)["maths"]
    assert low <= scaled.min()
    assert high >= scaled.max()


def test_an_outcome_without_a_range_has_none() -> None:
    assert _support(_marks(), range=None) == {}


def test_a_share_of_days_lies_between_none_and_all_of_them() -> None:
    days: Any = {"attendance": {**PLAIN, "range": None, "standardise": "none", "ratio": DAYS}}
    frame = _marks().assign(attendance=lambda f: 100 * f["days_present"] / f["days_enrolled"])
    nothing = FrameByYear(pd.DataFrame(columns=["pupil", "year", "outcome", "value"]))
    settings: dict[str, Any] = {"level": "pupil", "outcomes": days, "years": [2020]}
    assert outcome_support(frame, nothing, **settings) == {"attendance": (0.0, 100.0)}
    more = frame.assign(days_present=200.0)  # more days than there are: no share
    assert outcome_support(more, nothing, **settings) == {}


def test_teachers_are_measured_by_the_mean_of_their_occasions() -> None:
    marks = [1.5, 2.5, 3.0, 2.0]
    seen = pd.DataFrame({
        "teacher": [f"t{n}" for n in range(4) for _ in range(2)], "year": 2020,
        "outcome": "practice", "occasion": ["1", "2"] * 4,
        "value": [mark + step for mark in marks for step in (-0.5, 0.5)],
    })  # fmt: skip
    sample = pd.DataFrame({"teacher": [f"t{n}" for n in range(4)], "year": 2020, "arm": "control"})
    mean, spread = np.mean(marks), np.std(marks, ddof=1)
    sample["practice"] = (np.array(marks) - mean) / spread
    outcomes: Any = {"practice": {**PLAIN, "measured_on": "teacher", "range": [1, 4]}}
    found = outcome_support(
        sample, FrameByYear(seen), level="teacher", outcomes=outcomes, years=[2020]
    )
    assert found["practice"] == pytest.approx(((1 - mean) / spread, (4 - mean) / spread))


def test_worst_case_bounds_of_a_standardised_outcome_are_those_of_its_marks() -> None:
    frame = _marks().assign(grade=3)
    scaled = frame.assign(maths=standardise_by_control(frame, "maths", control="control"))
    units = frame.drop_duplicates("school")[["school", "arm"]]
    outcomes: Any = {"maths": PLAIN}
    arms: Any = [{"name": "control"}, {"name": "programme"}]
    table = bound_effects(
        units, scaled, outcomes=outcomes, arms=arms, analysis_years=[2020], baseline=2020,
        covariates=[], support=_support(frame),
    ).set_index(["approach", "term"])["estimate"]  # fmt: skip
    worst = {arm: frame.loc[frame["arm"] == arm, "maths"] for arm in ("control", "programme")}
    spread = worst["control"].std()
    low = worst["programme"].fillna(100).mean() - worst["control"].fillna(350).mean()
    high = worst["programme"].fillna(350).mean() - worst["control"].fillna(100).mean()
    name = "Horowitz-Manski bounds"
    assert table[name, "lower bound"] == pytest.approx(low / spread)
    assert table[name, "upper bound"] == pytest.approx(high / spread)
