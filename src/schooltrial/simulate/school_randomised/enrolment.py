"""Who is at which school in which year: entry, progression, moving and leaving.

A pupil enters in some grade, goes up a grade each year, passes from an elementary to a middle
school of the same district after grade 5, and leaves after grade 8 or before. Entrants are drawn so
that the expected size of each grade stays as it was.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schooltrial.random_streams import stream
from schooltrial.simulate.school_randomised.parameters import LEVEL_GRADES, Parameters

Ints = NDArray[np.int64]


Floats = NDArray[np.float64]


def enrol(parameters: Parameters, schools: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return one row per pupil and year.

    Parameters
    ----------
    parameters : Parameters
        Sizes and rates.
    schools : pandas.DataFrame
        One row per school, in order: ``district``, ``level``, ``block`` and ``size`` (mean pupils).
    seed : int
        Seed of the study.

    Returns
    -------
    pandas.DataFrame
        ``pupil`` (0, 1, … by order of arrival), ``year``, ``first_year``, ``first_school``,
        ``grade``, ``school`` (row of ``schools``; where the pupil is most days), ``days`` (enrolled
        there), ``entry_day`` (0 is the first), and for those who change school inside the year
        ``other_school``, ``other_days``, ``other_entry_day`` (−1 for all others).
    """
    design = _Flow(parameters, schools)
    first = design.full_cells(stream(seed, "entrants", parameters.years[0]))
    school, grade = first
    pupil = np.arange(len(school))
    first_year = np.full(len(school), parameters.years[0])
    first_school = school.copy()
    frames = []
    for year in parameters.years:
        if year != parameters.years[0]:
            stays, destination = design.progress(school, grade, stream(seed, "progression", year))
            new_school, new_grade = design.entrants(stream(seed, "entrants", year))
            new = np.arange(len(new_school)) + pupil.max() + 1
            pupil = np.concatenate([pupil[stays], new])
            first_year = np.concatenate([first_year[stays], np.full(len(new), year)])
            first_school = np.concatenate([first_school[stays], new_school])
            school = np.concatenate([destination[stays], new_school])
            grade = np.concatenate([grade[stays] + 1, new_grade])
        frame = design.days(school, stream(seed, "enrolment days", year))
        frame.insert(0, "pupil", pupil)
        frame.insert(1, "year", year)
        frame["first_year"], frame["first_school"], frame["grade"] = first_year, first_school, grade
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


class _Flow:
    """The sizes and rates of a trial, laid out by school."""

    def __init__(self, parameters: Parameters, schools: pd.DataFrame) -> None:
        self.parameters = parameters
        self.per_grade: Floats = schools["size"].to_numpy() / 3
        self.block: Ints = pd.factorize(schools["block"])[0]
        self.district: Ints = pd.factorize(schools["district"])[0]
        self.middle = (schools["level"] == "middle").to_numpy()
        self.lowest = np.where(
            self.middle, LEVEL_GRADES["middle"][0], LEVEL_GRADES["elementary"][0]
        )
        n_districts = self.district.max() + 1
        leaving = np.bincount(self.district, self.per_grade * ~self.middle, n_districts)
        places = np.bincount(self.district, self.per_grade * self.middle, n_districts)
        # A district's middle schools take no more than they have places for.
        fill = np.divide(places, leaving, out=np.zeros(n_districts), where=leaving > 0)
        self.transition = (1 - parameters.transition_leaver_rate) * np.minimum(1, fill)
        share = np.divide(
            self.per_grade * self.middle,
            places[self.district],
            out=np.zeros(len(schools)),
            where=self.middle,
        )
        self.inflow = (self.transition * leaving)[self.district] * share

    def full_cells(self, rng: np.random.Generator) -> tuple[Ints, Ints]:
        """Return school and grade of the pupils of the first year: every grade filled."""
        return self._cells(np.repeat(self.per_grade[:, None], 3, axis=1), rng)

    def entrants(self, rng: np.random.Generator) -> tuple[Ints, Ints]:
        """Return school and grade of those who are new to the study in a later year."""
        joiners = self.parameters.joiner_rate * self.per_grade
        lowest = np.where(self.middle, self.per_grade - self.inflow, self.per_grade)
        return self._cells(np.column_stack([lowest, joiners, joiners]), rng)

    def _cells(self, expected: Floats, rng: np.random.Generator) -> tuple[Ints, Ints]:
        counts = rng.poisson(expected).ravel()
        school = np.repeat(np.repeat(np.arange(len(expected)), 3), counts)
        grade = np.repeat((self.lowest[:, None] + np.arange(3)).ravel(), counts)
        return school, grade

    def progress(
        self, school: Ints, grade: Ints, rng: np.random.Generator
    ) -> tuple[NDArray[np.bool_], Ints]:
        """Return who is still in the study a year later, and at which school."""
        rates = self.parameters
        lot = rng.random(len(school))
        finishing = grade == LEVEL_GRADES["elementary"][-1]
        stays = np.where(finishing, lot < self.transition[self.district[school]],
                         lot < 1 - rates.leaver_rate)  # fmt: skip
        stays &= grade < LEVEL_GRADES["middle"][-1]
        destination = school.copy()
        moves = ~finishing & (rng.random(len(school)) < rates.mover_rate)
        destination[moves] = self._another(school[moves], rng)
        place = rng.random(len(school))
        for district in range(self.district.max() + 1):
            open_to = np.flatnonzero(self.middle & (self.district == district))
            going = finishing & (self.district[school] == district)
            if len(open_to):
                edges = np.cumsum(self.per_grade[open_to]) / self.per_grade[open_to].sum()
                chosen = np.searchsorted(edges, place[going], side="right")
                destination[going] = open_to[np.minimum(chosen, len(open_to) - 1)]
        return stays, destination

    def _another(self, school: Ints, rng: np.random.Generator) -> Ints:
        """Return, for each given school, another of the same block, all equally likely."""
        order = np.argsort(self.block, kind="stable")
        size = np.bincount(self.block)
        start = np.concatenate([[0], np.cumsum(size)[:-1]])
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order)) - start[self.block[order]]
        block = self.block[school]
        step = 1 + np.floor(rng.random(len(school)) * (size[block] - 1)).astype(np.int64)
        return np.asarray(order[start[block] + (place[school] + step) % size[block]])

    def days(self, school: Ints, rng: np.random.Generator) -> pd.DataFrame:
        """Return the days enrolled of each pupil, at one school or, rarely, at two."""
        rates, n = self.parameters, len(school)
        total = rates.school_days
        lot = rng.random(n)
        two = lot < rates.within_year_mover_rate
        late = ~two & (lot > 1 - rates.late_entrant_rate)
        entry = np.where(late, rng.integers(1, total * 3 // 4, n), 0)
        frame = pd.DataFrame({"school": school, "days": total - entry, "entry_day": entry})
        for name in ("other_school", "other_days", "other_entry_day"):
            frame[name] = -1
        # The day of the change is never halfway, so that "most days" always names one school.
        leaves = rng.integers(total // 10, total - total // 10, n)
        leaves = np.where(leaves * 2 == total, leaves + 1, leaves)
        origin = self._another(school, rng)
        mostly_origin = two & (leaves * 2 > total)
        mostly_here = two & ~mostly_origin
        here = (school, total - leaves, leaves)
        before = (origin, leaves, np.zeros(n, dtype=np.int64))
        for where, main, other in (
            (mostly_origin, before, here),
            (mostly_here, here, before),
        ):
            for name, values in zip(("school", "days", "entry_day"), main, strict=True):
                frame.loc[where, name] = values[where]
            names = ("other_school", "other_days", "other_entry_day")
            for name, values in zip(names, other, strict=True):
                frame.loc[where, name] = values[where]
        return frame
