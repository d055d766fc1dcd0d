"""Variables and outcomes that a protocol makes of others: of which, and in what order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from schooltrial.protocol.content.filters import named_variables
from schooltrial.protocol.content.sections import DerivedVariable, Outcome

WITHIN_GROUPS = ("percentile_rank", "z_score")
"""Kinds of variables that depend on other rows too."""


def sources(rule: DerivedVariable) -> list[str]:
    """Return the variables that a variable is made of."""
    given = rule.get("from", [])
    listed = [given] if isinstance(given, str) else list(given)
    return [*listed, *named_variables(rule["where"])]


def roots(name: str, variables: Mapping[str, DerivedVariable]) -> set[str]:
    """Return the variables that are read, of which a variable is made in the end."""
    if name not in variables:
        return {name}
    earlier = list(variables)[: list(variables).index(name)]
    below = {key: variables[key] for key in earlier}
    return {root for source in sources(variables[name]) for root in roots(source, below)}


def is_read(outcome: Outcome) -> bool:
    """Return whether an outcome is read as it is, and not made of others."""
    return not components(outcome)


def components(outcome: Outcome) -> list[str]:
    """Return the outcomes and variables that an outcome is made of."""
    ratio, index, gain = outcome["ratio"], outcome["index_of"], outcome["gain_from"]
    return [
        *([ratio["numerator"], ratio["denominator"]] if ratio else []),
        *outcome["sum_of"],
        *outcome["mean_of"],
        *([gain["outcome"]] if gain else []),
        *(index["outcomes"] if index else []),
    ]


def with_components(
    wanted: Iterable[str], outcomes: Mapping[str, Outcome]
) -> Mapping[str, Outcome]:
    """Return some outcomes and all those that they are made of, what is made after its parts.

    Outcomes that are made of each other have no such order; reading a protocol refuses them.
    """
    found: dict[str, Outcome] = {}

    def add(name: str) -> None:
        if name in found or name not in outcomes:
            return
        for part in components(outcomes[name]):
            add(part)
        found[name] = outcomes[name]

    for name in wanted:
        add(name)
    return found


def circles(outcomes: Mapping[str, Outcome]) -> Iterator[str]:
    """Yield outcomes that are made of themselves, perhaps by others."""
    for name in outcomes:
        reached: set[str] = set()
        ahead = components(outcomes[name])
        while ahead:
            part = ahead.pop()
            if part in outcomes and part not in reached:
                reached.add(part)
                ahead += components(outcomes[part])
        if name in reached:
            yield name
