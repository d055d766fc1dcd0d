"""The methods of the checks and bounds of a study: a rule for each whose numbers a report shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from schooltrial.checks.power.panel import PANEL, STAGGERED
from schooltrial.checks.power.simulation import SIMULATED
from schooltrial.checks.power.table import ONE_LEVEL, TWO_LEVEL
from schooltrial.document.blocks import Block, Equation, Heading, Paragraph
from schooltrial.models.missing_outcomes.attrition_bias import ASSUMPTIONS
from schooltrial.models.panel.persistence import RATIO
from schooltrial.protocol.consistency.idle_keys import has_blocks
from schooltrial.report.evidence import Evidence
from schooltrial.report.methods.model_methods import names_in_equations
from schooltrial.report.methods.symbols import symbols_sentence, symbols_told
from schooltrial.wording import exact, listed


@dataclass(frozen=True)
class CheckMethod:
    """How one check, bound or interval is computed, and when a report shows its numbers.

    Attributes
    ----------
    title : str
        The heading that it comes under; methods of one heading follow each other.
    used : callable
        Takes the evidence of a study; whether the report has a number of it.
    words : callable
        Takes the evidence; the rule, in sentences.
    equations : tuple of str
        Printed before the words.
    """

    title: str
    used: Callable[[Evidence], bool]
    words: Callable[[Evidence], str]
    equations: tuple[str, ...] = ()


def _has(table: str, column: str, *values: str) -> Callable[[Evidence], bool]:
    """Return whether a table has a row with one of the values; with any, where none is given."""

    def used(evidence: Evidence) -> bool:
        rows = evidence.check(table)
        if rows is None or column not in rows:
            return False
        known = rows[column].dropna()
        return bool(known.isin(values).any() if values else len(known))

    return used


def _estimated(table: str, column: str, *values: str) -> Callable[[Evidence], bool]:
    """Return whether a table has a number in a row with one of the values."""

    def used(evidence: Evidence) -> bool:
        rows = evidence.check(table)
        if rows is None:
            return False
        mine = rows[rows[column].isin(values)]
        return bool(mine[["estimate", "conf_low", "conf_high"]].notna().any(axis=None))

    return used


def _said(words: str) -> Callable[[Evidence], str]:
    """Return the same words of every study, with what it calls its units and its other group."""
    return lambda evidence: words.format(units=evidence.levels.units, control=evidence.control)


def _of_term(begins: str) -> Callable[[Evidence], bool]:
    return lambda evidence: bool(
        evidence.estimates["term"].astype("str").str.startswith(begins).any()
    )


def _of_method(words: str) -> Callable[[Evidence], bool]:
    """Return whether an estimate was computed by a method with these words in its name."""
    return lambda evidence: bool(
        evidence.estimates["method"].astype("str").str.contains(words, regex=False).any()
    )


def _has_bands(evidence: Evidence) -> bool:
    bands = evidence.estimates.get("band_low")
    return bands is not None and bool(bands.notna().any())


def _joint_balance(evidence: Evidence) -> str:
    within = " within their block" if has_blocks(evidence.protocol) else ""
    varying = " that vary within blocks" if within else ""
    rows = evidence.checks["balance_omnibus"]
    drawn = rows[rows["rerandomisation_p_value"].notna()]
    listed_all = drawn["exact"].astype("bool").all()
    of = (
        "all assignments that the design could have produced"
        if listed_all
        else f"{int(drawn['replications'].max()):,} assignments drawn as the design draws them"
    )
    return (
        f"x are means of the assigned {evidence.levels.units}, z is 1 in the intervention group, "
        f"and x̄ is the mean of all{within}. V is the covariance of T over assignments and V⁺ its "
        f"generalised inverse, so that chance alone gives M the size of the number of "
        f"covariates{varying}. The randomisation p-value is the share of {of} with an M at least "
        "as large (Hansen and Bowers 2008)."
    )


def _joint_f(evidence: Evidence) -> str:
    blocks = " and on indicators of blocks" if has_blocks(evidence.protocol) else ""
    return (
        f"F test of balance: assignment is regressed on the covariates{blocks}, with CR2 "
        "covariance; their joint test is the approximate Hotelling test (Pustejovsky and Tipton "
        "2018)."
    )


def _differences(evidence: Evidence) -> str:
    settings = evidence.protocol["balance"]
    rows = evidence.checks["balance"]
    shares = ""
    if (rows["wwc_measure"].astype("object").fillna("") == "Cox index").any():
        shares = " Of yes/no characteristics the WWC bands take the Cox index."
    adjusted = ""
    if rows["adjusted_difference"].notna().any():
        net = ", net of blocks," if has_blocks(evidence.protocol) else ""
        adjusted = (
            f" Adjusted differences{net} are from least squares with CR2 standard errors, "
            f"clustered by {evidence.levels.unit}."
        )
    return (
        "A difference of means is divided by s, the pooled SD of the two groups; the WWC bands "
        f"take it with the small-sample correction of Hedges’ g.{shares} Up to "
        f"{exact(settings['equivalent_to'])} SD groups count as equivalent, up to "
        f"{exact(settings['adjust_to'])} SD if the model adjusts.{adjusted}"
    )


def _attrition(evidence: Evidence) -> str:
    chosen = evidence.protocol["checks"]["attrition_boundary"]
    alphas = listed([
        f"{exact(one.treated)} and {exact(one.control)} ({name})"
        for name, one in ASSUMPTIONS.items()
    ])  # fmt: skip
    return (
        "a is the share lost: of all who were assigned (overall), and of each group (differential: "
        f"intervention minus {evidence.control}). Attrition is low where the difference is within "
        "the published WWC boundary at the overall share; the ratings take the "
        f"{chosen} one. The implied bias is that of a model in which those with low outcomes are "
        f"lost first (Deke and Chiang 2017), with α in the intervention and the {evidence.control} "
        f"group of {alphas}."
    )


def _power(evidence: Evidence) -> str:
    rows = evidence.checks["power"]
    wanted = listed([f"{100 * one:g}%" for one in sorted(set(rows["target_power"].dropna()))])
    level = listed([f"{100 * one:g}%" for one in sorted(set(rows["alpha"].dropna()))])
    return (
        "The minimum detectable effect is the Δ at which a two-sided test at the "
        f"{level} level has {wanted} power. T is noncentral t with the standard error s and the "
        "degrees of freedom ν of the table; c is the critical value."
    )


def _summed(evidence: Evidence) -> str:
    """Return how blocks enter the precision of a design."""
    return ", added up over blocks" if has_blocks(evidence.protocol) else ""


def _two_levels(evidence: Evidence) -> str:
    units = evidence.levels.units
    return (
        f"Two levels: J {units} have n people each, and a share P of the {units} is in the "
        f"intervention group; what divides is P(1 − P)J{_summed(evidence)}. ρ is the intraclass "
        "correlation; R²₂ and R²₁ are the shares of variance explained between and within "
        f"{units} (Bloom 2005)."
    )


def _one_level(evidence: Evidence) -> str:
    units = evidence.levels.units
    return (
        f"One level: a share P of the N {units} is in the intervention group; what divides is "
        f"P(1 − P)N{_summed(evidence)}. R² is the share of variance explained."
    )


def _placebo_cohorts(evidence: Evidence) -> str:
    rows = evidence.checks["parallel_trends"]
    drawn = rows.loc[rows["check"] == "placebo cohort", "setting"].dropna()
    count = f"{int(float(drawn.max())):,} " if len(drawn) else ""
    return (
        "Placebo cohorts: among schools that never have the programme, as many as each cohort has "
        f"are drawn and called that cohort, {count}times; the p-value is the share of their "
        "effects at least as far from zero as the effect estimated (Conley and Taber 2011)."
    )


ALLOCATION, BALANCE, LOST, BOUNDED, POWER, TRENDS, LASTING, DELIVERED = (
    "Allocation checks", "Baseline equivalence", "Attrition", "Missing outcomes",
    "Minimum detectable effects", "Trends and their assumptions", "After the programme",
    "Implementation and cost",
)  # fmt: skip

CHECK_METHODS: tuple[CheckMethod, ...] = (
    CheckMethod(
        ALLOCATION, _has("assignment_tests", "p_value"),
        _said(
            "The allocation list is compared with allocations drawn again as the design draws "
            "them. Identifiers of {units}: their ranks in the intervention group, and how often "
            "neighbours in the list change group. Baseline: the distance M of balance below. The "
            "p-value is the share of draws at least as extreme."
        ),
    ),
    CheckMethod(
        BALANCE, _has("balance", "standardised_difference"), _differences,
        ("d = (x̄₁ − x̄₀) / s",),
    ),
    CheckMethod(
        BALANCE, _has("balance_omnibus", "rerandomisation_p_value"), _joint_balance,
        ("M = T′V⁺T,  T = Σⱼ zⱼ(xⱼ − x̄)",),
    ),
    CheckMethod(BALANCE, _has("balance_omnibus", "f_statistic"), _joint_f),
    CheckMethod(
        LOST, _has("attrition", "boundary_cautious"), _attrition,
        ("bias = α₁·m(a₁) − α₀·m(a₀),  m(a) = φ(Φ⁻¹(a)) / (1 − a)",),
    ),
    CheckMethod(
        LOST, _has("who_left", "p_value"),
        _said(
            "Differential attrition by baseline characteristics: being lost, L, is regressed on "
            "the group, the characteristics x and their products. λ says how much more the share "
            "lost depends on x in the intervention group; the joint test is that all λ are zero."
        ),
        ("Lᵢⱼ = α + τTⱼ + κ′xᵢⱼ + λ′Tⱼxᵢⱼ + eᵢⱼ",),
    ),
    CheckMethod(
        BOUNDED, _estimated("missing_outcomes", "approach", "complete cases"),
        _said(
            "Complete cases: the difference in means of those analysed, each weighted by the "
            "inverse of the share of {units} that are in their group, without covariates."
        ),
    ),
    CheckMethod(
        BOUNDED, _estimated("missing_outcomes", "approach", "complete cases, adjusted"),
        _said(
            "Complete cases, adjusted: the coefficient of the group in a regression of the outcome "
            "on it and the covariates of the primary analysis, with the same people and weights."
        ),
    ),
    CheckMethod(
        BOUNDED, _estimated("missing_outcomes", "approach", "response weights"),
        _said(
            "Response weights: p, the chance of being observed, is a logistic function of the "
            "group, the baseline x and their products; each person observed counts 1/p. That "
            "removes the bias if, given x, being observed does not depend on the outcome "
            "(Wooldridge 2007)."
        ),
        ("pᵢ = 1 / (1 + exp(−γ′xᵢ)),  wᵢ = 1/pᵢ",),
    ),
    CheckMethod(
        BOUNDED, _estimated("missing_outcomes", "approach", "Lee bounds"),
        _said(
            "Lee’s bounds: in the group of which the larger share q is observed, the share p of "
            "the best outcomes, then of the worst, is left out. The effect on those who would be "
            "observed in either group is between the two results, if the programme moves being "
            "observed in one direction only (Lee 2009)."
        ),
        ("p = 1 − min(q₁, q₀) / max(q₁, q₀)",),
    ),
    CheckMethod(
        BOUNDED, _estimated("missing_outcomes", "approach", "Lee bounds by block"),
        _said(
            "Lee’s bounds by block: the same in each block, averaged over blocks; the direction "
            "may differ between blocks."
        ),
    ),
    CheckMethod(
        BOUNDED, _estimated("missing_outcomes", "approach", "Horowitz-Manski bounds"),
        _said(
            "Horowitz and Manski’s bounds: missing outcomes take the least value possible, a, in "
            "one group and the greatest, b, in the other, and the reverse; m are the shares "
            "missing. Nothing is assumed of those missing, so the bounds are wide (Horowitz and "
            "Manski 2000)."
        ),
        ("upper − lower bound = (b − a)(m₁ + m₀)",),
    ),
    CheckMethod(
        BOUNDED,
        _estimated(
            "missing_outcomes", "approach", "Lee bounds", "Lee bounds by block",
            "Horowitz-Manski bounds",
        ),
        _said(
            "The interval around two bounds covers the effect wherever it is between them (Imbens "
            "and Manski 2004)."
        ),
    ),
    CheckMethod(
        POWER, _has("power", "mdes"), _power,
        ("power(Δ) = P(T > c) + P(T < −c),  T ~ t(ν, Δ/s)",),
    ),
    CheckMethod(
        POWER, _has("power", "method", TWO_LEVEL), _two_levels,
        ("s² = {ρ(1 − R²₂) + (1 − ρ)(1 − R²₁)/n} / [P(1 − P)J]",),
    ),
    CheckMethod(
        POWER, _has("power", "method", ONE_LEVEL), _one_level,
        ("s² = (1 − R²) / [P(1 − P)N]",),
    ),
    CheckMethod(
        POWER, _has("power", "method", PANEL),
        _said(
            "For a panel, Ω is the covariance over years of a school’s mean, taken from schools of "
            "comparison before the programme; c weights m years before by −1/m and r years since "
            "by 1/r; n₁ and n₀ are the schools of each group (Burlig, Preonas and Woerman 2020)."
        ),
        ("s² = c′Ωc (1/n₁ + 1/n₀)",),
    ),
    CheckMethod(
        POWER, _has("power", "method", STAGGERED),
        _said(
            "For cohorts, Ω is the covariance over years of a school’s mean, taken from schools of "
            "comparison before the programme; aₖ are the weights, year by year, that the average "
            "effect gives a school of cohort k, of which there are nₖ."
        ),
        ("s² = Σₖ nₖ·aₖ′Ωaₖ",),
    ),
    CheckMethod(
        POWER, _has("power", "method", SIMULATED),
        _said(
            "By simulation: outcomes are drawn for the {units} as they are, with their unequal "
            "sizes, and the model is fitted to each draw."
        ),
    ),
    CheckMethod(
        POWER, _has("power", "type_s"),
        _said(
            "Type S error: the chance that an estimate whose interval excludes zero has the wrong "
            "sign. Type M ratio: how far such an estimate overstates the effect on average "
            "(Gelman and Carlin 2014)."
        ),
        ("type S = P(T < −c) / power,  type M = E(|Δ̂| : |T| > c) / Δ",),
    ),
    CheckMethod(
        TRENDS, _has("pretrends", "adjusted_p_value"),
        _said(
            "Pre-programme trends: the groups’ difference in each baseline year, and in the slope "
            "over these years of each unit’s mean."
        ),
    ),
    CheckMethod(
        TRENDS, _of_term("treated[year="),
        _said(
            "Event study by calendar year: one effect τ for each year k but the reference r, whose "
            "effect is 0. Those before the programme show differences in trend."
        ),
        ("yⱼₜ = μⱼ + λₜ + Σₖ≠ᵣ τₖ·Tⱼ·1(t = k) + eⱼₜ",),
    ),
    CheckMethod(
        TRENDS, _of_term("treated[since="),
        _said(
            "Effects by years since the programme began, e, average those of cohorts k by their "
            "numbers of schools, n."
        ),
        ("τ(e) = Σₖ nₖ·ATT(k, k + e) / Σₖ nₖ",),
    ),
    CheckMethod(
        TRENDS, _has_bands,
        _said(
            "A simultaneous band covers the effects of all years at once with the chance of one "
            "interval: the level of each is divided by the number of years (Bonferroni)."
        ),
    ),
    CheckMethod(
        TRENDS, _of_method("permutation"),
        _said(
            "Permutation check: the labels of cohorts are permuted among schools, once the effects "
            "are removed; the p-value is the share of draws whose studentised effect is at least "
            "as far from zero (Wu and Ding 2021)."
        ),
    ),
    CheckMethod(
        TRENDS, _has("goodman_bacon", "weight"),
        _said(
            "Goodman-Bacon weights: the two-way effect of “has begun”, δ̂, averages the effects δ̂ₖ "
            "of comparisons of two cohorts, over schools seen in every year, with weights sₖ. A "
            "comparison weighs more the more "
            "schools it has and the nearer to the middle of the years its cohort begins "
            "(Goodman-Bacon 2021)."
        ),
        ("δ̂ = Σₖ sₖ·δ̂ₖ,  Σₖ sₖ = 1",),
    ),
    CheckMethod(
        TRENDS, _estimated("parallel_trends", "check", "relative magnitudes"),
        _said(
            "Relative magnitudes: from one year of the programme to the next, the difference in "
            "trend δ may change by up to M times its largest change before (years s); the interval "
            "holds for every such δ (Rambachan and Roth 2023)."
        ),
        ("|δₜ₊₁ − δₜ| ≤ M · max over s < 0 of |δₛ₊₁ − δₛ|",),
    ),
    CheckMethod(
        TRENDS, _estimated("parallel_trends", "check", "smoothness"),
        _said(
            "Smoothness: the slope of the difference in trend, δ, may change by up to M a year; "
            "with M = 0 the difference before is carried on as a line (Rambachan and Roth 2023)."
        ),
        ("|δₜ₊₁ − 2δₜ + δₜ₋₁| ≤ M",),
    ),
    CheckMethod(
        TRENDS, _has("parallel_trends", "check", "pre-trend power"),
        _said(
            "Power of the test of trends: trends are taken to drift apart by γ a year, before the "
            "programme and in it; what is reported is the γ that the test would see so often, and "
            "what it would add to the effect (Roth 2022)."
        ),
    ),
    CheckMethod(
        TRENDS, _estimated("parallel_trends", "check", "placebo year"),
        _said(
            "Placebo years: the model is fitted to years before the programme alone, as if it had "
            "begun some years earlier."
        ),
    ),
    CheckMethod(
        TRENDS, _estimated("parallel_trends", "check", "placebo cohort"), _placebo_cohorts
    ),
    CheckMethod(
        TRENDS, _estimated("parallel_trends", "check", "placebo outcome"),
        _said(
            "Placebo outcomes: the model is fitted to outcomes on which no effect is expected."
        ),
    ),
    CheckMethod(
        TRENDS,
        lambda evidence: (
            (rows := evidence.check("parallel_trends")) is not None
            and bool(rows["check"].str.startswith("leave out").any())
        ),
        _said("Parts left out: the model is fitted again without one part of the data at a time."),
    ),
    CheckMethod(
        LASTING, _of_method(RATIO),
        _said(
            "The share of the effect during the programme that is left after it is a ratio θ. Its "
            "interval is Fieller’s: every θ at which the difference is not rejected, so that it "
            "may have no ends (Fieller 1954)."
        ),
        ("θ = τ(after) / τ(during),  test of τ(after) − θ·τ(during) = 0",),
    ),
    CheckMethod(
        DELIVERED, _has("fidelity", "share_met"),
        _said(
            "Fidelity: the share of those meant to have a component who received at least its "
            "threshold; it is as planned where that share is at least the planned one."
        ),
    ),
    CheckMethod(
        DELIVERED, _has("costs", "per_pupil_year"),
        _said(
            "Cost per pupil per year: quantities Q times unit costs u of all ingredients i, those "
            "needed each year counted in each of the Y years (y = Y) and others once (y = 1), over "
            "the years and the pupils n reached in a year."
        ),
        ("cost = Σᵢ Qᵢ·uᵢ·yᵢ / (Y·n)",),
    ),
)  # fmt: skip
"""In the order of the report."""


def check_method_blocks(evidence: Evidence) -> Iterator[Block]:
    """Yield the rule of each check, bound and interval whose numbers the report shows.

    Parameters
    ----------
    evidence : Evidence
        Of the study.
    """
    title = ""
    for method in CHECK_METHODS:
        if not method.used(evidence):
            continue
        if method.title != title:
            title = method.title
            yield Heading(title)
        yield from (Equation(one) for one in method.equations)
        words = method.words(evidence)
        told = [
            clause for one in method.equations
            for clause in symbols_told(one, title, names_in_equations(evidence.protocol), words)
        ]  # fmt: skip
        yield Paragraph(f"{words} {symbols_sentence(told)}".rstrip())
