"""The ledger: who left between the raw files and an analysis, at which step, and why."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd

LEDGER_COLUMNS = ["level", "unit", "year", "arm", "step", "reason"]
FLOW_COLUMNS = ["step", "reason", "level", "year", "arm", "entered", "left", "remained"]


def hashed(unit: str, seed: int) -> str:
    """Return a key that tells units apart without naming them."""
    key = str(seed).encode()
    return hashlib.blake2b(str(unit).encode(), key=key, digest_size=8).hexdigest()


@dataclass
class Ledger:
    """Counts who enters and who leaves each step.

    Every step is a partition: entered = left + remained, by year and arm; what remains at one step
    enters the next one of the same chain.

    Attributes
    ----------
    seed : int
        Key of the hash of pupils' identifiers.
    """

    seed: int
    departures: list[pd.DataFrame] = field(default_factory=list)
    counts: list[pd.DataFrame] = field(default_factory=list)

    def leave(
        self, frame: pd.DataFrame, gone: pd.Series, *, step: str, reason: str, level: str = "pupil"
    ) -> pd.DataFrame:
        """Record those who leave, and return those who stay.

        Parameters
        ----------
        frame : DataFrame
            Rows with ``year``, ``arm`` and the unit's own column (``pupil`` or ``school``).
        gone : Series of bool
            Who leaves.
        step, reason : str
            Name of the step, and why they left.
        level : str
            ``pupil``, ``school`` or ``score``: what a row stands for.
        """
        arm = frame["arm"].fillna("not assigned") if "arm" in frame else "not assigned"
        groups = pd.DataFrame({"year": frame["year"], "arm": arm, "left": gone.astype(int)})
        tally = groups.groupby(["year", "arm"], as_index=False)["left"].agg(
            entered="size", left="sum"
        )
        tally["remained"] = tally["entered"] - tally["left"]
        self.counts.append(tally.assign(step=step, reason=reason, level=level)[FLOW_COLUMNS])
        if gone.any():
            unit = "school" if level == "school" else "pupil"
            name: Callable[[str], str] = str if level == "school" else self._hash
            self.departures.append(
                pd.DataFrame(
                    {
                        "level": level,
                        "unit": frame.loc[gone, unit].map(name),
                        "year": frame.loc[gone, "year"],
                        "arm": groups.loc[gone, "arm"],
                        "step": step,
                        "reason": reason,
                    }
                )
            )
        return frame[~gone]

    def _hash(self, unit: str) -> str:
        return hashed(unit, self.seed)

    def departed(self) -> pd.DataFrame:
        """Return one row per unit that left."""
        if not self.departures:
            return pd.DataFrame(columns=LEDGER_COLUMNS)
        return pd.concat(self.departures, ignore_index=True)

    def flow(self) -> pd.DataFrame:
        """Return who entered, left and remained, by step, year and arm."""
        return pd.concat(self.counts, ignore_index=True)
