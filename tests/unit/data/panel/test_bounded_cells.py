"""Cells that were published as a bound are kept apart, and enter a model as the protocol says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schooltrial.data.panel.bounded_cells import with_bounded_cells
from schooltrial.models.panel.staggered_adoption import fit_staggered_adoption
from support.standard_study import build, model, outcome, reasons


def scores(*rows: tuple[Any, ...]) -> pd.DataFrame:
    columns = ["school", "year", "value", "value_low", "value_high", "n_pupils"]
    return pd.DataFrame(list(rows), columns=columns).assign(outcome="rate")


def cleaned(table: pd.DataFrame, **keys: Any) -> Any:
    declared = {"rate": outcome(measured_on="school", standardise="none")}
    return build({"school_scores": table}, outcomes=declared, **keys)


def test_a_cell_with_bounds_leaves_the_panel_and_is_kept_with_both_ends() -> None:
    table = scores(
        ("S1", 2019, 50.0, 50.0, 50.0, 40), ("S1", 2020, np.nan, 95.0, 100.0, 30),
        ("S2", 2020, np.nan, np.nan, np.nan, 4),
    )  # fmt: skip
    found = cleaned(table)
    assert found.panel["mean"].tolist() == [50.0]
    bounded = found.bounded.set_index("school")[["year", "mean_low", "mean_high", "n_pupils"]]
    assert bounded.to_dict("index") == {
        "S1": {"year": 2020, "mean_low": 95.0, "mean_high": 100.0, "n_pupils": 30}
    }
    assert reasons(found, "school score") == {
        "published only as a bound or a range": 1, "not published, or suppressed": 1
    }  # fmt: skip


def test_the_ledger_counts_bounded_cells_as_analysed_where_the_model_takes_them() -> None:
    rule = {"estimator": "difference_in_differences", "outcomes": ["rate"]}
    models = {
        "out": model(**rule), "mid": model(**rule, bounded_cells="midpoint"),
    }  # fmt: skip
    table = scores(("S1", 2020, np.nan, 0.0, 5.0, 30), ("S2", 2020, 70.0, 70.0, 70.0, 30))
    found = cleaned(table, models=models)
    told = found.flow[found.flow["step"].str.startswith("analysed: ")]
    remained = told.groupby(["step", "reason"])["remained"].sum().groupby("step").max()
    assert remained.to_dict() == {"analysed: out, rate": 1, "analysed: mid, rate": 2}


PANEL = pd.DataFrame(
    {"school": ["A"], "treated": [1.0], "year": [2015], "outcome": ["rate"], "mean": [40.0]}
)


def bounded(treated: float, year: int, cohort: float | None = None) -> pd.DataFrame:
    row = {"school": "B", "treated": treated, "year": year, "outcome": "rate"}
    more = {} if cohort is None else {"cohort": cohort}
    return pd.DataFrame([row | {"mean": np.nan, "mean_low": 20.0, "mean_high": 29.0} | more])


@pytest.mark.parametrize(
    ("treated", "year", "cohort", "value"),
    [
        (1.0, 2016, None, 20.0),
        (1.0, 2015, None, 29.0),
        (0.0, 2016, None, 29.0),
        (0.0, 2015, None, 20.0),
        (1.0, 2016, 2017.0, 29.0),
        (1.0, 2017, 2017.0, 20.0),
        (0.0, 2017, np.nan, 29.0),
    ],
)
def test_against_an_effect_is_low_for_the_treated_after_and_high_before(
    treated: float, year: int, cohort: float | None, value: float
) -> None:
    rows = bounded(treated, year, cohort)
    assert with_bounded_cells(PANEL, rows, "against", 2016)["mean"].tolist() == [40.0, value]
    other = with_bounded_cells(PANEL, rows, "in_favour", 2016)["mean"].tolist()
    assert other == [40.0, 49.0 - value]
    middle = with_bounded_cells(PANEL, rows, "midpoint", 2016)["mean"].tolist()
    assert middle == [40.0, 24.5]
    pd.testing.assert_frame_equal(with_bounded_cells(PANEL, rows, "left_out", 2016), PANEL)


@settings(deadline=None, max_examples=25, derandomize=True)
@given(st.integers(0, 2**32 - 1))
def test_with_one_cohort_the_two_ends_enclose_the_effect_at_any_values_within_the_bounds(
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    schools, years = 12, np.arange(2013, 2019)
    panel = pd.MultiIndex.from_product([range(schools), years], names=["school", "year"])
    frame = panel.to_frame(index=False)
    frame["treated"] = (frame["school"] < 5).astype("float64")
    frame["cohort"] = np.where(frame["school"] < 5, 2016.0, np.nan)
    frame["mean"] = rng.normal(50, 10, len(frame))
    hidden = rng.random(len(frame)) < 0.2
    low, high = frame["mean"] - rng.uniform(0, 9, len(frame)), frame["mean"] + 4
    cells = frame[hidden].assign(mean_low=low, mean_high=high)

    def effect(rows: pd.DataFrame) -> float:
        fit = fit_staggered_adoption(
            rows["mean"].to_numpy(), school=rows["school"].to_numpy(),
            year=rows["year"].to_numpy(), cohort=rows["cohort"].to_numpy(),
            n_pupils=np.full(len(rows), 50.0),
        )  # fmt: skip
        return float(fit.estimates()[0].estimate)

    ends = [
        effect(with_bounded_cells(frame[~hidden], cells, rule, 2016))
        for rule in ("against", "in_favour")
    ]
    assert ends[0] - 1e-9 <= effect(frame) <= ends[1] + 1e-9
