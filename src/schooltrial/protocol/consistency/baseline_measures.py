"""The measures by which an outcome's baseline equivalence is judged, as a protocol names them."""

from __future__ import annotations

from collections.abc import Iterator

from schooltrial.protocol.consistency.declared_names import Names
from schooltrial.protocol.content.sections import Compared, Content, Outcome, last_before
from schooltrial.protocol.content.variables import NAMING
from schooltrial.refusal import Fault

NO_MEASURES = frozenset({"year", "block", "arm", "cluster"}) | NAMING
"""Names that say where a row belongs, and measure nothing."""

MISSING = "_before_missing"


def year_of_baseline(outcome: Outcome, content: Compared) -> int | None:
    """Return the year in which an outcome is at baseline; None if it is measured in none.

    That is its own `baseline_year`, else that of the balance table. The first programme year, at
    which the groups of a study without a year before are compared, is none: what is an outcome of
    that year was measured after the assignment.
    """
    if outcome["baseline_year"] is not None:
        return outcome["baseline_year"]
    if outcome["gain_from"]:
        return outcome["gain_from"]["year"]
    year = content["balance"]["baseline_year"] or last_before(content["years"])
    return year if year < min(content["years"]["programme"]) else None


def baseline_measure_faults(name: str, content: Content, names: Names) -> Iterator[Fault]:
    """Yield measures named in ``outcomes.<name>.baseline_measures`` that can be none."""
    outcomes, place = content["outcomes"], f"outcomes.{name}.baseline_measures"
    known = [one for one in names.variables if _can_measure(one)]
    level = outcomes[name]["measured_on"]
    for measure in outcomes[name]["baseline_measures"]:
        yield from names.check(place, measure, "variable or outcome", [*known, *outcomes])
        if measure not in outcomes or measure in names.variables:
            continue
        other = outcomes[measure]
        if other["measured_on"] not in (level, "school"):
            yield Fault(
                names.shown, f"{place} names {measure!r}, which is measured on "
                f"{other['measured_on']}s, and {name!r} on {level}s",
                f"a measure of {level}s or of schools", "name another measure", column=place,
            )  # fmt: skip
        elif year_of_baseline(other, content) is None:
            yield Fault(
                names.shown, f"{place} names {measure!r}, an outcome that is not measured in any "
                "baseline year",
                "a measure from before the programme",
                "name the variable with the pre-test, read into `tables.pupils`; or add "
                f"`outcomes.{measure}.baseline_year`", column=place,
            )  # fmt: skip


ALIKE = ("none", "control", "all")
"""Values of ``standardise`` by which a pre-test can be put on the scale of the outcome."""


def pretest_faults(name: str, outcome: Outcome, names: Names) -> Iterator[Fault]:
    """Yield what keeps ``outcomes.<name>.pretest`` from being the outcome before the programme."""
    measure, place = outcome["pretest"], f"outcomes.{name}.pretest"
    if measure is None:
        return
    known = [one for one in names.variables if _can_measure(one)]
    yield from names.check(place, measure, "variable", known)
    yield from names.check_number(place, measure)
    if outcome["measured_on"] != "pupil":
        yield Fault(
            names.shown, f"{place} is of an outcome that is measured on {outcome['measured_on']}s",
            "an outcome of pupils", "delete `pretest`", column=place,
        )  # fmt: skip
    if outcome["baseline_year"] is not None:
        yield Fault(
            names.shown, f"{place} and `baseline_year` both say what was measured before",
            "one of them", "delete `pretest`", column=place,
        )  # fmt: skip
    if outcome["standardise"] not in ALIKE:
        yield Fault(
            names.shown, f"{place}, and the outcome is standardised by {outcome['standardise']!r}, "
            "which is not known of a pre-test",
            f"`standardise` {', '.join(ALIKE)}", "delete `pretest`", column=place,
        )  # fmt: skip


def _can_measure(variable: str) -> bool:
    return variable not in NO_MEASURES and not variable.endswith(MISSING)
