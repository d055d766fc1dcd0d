"""The table of estimator × key: which keys of a model act, and which are refused, with a remedy.

A key acts when another value of it gives another result. What an estimator does not read is refused
when it is written, even with the value that it has by default: whoever wrote it expects something.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from schooltrial.protocol.consistency.idle_keys import idle_key_faults
from schooltrial.protocol.content.sections import PANELS, Content, Model
from schooltrial.refusal import Fault
from schooltrial.wording import plural_of

OF_PEOPLE = (
    "multilevel", "cluster_robust", "randomisation_inference", "wild_bootstrap", "complier_effect",
)  # fmt: skip
"""Estimators of rows of pupils, teachers or schools."""

EVERY = (*OF_PEOPLE, *PANELS)

SPLIT = ("multilevel", "cluster_robust")
"""Estimators of several effects at once."""


@dataclass(frozen=True)
class ModelKey:
    """A key of models.

    Attributes
    ----------
    default : object
        Its value where the protocol gives none; None where it must.
    readers : tuple of str
        Estimators in which it acts; the others refuse it.
    remedies : dict of str to str
        Estimator that refuses it → what to do; ``""`` for all others.
    when : str
        The condition under which it acts, in words; empty: always.
    """

    default: Any
    readers: tuple[str, ...] = EVERY
    remedies: dict[str, str] = field(default_factory=dict)
    when: str = ""

    def remedy(self, estimator: str) -> str:
        """Return what to do where an estimator refuses the key."""
        return self.remedies.get(estimator, self.remedies.get("", "delete it"))


TWO_WAY = "difference_in_differences"

OF_TWO_WAY = {
    "": "delete it, or take `estimator: difference_in_differences`: no other estimator has it"
}

ONE_EFFECT = {"": "delete it, and name the groups under `subgroups`: a model is fitted in each"}

REQUIRED = ("label", "estimator", "outcomes")

MODEL_KEYS: dict[str, ModelKey] = {
    "label": ModelKey(None, when="in tables and figures; changes no number"),
    "estimator": ModelKey(None),
    "role": ModelKey(
        "secondary", when="in the report, and in checks that follow the primary models"
    ),
    "outcomes": ModelKey(None),
    "where": ModelKey({}),
    "arms": ModelKey([], when="where the design has more than two groups"),
    "subgroups": ModelKey([]),
    "comparison_group": ModelKey(
        "never_treated", ("staggered_adoption",),
        {"": "delete it, or take `estimator: staggered_adoption`: no other compares cohorts"},
    ),
    "base_period": ModelKey(
        "varying", ("staggered_adoption",),
        {"": "delete it, or take `estimator: staggered_adoption`",
         "difference_in_differences": "delete it: `years.reference` is the base of every year"},
    ),
    "anticipation": ModelKey(
        0, ("staggered_adoption",),
        {"": "delete it, or take `estimator: staggered_adoption`",
         "difference_in_differences": "delete it: name an earlier `years.reference`"},
    ),
    "comparison_on": ModelKey(
        [], ("staggered_adoption",),
        {"": "delete it, or name the variables under `covariates`",
         "difference_in_differences": "delete it, or take `estimator: staggered_adoption`, which "
         "weights comparison schools"},
    ),
    "comparison_weights": ModelKey(
        "entropy", ("staggered_adoption",),
        {"": "delete it: this estimator weights no comparison schools"},
        "where the model has `comparison_on`",
    ),
    "method": ModelKey(
        "callaway_santanna", ("staggered_adoption",),
        {"": "delete it, or take `estimator: staggered_adoption`: no other compares cohorts"},
    ),
    "event_window": ModelKey(
        [], PANELS,
        {"": "delete it, or take `estimator: difference_in_differences`, or staggered_adoption "
         "with `method: stacked`"},
        "in staggered_adoption with `method: stacked`",
    ),
    "bounded_cells": ModelKey(
        "left_out", when="for outcomes of schools that are read with `suppressed: bounds`"
    ),
    "where_label": ModelKey("all", when="where `where` (or an outcome's `population`) selects"),
    "covariates": ModelKey([]),
    "adjustment": ModelKey(
        "regression", ("staggered_adoption",),
        {"": "delete it: covariates enter the regression of the outcome"},
        "where the model has `covariates`",
    ),
    "missing_covariates": ModelKey("indicator", when="where the model has `covariates`"),
    "blocks": ModelKey(
        "fixed", OF_PEOPLE,
        {"": "delete it: a school is compared with itself, so blocks have no effect"},
        "where there are blocks; `random` in multilevel alone",
    ),
    "fixed_effects": ModelKey(
        [], ("cluster_robust", "complier_effect", TWO_WAY),
        {
            "staggered_adoption": "delete it: a school is compared with itself",
            "": "delete it, and name the variable under `covariates` (a category is a set of "
            "indicators)",
        },
    ),
    "cluster": ModelKey(
        None,
        ("cluster_robust", "wild_bootstrap", "complier_effect", *PANELS),
        {
            "multilevel": "name the levels instead, as in `random_levels: [school]`",
            "randomisation_inference": "delete it: the randomised units are re-randomised",
        },
    ),
    "random_levels": ModelKey(
        [], ("multilevel",),
        {"": "delete it, or name one group to cluster errors on, as in `cluster: school`",
         "randomisation_inference": "delete it: the randomised units are re-randomised",
         "staggered_adoption": "delete it, or name the groups above schools, as in `cluster: "
         "district`"},
    ),
    "weights": ModelKey(None),
    "covariance": ModelKey(
        ["CR2"], ("cluster_robust", TWO_WAY),
        {"": "delete it, or take `estimator: cluster_robust`: this estimator has one variance "
        "estimator"},
    ),
    "df": ModelKey(
        "kenward-roger", ("multilevel",),
        {"": "delete it, or take `estimator: multilevel`: the reference distribution is fixed"},
    ),
    "replications": ModelKey(
        10000, ("randomisation_inference", "wild_bootstrap"),
        {"": "delete it: this estimator has no replications"},
        "where there are more assignments (or sets of signs) than are listed",
    ),
    "active_years": ModelKey(
        [], (*SPLIT, "wild_bootstrap", "complier_effect", "difference_in_differences"),
        {"": "delete it, and keep the years by `where: {year: […]}`"},
        "where the model analyses other years too",
    ),
    "active_from": ModelKey(
        None, (*SPLIT, "wild_bootstrap", "complier_effect", TWO_WAY),
        {
            "staggered_adoption": "delete it: the cohort is known",
            "": "take `estimator: cluster_robust`",
        },
        "where the model analyses earlier years too",
    ),
    "effects_by": ModelKey(None, (*SPLIT, TWO_WAY, "staggered_adoption"), ONE_EFFECT),
    "moderator": ModelKey(None, (*SPLIT, TWO_WAY, "staggered_adoption"), ONE_EFFECT),
    "unit_trends": ModelKey(False, (TWO_WAY,), OF_TWO_WAY),
    "tests": ModelKey(
        {}, ("cluster_robust",),
        {"": "delete it, or take `estimator: cluster_robust`, which tests terms together"},
    ),
    "confidence_level": ModelKey(0.95),
}  # fmt: skip
"""Key → the estimators in which it acts, in the order of the schema."""


def keys_read(estimator: str) -> tuple[str, ...]:
    """Return the keys that act in an estimator."""
    return tuple(key for key, spec in MODEL_KEYS.items() if estimator in spec.readers)


def without_unread(model: Model) -> Model:
    """Return a model whose keys that its estimator does not read have their defaults."""
    unread = {
        key: spec.default
        for key, spec in MODEL_KEYS.items()
        if model["estimator"] not in spec.readers
    }
    return cast(Model, {**model, **unread})


def model_key_faults(
    where: str, model: Model, content: Content, shown: str, written: Collection[str] = ()
) -> Iterator[Fault]:
    """Yield keys that do nothing in a model, and levels without sense.

    Parameters
    ----------
    where : str
        Place of the model in the protocol.
    model : Model
    content : Content
        The whole protocol.
    shown : str
        How messages name the protocol.
    written : collection of str
        Keys of the model that the file has; others are known to be there by their values.
    """
    values: dict[str, Any] = dict(model)
    given = {
        key
        for key, spec in MODEL_KEYS.items()
        if key in written or (key not in REQUIRED and values[key] != spec.default)
    }
    for key in (key for key in MODEL_KEYS if key in given):
        spec = MODEL_KEYS[key]
        if model["estimator"] not in spec.readers:
            yield Fault(
                shown, f"{where} has `{key}`, which {model['estimator']} does not read",
                f"`{key}` in a model of " + ", ".join(spec.readers),
                spec.remedy(model["estimator"]), column=f"{where}.{key}",
            )  # fmt: skip
            given = given - {key}
    yield from idle_key_faults(where, model, content, shown, given)
    yield from _level_faults(where, model, shown)
    yield from _school_faults(where, model, content, shown)
    measured = sorted({content["outcomes"][name]["measured_on"] for name in model["outcomes"]
                       if name in content["outcomes"]})  # fmt: skip
    if model["estimator"] == "multilevel" and measured == [content["design"]["unit"]]:
        yield from _one_row_faults(where, model, measured[0], shown)


def _level_faults(where: str, model: Model, shown: str) -> Iterator[Fault]:
    levels, place = model["random_levels"], f"{where}.random_levels"
    if len(set(levels)) < len(levels):
        yield Fault(
            shown, f"{where} lists the random level {levels[0]!r} twice", "each level once",
            f"write `random_levels: [{levels[0]}]`", column=place,
        )  # fmt: skip
    if levels and model["blocks"] == "random" and len(levels) + 1 > 2:
        yield Fault(
            shown, f"{where} has the random levels {', '.join(levels)} and random blocks",
            "two random levels at most", "set `blocks: fixed`, or list one level", column=place,
        )  # fmt: skip
    if "block" in levels and model["blocks"] == "fixed":
        yield Fault(
            shown, f"{where} has blocks as a random level and as fixed effects", "one of the two",
            "set `blocks: none`, or delete `block` from `random_levels`", column=place,
        )  # fmt: skip


def _school_faults(where: str, model: Model, content: Content, shown: str) -> Iterator[Fault]:
    """Yield a model of values of schools where something inside schools was assigned."""
    unit = content["design"]["unit"]
    of_schools = [name for name in model["outcomes"]
                  if name in content["outcomes"]
                  and content["outcomes"][name]["measured_on"] == "school"]  # fmt: skip
    if unit != "school" and of_schools:
        yield Fault(
            shown, f"{where} compares schools by {of_schools[0]!r}, but {plural_of(unit)} were "
            "randomised, so a school has both groups",
            "an outcome of the randomised units, or of pupils",
            f"delete {of_schools[0]!r} from `outcomes`, or correct `design.unit`",
            column=f"{where}.outcomes",
        )  # fmt: skip
    elif unit == "pupil" and model["estimator"] in PANELS:
        yield Fault(
            shown, f"{where} is a model of schools by year ({model['estimator']}), but pupils were "
            "randomised, so a school has both groups", "an estimator of pupils",
            "take `estimator: cluster_robust`, with `fixed_effects: [school, year]` for changes "
            "over the years, or correct `design.unit`",
            column=f"{where}.estimator",
        )  # fmt: skip


def _one_row_faults(where: str, model: Model, unit: str, shown: str) -> Iterator[Fault]:
    """Yield a model whose only random level is that of its rows."""
    years = model["where"].get("year")
    one_year = isinstance(years, list) and len(years) == 1
    if one_year and not model["random_levels"]:
        above = "school" if unit in ("pupil", "teacher") else "district"
        yield Fault(
            shown, f"{where} has a random level of {unit}s, but each has only one row per year, so "
            "the level is the residual", "a level with several rows",
            f"add it (`random_levels: [{above}]`), or set `estimator: cluster_robust`",
            column=f"{where}.random_levels",
        )  # fmt: skip
