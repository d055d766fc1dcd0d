"""Whether the identifiers of one table are found in another, and which differ in spelling alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from schooltrial.data.rows.matching import positions
from schooltrial.data.spelling.variants import (
    PREFIX,
    alike,
    all_simplified,
    differences,
    without_prefix,
)

SHOWN_PAIRS = 200
"""Pairs of identifiers that are spelt in two ways, of which so many are looked at in detail."""


PREFIXED = 0.5
"""Share of unmatched identifiers that match without a prefix, from which it is taken for one."""


SAMPLED = 1000
"""Identifiers that are looked at first, to see whether a prefix is likely."""


MOST = 0.5
"""Share of identifiers that are digits, above which those of a table are taken for digits."""


@dataclass(frozen=True)
class Keys:
    """The identifiers of one table, or of a part of it, each once.

    Attributes
    ----------
    table, variable : str
        Standard table, and the variable that holds the identifiers.
    names : Array of large_string
    rows : array of int
        Rows that each stands in.
    year : int, optional
        Year of the rows; None for all years together.
    outcome : str
        Outcome of the rows; empty for all together.
    """

    table: str
    variable: str
    names: pa.Array
    rows: npt.NDArray[np.int64]
    year: int | None = None
    outcome: str = ""

    @cached_property
    def simplified(self) -> pa.Array:
        """The identifiers without what differs in spelling alone."""
        return all_simplified(self.names)


def keys_of(
    table: str, variable: str, values: pa.Array, year: int | None = None, outcome: str = ""
) -> Keys:
    """Return the distinct identifiers among the values of a column."""
    counted = pc.value_counts(pc.drop_null(values))
    rows: npt.NDArray[np.int64] = counted.field("counts").to_numpy(zero_copy_only=False)
    return Keys(table, variable, counted.field("values"), rows, year, outcome)


def together(parts: Sequence[Keys], year: int | None = None) -> Keys:
    """Return the identifiers of several parts of a table as one."""
    first = parts[0]
    encoded = pa.chunked_array([part.names for part in parts], pa.large_string())
    encoded = encoded.combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    rows = np.bincount(
        codes, np.concatenate([part.rows for part in parts]), minlength=len(encoded.dictionary)
    )
    return Keys(first.table, first.variable, encoded.dictionary, rows.astype(np.int64), year)


@dataclass(frozen=True)
class Alike:
    """Unmatched identifiers of one table that are those of another, spelt in another way.

    Attributes
    ----------
    names, others : list of str
        Some of them, as they are spelt in each of the two.
    count : int
        How many there are.
    differ : list of str
        In what they differ, the commonest first.
    width, other_width : int, optional
        Characters of every identifier of each table, where all have as many.
    """

    names: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    count: int = 0
    differ: list[str] = field(default_factory=list)
    width: int | None = None
    other_width: int | None = None


@dataclass(frozen=True)
class KeyMatch:
    """How many identifiers of one table are found in another, and the other way round.

    Attributes
    ----------
    keys, among : Keys
        Those that are looked up, and those among which they are.
    matched : array of bool
        For each of the first, whether it is there.
    found : array of bool
        For each of the second, whether the first hold it.
    known : array of bool
        For each of the first that is not there, whether that is explained: its row was left out as
        the protocol says.
    alike : Alike
        Unmatched identifiers that would be there in another spelling.
    """

    keys: Keys
    among: Keys
    matched: npt.NDArray[np.bool_]
    found: npt.NDArray[np.bool_]
    known: npt.NDArray[np.bool_]
    alike: Alike

    @property
    def unmatched(self) -> npt.NDArray[np.bool_]:
        """Which identifiers are neither there, nor known to have been left out."""
        return ~self.matched & ~self.known

    @property
    def share(self) -> float:
        """Share of the identifiers that are there, of those that were not left out."""
        return _share(int(self.matched.sum()), int((~self.known).sum()))

    @property
    def share_found(self) -> float:
        """Share of the others that the first hold."""
        return _share(int(self.found.sum()), len(self.found))

    @property
    def rows_unmatched(self) -> int:
        """Rows of the identifiers that are not there."""
        return int(self.keys.rows[self.unmatched].sum())

    def examples(self, most: int = 3) -> list[str]:
        """Return some of the identifiers that are not there."""
        at = np.flatnonzero(self.unmatched)[:most]
        return [str(name) for name in self.keys.names.take(pa.array(at)).to_pylist()]

    def others(self, most: int = 3) -> list[str]:
        """Return some of those among which they were looked up, unmatched ones first."""
        at = np.argsort(self.found, kind="stable")[:most]
        return [str(name) for name in self.among.names.take(pa.array(at)).to_pylist()]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def match_keys(
    keys: Keys, among: Keys, left_out: pa.Array | None = None, *, one_row_each: bool = False
) -> KeyMatch:
    """Look the identifiers of one table up in another.

    Parameters
    ----------
    keys, among : Keys
    left_out : Array of large_string, optional
        Identifiers of rows of the other table that the protocol leaves out.
    one_row_each : bool
        Whether an identifier stands in one row of the first at most. Two spellings that both stand
        there are then two identifiers.
    """
    at = positions(keys.names, among.names)
    matched = at >= 0
    found = np.zeros(len(among.names), dtype=bool)
    found[at[matched]] = True
    known = np.zeros(len(matched), dtype=bool)
    if left_out is not None and len(left_out) and not matched.all():
        known = ~matched & (positions(keys.names, left_out) >= 0)
    unmatched = np.flatnonzero(~matched & ~known)
    return KeyMatch(
        keys, among, matched, found, known, _alike(keys, among, unmatched, one_row_each)
    )


def _alike(keys: Keys, among: Keys, unmatched: npt.NDArray[np.int64], one_row_each: bool) -> Alike:
    """Return the unmatched identifiers that would be there in another spelling."""
    if len(unmatched) == 0 or len(among.names) == 0:
        return Alike()
    names = keys.names.take(pa.array(unmatched))
    simple = all_simplified(names)
    at = _spelt_alike(names, simple, among)
    prefixed = at < 0
    if prefixed.any():
        at = np.where(prefixed, _without_prefix(simple, among.simplified), at)
    hit = np.flatnonzero(at >= 0)
    if len(hit) and one_row_each:
        others = among.names.take(pa.array(at[hit]))
        hit = hit[positions(others, keys.names) < 0]
    if len(hit) == 0:
        return Alike()
    shown = hit[:SHOWN_PAIRS]
    here = [str(name) for name in names.take(pa.array(shown)).to_pylist()]
    there = [str(name) for name in among.names.take(pa.array(at[shown])).to_pylist()]
    differ = [
        what
        for pair, by_prefix in zip(zip(here, there, strict=True), prefixed[shown], strict=True)
        for what in ([PREFIX] if by_prefix else differences(*pair))
    ]
    commonest = list(pd.Series(differ, dtype="str").value_counts().index)
    widths = _width(keys.names), _width(among.names)
    return Alike(here, there, len(hit), commonest, *widths)


def _spelt_alike(names: pa.Array, simple: pa.Array, among: Keys) -> npt.NDArray[np.int64]:
    """Return where each name is among others in another spelling; −1 where it is not."""
    at = positions(simple, among.simplified).astype(np.int64)
    hit = np.flatnonzero(at >= 0)
    here = names.take(pa.array(hit)).to_pylist()
    there = among.names.take(pa.array(at[hit])).to_pylist()
    odd = [row for row, *pair in zip(hit, here, there, strict=True) if not alike(*pair)]
    if odd:  # the first of several that are simplified alike may be another identifier
        wanted = simple.take(pa.array(odd))
        near = np.flatnonzero(positions(among.simplified, wanted) >= 0)
        others = among.names.take(pa.array(near)).to_pylist()
        for row in odd:
            name = names[int(row)].as_py()
            at[row] = next(
                (int(a) for a, o in zip(near, others, strict=True) if alike(name, o)), -1
            )
    return at


def _width(names: pa.Array) -> int | None:
    """Return how many characters every identifier has; None if they differ in that."""
    lengths = pc.unique(pc.utf8_length(names))
    return int(lengths[0].as_py()) if len(lengths) == 1 else None


def _without_prefix(names: pa.Array, among: pa.Array) -> npt.NDArray[np.int64]:
    """Return where one table, but not the other, writes names after letters.

    It is looked for where at least `PREFIXED` of the names, and two, are found in this way: a
    single school ``S1`` and a single ``1`` are two schools.
    """
    none = np.full(len(names), -1, dtype=np.int64)
    plain, others_plain = (
        float(np.mean(pc.ascii_is_decimal(one[:SAMPLED]).to_numpy(zero_copy_only=False))) > MOST
        for one in (names, among)
    )
    if plain == others_plain:
        return none
    if plain:
        found = positions(names, _digits(among))
    else:
        if not _often(positions(_digits(names[:SAMPLED]), among)):
            return none
        found = positions(_digits(names), among)
    return found.astype(np.int64) if _often(found) else none


def _digits(names: pa.Array) -> pa.Array:
    """Return the digits after the letters of each identifier; missing if it is not so made."""
    return pa.array(without_prefix(pd.Series(names.to_pandas(), dtype="str")), pa.large_string())


def _often(found: npt.NDArray[np.integer]) -> bool:
    return int((found >= 0).sum()) >= max(2, PREFIXED * len(found))


def spelt_in_two_ways(units: pa.Array, years: Sequence[tuple[int, npt.NDArray[np.integer]]]) -> (
    list[tuple[str, int, str, int]]
):  # fmt: skip
    """Return people of rosters whose identifier one year spells in another way than the next.

    Two spellings on the roster of one year are two people. So are those that never differ in more
    than what a file can do to an identifier, but were never alike.

    Parameters
    ----------
    units : Array of large_string
        Identifiers by number, each once.
    years : sequence of (int, array of int)
        Each year, and the numbers of those who are on its roster.

    Returns
    -------
    list of (str, int, str, int)
        Identifier and first year, then the other spelling and its first year.
    """
    simple = all_simplified(units).dictionary_encode()
    codes = simple.indices.to_numpy(zero_copy_only=False)
    several = np.bincount(codes, minlength=len(simple.dictionary)) > 1
    if not several.any():
        return []
    first = np.full(len(units), np.iinfo(np.int32).max, dtype=np.int32)
    distinct = np.zeros(len(simple.dictionary), dtype=bool)
    for year, there in years:
        first[there] = np.minimum(first[there], year)
        distinct |= np.bincount(codes[there], minlength=len(distinct)) > 1
    chosen = np.flatnonzero((several & ~distinct)[codes])
    order = chosen[np.lexsort((first[chosen], codes[chosen]))]
    same = codes[order][1:] == codes[order][:-1]
    pairs = zip(order[:-1][same], order[1:][same], strict=True)
    found = [
        (str(units[int(a)]), int(first[a]), str(units[int(b)]), int(first[b])) for a, b in pairs
    ]
    return [pair for pair in found if alike(pair[0], pair[2])]
