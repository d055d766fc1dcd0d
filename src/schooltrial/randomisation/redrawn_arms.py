"""Groups re-randomised: the units of a list change places with others of their block."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from schooltrial.protocol.content.sections import Design, frame_columns
from schooltrial.randomisation.plan import (
    acceptance_threshold,
    balance_columns,
    lottery_plan,
    planned_design,
)
from schooltrial.randomisation.record import ordered_frame, redraw


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
