"""The first screen: the answer, one table, and what the study does not show."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from schooltrial.checks.implementation.costs import ALL
from schooltrial.document.blocks import Block, Bullets, Details, Exhibit, Heading, Paragraph
from schooltrial.document.numbers import number, p_text
from schooltrial.document.tables import Column, tabulate
from schooltrial.document.text import Cite, Text, joined
from schooltrial.protocol.content.sections import Content, arm_labels, control_word
from schooltrial.report.evidence import Evidence
from schooltrial.report.findings.effect_words import (
    MONTHS_TABLE,
    months_text,
    percentile_points_text,
)
from schooltrial.report.findings.headlines import (
    HEADLINES,
    Finding,
    finding_sentence,
    secondary_findings,
    verdict_sentence,
    with_interval,
)
from schooltrial.report.findings.persistence import during_sentence
from schooltrial.report.limitations.limitations import grounds_of
from schooltrial.report.limitations.limits import first_limits
from schooltrial.report.other_analyses import describe_other_analyses, name_finding
from schooltrial.report.tables.checks import mdes_basis
from schooltrial.report.tables.implementation import cost_basis
from schooltrial.report.tables.rating import SHORT, lowering, result_shown
from schooltrial.report.wording import measured_sentence
from schooltrial.wording import counted, listed, plural, sentence, uncapitalised

MOST_FINDINGS = 6
"""Findings that the first screen says in sentences; the table shows all."""

ASIDE = re.compile(r" \([^()]*\)")
"""What a finding has in brackets, which the section on ratings gives too."""

NO_COSTS = "No costs are given."

SECURITY = ("very low", "low", "moderate to low", "moderate to high", "high", "very high")
"""Words of the EEF security rating, from 0 to 5."""

INDICATIVE = (
    "Ratings are indicative, computed by schooltrial. They are not issued or endorsed by the What "
    "Works Clearinghouse (WWC) or the Education Endowment Foundation (EEF)."
)


def first_screen(evidence: Evidence) -> tuple[Block, ...]:
    """Return the answer of the study: sentences, the table of primary outcomes, its limits."""
    found = evidence.findings
    blocks: list[Block] = [*warnings(evidence), Paragraph(study_sentence(evidence))]
    blocks += answer_blocks(found, evidence)
    table = primary_outcomes(found, evidence)
    if table is not None:
        blocks.append(table)
    told = first_limits(grounds_of(evidence))
    if told:
        blocks += [Heading("What this does not show"), Bullets(tuple(told), numbered=True)]
    others = [*other_analyses(found, evidence), *secondary_outcomes(evidence)]
    blocks += [Heading("Other analyses"), *others] if others else []
    blocks += table_notes(found, evidence)
    return tuple(blocks)


def warnings(evidence: Evidence) -> list[Block]:
    """Return what must be known before any number: a doubtful allocation, a changed plan."""
    told: list[Block] = []
    if verdict := allocation_doubted(evidence):
        text: Text = (
            f"The recorded allocation is {verdict}, so every group comparison on this page is in "
            "doubt. See ", Cite("design"), ".",
        )  # fmt: skip
        told.append(Paragraph(text, "warning"))
    if evidence.plan.changed:
        changed = ", ".join(evidence.plan.changed)
        words = f"The plan was changed after outcomes were read (sections: {changed}). See "
        told.append(Paragraph(("Warning: ", words, Cite("deviations"), "."), "warning"))
    return told


def allocation_doubted(evidence: Evidence) -> str:
    """Return the verdict on the allocation where it is in doubt or contradicted; else nothing."""
    verdict = str(evidence.records["assignment_verdict"]["verdict"])
    return verdict if verdict.startswith(("contradicted", "in doubt")) else ""


def study_sentence(evidence: Evidence) -> Text:
    """Return what was randomised, how many of them, and when outcomes were measured."""
    protocol, levels = evidence.protocol, evidence.levels
    assigned = ", ".join(
        f"{n:,} {_of_group(arm, protocol)}" for arm, n in units_by_arm(evidence).items()
    )
    total = sum(units_by_arm(evidence).values())
    how = "randomised" if protocol["design"]["randomised"] else "compared, not randomised"
    unseen = sum(protocol["design"]["no_data"].values())
    seen = f"; {total - unseen:,} with data" if unseen else ""
    years = measured_sentence(protocol)
    where = f" in {plural(n_schools(evidence), 'school')}" if levels.inside_schools else ""
    when = f"; outcomes of {years}" if years else ""
    return f"{plural(total, levels.unit)}{where} {how} ({assigned}{seen}){when}."


def _of_group(arm: str, protocol: Content) -> str:
    arms = arm_labels(protocol["design"])
    if len(arms) > 2:
        return uncapitalised(arms[arm])
    if arm != next(iter(arms)):
        return "intervention"
    return control_word(protocol)


def units_by_arm(evidence: Evidence) -> dict[str, int]:
    """Return how many units each group was assigned, the comparison group last."""
    control, *others = evidence.arms
    return {arm: evidence.units_by_arm[arm] for arm in [*others, control]}


def n_schools(evidence: Evidence) -> int:
    """Return in how many schools the units analysed lie."""
    return int(evidence.estimates["n_schools"].max())


def answer_blocks(found: list[Finding], evidence: Evidence) -> list[Block]:
    """Return the findings as sentences, each with what its interval allows to be said."""
    if not found:
        return [Paragraph("The protocol declares no primary outcome that a primary model fits.")]
    randomised = evidence.protocol["design"]["randomised"]
    blocks: list[Block] = []
    for one in found[:MOST_FINDINGS]:
        verdict = verdict_sentence(one, randomised=randomised)
        during = (
            during_sentence(evidence.estimates, evidence.protocol, one.model, one.outcome)
            if one.found
            else ""
        )
        blocks.append(Paragraph(joined(finding_sentence(one), verdict, during), "lead"))
    more = len(found) - MOST_FINDINGS
    if more > 0:
        blocks.append(Paragraph((f"{plural(more, 'finding')} more: see ", Cite("primary"), ".")))
    return blocks


def secondary_outcomes(evidence: Evidence) -> list[Block]:
    """Return the effects on secondary outcomes in a sentence, and where to read on."""
    found = secondary_findings(evidence.estimates, evidence.protocol)
    several = len(evidence.arms) > 2
    told = [
        f"{one.label}{f', {evidence.arms.get(one.arm, one.arm)},' if several else ''} "
        f"{one.size} {one.unit}"
        for one in found[:MOST_FINDINGS]
    ]
    apart = in_parts_sentence(evidence.estimates, evidence.protocol)
    if not told:
        return [Paragraph(joined(apart, ("See ", Cite("secondary"), ".")))] if apart else []
    more = f"; {len(found) - MOST_FINDINGS} more" if len(found) > MOST_FINDINGS else ""
    intervals = " (with 95% CI)" if _all_95(found) else " (with CI)"
    words = f"Secondary outcomes{intervals}: {'; '.join(told)}{more}."
    return [Paragraph(joined(words, apart, ("See ", Cite("secondary"), ".")))]


def in_parts_sentence(estimates: pd.DataFrame, protocol: Mapping[str, Any]) -> str:
    """Return which secondary outcomes are analysed in parts of the sample alone; else nothing.

    Parameters
    ----------
    estimates : DataFrame
        The long table.
    protocol : mapping
        The protocol's sections.
    """
    rows = estimates[estimates["estimand"].isin(HEADLINES)]
    whole = set(rows.loc[rows["subgroup"] == "all", "outcome"])
    only = [
        one["label"]
        for name, one in protocol["outcomes"].items()
        if not one["primary"] and name in set(rows["outcome"]) - whole
    ]
    if not only:
        return ""
    verb = "is" if len(only) == 1 else "are"
    return f"{listed(only)} {verb} analysed in parts of the sample, or in other years, alone."


def other_analyses(found: Sequence[Finding], evidence: Evidence) -> list[Block]:
    """Return how other analyses compare with each finding."""
    told = [
        f"{name_finding(one, evidence)}: {uncapitalised(words)}"
        for one in found[:MOST_FINDINGS]
        if (words := describe_other_analyses(one, evidence, only_apart=True))
    ]
    return [Bullets(tuple(told))] if told else []


def primary_outcomes(found: list[Finding], evidence: Evidence) -> Exhibit | None:
    """Return the table of the first screen, a row for each finding."""
    if not found:
        return None
    several = len(evidence.arms) > 2
    costs = cost_of(evidence)

    def named(arm: str) -> str:
        return evidence.arms.get(arm, arm)

    rows = [
        {
            "outcome": f"{one.label}: {named(one.arm)}" if several else one.label,
            "unit": one.unit,
            "effect": one.size,
            "size": _effect_size(one),
            "points": _percentile_points(one),
            "months": _months(one, evidence.protocol),
            "n": _counts(one),
            "p": p_text(one.p_value),
            **dict(zip(("wwc", "eef"), rating_of(one, evidence), strict=True)),
            "cost": costs.get(one.arm) or costs.get("all", ""),
        }
        for one in found
    ]  # fmt: skip
    people = " or ".join(dict.fromkeys(one.people for one in found)).capitalize()
    schools = " (schools)" if any(one.places for one in found) else ""
    known = any(one.n_people is not None for one in found) or not schools
    columns = [
        Column("Primary outcome", key="outcome"),
        Column("Effect (95% CI)" if _all_95(found) else "Effect (CI)", "told", key="effect"),
        Column("Unit", key="unit"),
        Column("Effect size", "told", key="size", optional=True),
        Column("Percentile points", "told", key="points", optional=True),
        Column("Months’ progress", "told", key="months", optional=True),
        Column(people + schools if known else "Schools", "told", key="n"),
        Column("p", "told", key="p"),
        Column("WWC-style rating", key="wwc", optional=True),
        Column("EEF-style security", key="eef", optional=True),
        Column("Cost per pupil per year", "told", key="cost", optional=True),
    ]
    table = replace(tabulate("Primary outcomes", pd.DataFrame(rows), columns), stacked=True)
    notes: list[Text] = [INDICATIVE, *unadjusted_notes(found), *([] if costs else [NO_COSTS])]
    notes += [MONTHS_TABLE] if any(row["months"] for row in rows) else []
    return Exhibit(
        "primary_outcomes", "Primary outcomes", table, notes=(joined(*notes),),
        data="estimates/estimates.csv", source="gather_estimates",
    )  # fmt: skip


def table_notes(found: Sequence[Finding], evidence: Evidence) -> list[Block]:
    """Return how to read the table of primary outcomes: its ratings, units and costs."""
    if not found:
        return []
    ratings = evidence.records["verdict"]["ratings"]
    low = low_rating_notes(ratings)
    basis = mdes_basis(evidence.check("power")) if any("MDES" in one for one in low) else ""
    rated: list[Text] = [*low, *filter(None, [basis]), *at_most_notes(ratings)]
    if any(one["disagreement"] for one in ratings):
        rated.append(("Why the two ratings differ: ", Cite("ratings"), "."))
    units: list[Text] = []
    if any(map(_percentile_points, found)):
        units.append(
            "Percentile points come from the effect size: the expected change in the percentile "
            f"rank of an average member of the {evidence.control} group (WWC improvement index)."
        )
    if cost_of(evidence):
        units += cost_basis(evidence.checks["costs"], evidence.control)
    told = [Paragraph(joined(*texts), "note") for texts in (rated, units) if texts]
    return [Details("Notes to the table", tuple(told))] if told else []


def low_rating_notes(ratings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what keeps a rating from being the highest, outcomes with the same reasons together.

    Parameters
    ----------
    ratings : sequence of mapping
        ``ratings`` of ``verdict.json``; of their criteria those count that lower the rating, but
        what is not known, which has a note of its own.
    """
    told = []
    for at, standard in enumerate(SHORT):
        alike: dict[str, list[str]] = {}
        for rated in ratings:
            reasons = [
                f"{one['name']}: {ASIDE.sub('', one['finding'])} ({result_shown(one['result'])})"
                for one in lowering(rated["ratings"][at]["criteria"])
            ]
            if reasons:
                alike.setdefault("; ".join(reasons), []).append(rated["label"])
        told += [
            f"{standard} rating of {listed(list(dict.fromkeys(labels)))}. {sentence(words)}"
            for words, labels in alike.items()
        ]
    return told


def unadjusted_notes(found: Sequence[Finding]) -> list[str]:
    """Return that nothing is adjusted for several primary results, where there are several."""
    if len(found) < 2:
        return []
    what = "outcomes" if len({one.outcome for one in found}) == len(found) else "results"
    told = f"{counted(len(found))} primary {what}"
    return [f"P-values and intervals are unadjusted for the {told}."]


def at_most_notes(ratings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what ‘at most’ means in the ratings, where one is such: what is not known.

    Parameters
    ----------
    ratings : sequence of mapping
        ``ratings`` of ``verdict.json``.
    """
    told = [
        f"{words}."
        for rated in ratings
        for one in rated["ratings"]
        for words in one["rule"].split("; ")
        if words.startswith("‘At most’")
    ]
    return list(dict.fromkeys(told))


def _all_95(found: list[Finding]) -> bool:
    return {one.level for one in found} == {0.95}


def _effect_size(one: Finding) -> str:
    """Return the standardised effect of an outcome that is not itself in SDs."""
    return "" if one.in_sd else with_interval(one.effect_size, one.es_low, one.es_high, 2)


def _percentile_points(one: Finding) -> str:
    """Return the improvement index of an effect, with its interval, in whole percentile points."""
    if pd.isna(one.effect_size) or one.binary:
        return ""
    return percentile_points_text(one.effect_size, one.es_low, one.es_high)


def _months(one: Finding, protocol: Mapping[str, Any]) -> str:
    """Return months of progress, where the protocol asks for them."""
    if not protocol["outcomes"][one.outcome]["months_of_progress"]:
        return ""
    return months_text(one.effect_size, one.es_low, one.es_high)


def _counts(one: Finding) -> str:
    people = "" if one.n_people is None else f"{one.n_people:,}"
    schools = one.places.split(" ", maxsplit=1)[0]
    if not people:
        return schools
    return f"{people} ({schools})" if schools else people


def rating_of(one: Finding, evidence: Evidence) -> tuple[str, str]:
    """Return the indicative ratings of a finding, WWC-style and EEF-style; empty if unrated."""
    for rated in evidence.records["verdict"]["ratings"]:
        if (rated["model"], rated["outcome"]) == (one.model, one.outcome):
            wwc, eef = (str(rating["rating"]) for rating in rated["ratings"])
            return wwc, with_security_word(eef)
    return "", ""


def with_security_word(rating: str) -> str:
    """Return an EEF-style rating with its word: ``at most 1 of 5, low``."""
    given = [word for word in rating.split() if word.isdigit()]
    return f"{rating}, {SECURITY[int(given[0])]}" if given else rating


def cost_of(evidence: Evidence) -> dict[str, str]:
    """Return group → cost per pupil per year, in whole units of its currency, with its EEF band."""
    costs = evidence.check("costs")
    if costs is None:
        return {}
    told = {}
    for row in costs[costs["ingredient"] == ALL].to_dict("records"):
        if pd.isna(row["per_pupil_year"]):
            continue
        money = f"{row['currency']} {number(row['per_pupil_year'], 0)}"
        pounds = "" if pd.isna(row["pounds"]) or row["currency"] == "GBP" else (
            f" (£{number(row['pounds'], 0)})"
        )  # fmt: skip
        band = "" if pd.isna(row["cost_band"]) else f", {row['cost_band']}"
        told[str(row["arm"])] = f"{money}{pounds}{band}"
    return told
