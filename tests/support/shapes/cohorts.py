"""Shapes of roll-outs: one cohort treated by its pupils' scores, two cohorts by published rates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from support.shapes.generator import (
    ARMS,
    EFFECT,
    Drawn,
    draw_trial,
    plain_protocol,
    plain_tables,
)
from support.shapes.right import check_row
from support.shapes.shape import Shape

YEARS = (2023, 2024, 2025)
BEFORE, LAST = 2024, 2025
DRAWN = draw_trial(seed=61, schools=12, pupils=8, years=YEARS, block_size=0)
QUICK = {"checks": {"replications": 199}, "power": {"replications": 0}}
ROLLOUT: dict[str, Any] = {
    "label": "Roll-out", "estimator": "staggered_adoption", "role": "primary",
    "outcomes": ["maths"],
}  # fmt: skip
LISTED = {
    "file": "assignment.csv",
    "columns": {
        "school": {"column": "school"},
        "arm": {"column": "arm", "type": "category"},
        "cohort": {"column": "cohort", "type": "integer"},
    },
}


def _listed(drawn: Drawn, cohorts: dict[str, int | None]) -> pd.DataFrame:
    units = drawn.units[["school", "arm"]]
    return units.assign(cohort=pd.array([cohorts[school] for school in units["school"]], "Int64"))


def _change(means: pd.DataFrame, base: int, year: int) -> pd.Series:
    """Return by school how its mean changed from a base year."""
    wide = means.pivot_table(index="school", columns="year", values="score")
    return wide[year] - wide[base]


def _one_cohort() -> Shape:
    treated = DRAWN.units["arm"] == "programme"
    cohorts = dict(zip(DRAWN.units["school"], np.where(treated, LAST, 0), strict=True))
    tables = plain_tables(DRAWN)
    tables["assignment.csv"] = _listed(DRAWN, {name: at or None for name, at in cohorts.items()})

    def right(results: Path) -> None:
        # One cohort, balanced: the effect is the difference of mean changes of schools.
        change = _change(DRAWN.pupils, BEFORE, LAST)
        arm = DRAWN.units.set_index("school")["arm"]
        by_arm = change.groupby(arm).mean()
        wanted = by_arm["programme"] - by_arm["control"]
        two_years = DRAWN.pupils["year"].isin([BEFORE, LAST])  # on which the effect rests
        check_row(results, "rollout", wanted, int(two_years.sum()), 12, term="treated")

    protocol = plain_protocol(DRAWN, models={"rollout": ROLLOUT}, **QUICK)
    protocol["design"] |= {"kind": "staggered", "randomised": False}
    protocol["tables"]["assignment"] = [LISTED]
    return Shape("one_treated_cohort", protocol, tables, right=right)


def _two_cohorts() -> Shape:
    years = (2022, *YEARS)
    rng = np.random.default_rng(62)
    names = [f"S{at:02d}" for at in range(12)]
    cohort = dict(zip(names, np.repeat([0, 2024, 2025], 4), strict=True))
    level = dict(zip(names, rng.normal(50, 5, 12), strict=True))
    rows = [
        {
            "school": name, "year": year, "cohort": cohort[name],
            "score": round(
                level[name] + 2 * (year - 2022) + rng.normal(0, 1.5)
                + EFFECT * (0 < cohort[name] <= year), 2,
            ),
        }
        for name in names for year in years
    ]  # fmt: skip
    rates = pd.DataFrame(rows)
    listed = pd.DataFrame({
        "school": names,
        "arm": ["programme" if cohort[name] else "control" for name in names],
        "cohort": pd.array([cohort[name] or None for name in names], "Int64"),
    })  # fmt: skip

    def right(results: Path) -> None:
        # The three effects of cohort and year, each weighted by its cohort's four schools.
        effects = []
        for first, year in ((2024, 2024), (2024, 2025), (2025, 2025)):
            change = _change(rates, first - 1, year)
            of_cohort = change.groupby(pd.Series(cohort)).mean()
            effects.append(of_cohort[first] - of_cohort[0])
        check_row(results, "rollout", float(np.mean(effects)), n_schools=12, term="treated")

    protocol: dict[str, Any] = {
        "design": {
            "kind": "staggered", "randomised": False,
            "arms": ARMS,
        },
        "years": {"baseline": [2022, 2023], "programme": [2024, 2025]},
        "tables": {
            "assignment": [LISTED],
            "school_scores": [{
                "file": "rates.csv",
                "columns": {
                    "school": {"column": "school"}, "year": {"column": "year", "type": "integer"},
                },
                "outcomes": {"maths": {"column": "score", "type": "number"}},
            }],
        },
        "outcomes": {
            "maths": {
                "label": "Maths", "family": "tests", "primary": True, "measured_on": "school",
                "units_label": "points",
            },
        },
        "models": {"rollout": ROLLOUT},
        **QUICK,
    }  # fmt: skip
    tables = {"assignment.csv": listed, "rates.csv": rates[["school", "year", "score"]]}
    return Shape("two_cohorts_by_rates", protocol, tables, right=right)


SHAPES = (_one_cohort(), _two_cohorts())
