"""The limitations of a study: a rule for each kind, from what the checks stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

from schooltrial.analysis.few_clusters import FEW_IN_AN_ARM
from schooltrial.report.evidence import Evidence
from schooltrial.report.findings.headlines import disagrees, sensitivity_findings
from schooltrial.report.limitations.baseline_gap import told_gaps
from schooltrial.report.limitations.limits import SIMULATED, Grounds, every_limit, power_in_points
from schooltrial.wording import (
    counted,
    exact,
    listed,
    percent,
    plural,
    plural_of,
    sentence,
    stated_words,
)

NOT_TESTED, NOT_RECORDED = "not tested", "not recorded"
"""Verdicts of checks for which something was lacking."""

DRAWN_AGAIN = "randomisation reproduced"
"""The check of the allocation that draws it again."""


@dataclass(frozen=True)
class Limitation:
    """A kind of limitation, and what a study's numbers say of it.

    Attributes
    ----------
    kind : str
        A noun phrase, which no reader sees.
    told : callable
        Takes the evidence; yields sentences, none where the study does not have the limitation.
    """

    kind: str
    told: Callable[[Evidence], Iterator[str]]


def _rated(evidence: Evidence) -> list[Mapping[str, Any]]:
    return list(evidence.records["verdict"]["ratings"])


def _allocation(evidence: Evidence) -> Iterator[str]:
    tests = evidence.check("assignment_tests")
    if not evidence.protocol["design"]["randomised"] or tests is None:
        return
    again = tests[tests["check"] == DRAWN_AGAIN]
    if (again["verdict"] == NOT_TESTED).any():
        yield (
            "The allocation could not be drawn again, as the study has neither a randomisation "
            "record nor its seed: a change made to the list later, of a few units, would not be "
            "seen."
        )


def _few_units(evidence: Evidence) -> Iterator[str]:
    few = {arm: n for arm, n in evidence.units_by_arm.items() if n < FEW_IN_AN_ARM}
    if few:
        groups = [
            f"{plural(n, evidence.levels.unit)} in {evidence.arms[arm]}" for arm, n in few.items()
        ]
        yield (
            f"Few units were assigned ({listed(groups)}): standard errors are themselves "
            "uncertain, and chance can leave the groups unlike."
        )


def _not_covered(evidence: Evidence) -> Iterator[str]:
    """Yield of which outcomes most of those analysed lack a measure of their own at baseline."""
    found = {}
    for one in _rated(evidence):
        for row in one["inputs"]["baseline"]:
            whole = row["known"] + row["missing"]
            if row["own"] and row["level"] != "school" and whole and row["missing"] >= row["known"]:
                found[one["label"]] = percent(row["known"] / whole)
    if found:
        each = listed([f"{share} ({label})" for label, share in found.items()])
        yield f"Of those analysed only {each} have a baseline measure of the outcome of their own."


def _registration(evidence: Evidence) -> Iterator[str]:
    known = evidence.protocol["registration"]
    if not any(stated_words(known[key]) for key in ("registry", "identifier", "url")):
        yield "No registration of the plan is stated, so it cannot be seen when it was made."


def _plan(evidence: Evidence) -> Iterator[str]:
    if evidence.plan.changed:
        sections = listed(evidence.plan.changed)
        yield f"The plan was changed after outcomes were first read (sections: {sections})."
    if number := len(evidence.protocol["deviations"]):
        verb = "is" if number == 1 else "are"
        yield f"There {verb} {plural(number, 'deviation')} from the plan, listed in this section."


def _blinding(evidence: Evidence) -> Iterator[str]:
    if not evidence.protocol["blinding"]["until"]:
        yield (
            "No embargo of outcomes is stated: those who planned the analysis may have seen them, "
            "and who measured the outcomes may have known the groups."
        )


def _several_results(evidence: Evidence) -> Iterator[str]:
    n = len(evidence.findings)
    if n > 1:
        yield (
            f"P-values and intervals of the {counted(n)} primary results are not adjusted for "
            "their number: by chance, one of several excludes zero more often than one alone."
        )


def _other_analyses(evidence: Evidence) -> Iterator[str]:
    apart = [
        one.label
        for one in evidence.findings
        if any(
            disagrees(one, other)
            for other in sensitivity_findings(evidence.estimates, evidence.protocol, one)
        )
    ]
    if apart:
        yield (
            f"For {listed(list(dict.fromkeys(apart)))} some sensitivity analysis disagrees with "
            "the primary one: zero is inside the interval of one and outside that of the other."
        )


def _reliability(evidence: Evidence) -> Iterator[str]:
    unknown = []
    for one in evidence.protocol["outcomes"].values():
        known = one["reliability"]
        if not one["primary"]:
            continue
        if known is None:
            unknown.append(one["label"])
        elif one["standardise"] != "none":
            yield (
                f"The reliability of {one['label']} is {exact(known)}: an effect in SDs is "
                f"{percent(sqrt(known))} of what it would be on a measure without error."
            )
    if unknown:
        yield (
            f"How reliably {listed(unknown)} {'is' if len(unknown) == 1 else 'are'} measured is "
            "not stated. An unreliable measure makes an effect in SDs smaller."
        )


def _contrast(evidence: Evidence) -> Iterator[str]:
    contrast = evidence.check("contrast")
    if contrast is None:
        return
    control = next(iter(evidence.arms))
    lacking = contrast[(contrast["arm"] == control) & (contrast["verdict"] == NOT_RECORDED)]
    if len(lacking):
        parts = listed(list(dict.fromkeys(lacking["label"].astype("str"))))
        yield (
            f"What the {evidence.control} group received was not recorded ({parts}), so the "
            "difference between what the groups received is not known."
        )


def _costs(evidence: Evidence) -> Iterator[str]:
    if evidence.check("costs") is None:
        yield "No costs are given, so the effect cannot be weighed against them."


def _sites(evidence: Evidence) -> Iterator[str]:
    units = plural_of(evidence.protocol["design"]["unit"])
    number = sum(evidence.units_by_arm.values())
    if stated_words(evidence.protocol["study"]["recruitment"]):
        yield (
            f"The results are of the {number:,} {units} of the study, and need not hold for others."
        )
    else:
        yield (
            f"How the {number:,} {units} came into the study is not stated. The results are of "
            "them, and need not hold for others."
        )


def _numbers(evidence: Evidence) -> Iterator[str]:
    """Yield what the first screen says most important first, all of it."""
    yield from every_limit(grounds_of(evidence))


def _simulated(evidence: Evidence) -> Iterator[str]:
    if evidence.study["synthetic"]:
        yield SIMULATED


def grounds_of(evidence: Evidence) -> Grounds:
    """Return what a study stored that its limits are seen in.

    Parameters
    ----------
    evidence : Evidence
        Of the study.
    """
    power = evidence.check("power")
    if power is not None:
        power = power_in_points(power, evidence.estimates, evidence.protocol["outcomes"])
    return Grounds(
        evidence.protocol, evidence.records["verdict"], power,
        trends=evidence.check("parallel_trends"), attrition=evidence.check("attrition"),
        mobility=evidence.check("mobility"), who_left=evidence.check("who_left"),
        gaps=told_gaps(evidence),
    )  # fmt: skip


LIMITATIONS: tuple[Limitation, ...] = (
    Limitation(
        "assumptions, gaps at baseline, power, joiners, movers, take-up and attrition", _numbers
    ),
    Limitation("an allocation that cannot be drawn again", _allocation),
    Limitation("few units", _few_units),
    Limitation("a baseline that is not known", _not_covered),
    Limitation("a plan that was changed or departed from", _plan),
    Limitation("a plan that was not registered", _registration),
    Limitation("outcomes that were not embargoed", _blinding),
    Limitation("several primary results", _several_results),
    Limitation("other analyses that disagree", _other_analyses),
    Limitation("reliability of outcomes", _reliability),
    Limitation("a contrast that was not recorded", _contrast),
    Limitation("costs that are not given", _costs),
    Limitation("sites that were not sampled", _sites),
    Limitation("simulated data", _simulated),
)
"""In the order in which they are told."""


def limitations_told(evidence: Evidence) -> list[str]:
    """Return the limitations of a study, each a sentence or two.

    Parameters
    ----------
    evidence : Evidence
        Of the study.
    """
    return [sentence(words) for one in LIMITATIONS for words in one.told(evidence)]
