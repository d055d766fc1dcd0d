"""The methods of a study, written from its protocol: each sentence from a table of rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from schooltrial.document.blocks import Block, Bullets, Equation, Heading, Paragraph, Section
from schooltrial.protocol.consistency.idle_keys import has_blocks
from schooltrial.protocol.consistency.model_keys import keys_read
from schooltrial.protocol.content.filters import in_words
from schooltrial.protocol.content.sections import (
    Content,
    arm_labels,
    control_word,
    has_grades,
    labels,
)
from schooltrial.report.methods.estimands import estimands_told
from schooltrial.report.methods.symbols import symbols_sentence, symbols_told
from schooltrial.report.wording import PLAIN_BLOCK, block_word, block_words, of_rows, of_several
from schooltrial.wording import exact, listed, plural_of

LINEAR = "yᵢⱼ = α + τTⱼ + β′xᵢⱼ + eᵢⱼ"
"""Of individuals i in units j that were assigned; T is the assignment."""

ALONE = "yᵢ = α + τTᵢ + β′xᵢ + eᵢ"
"""Where each row is a unit that was assigned."""

EFFECT_SIZES = {
    "g": "g = τ̂ / s · (1 − 3 / (4N − 9))",
    "cox": "d = [logit(p + τ̂) − logit(p)] / 1.65",
    "index": "percentile points = 100 · (Φ(g) − 0.5)",
}
"""Effect sizes of continuous and of yes/no outcomes."""

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
    "multilevel": "A linear mixed model, fitted by restricted maximum likelihood (REML), estimates "
    "{estimand}, τ. The intraclass correlation is ρ = σ²ᵤ / (σ²ᵤ + σ²ₑ), its interval that of "
    "the profiled likelihood.",
    "cluster_robust": "Least squares estimates {estimand}, τ; standard errors are cluster-robust.",
    "randomisation_inference": "Least squares estimates {estimand}, τ. Its studentised value t is "
    "compared with the values t* of other assignments that the design could have produced, if the "
    "programme changed no outcome. The p-value is the share of them with |t*| ≥ |t|; the interval "
    "holds the effects that this test does not reject.",
    "wild_bootstrap": "Least squares estimates {estimand}, τ. A restricted wild cluster bootstrap "
    "tests it (Cameron, Gelbach and Miller 2008): the residuals of the model without an effect are "
    "multiplied by random signs, cluster by cluster. The p-value is the share of these samples "
    "with |t*| ≥ |t|; the interval holds the effects that this test does not reject.",
    "complier_effect": "Two-stage least squares, with assignment as the instrument, estimates the "
    "complier average causal effect (CACE), δ: the effect of take-up, D, on those who take up "
    "because of the offer. The first-stage F tests π₁ = 0. The Anderson-Rubin set, which is valid "
    "with weak instruments too, holds each δ at which assignment has no effect on y − δD. Standard "
    "errors are cluster-robust (CR2) with Satterthwaite’s degrees of freedom.",
    "difference_in_differences": "A regression with effects of schools and years estimates the "
    "average effect on the intervention schools in the years of the programme (ATT), τ.",
    "staggered_adoption": "Effects on the schools of each cohort g in each year t are estimated, "
    "and then averaged (ATT). Standard errors combine the variances of treated and of comparison "
    "schools; the degrees of freedom fall with the number of treated schools.",
}
"""Estimator → what it does; ``{estimand}`` is what the design lets it estimate."""

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
    "Bloom 2005": "Bloom, H. S. (2005). Randomizing groups to evaluate place-based programs. In: "
    "Learning more from social experiments. New York: Russell Sage Foundation.",
    "Burlig, Preonas and Woerman": "Burlig, F., Preonas, L. and Woerman, M. (2020). Panel data and "
    "experimental design. Journal of Development Economics 144, 102458.",
    "Conley and Taber": "Conley, T. G. and Taber, C. R. (2011). Inference with “difference in "
    "differences” with a small number of policy changes. Review of Economics and Statistics "
    "93(1), 113–125.",
    "Deke and Chiang": "Deke, J. and Chiang, H. (2017). The WWC attrition standard: sensitivity to "
    "assumptions and opportunities for refining and adapting to new contexts. Evaluation Review "
    "41(2), 130–154.",
    "Fieller 1954": "Fieller, E. C. (1954). Some problems in interval estimation. Journal of the "
    "Royal Statistical Society B 16(2), 175–185.",
    "Gelman and Carlin": "Gelman, A. and Carlin, J. (2014). Beyond power calculations: assessing "
    "Type S (sign) and Type M (magnitude) errors. Perspectives on Psychological Science 9(6), "
    "641–651.",
    "Goodman-Bacon 2021": "Goodman-Bacon, A. (2021). Difference-in-differences with variation in "
    "treatment timing. Journal of Econometrics 225(2), 254–277.",
    "Hansen and Bowers": "Hansen, B. B. and Bowers, J. (2008). Covariate balance in simple, "
    "stratified and clustered comparative studies. Statistical Science 23(2), 219–236.",
    "Horowitz and Manski 2000": "Horowitz, J. L. and Manski, C. F. (2000). Nonparametric analysis "
    "of randomized experiments with missing covariate and outcome data. Journal of the American "
    "Statistical Association 95(449), 77–84.",
    "Imbens and Manski": "Imbens, G. W. and Manski, C. F. (2004). Confidence intervals for "
    "partially identified parameters. Econometrica 72(6), 1845–1857.",
    "Lee 2009": "Lee, D. S. (2009). Training, wages, and sample selection: estimating sharp bounds "
    "on treatment effects. Review of Economic Studies 76(3), 1071–1102.",
    "Rambachan and Roth": "Rambachan, A. and Roth, J. (2023). A more credible approach to parallel "
    "trends. Review of Economic Studies 90(5), 2555–2591.",
    "Roth 2022": "Roth, J. (2022). Pretest with caution: event-study estimates after testing for "
    "parallel trends. American Economic Review: Insights 4(3), 305–322.",
    "Wooldridge 2007": "Wooldridge, J. M. (2007). Inverse probability weighted estimation for "
    "general missing data problems. Journal of Econometrics 141(2), 1281–1301.",
    "Wu and Ding": "Wu, J. and Ding, P. (2021). Randomization tests for weak null hypotheses in "
    "randomized experiments. Journal of the American Statistical Association 116(536), 1898–1913.",
    "Hainmueller": "Hainmueller, J. (2012). Entropy balancing for causal effects. Political "
    "Analysis 20(1), 25–46.",
}
"""Authors as a sentence names them → the reference."""

MISSING = {
    "indicator": "A missing covariate was replaced by its mean, with an indicator of missing.",
    "drop": "Rows without a covariate were left out.",
    "refuse": "No row lacks a covariate: the analysis would have stopped.",
}

OWN_BASELINE = (
    "A missing own score at baseline was replaced by 0, any other missing covariate by its mean, "
    "each with an indicator of missing."
)

STANDARDISED = {
    "control": "by the {control} group’s mean and SD within grade and year",
    "control_at_baseline": "by the {control} group’s mean and SD in the baseline year",
    "all": "by the mean and SD of the sample within grade and year",
    "norms": "by published norms",
}

Model = Mapping[str, Any]
Sentence = Callable[[Model, Content], str]


def _labels(content: Content) -> dict[str, str]:
    """Return variable, group, subgroup or year → its label."""
    return {
        **arm_labels(content["design"]),
        **labels(content),
        "baseline": "the outcome at baseline (own score and mean of the school)",
        "year": content["years"]["label"],
        "n_pupils": "number of pupils",
    }


def _named(name: str, content: Content) -> str:
    """Return a variable as a reader calls it; a product of two is joined by ×."""
    named = _labels(content)
    return " × ".join(named.get(part, part.replace("_", " ")) for part in name.split(":"))


def _names(model: Model, content: Content, key: str) -> str:
    found = model[key]
    several = [found] if isinstance(found, str) else found
    return listed([_named(str(one), content) for one in several])


def _given(words: str, key: str) -> Sentence:
    """Return a sentence that holds where a key is filled: ``{}`` is its labels."""
    return lambda model, content: words.format(_names(model, content, key)) if model[key] else ""


def _filter(model: Model, content: Content) -> str:
    said = in_words(model["where"], _labels(content))
    return f"Analysed: {of_rows(said)}." if said else ""


def _subgroups(model: Model, content: Content) -> str:
    names = [content["subgroups"][name]["label"] for name in model["subgroups"]]
    return f"Fitted again within subgroups: {listed(names)}." if names else ""


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
    return f"Standard errors are clustered by {listed([_named(one, content) for one in named])}."


BOUNDED = {
    "midpoint": "in its middle",
    "against": "at the end that is against an effect",
    "in_favour": "at the end that is in favour of an effect",
}
"""Value of ``bounded_cells`` → where in its range a value is placed."""

ROLES = {
    "primary": "primary analysis",
    "secondary": "secondary analysis",
    "sensitivity": "sensitivity analysis",
    "replication": "replication of a published analysis",
}

TWO = 2
"""Groups with a single effect between them."""

PANEL = ("difference_in_differences", "staggered_adoption")


def _levels(model: Model, content: Content) -> str:
    levels = model["random_levels"] or [content["design"]["unit"]]
    return f"Random intercepts: {listed([_named(one, content) for one in levels])}."


def _covariance(model: Model, _: Content) -> str:
    kinds = model["covariance"]
    refined = [kind for kind in kinds if kind in ("CR2", "CR3")]
    small = ""
    if refined and model["estimator"] in ("cluster_robust", "difference_in_differences"):
        small = (
            f" Degrees of freedom under {listed(refined)} are Satterthwaite’s (Pustejovsky and "
            "Tipton 2018)."
        )
    return f"Cluster-robust covariance: {listed(kinds)}.{small}"


def _df(model: Model, _: Content) -> str:
    if model["df"] == "satterthwaite":
        return "Degrees of freedom are Satterthwaite’s."
    return "Standard errors and degrees of freedom are Kenward and Roger’s (1997)."


def _replications(model: Model, content: Content) -> str:
    drawn = {"randomisation_inference": "assignments", "wild_bootstrap": "sets of signs"}
    # The observed statistic is one more: a bootstrap draws one set less
    count = model["replications"] - (model["estimator"] == "wild_bootstrap")
    return (
        f"Up to {count:,} {drawn[model['estimator']]} are drawn, or all are listed "
        f"where there are fewer (seed of the study: {content['study']['seed']})."
    )


def _with_covariates(words: Mapping[str, str], key: str, needs: str) -> Sentence:
    return lambda model, _: words[model[key]] if model[needs] else ""


def _missing(model: Model, content: Content) -> str:
    """Return what became of a missing covariate; an own baseline score has a rule of its own."""
    if "baseline" in model["covariates"] and model["missing_covariates"] == "indicator":
        return OWN_BASELINE
    return _with_covariates(MISSING, "missing_covariates", "covariates")(model, content)


def _where(method: Sequence[str], sentence: Sentence) -> Sentence:
    """Return a sentence that holds under some methods of staggered models only."""
    return lambda model, content: sentence(model, content) if model["method"] in method else ""


SENTENCES: dict[str, Sentence] = {
    "where": _filter,
    "arms": _given("Groups compared: {}.", "arms"),
    "subgroups": _subgroups,
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
        "Event window: from {} to {} years since the programme began.".format(
            *(_values(one).replace("-", "−") for one in model["event_window"])
        )
        if model["event_window"]
        else ""
    ),
    "bounded_cells": lambda model, _: (
        ""
        if model["bounded_cells"] == "left_out"
        else f"Values published as a range are placed {BOUNDED[model['bounded_cells']]}."
    ),
    "covariates": _given("Covariates: {}.", "covariates"),
    "adjustment": _where(("callaway_santanna",), _with_covariates(
        {"regression": "Covariates enter a regression of the comparison schools’ changes.",
         "inverse_probability": "Covariates enter by weights of inverse probability.",
         "doubly_robust": "Covariates enter a regression and weights: doubly robust."},
        "adjustment", "covariates",
    )),
    "missing_covariates": _missing,
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
    "active_from": _given("Treatment acts from the year in {}.", "active_from"),
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

KINDS = {
    "multilevel": "Multilevel models",
    "cluster_robust": "Least squares with cluster-robust errors",
    "randomisation_inference": "Randomisation inference",
    "wild_bootstrap": "Wild cluster bootstrap",
    "complier_effect": "Effects of taking the programme up",
    "difference_in_differences": "Difference-in-differences",
    "staggered_adoption": "Staggered adoption",
}
"""Estimator → the heading of its models."""

ELSEWHERE = ("label", "estimator", "role", "outcomes", "where_label")
"""Keys that are words, or that the heading and first sentence of a model tell."""


def methods_section(
    protocol: Content, software: Mapping[str, str], of_checks: Sequence[Block] = ()
) -> Section:
    """Return the methods: outcomes, each kind of model, the checks, software and references.

    Parameters
    ----------
    protocol : Content
        Sections of the protocol, all defaults filled.
    software : mapping
        Package → the version that computed the results.
    of_checks : sequence of Block
        The methods of the checks and bounds that the report shows.
    """
    blocks: list[Block] = [Paragraph(" ".join(_general(protocol)))]
    if estimands := estimands_told(protocol):
        blocks += [Heading("Estimands"), *(Paragraph(one) for one in estimands)]
    for estimator, models in models_by_kind(protocol).items():
        blocks += kind_blocks(estimator, models, protocol)
    blocks += [
        *effect_size_blocks(protocol),
        *of_checks,
        Heading("Software"),
        Paragraph(software_said(software)),
    ]
    if cited := references(told_in(blocks)):
        blocks += [Heading("References"), Bullets(tuple(cited))]
    return Section("methods", "Statistical methods", tuple(blocks), annex=True)


def told_in(blocks: Sequence[Block]) -> str:
    """Return the text of paragraphs and lists."""
    parts: list[str] = []
    for block in blocks:
        if isinstance(block, Paragraph):
            parts.append(str(block.text))
        elif isinstance(block, Bullets):
            parts += [str(item) for item in block.items]
    return " ".join(parts)


def models_by_kind(protocol: Content) -> dict[str, dict[str, Model]]:
    """Return estimator → its models, in the order of the protocol."""
    kinds: dict[str, dict[str, Model]] = {}
    for name, model in told_models(protocol).items():
        kinds.setdefault(model["estimator"], {})[name] = model
    return kinds


def kind_blocks(estimator: str, models: Mapping[str, Model], protocol: Content) -> Iterator[Block]:
    """Yield the methods of the models of one estimator: what they share once, then what is own.

    Parameters
    ----------
    estimator : str
        Its name in protocols.
    models : mapping
        Name → the model.
    protocol : Content
        Sections of the protocol.
    """
    told = {name: dict(sentences_by_key(model, protocol)) for name, model in models.items()}
    shared = {
        key: sentence
        for key, sentence in next(iter(told.values())).items()
        if all(sentences.get(key) == sentence for sentences in told.values())
    }
    by_equation: dict[str, list[str]] = {}
    for name, model in models.items():
        by_equation.setdefault(equation(model, protocol), []).append(name)
    yield Heading(KINDS[estimator])
    alone = len(by_equation) == 1
    if alone:
        yield from _equation_blocks(next(iter(by_equation)), next(iter(models.values())), protocol)
    yield Paragraph(" ".join(shared.values()))
    for formula, names in by_equation.items():
        if not alone:
            yield from _equation_blocks(formula, models[names[0]], protocol)
        own = [
            {key: words for key, words in told[name].items() if key not in shared} for name in names
        ]
        yield Bullets(tuple(
            f"{models[name]['label']}. {_own_words(sentences, own[0])}".rstrip()
            for name, sentences in zip(names, own, strict=True)
        ))  # fmt: skip


def _equation_blocks(formula: str, model: Model, protocol: Content) -> Iterator[Block]:
    """Yield an equation, and what its symbols are."""
    yield Equation(formula)
    told = symbols_told(formula, model["estimator"], names_in_equations(protocol, model))
    yield Paragraph(symbols_sentence(told))


def names_in_equations(protocol: Content, model: Model | None = None) -> dict[str, str]:
    """Return what the symbols of equations are called in a study: units, groups, covariates.

    Parameters
    ----------
    protocol : Content
        Sections of the protocol.
    model : mapping, optional
        The model of an equation; without one, rows are individuals of the units assigned.
    """
    design = protocol["design"]
    unit, above = str(design["unit"]), ""
    if model is not None and model["estimator"] == "multilevel":
        levels = [_named(one, protocol).lower() for one in model["random_levels"] or [unit]]
        if model["blocks"] == "random" and has_blocks(protocol):
            levels.append(PLAIN_BLOCK if of_several(design) else block_word(design))
        unit, above = levels[0], levels[1] if len(levels) > 1 else ""
    below = f"individual i of {unit} j" + (f" of {above} k" if above else "")
    alone = model is not None and _rows_are_units(model, protocol)
    compared = (model["arms"] if model is not None else None) or design["arms"]
    return {
        "row": f"{unit} i" if alone and not above else below,
        "unit": unit,
        "above": above,
        "control": control_word(protocol),
        "treated": (
            "Tₐ is 1 in intervention group a, else 0, and τₐ its effect"
            if len(compared) > TWO
            else "T is 1 in the intervention group, else 0"
        ),
        "covariates": "covariates, "
        + ("blocks and indicators" if has_blocks(protocol) else "and indicators")
        + ", where there are any",
    }


def _own_words(sentences: Mapping[str, str], first: Mapping[str, str]) -> str:
    """Return the sentences that one model alone has; of a variant of the first, what differs."""
    if sentences is first or not set(first) <= set(sentences):
        return " ".join(sentences.values())
    changed = [words for key, words in sentences.items() if first.get(key) != words]
    if len(changed) == len(sentences):
        return " ".join(changed)
    return f"As the first of this list, but: {' '.join(changed)}" if changed else "As the first."


def software_said(software: Mapping[str, str]) -> str:
    """Return the versions of the software, in one sentence."""
    versions = [f"{name} {version}" for name, version in software.items()]
    return (
        f"Computed with {listed(versions)}. The annex on provenance has the lock of all packages."
    )


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
        written = (
            "yᵢⱼₖ = α + τTᵢⱼₖ + β′xᵢⱼₖ + uⱼₖ + vₖ + eᵢⱼₖ,  "
            "uⱼₖ ~ N(0, σ²ᵤ),  vₖ ~ N(0, σ²ᵥ),  eᵢⱼₖ ~ N(0, σ²ₑ)"
        )
    elif EQUATIONS[model["estimator"]] == LINEAR and _rows_are_units(model, protocol):
        written = ALONE
    else:
        written = EQUATIONS[model["estimator"]]
    arms = len(model["arms"] or protocol["design"]["arms"])
    return written.replace("τT", "Σₐτₐ·Tₐ,") if arms > TWO else written


def _outcomes(model: Model, protocol: Content) -> str:
    """Return the outcomes of a model with its role; of a primary one, those that are secondary."""
    outcomes = [protocol["outcomes"][name] for name in model["outcomes"]]
    if model["role"] != "primary":
        return f"{listed([one['label'] for one in outcomes])} ({ROLES[model['role']]})"
    kinds = {True: ROLES["primary"], False: "secondary outcome"}
    parts = [
        ([one["label"] for one in outcomes if bool(one["primary"]) is primary], kind)
        for primary, kind in kinds.items()
    ]
    return "; ".join(f"{listed(labels)} ({kind})" for labels, kind in parts if labels)


def model_sentences(model: Model, protocol: Content) -> Iterator[str]:
    """Yield the sentences on one model, key by key."""
    yield from (sentence for _, sentence in sentences_by_key(model, protocol))


def sentences_by_key(model: Model, protocol: Content) -> Iterator[tuple[str, str]]:
    """Yield what each key of a model says of it, with the key; only what says something."""
    yield "estimator", ESTIMATORS[model["estimator"]].format(estimand=_estimand(protocol))
    yield "outcomes", f"Outcomes: {_outcomes(model, protocol)}."
    if model["estimator"] in PANEL:
        yield "design", _identified(protocol)
    for key in keys_read(model["estimator"]):
        if key not in ELSEWHERE and (said := SENTENCES[key](model, protocol)):
            yield key, said


def adjustment_sentences(protocol: Content) -> list[str]:
    """Return what the effects of each primary model are adjusted for, models alike together.

    Parameters
    ----------
    protocol : Content
        Sections of the protocol.
    """
    alike: dict[str, list[str]] = {}
    for model in told_models(protocol).values():
        if model["role"] == "primary":
            labels = [protocol["outcomes"][name]["label"] for name in model["outcomes"]]
            alike.setdefault(_adjusted_for(model, protocol), []).extend(labels)
    several = len(alike) > 1
    return [
        f"{listed(list(dict.fromkeys(labels)))}: {words}." if several
        else f"{words[:1].upper()}{words[1:]}."
        for words, labels in alike.items()
    ]  # fmt: skip


def _adjusted_for(model: Model, protocol: Content) -> str:
    """Return what the effect of a model is adjusted for, by labels."""
    parts = [_named(str(one), protocol) for one in model["covariates"]]
    parts += [_named(str(one), protocol) for one in model["fixed_effects"]]
    if (
        model["blocks"] != "none"
        and has_blocks(protocol)
        and "blocks" in keys_read(model["estimator"])
    ):
        word = block_word(protocol["design"])
        parts.append(word if word == PLAIN_BLOCK else f"block ({word})")
    further = f", and adjusted for {listed(parts)}" if parts else ", without covariates"
    if model["estimator"] == "difference_in_differences":
        return f"each school is compared with itself in other years, and years with years{further}"
    if model["estimator"] == "staggered_adoption":
        if model["comparison_on"]:
            alike = _names(model, protocol, "comparison_on")
            further += f"; comparison schools are weighted to be alike in {alike}"
        return f"changes of schools since before the programme are compared{further}"
    if not parts:
        return "the effect is a difference of means, not adjusted for any covariate"
    return f"the effect is adjusted for {listed(parts)}"


def _rows_are_units(model: Model, protocol: Content) -> bool:
    """Return whether each row of a model is a unit that was assigned."""
    unit = protocol["design"]["unit"]
    return all(protocol["outcomes"][name]["measured_on"] == unit for name in model["outcomes"])


def _estimand(protocol: Content) -> str:
    if protocol["design"]["randomised"]:
        return "the intention-to-treat effect of assignment (ITT)"
    return "the difference between the groups as assigned (ITT), given the covariates"


def _identified(protocol: Content) -> str:
    """Say what lets a panel model estimate an effect: chance, or parallel trends."""
    if protocol["design"]["randomised"]:
        return "Assignment was random: without the programme, trends would differ by chance alone."
    return "It is an effect only if trends would have been parallel without the programme."


def effect_size_blocks(protocol: Content) -> Iterator[Block]:
    """Yield how effect sizes are computed, for the kinds of outcomes that models of people have."""
    scales = {
        protocol["outcomes"][name]["scale"]
        for model in protocol["models"].values()
        if model["estimator"] not in PANEL
        for name in model["outcomes"]
        if protocol["outcomes"][name]["measured_on"] != "school"
    }
    if scales:
        yield Heading("Effect sizes")
    if "continuous" in scales:
        yield from _size_blocks(
            EFFECT_SIZES["g"], protocol,
            "Continuous outcomes have Hedges’ g: the estimate over the pooled SD, s, of those "
            "analysed, with the small-sample correction for N individuals. s is that of "
            "individuals about the mean of their group, without adjustment and without regard to "
            "{units}, and N counts individuals: how alike those of one {unit} are enters the "
            "interval, by the standard error of the estimate, and not the size."
            if _individuals_below_units(protocol) else
            "Continuous outcomes have Hedges’ g: the estimate over the pooled SD, s, of those "
            "analysed, with the small-sample correction for N individuals.",
        )  # fmt: skip
    if "binary" in scales:
        yield from _size_blocks(
            EFFECT_SIZES["cox"], protocol,
            "Yes/no outcomes have the Cox index: the difference in log odds over 1.65, where p is "
            "the share of the {control} group.",
        )  # fmt: skip
    if scales:
        yield Paragraph("Intervals of effect sizes are those of the estimates on the new scale.")
    if "continuous" in scales:
        yield from _size_blocks(
            EFFECT_SIZES["index"], protocol,
            "Percentile points (WWC improvement index): where an average pupil of the {control} "
            "group would rank, with the effect, among that group, Φ being the normal distribution. "
            "They are computed from the effect size, g.",
        )  # fmt: skip


def _individuals_below_units(protocol: Content) -> bool:
    """Return whether outcomes are of individuals in units that were assigned together."""
    unit = protocol["design"]["unit"]
    return any(one["measured_on"] not in (unit, "school") for one in protocol["outcomes"].values())


def _size_blocks(formula: str, protocol: Content, words: str) -> Iterator[Block]:
    """Yield the equation of an effect size, its rule, and the symbols that the rule leaves open."""
    named = {**names_in_equations(protocol), "units": plural_of(protocol["design"]["unit"])}
    rule = words.format(**named)
    yield Equation(formula)
    symbols = symbols_sentence(symbols_told(formula, "Effect sizes", named, rule))
    yield Paragraph(f"{rule} {symbols}".rstrip())


def references(told: str) -> Sequence[str]:
    """Return the references that a text cites, in order of their authors."""
    return sorted(full for authors, full in REFERENCES.items() if authors in told)


def _general(protocol: Content) -> Iterator[str]:
    design = protocol["design"]
    units = plural_of(design["unit"]).capitalize()
    if design["randomised"]:
        yield (
            f"{units} were randomised. Effects are by intention to treat: {units.lower()} are "
            "analysed in the group that they were assigned to, whatever they received."
        )
    else:
        yield f"{units} were not randomised."
    for kind, words in STANDARDISED.items():
        words = words.format(control=control_word(protocol))
        of_kind = [one for one in protocol["outcomes"].values() if one["standardise"] == kind]
        graded = has_grades(protocol)
        in_grades = [
            one["label"] for one in of_kind if graded and one["measured_on"] == "pupil"
        ]  # fmt: skip
        others = [one["label"] for one in of_kind if one["label"] not in in_grades]
        if in_grades:
            yield f"Standardised {words}: {listed(in_grades)}."
        if others:  # of teachers and schools, which are in no grade, and of pupils without one
            by_year = words.replace("within grade and year", "within year")
            yield f"Standardised {by_year}: {listed(others)}."
    if any(outcome["scale"] == "binary" for outcome in protocol["outcomes"].values()):
        yield "Yes/no outcomes are analysed as shares (linear probability)."
    primary = sum(outcome["primary"] for outcome in protocol["outcomes"].values())
    if primary > 1:
        yield f"P-values are not adjusted for the number of primary outcomes ({primary})."
    if has_blocks(protocol) and block_word(design) != PLAIN_BLOCK:
        yield f"Blocks are {block_words(design)}."
