"""What is known of a study's power at each stage: when planned, when drawn, when analysed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isnan, nan
from typing import Any

import pandas as pd

from schooltrial.checks.power.inputs import (
    Analysed,
    Reported,
    allocation_of,
    analysed,
    blocks_in_sample,
    compared_units,
    reported_precision,
    roster_sizes,
    with_lost,
)
from schooltrial.checks.power.panel import panel_of, staggered_of
from schooltrial.checks.power.variance_shares import (
    ESTIMATED,
    VarianceShares,
    estimated_shares,
    observed_shares,
)
from schooltrial.data.rows.analysed import OF_PANELS
from schooltrial.models.power.allocation import Allocation, planned_allocation
from schooltrial.models.power.cluster_sizes import harmonic_mean
from schooltrial.models.power.minimum_detectable_effect import Precision
from schooltrial.protocol.content.filters import named_variables, years_named
from schooltrial.protocol.content.sections import (
    Arm,
    Compared,
    Design,
    Model,
    Outcome,
    OutcomePlan,
    PlannedDesign,
    Power,
    Study,
    baseline_year,
    compares_not_yet,
    model_of_outcome,
)
from schooltrial.refusal import words_of

Diagnostics = Mapping[str, Mapping[str, Mapping[str, Any]]]


TWO_LEVEL = ("multilevel", "cluster_robust", "randomisation_inference", "wild_bootstrap")
"""Estimators of which the closed form of two levels speaks."""


class PowerSections(Compared):
    """The sections that the power of a study uses."""

    study: Study
    design: Design
    power: Power
    outcomes: dict[str, Outcome]
    models: dict[str, Model]


@dataclass(frozen=True, kw_only=True)
class StudyPlan:
    """The parts of the protocol that the power of a study uses.

    Attributes
    ----------
    settings : Power
        The section ``power``.
    models, outcomes, arms : sections of the protocol
        The control group comes first.
    unit, kind : str
        What was assigned, and how.
    baseline : int
        Year of the roster.
    no_data : mapping
        Group → units that were assigned and sent no data.
    before, after : sequence of int
        Years before the programme, and from its start on.
    seed : int
        Of the study.
    """

    settings: Power
    models: Mapping[str, Model]
    outcomes: Mapping[str, Outcome]
    arms: Sequence[Arm]
    unit: str
    kind: str
    baseline: int
    no_data: Mapping[str, int] = field(default_factory=dict)
    before: Sequence[int] = ()
    after: Sequence[int] = ()
    seed: int = 0

    @classmethod
    def of(cls, sections: PowerSections) -> StudyPlan:
        """Return what the sections of a protocol state."""
        design, years = sections["design"], sections["years"]
        return cls(
            settings=sections["power"],
            models=sections["models"],
            outcomes=sections["outcomes"],
            arms=design["arms"],
            unit=design["unit"],
            kind=design["kind"],
            baseline=baseline_year(sections),
            no_data=design["no_data"],
            before=years["baseline"],
            after=[*years["programme"], *years["follow_up"]],
            seed=sections["study"]["seed"],
        )

    def planned(self, outcome: str) -> PlannedDesign | None:
        """Return the design as planned for an outcome: its own plan, or for pupils that of all."""
        own = self._own(outcome)["planned"]
        if own is not None or self.outcomes[outcome]["measured_on"] != "pupil":
            return own
        return self.settings["planned"]

    def effect(self, outcome: str, *, in_sd: bool) -> float | None:
        """Return the effect assumed of an outcome; that of pupils only where effects are in SD."""
        own = self._own(outcome)["effect"]
        if own is not None:
            return own
        of_pupils = self.outcomes[outcome]["measured_on"] == "pupil" and in_sd
        return self.settings["effect"] if of_pupils else None

    def _own(self, outcome: str) -> OutcomePlan:
        return self.settings["by_outcome"].get(outcome, {"effect": None, "planned": None})


@dataclass(frozen=True)
class Comparison:
    """The subject of a row: an outcome in a model, a group with the control group."""

    outcome: str
    name: str
    model: Model
    arm: str
    sample: pd.DataFrame | None

    @property
    def closed(self) -> bool:
        """Whether the model is a comparison of units, once, of one effect."""
        model = self.model
        split = (
            model["active_years"],
            model["active_from"],
            model["effects_by"],
            model["moderator"],
        )
        grouped = model["cluster"] or model["random_levels"] or model["weights"]
        return model["estimator"] in TWO_LEVEL and not (any(split) or grouped)

    @property
    def blocks(self) -> bool:
        """Whether block effects are in the model; the averages of cohorts have none."""
        return self.model["blocks"] != "none" and not self.staggered

    @property
    def staggered(self) -> bool:
        """Whether cohorts that began in different years are averaged."""
        return self.model["estimator"] == "staggered_adoption"


@dataclass(frozen=True)
class StageInputs:
    """What a stage knows; NaN if it knows nothing.

    ``units`` are the units one by one (block, treated, n) where they are known; ``design`` is the
    precision where another form than that of two levels holds, in the unit of the outcome.
    """

    stage: str
    allocation: Allocation | None = None
    pupils: float = nan
    pupils_per_unit: float = nan
    covariates: int = 0
    shares: VarianceShares | None = None
    reported: Reported | None = None
    notes: tuple[str, ...] = ()
    units: pd.DataFrame | None = None
    design: Precision | None = None

    def noted(self, *notes: str) -> StageInputs:
        """Return the same with more to be said."""
        return replace(self, notes=self.notes + notes)


def comparisons(plan: StudyPlan, samples: Mapping[str, pd.DataFrame]) -> Iterator[Comparison]:
    """Yield each outcome with its primary model, then each subgroup, group by group."""
    primary = [name for name, model in plan.models.items() if model["role"] == "primary"]
    seen: set[str] = set()
    control = plan.arms[0]["name"]
    for name in [*primary, *(n for n, model in plan.models.items() if is_subgroup(model))]:
        model = plan.models[name]
        for outcome in model["outcomes"]:
            if outcome in seen and name in primary:
                continue
            seen |= {outcome} if name in primary else set()
            for arm in plan.arms[1:]:
                if model["arms"] and not {control, arm["name"]} <= set(model["arms"]):
                    continue
                sample = samples.get(plan.outcomes[outcome]["measured_on"])
                fitted = model_of_outcome(model, outcome, plan.outcomes)
                yield Comparison(outcome, name, fitted, arm["name"], sample)


def is_subgroup(model: Model) -> bool:
    """Return whether a model is that of a subgroup of people, and estimates one effect."""
    return (
        model["where_label"] != "all"
        and bool(set(named_variables(model["where"])) - {"year"})
        and model["role"] in ("secondary", "sensitivity")
        and model["estimator"] in ("multilevel", "cluster_robust")
        and not (model["active_years"] or model["active_from"])
        and not (model["effects_by"] or model["moderator"])
    )


def stages_before(
    plan: StudyPlan,
    comparison: Comparison,
    assignment: pd.DataFrame,
    panel: pd.DataFrame | None = None,
) -> list[StageInputs]:
    """Return what was known at protocol and at randomisation.

    ``panel`` holds the means of schools by year, for models that compare their changes.
    """
    planned = plan.planned(comparison.outcome)
    drawn = _at_randomisation(plan, comparison, assignment)
    if comparison.model["estimator"] in OF_PANELS and panel is not None:
        drawn = _from_panel(plan, comparison, drawn, panel, assignment)
    if planned is not None:
        shares = VarianceShares(planned["icc"], planned["r2_school"], planned["r2_pupil"])
        drawn = replace(drawn, shares=shares, covariates=planned["covariates_school"])
    stages = [_at_protocol(plan, comparison, planned), drawn]
    if plan.kind == "staggered":
        told = "as if all began at once; the row at analysis has the precision of the estimate"
        of_cohorts = comparison.staggered and drawn.design is not None
        stages = [s if of_cohorts and s is drawn else s.noted(told) for s in stages]
    return stages


def _at_protocol(
    plan: StudyPlan, comparison: Comparison, planned: PlannedDesign | None
) -> StageInputs:
    if planned is None:
        of = plan.outcomes[comparison.outcome]["measured_on"]
        told = "the protocol plans no size" + ("" if of == "pupil" else f" for outcomes of {of}s")
        return StageInputs("protocol", notes=(told,))
    units, share = float(planned["schools"]), float(planned["treated_share"])
    notes: tuple[str, ...] = ()
    if len(plan.arms) > 2:
        each = [arm["share"] or 1 / len(plan.arms) for arm in plan.arms]
        at = [arm["name"] for arm in plan.arms].index(comparison.arm)
        units *= each[0] + each[at]
        share = each[at] / (each[0] + each[at])
        notes = ("the units of two groups",)
    try:
        allocation = planned_allocation(units, share, planned["blocks"])
    except ValueError as error:
        return StageInputs("protocol", notes=(words_of(error),))
    return StageInputs(
        "protocol", allocation, units * planned["pupils_per_school"],
        float(planned["pupils_per_school"]), planned["covariates_school"],
        VarianceShares(planned["icc"], planned["r2_school"], planned["r2_pupil"]), notes=notes,
    )  # fmt: skip


def _at_randomisation(
    plan: StudyPlan, comparison: Comparison, assignment: pd.DataFrame
) -> StageInputs:
    control = plan.arms[0]["name"]
    listed = compared_units(
        assignment, plan.unit, control, comparison.arm, blocks_in_sample(comparison.sample)
    )
    lost = {} if comparison.staggered else plan.no_data  # their cohorts are not known
    units = with_lost(listed, lost, [control, comparison.arm])
    if comparison.staggered and not (units["treated"] == 0).any():
        return StageInputs("randomisation", units=units)  # all enter, in one of several cohorts
    try:
        inputs = StageInputs("randomisation", allocation_of(units, blocks=comparison.blocks))
    except ValueError as error:
        return StageInputs("randomisation", notes=(words_of(error),))
    if len(units) > len(listed):
        told = "no data received, counted in the blocks that lack their group"
        inputs = inputs.noted(f"{told}: {len(units) - len(listed):,}")
    unseen = sum(plan.no_data.get(arm, 0) for arm in (control, comparison.arm))
    if comparison.staggered and unseen:
        inputs = inputs.noted(f"no data received, cohort not known, not counted: {unseen:,}")
    if comparison.model["estimator"] in OF_PANELS:
        return inputs
    of_schools = plan.outcomes[comparison.outcome]["measured_on"] == plan.unit == "school"
    if plan.unit == "pupil" or of_schools:
        return replace(inputs, pupils=float(len(units)), pupils_per_unit=1.0)
    if comparison.sample is None:
        return inputs.noted("no roster of pupils")
    where, years = comparison.model["where"], [plan.baseline]
    sizes = roster_sizes(comparison.sample, where, years).reindex(units.index).dropna()
    if sizes.empty:
        years = years_named(where, comparison.sample["year"].unique().tolist())
        sizes = roster_sizes(comparison.sample, where, years).reindex(units.index).dropna()
        inputs = inputs.noted(f"sizes of {', '.join(map(str, years))}: no roster of the baseline")
    if sizes.empty:
        return inputs.noted("no roster of the assigned units")
    without = len(units) - len(sizes)
    if without:
        inputs = inputs.noted(f"without a roster: {without}, their size taken as the others'")
    one_by_one = units.assign(n=sizes.reindex(units.index).fillna(sizes.median()))
    return replace(
        inputs, pupils=float(sizes.sum()), pupils_per_unit=harmonic_mean(sizes.to_numpy()),
        units=one_by_one,
    )  # fmt: skip


def _from_panel(
    plan: StudyPlan,
    comparison: Comparison,
    drawn: StageInputs,
    panel: pd.DataFrame,
    assignment: pd.DataFrame,
) -> StageInputs:
    """Give the stage the precision of a panel, by the schools of comparison before.

    Where every school enters the programme at some time, those are all of them.
    """
    if drawn.allocation is None and drawn.units is None:
        return drawn
    rows = panel[panel["outcome"].astype("str") == comparison.outcome].dropna(subset=["mean"])
    others = rows["arm"].astype("str") == plan.arms[0]["name"]
    rows = rows[others] if others.any() else rows
    means = rows[["school", "year", "mean"]].astype({"school": "str"})
    if comparison.staggered:
        arms = assignment["arm"].astype("str")
        entered = assignment.loc[arms == comparison.arm, "cohort"].dropna().astype("int64")
        cohorts = {int(year): int(count) for year, count in entered.value_counts().items()}
        never = int((arms == plan.arms[0]["name"]).sum())
        later = compares_not_yet(comparison.model, never=never > 0)
        design, told = staggered_of(
            means, cohorts, never, plan.before, plan.after,
            "not_yet_treated" if later else "never_treated",
        )  # fmt: skip
    elif drawn.allocation is not None:
        design, told = panel_of(means, drawn.allocation, plan.before, plan.after)
    return replace(drawn, design=design).noted(told)


def at_analysis(
    plan: StudyPlan,
    comparison: Comparison,
    diagnostics: Diagnostics,
    estimates: pd.DataFrame | None,
) -> StageInputs:
    """Return what the primary model found, and the standard error that was reported."""
    sd, inputs = nan, StageInputs("analysis")
    if not comparison.closed or comparison.sample is None:
        inputs = inputs.noted("no closed form here: from the standard error of the estimate")
    else:
        found = analysed(
            comparison.sample, comparison.model, comparison.outcome, plan.arms[0]["name"],
            comparison.arm, blocks=comparison.blocks,
        )  # fmt: skip
        sd, inputs = found.sd, _as_analysed(plan, comparison, found, diagnostics)
    if estimates is None:
        return inputs
    reported = reported_precision(
        estimates, comparison.name, comparison.outcome, comparison.arm,
        level=comparison.model["confidence_level"], sd=sd,
    )  # fmt: skip
    if reported is None:
        return inputs.noted("no standard error of the effect is reported")
    return replace(inputs, reported=reported)


def _as_analysed(
    plan: StudyPlan, comparison: Comparison, found: Analysed, diagnostics: Diagnostics
) -> StageInputs:
    try:
        allocation = allocation_of(found.units, blocks=comparison.blocks)
    except ValueError as error:
        return StageInputs("analysis", notes=(words_of(error),))
    if isnan(found.explained):
        shares, told = _shares_of(plan, comparison, diagnostics)
    else:
        shares = VarianceShares(1.0, found.explained, 0.0)
        told = ("a unit is one row: R² of blocks and covariates, of the rows analysed",)
    sizes = found.units["n"].to_numpy("float64")
    return StageInputs(
        "analysis", allocation, float(sizes.sum()), harmonic_mean(sizes), found.covariates,
        shares, notes=told, units=found.units,
    )  # fmt: skip


def _shares_of(
    plan: StudyPlan,
    comparison: Comparison,
    diagnostics: Diagnostics,
) -> tuple[VarianceShares | None, tuple[str, ...]]:
    """Return ICC and R² of the model, of a multilevel model like it, or else of its rows."""
    mine = comparison.model
    alike = [
        name
        for name, model in plan.models.items()
        if comparison.outcome in model["outcomes"]
        and all(
            model_of_outcome(model, comparison.outcome, plan.outcomes)[key] == mine[key]
            for key in ("where", "arms", "covariates", "blocks")
        )
    ]
    # Variances of other levels than the unit of assignment say nothing of its ICC.
    of_units = [name for name, model in plan.models.items() if not model["random_levels"]]
    for name in [name for name in [comparison.name, *alike] if name in of_units]:
        shares = observed_shares(diagnostics.get(name, {}).get(comparison.outcome, {}))
        if shares is not None:
            told = "" if name == comparison.name else f"ICC and R² as in the model {name}"
            return shares, (told,) if told else ()
    if comparison.sample is not None:
        shares = estimated_shares(
            comparison.sample, mine, comparison.outcome, plan.arms[0]["name"], comparison.arm,
            blocks=comparison.blocks,
        )  # fmt: skip
        if shares is not None:
            return shares, (ESTIMATED,)
    told = "no ICC and R² of these rows and covariates: from the standard error of the estimate"
    return None, (told,)


def with_observed_shares(stages: list[StageInputs]) -> list[StageInputs]:
    """Give the stage of randomisation what the analysis found, where nothing was planned."""
    later = next((s for s in stages if s.stage == "analysis" and s.shares is not None), None)

    def filled(stage: StageInputs) -> StageInputs:
        known = stage.shares is not None or stage.design is not None
        if stage.stage != "randomisation" or known or stage.allocation is None:
            return stage
        if later is None:
            return stage.noted("ICC and R² are neither planned nor found")
        told = "ICC, R² and covariates as analysed, since none are planned"
        source = [ESTIMATED] if ESTIMATED in later.notes else []
        return replace(stage, shares=later.shares, covariates=later.covariates).noted(told, *source)

    return [filled(stage) for stage in stages]
