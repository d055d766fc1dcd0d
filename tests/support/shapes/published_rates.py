"""Shapes of published rates: no numbers of pupils, withheld cells, schools that come and go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from support.shapes.cohorts import LISTED, QUICK, ROLLOUT
from support.shapes.generator import ARMS
from support.shapes.right import assert_told
from support.shapes.shape import Shape

YEARS = (2021, 2022, 2023, 2024, 2025)
HARDER = 2024
"""From this year on a harder test is sat, by all alike."""
COHORTS = {f"N{at}": 0 for at in range(1, 9)} | {
    "T1": 2024, "T2": 2024, "T3": 2024, "T4": 2025, "T5": 2025, "T6": 2025,
}  # fmt: skip
GONE = {("N2", 2024), ("N2", 2025), ("N4", 2024), ("N4", 2025), ("N5", 2021), ("N5", 2022),
        ("T1", 2025)}  # fmt: skip
"""N2 merges into N3 and N4 closes in 2024, N5 opens in 2023, T1 closes in 2025."""
WITHHELD = {("N6", 2023): "*", ("N7", 2022): "<5", ("T2", 2025): ">95"}
MERGED = {("N3", 2024), ("N3", 2025)}
"""Rates of a school that took in another of the study are of neither, and leave."""
RENAMED = ("N1", 2024, "N1 new")


def _rates(seed: int) -> pd.DataFrame:
    """Return the rates as they were, a row for each school and year in which it was open."""
    rng = np.random.default_rng(seed)
    rows = []
    for at, (school, cohort) in enumerate(COHORTS.items()):
        level = rng.normal(96 if at % 3 == 0 else 70, 1)
        for year in YEARS:
            if (school, year) in GONE:
                continue
            rate = level + rng.normal(0, 1) - 12 * (year >= HARDER) + 4 * (0 < cohort <= year)
            rows.append((school, year, round(min(rate, 99.5), 1)))
    return pd.DataFrame(rows, columns=["school", "year", "rate"])


def _written(rates: pd.DataFrame) -> pd.DataFrame:
    """Return the rows as they are published: with other names, and withheld."""
    school, year, new = RENAMED
    texts = [
        WITHHELD.get((name, at), f"{rate}")
        for name, at, rate in rates.itertuples(index=False, name=None)
    ]
    renamed = (rates["school"] == school) & (rates["year"] >= year)
    return rates.assign(rate=texts, school=rates["school"].where(~renamed, new))


def _cell(rates: pd.DataFrame, cohort: int, year: int) -> float:
    """Return ATT(g, t) of the schools whose rate is known in both of its years."""
    left = pd.MultiIndex.from_tuples([*WITHHELD, *MERGED])
    known = rates.set_index(["school", "year"])["rate"]
    wide = known[~known.index.isin(left)].unstack()
    change = (wide[year] - wide[cohort - 1]).dropna()
    of_cohort = change.groupby(pd.Series(COHORTS)).mean()
    return float(of_cohort[cohort] - of_cohort[0])


def _come_and_go() -> Shape:
    rates = _rates(64)
    listed = pd.DataFrame({
        "school": list(COHORTS),
        "arm": ["programme" if cohort else "control" for cohort in COHORTS.values()],
        "cohort": pd.array([cohort or None for cohort in COHORTS.values()], "Int64"),
    })  # fmt: skip
    crosswalk = pd.DataFrame([
        (RENAMED[2], RENAMED[1], RENAMED[0], "renamed"), ("N2", 2024, "N3", "merged"),
        ("N4", 2024, "", "closed"), ("T1", 2025, "", "closed"),
    ], columns=["reported", "from", "listed", "change"])  # fmt: skip

    def right(results: Path) -> None:
        rows = pd.read_csv(results / "estimates" / "estimates.csv")
        rows = rows[rows["estimand"] != "permutation check"].set_index("term")
        for cohort, year in ((2024, 2024), (2024, 2025), (2025, 2025)):
            found = rows.loc[f"treated[cohort={cohort}, year={year}]", "estimate"]
            assert abs(found - _cell(rates, cohort, year)) < 1e-9, (cohort, year)
        assert rows["n_individuals"].isna().all()
        assert "pupils are not counted" in rows.loc["treated", "note"]
        assert "lie within 5 of an end of the scale (0 to 100)" in rows.loc["treated", "note"]
        assert_told(results, "near it cannot change as others do")

    protocol: dict[str, Any] = {
        "design": {"kind": "staggered", "randomised": False, "arms": ARMS},
        "years": {"baseline": [2021, 2022, 2023], "programme": [2024, 2025]},
        "tables": {
            "assignment": [LISTED],
            "school_scores": [{
                "file": "rates.csv",
                "columns": {
                    "school": {"column": "school"}, "year": {"column": "year", "type": "integer"},
                },
                "outcomes": {
                    "passed": {"column": "rate", "type": "number", "suppressed": "bounds"},
                },
            }],
            "crosswalk": [{
                "file": "crosswalk.csv",
                "columns": {
                    "from_school": {"column": "reported"},
                    "from_year": {"column": "from", "type": "integer"},
                    "to_school": {"column": "listed"},
                    "change": {"column": "change", "type": "category", "required": True},
                },
            }],
        },
        "outcomes": {
            "passed": {
                "label": "Passed", "family": "tests", "primary": True, "measured_on": "school",
                "units_label": "per cent", "range": [0, 100],
            },
        },
        "models": {"rollout": {**ROLLOUT, "outcomes": ["passed"]}},
        **QUICK,
    }  # fmt: skip
    tables = {"assignment.csv": listed, "rates.csv": _written(rates), "crosswalk.csv": crosswalk}
    return Shape("schools_that_come_and_go", protocol, tables, right=right)


SHAPES = (_come_and_go(),)
