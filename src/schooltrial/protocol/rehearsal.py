"""A study as it is rehearsed: under a name of its own, with the groups to be re-randomised."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from typing import TypedDict

from schooltrial.protocol.content.sections import Design, Protocol

STAMP = "REHEARSAL, groups re-randomised, no result"
"""Begins the title, which stands on every page and under every exhibit."""

SIMULATED_STAMP = "REHEARSAL, groups re-randomised and outcomes simulated, no result"
"""The same where files of outcomes are not there yet."""

ENDING = "_rehearsal"
"""Ends the name, so that the results lie apart from those of the study."""


class Redraw(TypedDict):
    """How the groups of a rehearsal are re-randomised.

    ``design`` and ``eligible_list`` are given where the design has a balance criterion, by which
    its groups are then drawn; ``absent`` names the files whose rows are simulated.
    """

    seed: int
    within_blocks: bool
    design: Design | None
    eligible_list: str | None
    absent: list[str]


def as_rehearsal(protocol: Protocol, absent: Sequence[str] = ()) -> Protocol:
    """Return the protocol of the rehearsal of a study.

    Where its randomisation is on record, that record is of other groups, and is left out. A balance
    criterion stays where the eligible list is known, which holds its variables.

    Parameters
    ----------
    protocol : Protocol
    absent : sequence of str
        Files of rosters and outcomes that are not there, whose rows are simulated.
    """
    content = deepcopy(protocol.content)
    study, design = content["study"], content["design"]
    study["name"] += ENDING
    study["title"] = f"{SIMULATED_STAMP if absent else STAMP}: {study['title']}"
    draw = design["randomisation"]
    by_criterion = bool(draw["eligible_list"] and draw["balance_on"])
    design["randomisation"] = {
        **draw,
        "seed": None, "record": None, "signing_key": None,
        "eligible_list": draw["eligible_list"] if by_criterion else None,
        "balance_on": draw["balance_on"] if by_criterion else [],
        "acceptance_rate": draw["acceptance_rate"] if by_criterion else 1,
    }  # fmt: skip
    content["registration"]["plan_sha256"] = None
    return replace(protocol, content=content, rehearsal=True, absent=tuple(absent))
