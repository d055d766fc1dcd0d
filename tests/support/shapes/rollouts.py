"""Shapes of published panels of places by year: many cohorts, some of one place, rates in 0 to 1.

The right answer is computed here by its definition: for each cohort and year the mean change of
its places since the last year before, less that of the places it is compared with, averaged with
the places of the cohort as weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from support.shapes.cohorts import LISTED, QUICK, ROLLOUT
from support.shapes.generator import ARMS
from support.shapes.right import check_row
from support.shapes.shape import Shape

COUNTY_COHORTS = {1998: 1, 2000: 4, 2001: 1, 2003: 6, 2004: 1, 2006: 3, 2009: 1}
"""First treated year → counties; four cohorts are one county."""

RATE_EFFECT = 0.03


def _overall(
    wide: pd.DataFrame, cohort: pd.Series, *, not_yet: bool = False
) -> tuple[float, set[str]]:
    """Return the overall effect by its definition, and the places that it rests on."""
    years, total, weight, used = list(wide.columns), 0.0, 0, set[str]()
    for first in sorted(set(cohort[cohort > 0])):
        before = [year for year in years if year < first]
        for year in (year for year in years if before and year >= first):
            change = wide[year] - wide[before[-1]]
            own = change[cohort == first].dropna()
            others = change[(cohort == 0) | ((cohort > year) & not_yet)].dropna()
            if len(own) and len(others):
                total += len(own) * float(own.mean() - others.mean())
                weight += len(own)
                used |= {*map(str, own.index), *map(str, others.index)}
    return total / weight, used


def _panel(
    cohorts: Mapping[int, int], never: int, years: Sequence[int], seed: int, *, rate: bool
) -> tuple[pd.DataFrame, pd.Series]:
    """Return a value of each place and year, and the first treated year of each place, 0: never."""
    rng = np.random.default_rng(seed)
    begins = [first for first, count in cohorts.items() for _ in range(count)] + [0] * never
    cohort = pd.Series(begins, index=[f"P{at + 1:03d}" for at in range(len(begins))])
    level, noise, effect = (0.12, 0.02, RATE_EFFECT) if rate else (8.0, 1.5, 3.0)
    middle = 0.55 if rate else 50.0
    own = rng.normal(middle, level, len(cohort))
    shift = rng.normal(0, noise, len(years))
    at = np.asarray(years)[None, :]
    first = cohort.to_numpy()[:, None]
    values = own[:, None] + shift + rng.normal(0, noise, (len(cohort), len(years)))
    values += effect * ((first > 0) & (at >= first))
    values = np.clip(values, 0.0, 1.0).round(4) if rate else values.round(2)
    return pd.DataFrame(values, index=cohort.index, columns=list(years)), cohort


def _shape(
    name: str, wide: pd.DataFrame, cohort: pd.Series, *, rate: bool, not_yet: bool = False,
    lasts: int | None = None,
) -> Shape:  # fmt: skip
    long = wide.rename_axis(index="school", columns="year").stack().rename("value").reset_index()
    listed = pd.DataFrame({
        "school": cohort.index,
        "arm": np.where(cohort > 0, "programme", "control"),
        "cohort": pd.array([int(first) or None for first in cohort], "Int64"),
    })  # fmt: skip
    years, first = list(wide.columns), int(cohort[cohort > 0].min())
    model: dict[str, Any] = {**ROLLOUT, "outcomes": ["rate"]}
    if not_yet:
        model["comparison_group"] = "not_yet_treated"
    outcome: dict[str, Any] = {
        "label": "Rate", "family": "attainment", "primary": True, "measured_on": "school",
        "units_label": "share" if rate else "points",
    }  # fmt: skip
    if rate:
        outcome["range"] = [0, 1]
    timing: dict[str, Any] = {
        "label": "year", "baseline": [year for year in years if year < first],
        "programme": [year for year in years if year >= first],
    }  # fmt: skip
    if lasts is not None:
        timing["lasts"] = lasts
    protocol: dict[str, Any] = {
        "design": {"kind": "staggered", "randomised": False, "arms": ARMS},
        "years": timing,
        "tables": {
            "assignment": [LISTED],
            "school_scores": [{
                "file": "rates.csv",
                "columns": {
                    "school": {"column": "school"}, "year": {"column": "year", "type": "integer"},
                },
                "outcomes": {"rate": {"column": "value", "type": "number"}},
            }],
        },
        "outcomes": {"rate": outcome},
        "models": {"rollout": model},
        **QUICK,
    }  # fmt: skip

    def right(results: Path) -> None:
        wanted, used = _overall(wide, cohort, not_yet=not_yet)
        check_row(results, "rollout", wanted, n_schools=len(used), term="treated")

    return Shape(name, protocol, {"assignment.csv": listed, "rates.csv": long}, right=right)


def _counties() -> Shape:
    """77 counties over 20 years: seven cohorts, four of them one county; no number of pupils."""
    never = 77 - sum(COUNTY_COHORTS.values())
    wide, cohort = _panel(COUNTY_COHORTS, never, range(1993, 2013), 71, rate=True)
    return _shape("counties_by_rates_with_cohorts_of_one", wide, cohort, rate=True, lasts=3)


def _every_year() -> Shape:
    """A cohort begins in every year but the first, and three places never do."""
    years = range(2010, 2020)
    wide, cohort = _panel(dict.fromkeys(years[1:], 3), 3, years, 72, rate=False)
    return _shape("a_cohort_in_every_year_and_few_never", wide, cohort, rate=False)


def _nobody_never() -> Shape:
    """All places begin at some time: they are compared with those that begin later."""
    years = range(2012, 2020)
    wide, cohort = _panel({2015: 5, 2016: 1, 2017: 4, 2019: 4}, 0, years, 73, rate=False)
    return _shape("nobody_is_never_treated", wide, cohort, rate=False, not_yet=True, lasts=2)


SHAPES = (_counties(), _every_year(), _nobody_never())
