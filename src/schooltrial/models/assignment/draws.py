"""Re-randomisations of a trial: all its allocations if they are few, else a random sample.

Assignments are matrices draws × units of group numbers (int8), 0 being the first group. Columns
follow ``design.units``, or lie block by block where the caller asks for that, which saves a
permutation.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from schooltrial.models.assignment.design import (
    AssignmentDesign,
    AssignmentError,
    Block,
    Codes,
    arrangement_count,
)

EXACT_UP_TO = 1_000_000
"""Designs with no more assignments than this are enumerated."""


_TABLE_ROWS = 5_000  # arrangements of a block that are tabled rather than shuffled


_TAKEN = 1 << 18  # arrangements that are taken from a table at a time: they stay in the cache


_CANDIDATES = 200_000  # draws with almost none accepted before giving up


def enumerate_assignments(
    design: AssignmentDesign, *, rows: int = 65_536, block_order: bool = False
) -> Iterator[tuple[Codes, NDArray[np.float64]]]:
    """Yield all assignments, some at a time, each with its probability (before any rule).

    The last block varies fastest. With an acceptance rule the probabilities of what is yielded add
    up to less than one: divide by their sum.
    """
    listed = design.recorded
    tables = [] if listed is not None else _joined([_table(block) for block in design.blocks])
    total = design.possible
    for start in range(0, total, rows):
        number = np.arange(start, min(start + rows, total))
        chance = np.full(number.size, 1.0)
        if listed is not None:
            codes = listed[number]
            chance /= total
        else:
            columns = []
            for table, weight in reversed(tables):
                number, digit = np.divmod(number, len(table))
                columns.append(table[digit])
                chance *= weight[digit]
            codes = np.concatenate(columns[::-1], axis=1)
            if not block_order or design.rule is not None:
                codes = codes[:, design.to_unit_order]
        if design.rule is not None:
            kept = np.asarray(design.rule(codes), dtype=bool)
            codes, chance = codes[kept], chance[kept]
            if block_order:
                codes = codes[:, np.argsort(design.to_unit_order)]
        yield codes, chance


def draw_assignments(
    design: AssignmentDesign, draws: int, rng: np.random.Generator, *, block_order: bool = False
) -> Codes:
    """Draw assignments of units as a trial's design does.

    Parameters
    ----------
    design : AssignmentDesign
    draws : int
    rng : numpy Generator
    block_order : bool
        Columns in the order of the blocks' members rather than of ``design.units``.

    Raises
    ------
    AssignmentError
        If an acceptance rule accepts almost nothing.
    """
    if design.rule is None:
        return _unconditional(design, draws, rng, unit_order=not block_order)
    kept: list[Codes] = []
    found = tried = 0
    batch = max(256, min(draws, 4096))
    while found < draws:
        codes = _unconditional(design, batch, rng, unit_order=True)
        accepted = codes[np.asarray(design.rule(codes), dtype=bool)]
        kept.append(accepted)
        found, tried = found + len(accepted), tried + batch
        if tried >= _CANDIDATES and found < tried * 1e-4:
            raise AssignmentError(
                f"re-randomised design: the acceptance rule kept {found} of {tried:,} draws; "
                "loosen it, or give the recorded list of admissible assignments"
            )
    codes = np.concatenate(kept)[:draws]
    return codes[:, np.argsort(design.to_unit_order)] if block_order else codes


def _unconditional(
    design: AssignmentDesign, draws: int, rng: np.random.Generator, *, unit_order: bool
) -> Codes:
    if design.recorded is not None:
        return design.recorded[rng.integers(0, len(design.recorded), size=draws)]
    codes = np.concatenate(list(_by_block(design.blocks, draws, rng)), axis=1)
    order = design.to_unit_order
    if unit_order and not np.array_equal(order, np.arange(order.size)):
        codes = codes[:, order]
    return codes


def _by_block(blocks: tuple[Block, ...], draws: int, rng: np.random.Generator) -> Iterator[Codes]:
    """Yield the columns of each run of alike blocks: from a table where it is short."""
    first = 0
    while first < len(blocks):
        options = blocks[first].options
        last = first + 1
        while last < len(blocks) and blocks[last].options == options:
            last += 1
        size, many = blocks[first].members.size, last - first
        if len(options) == 1 and arrangement_count(options[0][0]) <= _TABLE_ROWS:
            table = _arrangements(options[0][0])
            picked = rng.integers(0, len(table), size=(draws, many), dtype=np.int32)
            drawn = np.empty((draws, many, size), dtype=np.int8)
            piece = max(1, _TAKEN // many)
            for top in range(0, draws, piece):
                rows = slice(top, top + piece)
                np.take(table, picked[rows], axis=0, out=drawn[rows], mode="clip")
            yield drawn.reshape(draws, many * size)
        else:
            templates = np.stack([_template(counts) for counts, _ in options])
            chances = np.array([chance for _, chance in options])
            which = (
                rng.choice(len(options), size=draws * many, p=chances)
                if len(options) > 1
                else np.zeros(draws * many, dtype=np.intp)
            )
            yield rng.permuted(templates[which], axis=1).reshape(draws, many * size)
        first = last


def _template(counts: tuple[int, ...]) -> Codes:
    return np.repeat(np.arange(len(counts), dtype=np.int8), counts)


def _arrangements(counts: tuple[int, ...]) -> Codes:
    """Return all distinct orders of a group list with these numbers, in lexicographic choice."""
    n = sum(counts)
    if len(counts) == 1:
        return np.zeros((1, n), dtype=np.int8)
    last = counts[-1]
    many = comb(n, last)
    flat = np.fromiter(
        chain.from_iterable(combinations(range(n), last)), dtype=np.intp, count=many * last
    )
    chosen = np.zeros((many, n), dtype=bool)
    chosen[np.repeat(np.arange(many), last), flat] = True
    rest = _arrangements(counts[:-1])
    table = np.empty((many, len(rest), n), dtype=np.int8)
    expanded = np.broadcast_to(chosen[:, None, :], table.shape)
    table[expanded] = len(counts) - 1
    table[~expanded] = np.broadcast_to(rest, (many, *rest.shape)).ravel()
    return table.reshape(many * len(rest), n)  # n may be 0: units of the last arm alone


def _joined(
    tables: list[tuple[Codes, NDArray[np.float64]]],
) -> list[tuple[Codes, NDArray[np.float64]]]:
    """Return fewer, longer tables: those of neighbouring blocks multiplied out.

    Looking up a row for each of many blocks is what listing would mostly do. Blocks of which some
    assignments are likelier than others stay as they are.
    """
    if any(np.ptp(chances) > 0 for _, chances in tables):
        return tables
    found: list[tuple[Codes, NDArray[np.float64]]] = []
    for table, chances in reversed(tables):
        if found and len(table) * len(found[0][0]) <= _TABLE_ROWS:
            after, chances_after = found.pop(0)
            table = np.concatenate(
                [table.repeat(len(after), axis=0), np.tile(after, (len(table), 1))], axis=1
            )
            chances = np.full(len(table), chances_after[0] * chances[0])
        found.insert(0, (table, chances))
    return found


def _table(block: Block) -> tuple[Codes, NDArray[np.float64]]:
    tables = [_arrangements(counts) for counts, _ in block.options]
    weights = [
        np.full(len(table), chance / len(table))
        for table, (_, chance) in zip(tables, block.options, strict=True)
    ]
    return np.concatenate(tables), np.concatenate(weights)
