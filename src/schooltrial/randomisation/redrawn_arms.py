"""Groups re-randomised: the units of a list change places with others of their block."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from schooltrial.protocol.content.sections import Design, frame_columns
from schooltrial.protocol.rehearsal import Redraw
from schooltrial.random_streams import stream
from schooltrial.randomisation.frame import read_frame
from schooltrial.randomisation.plan import (
    acceptance_threshold,
    balance_columns,
    lottery_plan,
    planned_design,
)
from schooltrial.randomisation.record import ordered_frame, redraw


def with_redrawn_arms(listed: pa.Table, redraw: Redraw, unit: str) -> pa.Table:
    """Return a list of assigned units with the groups of a rehearsal, by the design's lottery.

    Units change places, with their first years, within their block. Where the design has a balance
    criterion, groups are drawn by it.

    Parameters
    ----------
    listed : Table
        The standard table ``assignment``.
    redraw : Redraw
    unit : str
        Its column of units.
    """
    generator = stream(redraw["seed"], "rehearsal")
    if redraw["design"] and redraw["eligible_list"]:
        frame = read_frame(redraw["eligible_list"], redraw["design"])
        seed = int(generator.integers(2**31))
        drawn = redrawn_by_criterion(frame, redraw["design"], seed)
        units = listed[unit].to_pylist()
        if drawn.keys() >= set(units):
            arms = pa.array([drawn[one] for one in units]).cast(listed.schema.field("arm").type)
            return _replaced(listed, "arm", arms)
    blocked = redraw["within_blocks"] and "block" in listed.column_names
    blocks = listed["block"].to_pylist() if blocked else [None] * len(listed)
    places = redrawn_places(blocks, generator)
    for name in {"arm", "cohort"} & set(listed.column_names):
        listed = _replaced(listed, name, listed[name].take(places))
    return listed


def _replaced(table: pa.Table, name: str, column: Any) -> pa.Table:
    at = table.column_names.index(name)
    return table.set_column(at, table.schema.field(at), column)


def redrawn_places(
    blocks: Sequence[Hashable], generator: np.random.Generator
) -> npt.NDArray[np.intp]:
    """Return for each unit the unit whose group it gets: any of its block, each once.

    Every block keeps its numbers of units by group, as in a draw that fixed them.

    Parameters
    ----------
    blocks : sequence
        The block of each unit; the same for all where units were drawn without blocks.
    generator : numpy.random.Generator
    """
    places = np.arange(len(blocks))
    members: dict[Hashable, list[int]] = {}
    for at, block in enumerate(blocks):
        members.setdefault(block, []).append(at)
    for units in members.values():
        places[units] = generator.permutation(units)
    return places


def redrawn_by_criterion(frame: pd.DataFrame, design: Design, seed: int) -> dict[str, str]:
    """Return unit → group, drawn from the eligible list by a design with a balance criterion.

    The threshold is the one by which the checks judge a list that has no record, so that the list
    meets it.

    Parameters
    ----------
    frame : DataFrame
        The eligible list.
    design : Design
        The protocol's ``design`` section, without a seed.
    seed : int
        Of the draw; not that of the study's own.
    """
    plan, columns = lottery_plan(design), frame_columns(design)
    ordered = ordered_frame(frame, columns["unit_column"], columns["block_column"], plan)
    planned = planned_design(plan, list(ordered["unit"]), list(ordered["block"]))
    covariates = balance_columns(ordered, plan.balance_on)
    threshold = acceptance_threshold(planned, covariates, plan.acceptance, UNSEEDED)
    arms, _, _ = redraw(ordered, plan, seed, threshold)
    return dict(zip(ordered["unit"], arms, strict=True))


UNSEEDED = 0
"""Seed of the threshold where a design has none, as in `criterion`."""
