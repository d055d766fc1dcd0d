"""Keys of a model that its other keys, or the rest of the study, leave without any effect."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import product
from typing import Any

from schooltrial.protocol.content.column_map import Column, all_columns
from schooltrial.protocol.content.filters import named_variables
from schooltrial.protocol.content.levels import DesignLevels
from schooltrial.protocol.content.sections import (
    Content,
    Design,
    Model,
    Outcome,
    all_years,
    clusters_of,
    covariate_variables,
    modelled_arms,
    years_of_model,
)
from schooltrial.refusal import Fault

LISTS = (
    "outcomes", "subgroups", "covariates", "fixed_effects", "covariance", "active_years",
    "comparison_on",
)  # fmt: skip
"""Keys that are lists, in which a name that is there twice adds nothing."""

METHODS_OF = {
    "comparison_group": ("callaway_santanna", "stacked"),
    "base_period": ("callaway_santanna",),
    "event_window": ("stacked",),
    **dict.fromkeys(
        (
            "covariates",
            "missing_covariates",
            "adjustment",
            "weights",
            "cluster",
            "comparison_on",
            "comparison_weights",
        ),
        ("callaway_santanna",),
    ),
}
"""Key of a staggered model → the methods that use it."""

WITHOUT = {
    "comparison_group": "{method} has its own comparison group",
    "base_period": "{method} has one reference for all pre-programme years",
    "event_window": "{method} uses all years",
}
"""Key of a staggered model → why other methods do not use it."""

NOT_READ = "{method} gives every school equal weight, without covariates"
"""Why the other methods do not use keys that `WITHOUT` lacks."""

INTERCEPT = "(Intercept)"

TWO_WAY = "difference_in_differences"

STAGGERED = "staggered_adoption"

PLAIN = ("CR0", "CR1", "CR1S")
"""Variances that there are with two clusterings at once."""


@dataclass(frozen=True)
class _Place:
    """A model of a protocol, and how messages name it."""

    where: str
    model: Model
    content: Content
    shown: str
    given: Collection[str]

    @property
    def estimator(self) -> str:
        return self.model["estimator"]

    @property
    def outcomes(self) -> dict[str, Outcome]:
        every = self.content["outcomes"]
        return {name: every[name] for name in self.model["outcomes"] if name in every}

    def fault(self, key: str, found: str, expected: str, remedy: str) -> Fault:
        told = f"{self.where} ({self.estimator}) has `{key}`, {found}"
        return Fault(self.shown, told, expected, remedy, column=f"{self.where}.{key}")


def idle_key_faults(
    where: str, model: Model, content: Content, shown: str, given: Collection[str]
) -> Iterator[Fault]:
    """Yield keys that the estimator reads, but that cannot act in this model.

    Parameters
    ----------
    where : str
        Place of the model in the protocol.
    model, content
        The model, and the whole protocol.
    shown : str
        How messages name the protocol.
    given : collection of str
        Keys that the protocol gives, and that the estimator reads.
    """
    place = _Place(where, model, content, shown, given)
    yield from _repeated(place)
    yield from _missing_without_covariates(place)
    yield from _weights_without_characteristics(place)
    yield from _adjusted_cohorts(place)
    yield from _blocks_without_effect(place)
    yield from _bounds_without_cells(place)
    yield from _label_of_nobody(place)
    yield from _years_without_treatment(place)
    yield from _same_split(place)
    yield from _not_of_the_method(place)
    yield from _wrong_window(place)
    yield from _split_of_adjusted_cohorts(place)
    yield from _unknown_terms(place)
    yield from _two_clusters(place)
    yield from _effects_of_panel(place)
    yield from _window_of_events(place)


def _repeated(place: _Place) -> Iterator[Fault]:
    values: Mapping[str, Any] = dict(place.model)
    for key in LISTS:
        names = values[key]
        twice = sorted({str(name) for name in names if names.count(name) > 1})
        if twice:
            once = ", ".join(str(name) for name in dict.fromkeys(names))
            yield place.fault(
                key, f"in which {', '.join(twice)} is named twice", "each name once",
                f"write `{key}: [{once}]`",
            )  # fmt: skip


def _missing_without_covariates(place: _Place) -> Iterator[Fault]:
    if "missing_covariates" in place.given and not place.model["covariates"]:
        yield place.fault(
            "missing_covariates", "but no covariates that could be missing",
            "`missing_covariates` in a model with `covariates`",
            "delete it, or name `covariates`",
        )  # fmt: skip


def _weights_without_characteristics(place: _Place) -> Iterator[Fault]:
    if "comparison_weights" in place.given and not place.model["comparison_on"]:
        yield place.fault(
            "comparison_weights", "but no `comparison_on`",
            "`comparison_weights` in a model with `comparison_on`",
            "delete it, or name characteristics, as in `comparison_on: [level, trend]`",
        )  # fmt: skip


def _adjusted_cohorts(place: _Place) -> Iterator[Fault]:
    if place.estimator != STAGGERED:
        return
    model = place.model
    if "adjustment" in place.given and not model["covariates"]:
        yield place.fault(
            "adjustment", "but no covariates to adjust for",
            "`adjustment` in a model with `covariates`", "delete it, or name `covariates`",
        )  # fmt: skip
    crossed = [term for term in model["covariates"] if "year" in term.split(":")]
    if crossed:
        bare = [
            ":".join(part for part in term.split(":") if part != "year") or "…" for term in crossed
        ]
        yield place.fault(
            "covariates", f"in which {', '.join(crossed)} is named: covariates are those of the "
            "base year, and each year is compared separately", "variables without the year",
            f"write `covariates: [{', '.join(bare)}]`",
        )  # fmt: skip
    both = [key for key in ("covariates", "weights", "cluster") if key in place.given]
    if model["comparison_on"] and both and model["weights"] != "schools":
        yield place.fault(
            "comparison_on",
            f"and `{both[0]}`: a model with weighted comparison schools has no further adjustment, "
            "weights or clusters", "one of the two",
            f"remove `{both[0]}` (name covariates under `comparison_on`), or remove "
            "`comparison_on`",
        )  # fmt: skip
    finer = [name for name in clusters_of(model) if name in ("pupil", "teacher", "class")]
    if finer:
        yield place.fault(
            "cluster", f"which is {finer[0]}: it is finer than the schools whose means are "
            "compared",
            "schools, or groups of schools", "delete it, or write `cluster: district`",
        )  # fmt: skip


def _blocks_without_effect(place: _Place) -> Iterator[Fault]:
    blocks = place.model["blocks"]
    if "blocks" in place.given and blocks == "random" and place.estimator != "multilevel":
        yield place.fault(
            "blocks", "which are `random`, but this estimator has no random effects",
            "`blocks: fixed` or `blocks: none`",
            "set `blocks: fixed`, or take `estimator: multilevel`",
        )  # fmt: skip
    elif "blocks" in place.given and blocks != "none" and not has_blocks(place.content):
        yield place.fault(
            "blocks", f"which are `{blocks}`, but the study has no blocks",
            "a design with blocks",
            "delete it; or, if units were randomised in blocks, read the column: "
            "`tables.assignment[].columns.block: {column: …}`",
        )  # fmt: skip
    if "block" in place.model["fixed_effects"] and blocks == "fixed":
        others = [name for name in place.model["fixed_effects"] if name != "block"]
        remedy = f"write `fixed_effects: [{', '.join(others)}]`" if others else "delete it"
        yield place.fault(
            "fixed_effects", "which includes `block`, but `blocks: fixed` already absorbs them",
            "blocks once", remedy,
        )  # fmt: skip


def has_blocks(content: Content) -> bool:
    """Return whether units lie in blocks: as the list has them, or as schools hold them."""
    design: Design = content["design"]
    if any(
        name == "block"
        for reading in content["tables"].get("assignment", [])
        for name, _ in all_columns(reading)
    ):
        return True
    return DesignLevels.of(design).inside_schools and design["kind"] != "simple"


def _bounds_without_cells(place: _Place) -> Iterator[Fault]:
    if "bounded_cells" not in place.given:
        return
    remedy = "remove `bounded_cells`"
    for name, outcome in place.outcomes.items():
        if outcome["measured_on"] != "school":
            yield place.fault(
                "bounded_cells",
                f"which applies to values published by school, but {name} is measured on "
                f"{outcome['measured_on']}s", "an outcome of schools", remedy,
            )  # fmt: skip
        elif place.model["bounded_cells"] == "left_out":
            continue
        elif outcome["standardise"] != "none":
            yield place.fault(
                "bounded_cells",
                f"but {name} is standardised ({outcome['standardise']}), but bounds are in the "
                "unit of the file", "an outcome with `standardise: none`", remedy,
            )  # fmt: skip
        elif not _reads_bounds(place.content, name):
            yield place.fault(
                "bounded_cells",
                f"but no column of {name} is read with `suppressed: bounds`, so no value is a "
                "bound", "a column with `suppressed: bounds`",
                f"{remedy}, or set `suppressed: bounds` on the column of {name} in "
                "`tables.school_scores`",
            )  # fmt: skip


def _reads_bounds(content: Content, outcome: str) -> bool:
    for reading in content["tables"].get("school_scores", []):
        columns = dict(all_columns(reading))
        wide = reading["outcomes"].get(outcome)
        spec = wide if wide is not None else columns.get("value")
        if spec is not None and spec["suppressed"] == "bounds":
            return True
    return False


def _label_of_nobody(place: _Place) -> Iterator[Fault]:
    selects = place.model["where"] or any(one["population"] for one in place.outcomes.values())
    if "where_label" in place.given and not selects:
        yield place.fault(
            "where_label", "which names a subgroup, but no `where` selects one",
            "`where_label` with a `where`", "delete it, or add the filter, as in `where: {girl: "
            "[1]}`",
        )  # fmt: skip


def _years_without_treatment(place: _Place) -> Iterator[Fault]:
    active, analysed = (
        place.model["active_years"],
        years_of_model(place.model, place.content["years"]),
    )
    if active and analysed and not set(active) & set(analysed):
        yield place.fault(
            "active_years", f"{', '.join(map(str, active))}, and its `where` keeps "
            f"{', '.join(map(str, analysed))}, so treatment acts in no year that is analysed",
            "a year of `where` among `active_years`",
            f"delete it, or set `active_years: [{analysed[-1]}]`",
        )  # fmt: skip
    elif active and analysed and set(analysed) <= set(active):
        yield place.fault(
            "active_years", f"{', '.join(map(str, active))}, and its `where` keeps "
            f"{', '.join(map(str, analysed))}, so treatment acts in every year that is analysed",
            "a year that is analysed but not active", "delete it, or add the years before to "
            "`where`",
        )  # fmt: skip


def _same_split(place: _Place) -> Iterator[Fault]:
    by = place.model["effects_by"]
    if by is not None and by == place.model["moderator"]:
        yield place.fault(
            "moderator", f"but `effects_by` already splits the effect by {by!r}",
            "two variables, or one key", "remove `moderator` (an effect for each level), or "
            "`effects_by` (differences from the first)",
        )  # fmt: skip


def _not_of_the_method(place: _Place) -> Iterator[Fault]:
    """Yield keys of a staggered model that its method has no use for."""
    method = place.model["method"]
    if place.estimator != "staggered_adoption":
        return
    for key, methods in METHODS_OF.items():
        if key not in place.given or method in methods:
            continue
        yield place.fault(
            key, f"and `method: {method}`: {WITHOUT.get(key, NOT_READ).format(method=method)}",
            f"`{key}` with " + " or ".join(f"`method: {name}`" for name in methods),
            f"delete it, or set `method: {methods[0]}`",
        )  # fmt: skip


def _wrong_window(place: _Place) -> Iterator[Fault]:
    window = place.model["event_window"]
    if window and (len(window) != 2 or window[0] >= 0 or window[1] < 0):
        yield place.fault(
            "event_window", f"which is {window}",
            "two years relative to the start of the cohort, the first before it (negative)",
            "write it as in `event_window: [-3, 2]`",
        )  # fmt: skip


def _two_clusters(place: _Place) -> Iterator[Fault]:
    named = clusters_of(place.model)
    if len(named) < 2:
        return
    if place.estimator != TWO_WAY:
        yield place.fault(
            "cluster", f"which is two: {', '.join(named)}", "one variable",
            f"write `cluster: {named[0]}`, or take `estimator: {TWO_WAY}`",
        )  # fmt: skip
    elif len(set(named)) < 2:
        yield place.fault(
            "cluster", f"in which {named[0]!r} is named twice", "two variables, or one",
            f"write `cluster: {named[0]}`",
        )  # fmt: skip
    elif "covariance" in place.given and set(place.model["covariance"]) - set(PLAIN):
        yield place.fault(
            "covariance", f"{', '.join(place.model['covariance'])}, but clusters errors two ways",
            f"one of {', '.join(PLAIN)}", "write `covariance: [CR1S]`, or cluster one way",
        )  # fmt: skip


def _effects_of_panel(place: _Place) -> Iterator[Fault]:
    held = [name for name in place.model["fixed_effects"] if name in ("school", "year")]
    if place.estimator == TWO_WAY and held:
        others = [name for name in place.model["fixed_effects"] if name not in held]
        yield place.fault(
            "fixed_effects",
            f"in which {', '.join(held)} is listed, but effects of school and year are already in "
            "the model", "further effects, such as `region:year`",
            f"write `fixed_effects: [{', '.join(others)}]`" if others else "delete it",
        )  # fmt: skip


def _window_of_events(place: _Place) -> Iterator[Fault]:
    window, years = place.model["event_window"], place.content["years"]
    if len(window) != 2 or place.estimator != TWO_WAY:
        return
    if place.model["active_from"] is None and window[0] < 0 <= window[1]:
        begins = min(place.model["active_years"] or years["programme"])
        events = [year - begins for year in all_years(years)]
        if window[0] <= min(events) and window[1] >= max(events):
            yield place.fault(
                "event_window", f"[{window[0]}, {window[1]}], and the years of the study are "
                f"{min(events)} to {max(events)} from the start, so no year is grouped with the "
                "end",
                "a window within the years", "delete it, or make it narrower",
            )  # fmt: skip


def _split_of_adjusted_cohorts(place: _Place) -> Iterator[Fault]:
    if place.estimator != "staggered_adoption":
        return
    model: Mapping[str, Any] = dict(place.model)
    beside = [key for key in ("covariates", "comparison_on") if model[key]]
    beside += ["weights"] if model["weights"] not in (None, "schools") else []
    beside += ["cluster"] if set(clusters_of(place.model)) - {"school"} else []
    if model["method"] != "callaway_santanna":
        beside.append("method")
    for key in ("effects_by", "moderator"):
        if model[key] and beside:
            yield place.fault(
                key, f"and `{'`, `'.join(beside)}` in addition: effects can be split only where "
                "all comparison schools have equal weight", "one or the other",
                f"remove `{'`, `'.join(beside)}`, or list the groups under `subgroups`, to fit the "
                "whole model in each",
            )  # fmt: skip


def _unknown_terms(place: _Place) -> Iterator[Fault]:
    terms = treatment_terms(place.model, place.content)
    named = {
        variable
        for outcome in place.model["outcomes"]
        for variable in covariate_variables(place.model, outcome)
    }
    for hypothesis, tested in place.model["tests"].items():
        for term in tested:
            wrong = (
                terms is not None and term not in terms
                if term.startswith("treated")
                else not _is_covariate(term, named, place.model)
            )
            if wrong:
                known = [*(terms or ["treated[…]"]), *sorted(named)]
                close = get_close_matches(term, terms or [], n=1, cutoff=0.5)
                yield place.fault(
                    f"tests.{hypothesis}",
                    f"which names the term {term!r}, but the model has no such term",
                    "terms of the model: " + ", ".join(known)
                    + " (a category: `name=level`)",
                    (f"did you mean {close[0]!r}? " if close else "")
                    + "copy the name from the column `term` of estimates.csv, or delete it",
                )  # fmt: skip


def _is_covariate(term: str, named: Collection[str], model: Model) -> bool:
    parts = [part.split("=")[0].strip() for part in re.split(r"[:,]", term)]
    constant = term == INTERCEPT and model["blocks"] != "fixed" and not model["fixed_effects"]
    return constant or all(part in named for part in parts)


def treatment_terms(model: Model, content: Content) -> list[str] | None:
    """Return the names of a model's treatment terms; None if only the data tell their levels.

    ``treated``; ``treated[arm=tutoring]`` where several groups are compared with the control group;
    one for each level of `effects_by` (``treated[half=lower]``), and for each but the first of
    `moderator`.
    """
    if "arm" in named_variables(model["where"]):
        return None
    arms = model["arms"] or [arm["name"] for arm in modelled_arms(content["design"])]
    parts = [[f"arm={arm}"] for arm in arms[1:]] if len(arms) > 2 else [[]]
    if model["effects_by"]:
        levels = _levels(model["effects_by"], content)
        if levels is None:
            return None
        parts = [
            [*part, f"{model['effects_by']}={level}"] for part, level in product(parts, levels)
        ]
    terms = [_term(part) for part in parts]
    if model["moderator"]:
        levels = _levels(model["moderator"], content)
        if levels is None:
            return None
        # Which level is the first is known of the data alone: some may not occur.
        terms += [
            _term([*part, f"{model['moderator']}={level}"])
            for level, part in product(levels, parts)
        ]
    return terms


def _term(parts: Sequence[str]) -> str:
    return f"treated[{', '.join(parts)}]" if parts else "treated"


def _levels(variable: str, content: Content) -> list[str] | None:
    """Return the levels of a variable as the protocol declares them; None if it does not."""
    read: dict[str, Column] = {
        name: spec
        for table in ("schools", "assignment", "pupils", "teachers")
        for reading in content["tables"].get(table, [])
        for name, spec in all_columns(reading)
    }
    rule = content["variables"].get(variable)
    if rule is not None:
        return ["0", "1"] if "at_least" in rule or "equals" in rule or rule["where"] else None
    spec = read.get(variable)
    if spec is None:
        return None
    if spec["type"] == "flag":
        return ["0", "1"]
    codes = spec["codes"] if spec["type"] == "category" else {}
    return list(dict.fromkeys(map(str, codes.values()))) or None
