"""A study as it is rehearsed: under a name of its own, with the arms to be re-randomised."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import TypedDict

from schooltrial.protocol.content.sections import Protocol

STAMP = "REHEARSAL, arms re-randomised, no result"
"""Begins the title, which stands on every page and under every exhibit."""

ENDING = "_rehearsal"
"""Ends the name, so that the results lie apart from those of the study."""


class Redraw(TypedDict):
    """How the arms of a rehearsal are re-randomised."""

    seed: int
    within_blocks: bool


def as_rehearsal(protocol: Protocol) -> Protocol:
    """Return the protocol of the rehearsal of a study.

    Where its randomisation is on record, that record is of other arms, and is left out. So is the
    balance criterion: arms are re-randomised within their blocks, whatever their balance.
    """
    content = deepcopy(protocol.content)
    study, design = content["study"], content["design"]
    study["name"] += ENDING
    study["title"] = f"{STAMP}: {study['title']}"
    design["randomisation"] = {
        **design["randomisation"],
        "seed": None, "record": None, "signing_key": None, "eligible_list": None,
        "balance_on": [], "acceptance_rate": 1,
    }  # fmt: skip
    content["registration"]["plan_sha256"] = None
    return replace(protocol, content=content, rehearsal=True)
