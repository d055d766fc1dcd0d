"""What every generator returns: raw files as they would be sent, and what is true."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Drawn:
    """A draw that was made from the frame of a synthetic trial, before anything of it happened.

    Attributes
    ----------
    seed : int
        Seed of the draw.
    treated : frozenset of str
        Codes of the schools in the intervention group.
    """

    seed: int
    treated: frozenset[str]


@dataclass(frozen=True)
class SimulatedTrial:
    """A synthetic trial: what the districts would send, and what is true.

    Attributes
    ----------
    files : dict of str to pandas.DataFrame
        Raw files by name, every cell text, to be written as CSV without the index.
    encodings : dict of str to str
        The encoding of each file, as Python names it.
    truth : dict
        Plain values that JSON can hold: ``seed``, ``effects`` (outcome, year: in the unit of the
        outcome as analysed), ``n_schools``, ``faults`` (a list of ``fault``, ``file``, ``count``,
        ``what``) and what else the generator documents.
    complete : dict of str to pandas.DataFrame
        The data before any mess, with both potential outcomes: ``schools``, and ``pupils``,
        ``teachers`` or ``school_years`` where the design has them; the generator documents their
        columns.
    delimiters : dict of str to str
        Delimiter of the files that are not separated by commas.
    """

    files: dict[str, pd.DataFrame]
    encodings: dict[str, str]
    truth: dict[str, Any]
    complete: dict[str, pd.DataFrame]
    delimiters: dict[str, str] = field(default_factory=dict)

    @property
    def schools(self) -> pd.DataFrame:
        """One row per school of the complete data."""
        return self.complete["schools"]

    @property
    def pupils(self) -> pd.DataFrame:
        """One row per pupil and year of the complete data; KeyError if there are none."""
        return self.complete["pupils"]
