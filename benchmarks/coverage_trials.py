"""The simulated trials of the coverage study: schools of unequal size, half of them treated.

    y_ij = δ z_j + .6 x_ij + .3 w_j + u_j + e_ij,    u_j ~ N(0, ρ),  e_ij ~ N(0, 1 − ρ),

so that δ is in standard deviations of the outcome given the covariates, and ρ is the intraclass
correlation of what they leave. Everything is drawn anew in each trial: sizes, covariates,
assignment and errors. Because sizes are skewed, the treated schools are never a mirror image of the
others; which arm has the large schools is the lottery's doing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schooltrial.random_streams import stream

FloatArray = NDArray[np.float64]

SEED = 20_261
EFFECT = 0.2
SIZE_MEAN, SIZE_CV, SIZE_LEAST = 60.0, 0.5, 5
PUPIL_SLOPE, SCHOOL_SLOPE = 0.6, 0.3
PUPIL_COVARIATE_ICC = 0.1


class Cell(NamedTuple):
    """A setting of the study: how many schools, and how alike their pupils."""

    schools: int
    icc: float


CELLS = tuple(Cell(schools, icc) for schools in (40, 20, 10) for icc in (0.0, 0.05, 0.2))


class Trial(NamedTuple):
    """One simulated trial, a row for each pupil."""

    outcome: FloatArray
    treated: FloatArray
    pupil_covariate: FloatArray
    school_covariate: FloatArray
    school: NDArray[np.intp]

    @property
    def share_treated(self) -> float:
        """Share of the pupils whose school is treated; the lottery makes it differ from ½."""
        return float(self.treated.mean())


class Streams(NamedTuple):
    """Random numbers of a part of a cell's trials: for the data, and for the re-draws of tests."""

    data: np.random.Generator
    redraws: np.random.Generator


def streams(cell: Cell, effect: float, part: int) -> Streams:
    """Return the streams of a part, found by its name and so the same on any number of cores."""
    name = ("coverage", f"{cell.schools} schools", f"icc {cell.icc}", f"effect {effect}", part)
    return Streams(stream(SEED, *name, "data"), stream(SEED, *name, "redraws"))


def simulate_trial(cell: Cell, effect: float, rng: np.random.Generator) -> Trial:
    """Draw a trial whose true effect is ``effect``."""
    shape = SIZE_CV**-2
    drawn = rng.gamma(shape, SIZE_MEAN / shape, size=cell.schools)
    sizes = np.maximum(np.rint(drawn), SIZE_LEAST).astype(np.intp)
    school = np.repeat(np.arange(cell.schools), sizes)
    assigned = rng.permutation(np.repeat((0.0, 1.0), cell.schools // 2))
    pupil = _in_schools(PUPIL_COVARIATE_ICC, school, cell.schools, rng)
    of_school = rng.standard_normal(cell.schools)
    error = _in_schools(cell.icc, school, cell.schools, rng)
    fixed = effect * assigned + SCHOOL_SLOPE * of_school
    outcome = fixed[school] + PUPIL_SLOPE * pupil + error
    return Trial(outcome, assigned[school], pupil, of_school[school], school)


def _in_schools(
    icc: float, school: NDArray[np.intp], schools: int, rng: np.random.Generator
) -> FloatArray:
    """Draw values of variance one, of which a share ``icc`` lies between schools."""
    between = np.sqrt(icc) * rng.standard_normal(schools)
    within = np.sqrt(1.0 - icc) * rng.standard_normal(len(school))
    return np.asarray(between[school] + within)
