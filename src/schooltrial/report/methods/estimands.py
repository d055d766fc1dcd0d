"""Whose outcomes the effect on each primary outcome is of: as attended, or as assigned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from schooltrial.protocol.content.levels import GROUPS
from schooltrial.wording import listed, plural_of

Outcome = Mapping[str, Any]
Protocol = Mapping[str, Any]


@dataclass(frozen=True)
class EstimandRule:
    """What the effect on an outcome is of, and of which outcomes that is true.

    Attributes
    ----------
    holds : callable
        Takes the protocol and one of its outcomes.
    told : str
        In sentences, with ``{people}``, ``{unit}`` and the like; the first two words name the kind.
    """

    holds: Callable[[Protocol, Outcome], bool]
    told: str


def _of_unit(protocol: Protocol, outcome: Outcome) -> bool:
    return bool(outcome["measured_on"] == protocol["design"]["unit"])


def _of_whole_school(protocol: Protocol, outcome: Outcome) -> bool:
    return bool(outcome["measured_on"] == "school")


def _of_group(protocol: Protocol, outcome: Outcome) -> bool:
    return bool(protocol["design"]["unit"] in GROUPS)


def _by_baseline_school(protocol: Protocol, outcome: Outcome) -> bool:
    in_baseline = protocol["cleaning"]["analyse_in"] == "baseline_school"
    return bool(in_baseline and outcome["measured_on"] == "pupil")


def _always(protocol: Protocol, outcome: Outcome) -> bool:
    return True


RULES: tuple[EstimandRule, ...] = (
    EstimandRule(
        lambda protocol, outcome: (
            _of_unit(protocol, outcome) and outcome["measured_on"] != "school"
        ),
        "As assigned: {people} are counted in the group that they were assigned to, whatever they "
        "received.",
    ),
    EstimandRule(
        _of_whole_school,
        "As attended: schools are counted in the group that they were assigned to, by the outcomes "
        "of those who are in them in each year, whoever they are. A change in who attends is part "
        "of the effect.",
    ),
    EstimandRule(
        _of_group,
        "As attended: {people} are counted in the group of the {unit} they had when the outcome "
        "was measured, also those who had another, or were in none of the study, at the "
        "{assignment}.",
    ),
    EstimandRule(
        _by_baseline_school,
        "As assigned: {people} are counted in the group of the school where they were in the "
        "baseline year, wherever the outcome was measured. The effect is that on those who were "
        "there at the {assignment}; those who joined later are not analysed.",
    ),
    EstimandRule(
        _always,
        "As attended: {people} are counted in the group of the school where they were when the "
        "outcome was measured. The effect is that on those who were then in the schools, whoever "
        "they are: {joiners}, those who left do not, and those who moved to another group count "
        "there. A change in who attends is part of the effect.",
    ),
)
"""The first that holds is meant."""


def estimand_sentence(protocol: Protocol, outcome: Outcome) -> str:
    """Return whose outcomes the effect on one outcome is of.

    Parameters
    ----------
    protocol : mapping
        The protocol's sections.
    outcome : mapping
        One of its outcomes.
    """
    rule = next(one for one in RULES if one.holds(protocol, outcome))
    dropped = protocol["cleaning"]["joiners"] == "drop" and outcome["measured_on"] == "pupil"
    return rule.told.format(
        people=plural_of(outcome["measured_on"]),
        unit=protocol["design"]["unit"],
        assignment="randomisation" if protocol["design"]["randomised"] else "assignment",
        joiners=(
            "those who joined since the baseline are left out" if dropped
            else "those who joined since count"
        ),
    )  # fmt: skip


def estimands_told(protocol: Protocol) -> list[str]:
    """Return the estimand of each primary outcome, outcomes alike together.

    Parameters
    ----------
    protocol : mapping
        The protocol's sections.
    """
    alike: dict[str, list[str]] = {}
    for outcome in protocol["outcomes"].values():
        if outcome["primary"]:
            alike.setdefault(estimand_sentence(protocol, outcome), []).append(outcome["label"])
    return [f"{listed(labels)}. {words}" for words, labels in alike.items()]
