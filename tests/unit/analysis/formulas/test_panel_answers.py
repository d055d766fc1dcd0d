"""What an analyst is told of a panel that cannot, or can hardly, be estimated from."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import isnan
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.analysis.formulas.panel_fits import fit_staggered_adoption


def panel(
    cohorts: dict[int, int], never: int, years: Any = range(2013, 2020), seed: int = 1
) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    first = [float(g) for g, n in cohorts.items() for _ in range(n)] + [np.nan] * never
    rows = [(f"S{at:02d}", year, g, level)
            for at, (g, level) in enumerate(zip(first, rng.normal(0, 5, len(first)), strict=True))
            for year in years]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["school", "year", "cohort", "mean"])
    frame["mean"] += rng.normal(size=len(frame)) + 2 * (frame["year"] >= frame["cohort"])
    return frame


PLAIN = panel({2015: 5, 2017: 4}, 15)
NOT_YET = {"comparison_group": "not_yet_treated"}

REFUSED: dict[str, tuple[pd.DataFrame, dict[str, Any], str]] = {
    "no year before": (panel({2013: 5, 2012: 3}, 9), {}, "every cohort is treated by then; add"),
    "nobody is never treated": (panel({2015: 5, 2017: 4}, 0), {}, "set `comparison_group: not_yet"),
    "one cohort alone": (panel({2015: 5}, 0), NOT_YET, "cohort 2015 has no school to compare with"),
    "all after the panel": (panel({2030: 4}, 9), {}, "cohort 2030 begins after 2019, the last"),
    "treatment that ends": (
        PLAIN.assign(cohort=PLAIN["cohort"].where((PLAIN["school"] != "S00")
                                                  | (PLAIN["year"] < 2018))),
        {}, "school S00 has two first treated years, 2015 and 0",
    ),
    "rows twice": (pd.concat([PLAIN, PLAIN.iloc[[3]]]), {}, "school S00 has two rows in 2016"),
    "a school year as text": (
        PLAIN.assign(cohort=PLAIN["cohort"].map({2015: "2014-15", 2017: "2016-17"})), {},
        "no year in 'cohort', such as '2014-15'; give the number of the year, such as 2015",
    ),
    "half a year": (PLAIN.assign(year=PLAIN["year"] + 0.5), {}, "no year in 'year', such as"),
    "an infinite outcome": (
        PLAIN.assign(mean=PLAIN["mean"].where(PLAIN.index != 4, np.inf)), {},
        "the outcome of 1 of 168 cells of school and year is infinite",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_estimated_is_refused_by_name(name: str) -> None:
    frame, how, told = REFUSED[name]
    with pytest.raises(ValueError, match=re.escape(told)):
        fit_staggered_adoption(frame, **how)


@pytest.mark.parametrize(
    "change",
    [
        lambda g: g.fillna(0),
        lambda g: g.fillna(np.inf),
        lambda g: g.map(lambda v: "" if np.isnan(v) else str(int(v))),
        lambda g: g.astype("Int64"),
    ],
)
def test_however_never_is_written_the_answer_is_the_same(change: Callable[[Any], Any]) -> None:
    plain = fit_staggered_adoption(PLAIN).overall
    other = fit_staggered_adoption(PLAIN.assign(cohort=change(PLAIN["cohort"]))).overall
    assert (other.estimate, other.std_error) == (plain.estimate, plain.std_error)


def test_gaps_between_the_years_of_a_panel_are_no_years_of_it() -> None:
    """Cohort 2018 began between two years: its base is the last year before, as of 2019."""
    frame = panel({2017: 5, 2018: 3}, 9, years=(2013, 2015, 2017, 2019))
    wide = frame.pivot(index="school", columns="year", values="mean")
    begun = frame.groupby("school")["cohort"].first()
    change = wide[2019] - wide[2017]
    hand = change[begun == 2018].mean() - change[begun.isna()].mean()
    (row,) = fit_staggered_adoption(frame).estimates("treated[cohort=2018]")
    assert row.estimate == pytest.approx(hand)


def test_a_cohort_of_one_school_borrows_how_schools_vary_from_the_others() -> None:
    fit = fit_staggered_adoption(panel({2015: 1, 2017: 4}, 20))
    (row,) = fit.estimates("treated[cohort=2015]")
    assert row.std_error > 0
    assert 1 < row.df < 10
    assert any(note.startswith("cohort 2015 is one school") for note in fit.notes)


def test_where_all_cohorts_are_one_school_p_is_by_permutation_and_says_what_it_assumes() -> None:
    row = fit_staggered_adoption(panel({2015: 1, 2017: 1}, 20)).overall
    assert isnan(row.std_error)
    assert 1 / (22 * 21) <= row.p_value <= 1
    assert row.conf_low < row.estimate < row.conf_high
    assert "assumes that treated and other schools vary alike" in row.note


def test_of_two_schools_nothing_is_said_but_the_difference() -> None:
    fit = fit_staggered_adoption(panel({2015: 1}, 1))
    row = fit.overall
    assert np.isfinite(row.estimate)
    assert np.isnan([row.std_error, row.p_value, row.conf_low]).all()
    assert "so that how schools vary is not known" in row.note
    assert fit.permutation_rows() == ()
