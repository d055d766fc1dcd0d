"""Schools that open, close, merge, split or change id in the years of a panel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schooltrial.random_streams import stream
from schooltrial.simulate.staggered_rollout.parameters import FIRST_CHANGE, RolloutParameters

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class SchoolChange:
    """One change of one school.

    Attributes
    ----------
    change : str
        ``renamed``, ``merged``, ``split``, ``closed`` or ``opened``.
    school : int
        Row of the school.
    year : int
        The first year in which it holds: under the new id, inside the other school, in two parts,
        gone, or open.
    into : int
        Row of the school that it merges into; −1 for other changes.
    """

    change: str
    school: int
    year: int
    into: int = -1


def draw_changes(
    parameters: RolloutParameters, schools: pd.DataFrame, seed: int
) -> tuple[SchoolChange, ...]:
    """Return the changes, each school having one at most.

    Parameters
    ----------
    parameters : RolloutParameters
        How many of each.
    schools : pandas.DataFrame
        ``region`` and ``cohort`` (0: never treated), a row per school.
    seed : int
        Seed of the study.

    Raises
    ------
    ValueError
        If the regions have too few comparison schools for the mergers, or no treated school can
        close after its first treated year.
    """
    rng = stream(seed, "school changes")
    cohort = schools["cohort"].to_numpy()
    region = schools["region"].to_numpy(dtype=object)
    years = np.array(parameters.years[FIRST_CHANGE:])
    free = [int(row) for row in rng.permutation(np.flatnonzero(cohort == 0))]
    found = []
    for change, count in parameters.school_changes:
        # The list bears the ids of the year before the first cohort; an id changes after it.
        first = parameters.cohorts[0] if change == "renamed" else years[0]
        for year in rng.choice(years[years >= first], count):
            school, into = free.pop(), -1
            if change == "merged":
                into = _partner(free, region, school)
            found.append(SchoolChange(change, school, int(year), into))
    entered = [int(row) for row in rng.permutation(np.flatnonzero(cohort > 0))]
    for change, count in parameters.treated_changes:
        for _ in range(count):
            school = _pop_treated(entered, cohort, change, int(years[-1]))
            first = cohort[school] + 1 if change == "closed" else parameters.cohorts[0]
            found.append(SchoolChange(change, school, int(rng.choice(years[years >= first]))))
    return tuple(found)


def _partner(free: list[int], region: NDArray[np.object_], school: int) -> int:
    """Take a school of the same region from those that have no change yet."""
    for place in range(len(free) - 1, -1, -1):
        if region[free[place]] == region[school]:
            return free.pop(place)
    raise ValueError(
        f"Region '{region[school]}' has too few comparison schools for another merger; lower "
        "merged in school_changes."
    )


def _pop_treated(entered: list[int], cohort: Ints, change: str, last: int) -> int:
    for place in range(len(entered) - 1, -1, -1):
        if change != "closed" or cohort[entered[place]] < last:
            return entered.pop(place)
    raise ValueError(
        "No treated school is left that could close after its first treated year; lower closed in "
        "treated_changes."
    )


def open_in(
    changes: tuple[SchoolChange, ...], n_schools: int, years: tuple[int, ...]
) -> NDArray[np.bool_]:
    """Return which schools are open in which years, an array of schools × years."""
    there = np.ones((n_schools, len(years)), dtype=bool)
    at = np.array(years)
    for change in changes:
        if change.change in ("closed", "merged"):
            there[change.school, at >= change.year] = False
        elif change.change == "opened":
            there[change.school, at < change.year] = False
    return there
