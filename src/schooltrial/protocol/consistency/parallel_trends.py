"""What a protocol says of parallel trends that can do nothing, or names what it does not have."""

from __future__ import annotations

from collections.abc import Iterator

from schooltrial.protocol.consistency.declared_names import Names
from schooltrial.protocol.consistency.design import PANELS
from schooltrial.protocol.content.sections import Content
from schooltrial.refusal import Fault

PLACE = "checks.parallel_trends"

PARTS = ("cohort", "block", "year")
"""What every design may be tried without; others are variables."""


def rests_on_trends(content: Content) -> bool:
    """Return whether a primary model assumes parallel trends."""
    return any(
        model["estimator"] in PANELS and model["role"] == "primary"
        for model in content["models"].values()
    )


def parallel_trends_faults(content: Content, names: Names) -> Iterator[Fault]:
    """Yield outcomes and variables that are not there, or without a possible panel."""
    settings = content["checks"]["parallel_trends"]
    for part in settings["leave_out"]:
        known = [*PARTS, *(name for name in names.variables if name not in PARTS)]
        yield from names.check(f"{PLACE}.leave_out", part, "part or variable", known)
    models = [
        model
        for model in content["models"].values()
        if model["estimator"] in PANELS and model["role"] == "primary"
    ]
    for outcome in settings["placebo_outcomes"]:
        place = f"{PLACE}.placebo_outcomes"
        yield from names.check(place, outcome, "outcome", names.outcomes)
        if outcome not in content["outcomes"]:
            continue
        level = content["outcomes"][outcome]["measured_on"]
        for model in models:
            own = model["outcomes"]
            if outcome in own:
                yield Fault(
                    names.shown, f"{place} names {outcome!r}, an outcome of a primary panel model",
                    "an outcome on which no effect is expected",
                    "delete it from the model's `outcomes`, or from the placebo outcomes",
                    column=place,
                )  # fmt: skip
            measured = {
                content["outcomes"][one]["measured_on"] for one in own if one in content["outcomes"]
            }
            if measured and level not in measured:
                yield Fault(
                    names.shown, f"{place} names {outcome!r}, measured on {level}s, but the panel "
                    f"model has outcomes of {' and '.join(sorted(measured))}s",
                    "a placebo outcome measured on the same level",
                    "name another outcome, or delete it", column=place,
                )  # fmt: skip
