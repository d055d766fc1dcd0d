"""The ledger: who left between the raw files and an analysis, at which step, and why."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api.types import union_categoricals

from schooltrial.data.rows.matching import texts

LEDGER_COLUMNS = ["level", "unit", "year", "arm", "step", "reason"]


FLOW_COLUMNS = ["step", "reason", "level", "year", "arm", "entered", "left", "remained"]


UNIT_OF_LEVEL = {
    "pupil": "pupil", "score": "pupil", "teacher": "teacher", "observation": "teacher",
    "school": "school", "school score": "school", "class": "class", "group": "group",
}  # fmt: skip
"""What a row of the ledger stands for → the column that names it. Only schools are named."""


NOT_ASSIGNED = "not assigned"


def hashed(unit: str, secret: str) -> str:
    """Return a key that separates units without naming them to those without the secret."""
    key = secret.encode()[: hashlib.blake2b.MAX_KEY_SIZE]
    return hashlib.blake2b(str(unit).encode(), key=key, digest_size=8).hexdigest()


@dataclass(frozen=True)
class Departure:
    """Those who left at one step for one reason; they are hashed only when the ledger is made."""

    level: str
    step: str
    reason: str
    unit: pd.Series
    year: np.ndarray
    arm: pd.Categorical


@dataclass
class Ledger:
    """Counts who enters and who leaves each step.

    Every step is a partition: entered = left + remained, by year and arm; what remains at one step
    enters the next one of the same chain.

    Attributes
    ----------
    secret : str
        Key of the hash of pupils' and teachers' identifiers.
    """

    secret: str
    departures: list[Departure] = field(default_factory=list)
    counts: list[pd.DataFrame] = field(default_factory=list)

    def leave(
        self,
        frame: pd.DataFrame,
        gone: pd.Series | np.ndarray,
        *,
        step: str,
        reason: str,
        level: str = "pupil",
    ) -> pd.DataFrame:
        """Record those who leave, and return those who stay.

        Parameters
        ----------
        frame : DataFrame
            Rows with ``year``, ``arm`` and the column that names the unit of the level.
        gone : Series or ndarray of bool
            Who leaves.
        step, reason : str
            Name of the step, and why they left.
        level : str
            What a row stands for: one of ``UNIT_OF_LEVEL``.
        """
        left = np.asarray(gone, dtype=bool)
        year = frame["year"].to_numpy("int64")
        arm, arms = _arms(frame)
        self._count(year, arm, arms, left, step, reason, level)
        if not left.any():
            return frame
        unit = frame.loc[left, UNIT_OF_LEVEL[level]]
        self.departures.append(
            Departure(
                level, step, reason, unit, year[left], pd.Categorical.from_codes(arm[left], arms)
            )
        )
        return frame[~left]

    def _count(
        self,
        year: np.ndarray,
        arm: np.ndarray,
        arms: np.ndarray,
        left: np.ndarray,
        step: str,
        reason: str,
        level: str,
    ) -> None:
        at, years = pd.factorize(year, sort=True)
        cell, cells = at * len(arms) + arm, len(years) * len(arms)
        entered = np.bincount(cell, minlength=cells)
        gone = np.bincount(cell[left], minlength=cells)
        tally = pd.DataFrame(
            {
                "step": step,
                "reason": reason,
                "level": level,
                "year": np.repeat(years, len(arms)),
                "arm": np.tile(arms, len(years)),
                "entered": entered,
                "left": gone,
                "remained": entered - gone,
            }
        )
        self.counts.append(tally[tally["entered"] > 0])

    def departed(self) -> pd.DataFrame:
        """Return one row per unit that left, step by step and by year within the step."""
        if not self.departures:
            return pd.DataFrame(columns=LEDGER_COLUMNS)
        order = _by_first_use((part.step, part.reason, part.level) for part in self.departures)
        parts = [self.departures[at] for at in order]
        part = np.repeat(np.arange(len(parts)), [len(part.year) for part in parts])
        arm = union_categoricals([part.arm for part in parts])
        columns = {
            "level": _repeated([part.level for part in parts], part),
            "unit": self._keys(parts, part),
            "year": np.concatenate([part.year for part in parts]),
            "arm": _repeated(list(arm.categories), arm.codes),
            "step": _repeated([part.step for part in parts], part),
            "reason": _repeated([part.reason for part in parts], part),
        }
        return pd.DataFrame(columns)

    def _keys(self, parts: list[Departure], part: np.ndarray) -> pd.Series:
        """Return what each row is called: schools by name, others by a hash that is made once."""
        units = pa.chunked_array([texts(part.unit) for part in parts], pa.large_string())
        encoded = units.combine_chunks().dictionary_encode()
        names = encoded.dictionary.to_pylist()
        secret = np.array([UNIT_OF_LEVEL[part.level] != "school" for part in parts])[part]
        at = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        keys = np.array([*names, *names], object)
        for code in np.unique(at[secret]):
            keys[len(names) + code] = hashed(names[code], self.secret)
        return _repeated(list(keys), at + len(names) * secret)

    def flow(self) -> pd.DataFrame:
        """Return who entered, left and remained, by step, year and group."""
        if not self.counts:
            return pd.DataFrame(columns=FLOW_COLUMNS)
        flow = pd.concat(self.counts, ignore_index=True)
        keys = flow[["step", "reason", "level"]].itertuples(index=False, name=None)
        return flow.iloc[_by_first_use(keys)].reset_index(drop=True)


def one_ledger(ledgers: Iterable[Ledger]) -> Ledger:
    """Return one exclusions log of several that were kept separately, in their order."""
    parts = list(ledgers)
    return Ledger(
        parts[0].secret,
        [departure for part in parts for departure in part.departures],
        [count for part in parts for count in part.counts],
    )


def _repeated(names: list[str], at: np.ndarray) -> pd.Series:
    """Return texts by their number."""
    return pd.Series(names, dtype="str").take(at).reset_index(drop=True)


def _arms(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's group as a number, and the names, in the order of letters."""
    if "arm" not in frame:
        return np.zeros(len(frame), dtype=np.int64), np.array([NOT_ASSIGNED], object)
    code, found = pd.factorize(frame["arm"])
    names = np.array([*map(str, found), NOT_ASSIGNED], object)
    order = np.argsort(names)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return rank[np.where(code < 0, len(found), code)], names[order]


def _by_first_use(keys: Iterable[tuple[str, str, str]]) -> np.ndarray:
    """Return the order that brings the same keys together, the first seen first."""
    seen: dict[tuple[str, str, str], int] = {}
    rank = np.array([seen.setdefault(key, len(seen)) for key in keys], dtype=np.int64)
    return np.argsort(rank, kind="stable")
