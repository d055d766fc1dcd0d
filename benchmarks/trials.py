"""The simulated trials that are timed: always the same ones, in three sizes and one for power."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
PUPIL_TERMS = ("pretest", "female", "fsm", "eal", "age")
OUTCOME = "y1"


@dataclass(frozen=True)
class Size:
    """How large a trial is.

    Attributes
    ----------
    name : str
    schools, pupils, blocks, districts : int
        Treatment is drawn within blocks; districts cut across them.
    outcomes : int
        Columns ``y1``, ``y2``, …
    equal : bool
        Whether all schools have the same number of pupils.
    """

    name: str
    schools: int
    pupils: int
    blocks: int
    districts: int
    outcomes: int = 10
    equal: bool = False


SIZES = {
    size.name: size
    for size in (
        Size("small", 40, 4_000, 8, 8),
        Size("medium", 400, 60_000, 10, 40),
        Size("large", 10_000, 5_000_000, 12, 500, outcomes=1),
        Size("power", 40, 4_000, 8, 8, outcomes=50, equal=True),
    )
}


PANELS = {
    size.name: size
    for size in (
        Size("small panel", 500, 5_000, 1, 1, outcomes=1),
        Size("panel", 10_000, 100_000, 1, 1, outcomes=1),
    )
}
"""School panels: a row for each school and year in the place of pupils."""

PANEL_YEARS = tuple(range(2010, 2020))
COHORTS = (2014, 2015, 2016, 2017)


@dataclass(frozen=True)
class Trial:
    """A trial as a data frame, and as the folder that the peers read.

    Attributes
    ----------
    size : Size
    frame : DataFrame
        float64 columns; ``school``, ``district`` and ``block`` are integers.
    folder : Path
        Where ``data.bin`` (the columns one after the other, float64) and ``columns.txt`` are.
    """

    size: Size
    frame: pd.DataFrame
    folder: Path

    @property
    def school_terms(self) -> tuple[str, ...]:
        """Regressors that do not vary within schools: treatment, covariate, block indicators."""
        return ("treat", "school_pretest", *(f"b{b}" for b in range(2, self.size.blocks + 1)))

    @property
    def terms(self) -> tuple[str, ...]:
        """Regressors, without the intercept."""
        return (self.school_terms[0], *PUPIL_TERMS, *self.school_terms[1:])

    @property
    def within_terms(self) -> tuple[str, ...]:
        """Regressors that are left where school effects are absorbed."""
        return (*PUPIL_TERMS, "treat_pretest")

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Outcome columns."""
        return tuple(f"y{k}" for k in range(1, self.size.outcomes + 1))


def simulated(size: Size, seed: int = 20_240_901) -> pd.DataFrame:
    """Return the trial of a size, pupils in the order of their schools."""
    rng = np.random.default_rng([seed, size.schools, size.pupils, size.outcomes])
    counts = _pupils_by_school(size, rng)
    number = np.arange(size.schools)
    school = np.repeat(number, counts)
    block, district = number % size.blocks, number * size.districts // size.schools
    treat = _assigned(block, rng)
    columns: dict[str, NDArray[Any]] = {
        "school": school,
        "district": district[school],
        "block": block[school],
    }
    columns |= _covariates(school, treat, counts, rng)
    for b in range(1, size.blocks):
        columns[f"b{b + 1}"] = (block == b).astype(float)[school]
    shift = 0.1 * rng.standard_normal(size.blocks)[block] + 0.15 * treat
    shared = 0.3 * rng.standard_normal(size.districts)[district]
    level = 0.65 * columns["pretest"] - 0.2 * columns["fsm"] + 0.05 * columns["female"]
    for k in range(size.outcomes):
        effect = shift + shared + 0.3 * rng.standard_normal(size.schools)
        columns[f"y{k + 1}"] = level + effect[school] + 0.7 * rng.standard_normal(size.pupils)
    return pd.DataFrame(columns)


def _pupils_by_school(size: Size, rng: np.random.Generator) -> NDArray[np.int64]:
    if size.equal:
        return np.full(size.schools, size.pupils // size.schools, dtype=np.int64)
    least = size.pupils // size.schools // 8
    share = rng.gamma(3.0, size=size.schools)
    rest = rng.multinomial(size.pupils - least * size.schools, share / share.sum())
    return np.asarray(least + rest, dtype=np.int64)


def _assigned(block: NDArray[np.int64], rng: np.random.Generator) -> FloatArray:
    """Treat half of the schools of each block; in odd ones the half is rounded down."""
    treat = np.zeros(len(block))
    for b in np.unique(block):
        members = np.flatnonzero(block == b)
        treat[rng.permutation(members)[: len(members) // 2]] = 1.0
    return treat


def _covariates(
    school: NDArray[np.int64],
    treat: FloatArray,
    counts: NDArray[np.int64],
    rng: np.random.Generator,
) -> dict[str, FloatArray]:
    n = len(school)
    pretest = 0.4 * rng.standard_normal(len(counts))[school] + rng.standard_normal(n)
    mean = np.bincount(school, pretest) / counts
    return {
        "treat": treat[school],
        "pretest": pretest,
        "female": (rng.random(n) < 0.5).astype(float),
        "fsm": (rng.random(n) < rng.beta(2, 5, len(counts))[school]).astype(float),
        "eal": (rng.random(n) < 0.2).astype(float),
        "age": 10.5 + 0.3 * rng.standard_normal(n),
        "school_pretest": mean[school],
        "treat_pretest": treat[school] * pretest,
    }


def simulated_panel(size: Size, seed: int = 20_240_902) -> pd.DataFrame:
    """Return a panel in which a tenth of the schools begins in each of four years, the rest never.

    Effects grow by .1 a year; ``cohort`` is 0 where a school never begins, and ``treat`` is 1 from
    a school's first year on.
    """
    rng = np.random.default_rng([seed, size.schools])
    years = np.array(PANEL_YEARS)
    cohort = np.zeros(size.schools, dtype=np.int64)
    share = size.schools // 10
    for k, first in enumerate(COHORTS):
        cohort[k * share : (k + 1) * share] = first
    treated = (cohort > 0)[:, None] & (years >= cohort[:, None])
    level = rng.standard_normal((size.schools, 1))
    shocks = rng.standard_normal((size.schools, len(years)))
    outcome = level + shocks + 0.1 * treated * (1 + years - cohort[:, None])
    return pd.DataFrame({
        "school": np.repeat(np.arange(size.schools), len(years)),
        "year": np.tile(years, size.schools),
        "cohort": np.repeat(cohort, len(years)),
        "treat": treated.ravel().astype(float),
        "y1": outcome.ravel(),
    })  # fmt: skip


def read_frame(folder: Path) -> pd.DataFrame:
    """Return the frame of a trial that was written."""
    rows, *names = (folder / "columns.txt").read_text().split()
    values = np.fromfile(folder / "data.bin").reshape(len(names), int(rows))
    whole = {"school", "district", "block", "year", "cohort"} & set(names)
    frame = pd.DataFrame(dict(zip(names, values, strict=True)))
    return frame.astype(dict.fromkeys(whole, np.int64))


def written(size: Size, folder: Path, *, columns: bool = True) -> Trial:
    """Simulate a trial and write it to a folder of its own.

    Parameters
    ----------
    columns : bool
        Whether to write the columns for the peers (gigabytes for the large trial).
    """
    panel = size.name in PANELS
    frame = simulated_panel(size) if panel else simulated(size)
    trial = Trial(size, frame, folder / size.name)
    trial.folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{len(trial.frame)}", *trial.frame.columns]
    (trial.folder / "columns.txt").write_text("\n".join(lines) + "\n")
    for name, terms in (("terms", trial.terms), ("within_terms", trial.within_terms)):
        told = ("treat",) if panel else terms
        (trial.folder / f"{name}.txt").write_text("\n".join(told) + "\n")
    if columns:
        with (trial.folder / "data.bin").open("wb") as file:
            for name in trial.frame.columns:
                trial.frame[name].to_numpy(dtype=np.float64).tofile(file)
    return trial
