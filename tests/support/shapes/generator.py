"""The one generator of small trials from which the shapes are made, with a known effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

EFFECT = 5.0
"""Points by which the programme raises the score in the years in which it runs."""

ARMS = [{"name": "control", "label": "Control"}, {"name": "programme", "label": "Programme"}]


@dataclass(frozen=True)
class Drawn:
    """A trial that was drawn.

    Attributes
    ----------
    units : pandas.DataFrame
        The allocation list, a row per ``school``, ``teacher`` or ``pupil``: ``block``, ``arm``.
    pupils : pandas.DataFrame
        A row per pupil and year: ``pupil``, ``school``, ``teacher``, ``year``, ``sex``,
        ``pretest``, ``score`` (mean about 50, SD about 10), ``arm``.
    """

    units: pd.DataFrame
    pupils: pd.DataFrame

    def year(self, year: int, *columns: str) -> pd.DataFrame:
        """Return the rows of one year, and of them the columns that are named."""
        rows = self.pupils[self.pupils["year"] == year].reset_index(drop=True)
        return rows[list(columns)] if columns else rows


def draw_trial(
    seed: int = 1,
    *,
    schools: int = 12,
    pupils: int = 10,
    years: Sequence[int] = (2024, 2025),
    programme: Sequence[int] | None = None,
    unit: str = "school",
    block_size: int = 2,
    arms: Sequence[str] = ("control", "programme"),
    effects: Mapping[str, float] | None = None,
    sd_school: float = 3.0,
    sd_pupil: float = 9.0,
) -> Drawn:
    """Draw a trial: schools of two teachers each, pupils followed over the years.

    Parameters
    ----------
    seed : int
        Seed of all that is random.
    schools, pupils : int
        Schools, and pupils in each.
    years : sequence of int
        Years in which the pupils are on the rosters and have a score.
    programme : sequence of int, optional
        Years in which the programme acts. By default the last.
    unit : str
        What is assigned: ``school``, ``teacher`` or ``pupil``; the latter two within schools.
    block_size : int
        Schools in a block; 0: one block of all.
    arms : sequence of str
        The groups, control first; the units of a block are divided among them alike.
    effects : mapping, optional
        Points by group. By default `EFFECT` for every group but the first.
    sd_school, sd_pupil : float
        SD between schools, and between pupils within them, in points.
    """
    rng = np.random.default_rng(seed)
    effects = effects if effects is not None else dict.fromkeys(arms[1:], EFFECT)
    acting = {years[-1]} if programme is None else set(programme)
    names = np.array([f"S{at + 1:03d}" for at in range(schools)])
    of_school = np.repeat(np.arange(schools), pupils)
    n = schools * pupils
    half = np.tile(np.arange(pupils) % 2, schools)
    people = pd.DataFrame({
        "pupil": [f"P{at + 1:05d}" for at in range(n)],
        "school": names[of_school],
        "teacher": [f"{names[s]}-T{h + 1}" for s, h in zip(of_school, half, strict=True)],
        "sex": rng.choice(["F", "M"], n),
        "pretest": np.round(rng.normal(50, 10, n), 1),
    })  # fmt: skip
    block = names if block_size == 0 else np.arange(schools) // max(block_size, 1)
    blocks = dict(zip(names, ["all"] * schools if block_size == 0 else block, strict=True))
    units = people[list(dict.fromkeys([unit, "school"]))].drop_duplicates().reset_index(drop=True)
    units["block"] = (
        units["school"].map(blocks).map(lambda b: f"B{b + 1:03d}" if b != "all" else "all")
        if unit == "school"
        else units["school"]
    )
    units["arm"] = ""
    for _, rows in units.groupby("block", sort=True).groups.items():
        even = np.tile(np.asarray(arms), len(rows) // len(arms) + 1)[: len(rows)]
        units.loc[rows, "arm"] = rng.permutation(even)
    people["arm"] = people[unit].map(units.set_index(unit)["arm"])
    level = np.repeat(rng.normal(0, sd_school, schools), pupils)
    lasting = 0.6 * (people["pretest"].to_numpy() - 50)
    parts = []
    for year in years:
        effect = people["arm"].map(lambda arm: effects.get(arm, 0.0)).to_numpy(float)
        noise = rng.normal(0, 0.7 * sd_pupil, n)
        score = 50 + level + lasting + noise + effect * (year in acting)
        parts.append(people.assign(year=year, score=np.round(score, 2)))
    return Drawn(units, pd.concat(parts, ignore_index=True))


def plain_protocol(drawn: Drawn, **sections: Any) -> dict[str, Any]:
    """Return a protocol of schools in blocks with a roster and a score each year, changed as said.

    Its files are ``assignment.csv`` and ``pupils_<year>.csv`` (see `plain_tables`).
    """
    years = sorted(int(year) for year in drawn.pupils["year"].unique())
    baseline, last = years[:-1], years[-1]
    outcome: dict[str, Any] = {"label": "Maths", "family": "tests", "primary": True}
    if baseline:
        outcome["baseline_year"] = baseline[-1]
    return {
        "design": {"kind": "blocked", "arms": ARMS},
        "years": {"baseline": baseline, "programme": [last]},
        "tables": {
            "assignment": [assignment_reading()],
            "pupils": [pupils_reading()],
            "scores": [scores_reading()],
        },
        "outcomes": {"maths": outcome},
        "balance": {"pupil_variables": ["sex", "pretest"]},
        "models": {
            "itt": {
                "label": "Intention to treat", "estimator": "cluster_robust", "role": "primary",
                "outcomes": ["maths"], "where": {"year": [last]}, "covariates": ["pretest"],
            },
        },
        **sections,
    }  # fmt: skip


def plain_tables(drawn: Drawn, unit: str = "school") -> dict[str, pd.DataFrame]:
    """Return the raw files of `plain_protocol`."""
    columns = ["pupil", "school", "teacher", "sex", "pretest", "score"]
    years = drawn.pupils["year"].unique()
    return {
        "assignment.csv": drawn.units[list(dict.fromkeys([unit, "school", "block", "arm"]))],
        **{f"pupils_{year}.csv": drawn.year(year, *columns) for year in years},
    }


def assignment_reading(unit: str = "school", **columns: Any) -> dict[str, Any]:
    """Return how the allocation list is read."""
    return {
        "file": "assignment.csv",
        "columns": {
            unit: {"column": unit},
            "block": {"column": "block"},
            "arm": {"column": "arm", "type": "category"},
            **columns,
        },
    }


def pupils_reading(file: str = "pupils_{year}.csv", **columns: Any) -> dict[str, Any]:
    """Return how a roster is read."""
    return {
        "file": file,
        "columns": {
            "pupil": {"column": "pupil"},
            "school": {"column": "school"},
            "sex": {"column": "sex", "type": "category", "codes": {"F": "girl", "M": "boy"}},
            "pretest": {"column": "pretest", "type": "number", "label": "Pre-test"},
            **columns,
        },
    }


def scores_reading(file: str = "pupils_{year}.csv", **outcomes: Any) -> dict[str, Any]:
    """Return how a file of scores is read."""
    return {
        "file": file,
        "columns": {"pupil": {"column": "pupil"}},
        "outcomes": outcomes or {"maths": {"column": "score", "type": "number"}},
    }
