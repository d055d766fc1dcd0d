"""The methods of a study, written from its protocol: each sentence from a table of rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from schooltrial.document.blocks import Block, Bullets, Equation, Heading, Paragraph, Section
from schooltrial.protocol.idle_keys import has_blocks
from schooltrial.protocol.model_keys import keys_read
from schooltrial.protocol.sections import Content
from schooltrial.wording import exact, listed, plural_of

LINEAR = "yᵢⱼ = α + τTⱼ + β′xᵢⱼ + eᵢⱼ"
"""Of pupils i in clusters j; T is the assignment."""

EQUATIONS = {
    "multilevel": "yᵢⱼ = α + τTⱼ + β′xᵢⱼ + uⱼ + eᵢⱼ,  uⱼ ~ N(0, σ²ᵤ),  eᵢⱼ ~ N(0, σ²ₑ)",
    "cluster_robust": LINEAR,
    "randomisation_inference": LINEAR,
    "wild_bootstrap": LINEAR,
    "complier_effect": "Dᵢⱼ = π₀ + π₁Tⱼ + γ′xᵢⱼ + vᵢⱼ,  yᵢⱼ = α + δD̂ᵢⱼ + β′xᵢⱼ + eᵢⱼ",
    "difference_in_differences": "yⱼₜ = μⱼ + λₜ + τDⱼₜ + β′xⱼₜ + eⱼₜ",
    "staggered_adoption": "ATT(g, t) = E[Y(g) − Y(∞) | G = g] in year t",
}
"""Estimator → its model. x are the covariates and indicators, where there are any."""

ESTIMATORS = {
    "multilevel": "A linear mixed model, fitted by restricted maximum likelihood, estimates the "
    "effect of assignment, τ.",
    "cluster_robust": "Least squares estimates the effect of assignment, τ; standard errors are "
    "clustered.",
    "randomisation_inference": "The studentised effect of assignment is compared with its "
    "distribution over assignments that the design could have produced.",
    "wild_bootstrap": "The effect of assignment is tested by a restricted wild cluster bootstrap "
    "(Cameron, Gelbach and Miller 2008).",
    "complier_effect": "Two-stage least squares, with assignment as the instrument, estimates the "
    "effect on compliers, δ; an Anderson-Rubin set, which holds with weak instruments too, is "
    "given with it.",
    "difference_in_differences": "A regression with effects of schools and years compares changes "
    "over the years; it is an effect only if trends would otherwise have been parallel.",
    "staggered_adoption": "Effects are estimated for each cohort and year and then averaged; they "
    "are effects only if trends would otherwise have been parallel.",
}
"""Estimator → what it does."""

METHODS = {
    "callaway_santanna": "Each cohort’s change from its base year is compared with that of its "
    "comparison schools (Callaway and Sant’Anna 2021).",
    "sun_abraham": "A regression has a coefficient for each cohort and year (Sun and Abraham "
    "2021).",
    "imputation": "Outcomes without the programme are imputed from all untreated years (Borusyak, "
    "Jaravel and Spiess 2024).",
    "stacked": "Each cohort is stacked with clean comparisons in a window of years, weighted as in "
    "Wing, Freedman and Hollingsworth (2024).",
}

REFERENCES = {
    "Cameron, Gelbach and Miller": "Cameron, A. C., Gelbach, J. B. and Miller, D. L. (2008). "
    "Bootstrap-based improvements for inference with clustered errors. Review of Economics and "
    "Statistics 90(3), 414–427.",
    "Kenward and Roger": "Kenward, M. G. and Roger, J. H. (1997). Small sample inference for fixed "
    "effects from restricted maximum likelihood. Biometrics 53(3), 983–997.",
    "Pustejovsky and Tipton": "Pustejovsky, J. E. and Tipton, E. (2018). Small-sample methods for "
    "cluster-robust variance estimation and hypothesis testing in fixed effects models. Journal of "
    "Business and Economic Statistics 36(4), 672–683.",
    "Callaway and Sant’Anna": "Callaway, B. and Sant’Anna, P. H. C. (2021). "
    "Difference-in-differences with multiple time periods. Journal of Econometrics 225(2), "
    "200–230.",
    "Sun and Abraham": "Sun, L. and Abraham, S. (2021). Estimating dynamic treatment effects in "
    "event studies with heterogeneous treatment effects. Journal of Econometrics 225(2), 175–199.",
    "Borusyak, Jaravel and Spiess": "Borusyak, K., Jaravel, X. and Spiess, J. (2024). Revisiting "
    "event-study designs: robust and efficient estimation. Review of Economic Studies 91(6), "
    "3253–3285.",
    "Wing, Freedman and Hollingsworth": "Wing, C., Freedman, S. M. and Hollingsworth, A. (2024). "
    "Stacked difference-in-differences. NBER Working Paper 32054.",
    "Hainmueller": "Hainmueller, J. (2012). Entropy balancing for causal effects. Political "
    "Analysis 20(1), 25–46.",
}
"""Authors as a sentence names them → the reference."""

MISSING = {
    "indicator": "A missing covariate was replaced by its mean, with an indicator of missing.",
    "drop": "Rows without a covariate were left out.",
    "refuse": "No row lacks a covariate: the analysis would have stopped.",
}

STANDARDISED = {
    "control": "by the comparison group’s mean and SD within grade and year",
    "control_at_baseline": "by the comparison group’s mean and SD in the baseline year",
    "all": "by the mean and SD of the sample within grade and year",
    "norms": "by published norms",
}

Model = Mapping[str, Any]
Sentence = Callable[[Model, Content], str]


def _names(model: Model, key: str) -> str:
    found = model[key]
    return listed([str(one) for one in ([found] if isinstance(found, str) else found)])


def _given(words: str, key: str) -> Sentence:
    """Return a sentence that holds where a key is filled: ``{}`` is its names."""
    return lambda model, _: words.format(_names(model, key)) if model[key] else ""


def _filter(model: Model, _: Content) -> str:
    parts = [f"{key}: {_values(values)}" for key, values in model["where"].items()]
    return f"Rows: {'; '.join(parts)}." if parts else ""


def _values(values: object) -> str:
    several = values if isinstance(values, list) else [values]
    return ", ".join(exact(one) if isinstance(one, int | float) else str(one) for one in several)


def _blocks(model: Model, content: Content) -> str:
    entered = {"fixed": "fixed effects", "random": "a random level", "none": ""}[model["blocks"]]
    return f"Blocks enter as {entered}." if entered and has_blocks(content) else ""


def _cluster(model: Model, content: Content) -> str:
    unit = content["design"]["unit"]
    groups = model["cluster"] or ("school" if model["estimator"] in PANEL else unit)
    named = [groups] if isinstance(groups, str) else list(groups)
    return f"Errors are clustered by {listed(named)}."


PANEL = ("difference_in_differences", "staggered_adoption")


def _levels(model: Model, content: Content) -> str:
    return f"Random levels: {listed(model['random_levels'] or [content['design']['unit']])}."


def _covariance(model: Model, _: Content) -> str:
    kinds = model["covariance"]
    refined = [kind for kind in kinds if kind in ("CR2", "CR3")]
    small = ""
    if refined and model["estimator"] == "cluster_robust":
        small = (
            f" Under {listed(refined)} degrees of freedom are Satterthwaite’s (Pustejovsky and "
            "Tipton 2018)."
        )
    return f"Cluster-robust covariance: {listed(kinds)}.{small}"


def _df(model: Model, _: Content) -> str:
    if model["df"] == "satterthwaite":
        return "Degrees of freedom are Satterthwaite’s."
    return "Standard errors and degrees of freedom are Kenward and Roger’s (1997)."


def _replications(model: Model, content: Content) -> str:
    drawn = {"randomisation_inference": "assignments", "wild_bootstrap": "sets of signs"}
    return (
        f"Up to {model['replications']:,} {drawn[model['estimator']]} are drawn, or all are listed "
        f"where there are fewer (seed of the study: {content['study']['seed']})."
    )


def _with_covariates(words: Mapping[str, str], key: str, needs: str) -> Sentence:
    return lambda model, _: words[model[key]] if model[needs] else ""


def _where(method: Sequence[str], sentence: Sentence) -> Sentence:
    """Return a sentence that holds under some methods of staggered models only."""
    return lambda model, content: sentence(model, content) if model["method"] in method else ""


SENTENCES: dict[str, Sentence] = {
    "where": _filter,
    "arms": _given("Arms compared: {}.", "arms"),
    "subgroups": _given("Fitted again within subgroups: {}.", "subgroups"),
    "method": lambda model, _: METHODS[model["method"]],
    "comparison_group": _where(("callaway_santanna", "stacked"), lambda model, _: {
        "never_treated": "Comparison schools are those never treated.",
        "not_yet_treated": "Comparison schools are those never or not yet treated.",
    }[model["comparison_group"]]),
    "base_period": _where(("callaway_santanna",), lambda model, _: {
        "varying": "Years before the programme are compared with the year before each.",
        "universal": "Years before the programme are compared with the last of them.",
    }[model["base_period"]]),
    "anticipation": lambda model, _: (
        f"Schools may already change {model['anticipation']} years before their first."
        if model["anticipation"]
        else ""
    ),
    "comparison_on": _given("Comparison schools are weighted to be alike in {}.", "comparison_on"),
    "comparison_weights": _with_covariates(
        {"entropy": "The weights are of entropy balancing (Hainmueller 2012).",
         "nearest": "The three nearest comparison schools are taken, with replacement."},
        "comparison_weights", "comparison_on",
    ),
    "event_window": lambda model, _: (
        f"Event window: {_values(model['event_window'])} years." if model["event_window"] else ""
    ),
    "bounded_cells": lambda model, _: (
        ""
        if model["bounded_cells"] == "left_out"
        else f"Values published as a range: {model['bounded_cells'].replace('_', ' ')}."
    ),
    "covariates": _given("Covariates: {}.", "covariates"),
    "adjustment": _where(("callaway_santanna",), _with_covariates(
        {"regression": "Covariates enter a regression of the comparison schools’ changes.",
         "inverse_probability": "Covariates enter by weights of inverse probability.",
         "doubly_robust": "Covariates enter a regression and weights: doubly robust."},
        "adjustment", "covariates",
    )),
    "missing_covariates": _with_covariates(MISSING, "missing_covariates", "covariates"),
    "blocks": _blocks,
    "fixed_effects": _given("Fixed effects: {}.", "fixed_effects"),
    "cluster": _cluster,
    "random_levels": _levels,
    "weights": _given("Weights: {}.", "weights"),
    "covariance": _covariance,
    "df": _df,
    "replications": _replications,
    "active_years": lambda model, _: (
        f"Treatment can act in {_values(model['active_years'])}." if model["active_years"] else ""
    ),
    "active_from": _given("Treatment acts from the year in `{}`.", "active_from"),
    "effects_by": _given("Effects are split by {}.", "effects_by"),
    "moderator": _given("The effect may change with {}.", "moderator"),
    "unit_trends": lambda model, _: (
        "Each school has a linear trend of its own." if model["unit_trends"] else ""
    ),
    "tests": lambda model, _: (
        f"Joint tests: {listed(list(model['tests']))}." if model["tests"] else ""
    ),
    "confidence_level": lambda model, _: (
        f"Intervals are at the {100 * model['confidence_level']:g}% level."
    ),
}  # fmt: skip
"""Key of models → its sentence; empty where it changes nothing."""

ELSEWHERE = ("label", "estimator", "role", "outcomes", "where_label")
"""Keys that are words, or that the heading and first sentence of a model tell."""


def methods_section(protocol: Content) -> Section:
    """Return the methods: outcomes, then each model with its equation and rules, and references.

    Parameters
    ----------
    protocol : Content
        Sections of the protocol, all defaults filled.
    """
    blocks: list[Block] = [Paragraph(" ".join(_general(protocol)))]
    for name, model in told_models(protocol).items():
        blocks += [
            Heading(model["label"], f"method-{name}"),
            Equation(equation(model, protocol)),
            Paragraph(" ".join(model_sentences(model, protocol))),
        ]
    told = " ".join(str(block.text) for block in blocks if isinstance(block, Paragraph))
    if cited := references(told):
        blocks += [Heading("References"), Bullets(tuple(cited))]
    return Section("methods", "Statistical methods", tuple(blocks), annex=True)


def told_models(protocol: Content) -> dict[str, Model]:
    """Return the models, without those that are another one fitted again in a subgroup."""
    models = protocol["models"]
    return {
        name: model
        for name, model in models.items()
        if (parent := name.partition("__")[0]) == name or parent not in models
    }


def equation(model: Model, protocol: Content) -> str:
    """Return the equation of a model; a second random level has a term of its own."""
    levels = len(model["random_levels"]) or 1
    above = model["blocks"] == "random" and has_blocks(protocol)
    if model["estimator"] == "multilevel" and levels + above > 1:
        return (
            "yᵢⱼₖ = α + τTᵢⱼₖ + β′xᵢⱼₖ + uⱼₖ + vₖ + eᵢⱼₖ,  "
            "uⱼₖ ~ N(0, σ²ᵤ),  vₖ ~ N(0, σ²ᵥ),  eᵢⱼₖ ~ N(0, σ²ₑ)"
        )
    return EQUATIONS[model["estimator"]]


def model_sentences(model: Model, protocol: Content) -> Iterator[str]:
    """Yield the sentences on one model, key by key."""
    outcomes = [protocol["outcomes"][name]["label"] for name in model["outcomes"]]
    yield f"Outcomes: {listed(outcomes)} ({model['role']} analysis)."
    yield ESTIMATORS[model["estimator"]]
    for key in keys_read(model["estimator"]):
        if key not in ELSEWHERE and (said := SENTENCES[key](model, protocol)):
            yield said


def references(told: str) -> Sequence[str]:
    """Return the references that a text cites, in order of their authors."""
    return sorted(full for authors, full in REFERENCES.items() if authors in told)


def _general(protocol: Content) -> Iterator[str]:
    design = protocol["design"]
    units = plural_of(design["unit"]).capitalize()
    if design["randomised"]:
        yield f"{units} were randomised; effects of assignment are by intention to treat."
    else:
        yield f"{units} were not randomised."
    for kind, words in STANDARDISED.items():
        named = [
            outcome["label"]
            for outcome in protocol["outcomes"].values()
            if outcome["standardise"] == kind
        ]
        if named:
            yield f"Standardised {words}: {listed(named)}."
    primary = sum(outcome["primary"] for outcome in protocol["outcomes"].values())
    if primary > 1:
        yield f"P-values are not adjusted for the number of primary outcomes ({primary})."
    yield "In the equations, x holds covariates, blocks and indicators, where a model has any."
