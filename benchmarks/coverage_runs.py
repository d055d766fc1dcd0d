"""The study's trials run in parts, on as many processes as there are: the same result on any."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import numpy as np
from benchmarks.coverage_methods import METHODS, Finding, all_methods
from benchmarks.coverage_trials import CELLS, EFFECT, Cell, simulate_trial, streams
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

PART = 250  # trials of one stream
INVERTED = 5  # one trial in so many has the intervals of tests that re-draw


class Part(NamedTuple):
    """Some trials of a cell with one true effect."""

    cell: Cell
    effect: float
    number: int
    trials: int


class Outcomes(NamedTuple):
    """What the methods said of a set of trials.

    Attributes
    ----------
    findings : array (trials, methods, fields of Finding)
    singular, converged : bool arrays (trials,)
        Of the REML fit.
    share_treated : array (trials,)
        Share of pupils in treated schools.
    """

    findings: FloatArray
    singular: BoolArray
    converged: BoolArray
    share_treated: FloatArray

    def of(self, method: str, field: str) -> FloatArray:
        """Return one number of one method in every trial, (trials,)."""
        column = list(METHODS).index(method), Finding._fields.index(field)
        return self.findings[:, column[0], column[1]]


def parts(trials: int) -> list[Part]:
    """Return the work: for each cell, trials without an effect and as many others with one."""
    return [
        Part(cell, effect, number, min(PART, trials - number * PART))
        for cell in CELLS
        for effect in (0.0, EFFECT)
        for number in range(-(-trials // PART))
    ]


def run_part(part: Part) -> Outcomes:
    """Simulate the trials of a part and apply all methods to each."""
    data, redraws = streams(part.cell, part.effect, part.number)
    answers, shares = [], []
    for k in range(part.trials):
        trial = simulate_trial(part.cell, part.effect, data)
        invert = part.effect != 0 and k % INVERTED == 0
        answers.append(all_methods(trial, part.effect, redraws, invert=invert))
        shares.append(trial.share_treated)
    return Outcomes(
        np.array([answer.findings for answer in answers]),
        np.array([answer.singular for answer in answers]),
        np.array([answer.converged for answer in answers]),
        np.array(shares),
    )


def run(trials: int, processes: int) -> Iterator[tuple[Cell, float, Outcomes]]:
    """Yield the outcomes of each cell and true effect, as they are ready."""
    work = parts(trials)
    with ProcessPoolExecutor(processes) as pool:
        pending: list[Outcomes] = []
        for part, found in zip(work, pool.map(run_part, work), strict=True):
            pending.append(found)
            if sum(len(each.singular) for each in pending) == trials:
                yield part.cell, part.effect, together(pending)
                pending = []


def together(outcomes: list[Outcomes]) -> Outcomes:
    """Return several sets of trials as one."""
    return Outcomes(*(np.concatenate(column) for column in zip(*outcomes, strict=True)))
