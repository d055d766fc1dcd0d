"""Variables and outcomes made of others, compared with what the protocol declares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from schooltrial.protocol.consistency.declared_names import Names
from schooltrial.protocol.consistency.filter_references import filter_faults, value_faults
from schooltrial.protocol.content.filters import named_variables
from schooltrial.protocol.content.made_variables import (
    WITHIN_GROUPS,
    circles,
    components,
    roots,
    sources,
)
from schooltrial.protocol.content.sections import Content, DerivedVariable, Outcome
from schooltrial.refusal import Fault

ONE = ("power", *WITHIN_GROUPS)
TWO = ("difference", "ratio")
MADE = ("ratio", "sum_of", "mean_of", "gain_from", "index_of")
"""Keys of an outcome that is made of others."""


def variable_faults(names: Names, variables: Mapping[str, DerivedVariable]) -> Iterator[Fault]:
    """Yield what a variable is made of that is not there, or later, or no number."""
    declared = list(variables)
    for at, (name, rule) in enumerate(variables.items()):
        place = f"variables.{name}"
        later = declared[at:]
        known = [one for one in names.variables if one not in later]
        if name in names.columns:
            yield Fault(
                names.shown, f"{place} has the same name as a variable that is read",
                "a unique name",
                "rename it (otherwise the variable that is read would be used)",
                column=place,
            )  # fmt: skip
        for source in sources(rule):
            if source in later:
                yield Fault(
                    names.shown, f"{place} is made from {source!r}, which is declared "
                    + ("later" if source != name else "here itself"),
                    "variables that are read, or declared above it",
                    f"move {source!r} above {name!r}", column=place,
                )  # fmt: skip
        if rule["where"]:
            yield from filter_faults(names, f"{place}.where", rule["where"], known)
        yield from _from_faults(names, place, rule, known)


def _from_faults(
    names: Names, place: str, rule: DerivedVariable, known: Sequence[str]
) -> Iterator[Fault]:
    given = rule.get("from", [])
    listed = [given] if isinstance(given, str) else given
    kind = rule.get("as", "")
    for source in listed:
        if source in known or source not in names.variables:
            yield from names.check(f"{place}.from", source, "variable", known)
    if rule["where"] and listed:
        yield _fault(names, place, "has both `where` (which names its variables) and `from`",
                     "one of the two", "remove `from`")  # fmt: skip
    if not rule["where"] and not listed:
        yield _fault(names, place, "has no `from`", "`from`, the variable it is made from",
                     "add `from: <variable>`")  # fmt: skip
    if "at_least" in rule or "equals" in rule:
        if len(listed) > 1:
            yield _fault(names, place, f"compares {len(listed)} variables with one value",
                         "one variable", "make a variable of each, or use `where`")  # fmt: skip
        for source in listed:
            if "at_least" in rule:
                yield from names.check_number(f"{place}.at_least", source)
            else:
                yield from value_faults(names, f"{place}.equals", source, rule.get("equals"))
    if kind:
        yield from _kind_faults(names, place, kind, listed, rule)
    yield from filter_faults(names, f"{place}.compared_with", rule["compared_with"], known)
    for key, default in (("within", []), ("reference", "all"), ("compared_with", {})):
        if rule.get(key) != default and kind not in WITHIN_GROUPS:
            yield _fault(names, place, f"has `{key}`, which only a rank or z-score uses",
                         f"`{key}` with `as: percentile_rank` or `as: z_score`",
                         f"remove `{key}`")  # fmt: skip
    for variable in rule["within"]:
        yield from names.check(f"{place}.within", variable, "variable", known)


def _kind_faults(
    names: Names, place: str, kind: str, listed: Sequence[str], rule: DerivedVariable
) -> Iterator[Fault]:
    if kind in ONE and len(listed) != 1:
        yield _fault(names, place, f"takes a {kind} of {len(listed)} variables", "one variable",
                     "name one in `from`")  # fmt: skip
    elif kind in TWO and len(listed) != 2:
        yield _fault(names, place, f"takes a {kind} of {len(listed)} variables", "two variables",
                     "write `from: [first, second]`")  # fmt: skip
    if kind != "is_missing":
        for source in listed:
            if source != "year":
                yield from names.check_number(f"{place}.from", source)
    if (kind == "power") != ("exponent" in rule):
        found = "is a power without an exponent" if kind == "power" else "has an exponent"
        remedy = "add `exponent: 2`" if kind == "power" else "remove `exponent`"
        yield _fault(names, place, found, "`exponent` with `as: power`", remedy)


def outcome_faults(
    names: Names,
    outcomes: Mapping[str, Outcome],
    variables: Mapping[str, DerivedVariable],
) -> Iterator[Fault]:
    """Yield outcomes made of what is not there, of themselves, or in a way without sense."""
    for name, outcome in outcomes.items():
        place = f"outcomes.{name}"
        made = [key for key in MADE if outcome.get(key)]
        if len(made) > 1:
            yield _fault(names, place, f"has {' and '.join(f'`{key}`' for key in made)}",
                         "one rule that makes the outcome",
                         "declare an outcome for each")  # fmt: skip
        yield from _part_faults(names, name, outcome, outcomes)
        yield from filter_faults(
            names, f"{place}.population", outcome["population"], names.variables
        )
        for variable in outcome["outliers"]["within"] if outcome["outliers"] else ():
            yield from names.check(f"{place}.outliers.within", variable, "variable",
                                   names.variables)  # fmt: skip
        if outcome["standardise"] == "control_at_baseline" and outcome["baseline_year"] is None:
            yield _fault(names, place, "is standardised at baseline, but has no baseline year",
                         "the year whose control group is the scale",
                         f"add `baseline_year: {names.years[0]}`")  # fmt: skip
        if outcome["gain_from"] and outcome["baseline_year"] is not None:
            part = outcome["gain_from"]["outcome"]
            yield _fault(names, place, "is a gain, and has a `baseline_year`",
                         "a gain without `baseline_year`, since it includes the baseline",
                         f"delete `baseline_year`; to adjust for the baseline, add the covariate "
                         f"`{part}_before`")  # fmt: skip
        if outcome["measured_on"] == "school":
            yield from _school_faults(names, place, outcome, made)
        late = {
            root
            for part in [*components(outcome), *named_variables(outcome["population"])]
            for root in (roots(part, variables) if part not in outcomes else ())
            if any(root in made_later(one) for one in outcomes)
        }
        if late:
            yield _fault(names, place,
            f"uses {', '.join(sorted(late))}, which is made from outcomes later",
            "variables that are read, or made from these",
                         "name another variable")  # fmt: skip
    for name in circles(outcomes):
        yield _fault(names, f"outcomes.{name}", "is made from itself", "other outcomes",
                     "delete it from the outcomes that it is made from")  # fmt: skip


def _school_faults(
    names: Names, place: str, outcome: Outcome, made: Sequence[str]
) -> Iterator[Fault]:
    """Yield keys that outcomes published by school cannot have."""
    if made:
        yield _fault(names, place, f"is measured on schools, but has `{made[0]}`",
                     "an outcome of pupils or teachers",
                     "read it from a column in `tables.school_scores`")  # fmt: skip
    if outcome["population"]:
        yield _fault(names, place, "is measured on schools, but has a `population`",
                     "a filter of schools in `where` of a model",
                     "move the filter into `where` of the models, or `sample.keep`")  # fmt: skip
    if outcome["outliers"]:
        yield _fault(names, place, "is measured on schools, but has `outliers`",
                     "a rule for pupils or teachers",
                     "delete it, or give the outcome a `range`")  # fmt: skip


def late_variable_faults(
    names: Names, keep: Mapping[str, Any], content: Content
) -> Iterator[Fault]:
    """Yield variables of ``sample.keep`` that are made of outcomes: the sample is made first."""
    late = {one for name in content["outcomes"] for one in made_later(name)}
    for variable in named_variables(keep):
        if roots(variable, content["variables"]) & late:
            yield Fault(
                names.shown, f"sample.keep names {variable!r}, which is made from outcomes after "
                "the sample is selected", "variables that are read, or made from these",
                "move this entry into `where` of the models", column=f"sample.keep.{variable}",
            )  # fmt: skip


def made_later(outcome: str) -> list[str]:
    """Return the variables that an outcome's baseline makes, once outcomes are made."""
    return [f"{outcome}_before", f"{outcome}_before_missing", f"{outcome}_before_school"]


def _part_faults(
    names: Names, name: str, outcome: Outcome, outcomes: Mapping[str, Outcome]
) -> Iterator[Fault]:
    place, index, gain = f"outcomes.{name}", outcome["index_of"], outcome["gain_from"]
    for key, parts in (("sum_of", outcome["sum_of"]), ("mean_of", outcome["mean_of"])):
        for part in parts:
            known = [*names.outcomes, *names.variables]
            yield from names.check(f"{place}.{key}", part, "outcome or variable", known)
            if part not in outcomes:
                yield from names.check_number(f"{place}.{key}", part)
    for part in [*(index["outcomes"] if index else []), *([gain["outcome"]] if gain else [])]:
        yield from names.check(place, part, "outcome", names.outcomes)
    for part in index["reverse"] if index else []:
        yield from names.check(f"{place}.index_of.reverse", part, "part of this index",
                               index["outcomes"] if index else [])  # fmt: skip
    if gain:
        yield from names.check(f"{place}.gain_from.year", gain["year"], "year", names.years)
    for part in components(outcome):
        if part in outcomes and outcomes[part]["measured_on"] != outcome["measured_on"]:
            yield _fault(names, place,
            f"is measured on {outcome['measured_on']}s, but made from {part!r}, measured on "
            f"{outcomes[part]['measured_on']}s",
                         "parts that are measured on the same level", "set `measured_on`, or name "
                         "other parts")  # fmt: skip


def _fault(names: Names, place: str, found: str, expected: str, remedy: str) -> Fault:
    return Fault(names.shown, f"{place} {found}", expected, remedy, column=place)
