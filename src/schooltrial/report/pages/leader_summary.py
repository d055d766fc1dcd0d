"""A one-page summary for a school leader, in plain language."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import pandas as pd

from schooltrial.document.blocks import Block, Bullets, Document, Heading, Paragraph
from schooltrial.document.numbers import number
from schooltrial.document.tables import study_foot
from schooltrial.document.text import Link, Strong, Text
from schooltrial.protocol.content.levels import control_name
from schooltrial.protocol.content.people import joined_words
from schooltrial.report.evidence import Evidence
from schooltrial.report.findings.effect_words import percentile_points
from schooltrial.report.findings.headlines import (
    Finding,
    digits_of,
    disagrees,
    excludes_zero,
    secondary_findings,
    sensitivity_findings,
)
from schooltrial.report.findings.present_at_assignment import first_assigned
from schooltrial.report.limitations.baseline_gap import baseline_gaps
from schooltrial.report.limitations.limits import NOTABLE, power_row
from schooltrial.report.sections.summary import (
    ASIDE,
    NO_COSTS,
    allocation_doubted,
    cost_of,
    study_sentence,
    with_security_word,
)
from schooltrial.report.tables.rating import lowering
from schooltrial.wording import counted, listed, percent, plural, sentence

MOST = 4
"""Outcomes that one page has room for."""

LONGEST = 420
"""Letters of the programme's description that one page has room for."""


BAND = re.compile(r", (?=\D)")
"""What divides a cost from its band."""

HIGHER, LOWER = "clearly higher", "clearly lower"
DISPUTED = "clear in the main analysis, but not in all others"
UNCLEAR = "not clear in either direction"
"""How clear a result is."""

LINE = (
    "Places: think of 100 members of the {control} group in a line, from the lowest result to the "
    "highest. Three places up means that the one in the middle passes three others."
)
"""What a place is, said once where results are told in places."""

WEAK = ("very low", "low", "moderate to low")
"""Words of a rating that a school leader must hear of."""

AT_RANDOM = "was decided at random, so the groups were alike at the start but for chance."

FIRST_ASSIGNED = "among only those who were there at the start,"

REASONS = (
    ("design", "how the groups were formed"),
    ("MDES", "the size of the study"),
    ("attrition", "those lost on the way"),
    ("baseline imbalance", "the difference between the groups at the start"),
)
"""Criteria of a rating by how their names begin, in words that need no handbook."""

MOST_UNKNOWN = 5
"""Things that the study cannot tell, as many as one page has room for."""

LEAST = 0.5
"""Places below which a number of places is not told as a whole one."""


def build_summary(evidence: Evidence) -> Document:
    """Return one page: what was tried, what was found, how sure, at what cost, what is unknown."""
    found = evidence.findings
    disputed = disagreements(found, evidence)
    randomised = bool(evidence.protocol["design"]["randomised"])
    blocks: list[Block] = [
        *warnings_without_links(evidence),
        Heading("What was tried"),
        Paragraph(shortened(evidence.protocol["study"]["summary"])),
        Paragraph(study_sentence(evidence)),
        Heading("What was found"),
        *found_blocks(found, randomised=randomised, disputed=disputed),
        *secondary_blocks(evidence),
        Heading("How sure can we be?"),
        Paragraph(
            certainty(
                found, randomised=randomised, disputed=disputed, offer=offer_taken(evidence),
                gaps=plain_gaps(evidence),
            )
        ),
        *(
            Paragraph(f"{one.label}: {told}")
            for one, told in zip(found, disputed, strict=True)
            if told
        ),
        *(Paragraph(told) for told in doubts(found, evidence)),
        Heading("What did it cost?"),
        Paragraph(cost_sentence(evidence)),
        Heading("What the study cannot tell you"),
        Bullets(tuple(unknown(found, evidence))),
        Paragraph((
            "Every number and how it was made: ", Link("the full report", "report.html"), ".",
        )),
    ]  # fmt: skip
    return Document(
        title=evidence.study["title"],
        kind="Summary for school leaders",
        front=tuple(blocks),
        synthetic=evidence.study["synthetic"],
        foot=study_foot(evidence.study),
    )


def found_blocks(
    found: list[Finding], *, randomised: bool, disputed: Sequence[str] = ()
) -> list[Block]:
    """Return the main results, as many as one page has room for.

    Parameters
    ----------
    found : list of Finding
        The main results.
    randomised : bool
        Whether groups were randomised.
    disputed : sequence of str
        Of each result what other analyses say that disagree with it; empty where none does.
    """
    if not found:
        return [Paragraph("The study has no result for a main outcome.")]
    doubted = [bool(words) for words in disputed] or [False] * len(found)
    told = [
        plain_finding(one, randomised=randomised, disputed=doubt)
        for one, doubt in zip(found[:MOST], doubted, strict=False)
    ]
    more = len(found) - MOST
    if more > 0:
        told.append(f"The full report has {plural(more, 'more result')}.")
    blocks: list[Block] = [Bullets(tuple(told))]
    if any(one.found and _in_places(one) for one in found[:MOST]):
        line = LINE.format(control=control_name(randomised=randomised))
        blocks.append(Paragraph(line, "note"))
    return blocks


def secondary_blocks(evidence: Evidence) -> list[Block]:
    """Return in one sentence which other outcomes were higher, lower, or not clear."""
    others = secondary_findings(evidence.estimates, evidence.protocol)
    if not others:
        return []
    several = len(evidence.arms) > 2
    told = [
        f"{one.label}{f' ({evidence.arms.get(one.arm, one.arm)})' if several else ''}: "
        f"{_secondary(one)}"
        for one in others[:MOST]
    ]
    more = f"; {len(others) - MOST} more are in the full report" if len(others) > MOST else ""
    words = f"Other outcomes, for which the study was not designed. {'; '.join(told)}{more}."
    return [Paragraph(words)]


def _secondary(one: Finding) -> str:
    if not excludes_zero(one):
        return "no clear difference"
    size, _, _ = _sizes(one)
    return f"{'higher' if one.estimate > 0 else 'lower'} ({size})"


def cost_sentence(evidence: Evidence) -> str:
    """Return what the programme cost, without bands; that of each group where there are several."""
    told = [
        (evidence.arms.get(arm, ""), BAND.split(cost)[0]) for arm, cost in cost_of(evidence).items()
    ]
    if not told:
        return NO_COSTS
    each = [f"{group}: {cost}" if group else cost for group, cost in told]
    return f"{'; '.join(each)} per pupil per year."


def warnings_without_links(evidence: Evidence) -> list[Block]:
    """Return the warnings of the report in words, for a page that has no sections."""
    told = []
    if allocation_doubted(evidence):
        told.append(
            "It is in doubt who was in which group, so every comparison on this page is in doubt."
        )
    if evidence.plan.changed:
        told.append(
            "The plan of the study was changed after results could be seen "
            f"({listed(evidence.plan.changed)})."
        )
    if not told:
        return []
    words = f"Warning: {' '.join(told)} The full report says what is known of this."
    return [Paragraph(words, "warning")]


def shortened(words: str) -> str:
    """Return the first sentences of a text, as many as one page has room for."""
    if len(words) <= LONGEST:
        return words
    kept, end, _ = words[:LONGEST].rpartition(". ")
    if end:
        return f"{kept}."
    return f"{words[:LONGEST].rpartition(' ')[0]} …"


def plain_finding(one: Finding, *, randomised: bool, disputed: bool = False) -> Text:
    """Return a finding without the terms of statistics: its direction, size, and range."""
    if not one.found:
        return (Strong(f"{one.label}:"), " no result could be computed.")
    size, low, high = _sizes(one)
    whom = "among those who took up the offer, " if one.estimand == "CACE" else ""
    if one.gained:
        way = "gained ground on" if one.estimate > 0 else "lost ground to"
        before, after = f"{whom}{one.group} ", f" {one.comparison}: {size}."
    elif one.in_sd:
        way = "scored higher" if one.estimate > 0 else "scored lower"
        before, after = f"{whom}{one.group} ", f" than {one.comparison} on average: {size}."
    else:
        way = "higher" if one.estimate > 0 else "lower"
        before = f"{whom}the {'share' if one.binary else 'average'} was "
        after = f" for {one.group} than for {one.comparison}: {size}."
    within = f" The true difference is likely to lie between {low} and {high}"
    allowed = _allowed(one, randomised=randomised, disputed=disputed)
    if excludes_zero(one):
        return Strong(f"{one.label}:"), f" {before}", Strong(way), f"{after}{within}{allowed}"
    # What is remembered of a result is what is in bold.
    unclear = Strong(f"{one.label}: no clear difference.")
    return unclear, f" {before[:1].upper()}{before[1:]}{way}{after}{within}{allowed}"


def _in_places(one: Finding) -> bool:
    """Return whether a result reads in places: an effect in SDs does, whatever its scale."""
    return one.in_sd


def _sizes(one: Finding) -> tuple[str, str, str]:
    """Return an effect and the ends of its interval, each with its direction."""
    if _in_places(one):
        known = isfinite(one.effect_size)
        sizes = (one.effect_size, one.es_low, one.es_high) if known else (
            one.estimate, one.low, one.high
        )  # fmt: skip
        first, *ends = percentile_points(*sizes)
        if all(map(isfinite, ends)):
            return (
                f"about {_places(first)}".replace("about less", "less"),
                _places(ends[0]),
                _places(ends[1]),
            )
    digits = digits_of(one.estimate, in_sd=one.in_sd)

    def said(value: float) -> str:
        if round(value, digits) == 0:
            return "almost nothing"
        return f"{number(abs(value), digits)} {one.unit} {'higher' if value > 0 else 'lower'}"

    size = f"{number(abs(one.estimate), digits)} {one.unit}"
    return f"about {size}", said(one.low), said(one.high)


def _places(points: float) -> str:
    """Return percentile points as places in a line of 100: ``3 places down``."""
    way = "up" if points > 0 else "down"
    if abs(points) < LEAST:
        return f"less than one place {way}"
    return f"{plural(round(abs(points)), 'place')} {way}"


def _allowed(one: Finding, *, randomised: bool, disputed: bool) -> str:
    """Return what the range allows to be said, as the end of its sentence and no more."""
    clear = one.low > 0 or one.high < 0
    if clear and disputed:
        more = "" if randomised else ", and something other than the programme may have made it"
        return f". Not every way of analysing the data gives a clear result: see below{more}."
    if clear and randomised:
        return ". Chance alone would rarely make a difference this large."
    if clear:
        return (
            ". Chance alone would rarely make a difference this large, but something other than "
            "the programme may have made it."
        )
    if randomised:
        return ", so the study cannot tell whether the programme helped, harmed or did nothing."
    return ", so the study cannot tell whether the groups differ at all."


def disagreements(found: list[Finding], evidence: Evidence) -> list[str]:
    """Return of each result what other analyses say that disagree with it; else nothing.

    They are the sensitivity analyses, and the comparison of those who were
    there at the assignment, in the group first assigned.
    """
    told = []
    for one in found:
        others = sensitivity_findings(evidence.estimates, evidence.protocol, one)
        differ = [disagrees(one, other) for other in others if isfinite(other.estimate)]
        words = others_in_words(one, differ) if any(differ) else ""
        present = first_assigned(one, others, evidence.check("missing_outcomes"))
        if present is not None and present.apart:
            clear = "not clear" if excludes_zero(one) else "clear"
            whose = f"with the same {one.people}" if present.same else FIRST_ASSIGNED
            more = f"{whose} in the group first assigned, the result is {clear}."
            words = f"{words} {sentence(more)}" if words else more
        told.append(words)
    return told


def others_in_words(one: Finding, differ: Sequence[bool]) -> str:
    """Return how many other analyses disagree with a result, without names of models or SDs.

    Parameters
    ----------
    one : Finding
        The result.
    differ : sequence of bool
        Of each other analysis, whether it disagrees.
    """
    n, every = sum(differ), len(differ)
    clear = excludes_zero(one)
    if every == 1:
        does = "does not give" if clear else "gives"
        return f"the one other way of analysing the data {does} a clear result."
    if n == every and clear:
        none = "neither of two" if every == 2 else f"none of {counted(every)}"
        return f"{none} other ways of analysing the data gives a clear result."
    which = ("both" if every == 2 else "all") if n == every else counted(n)
    does = "give" if n > 1 else "gives"
    if clear:
        does = "do not give" if n > 1 else "does not give"
    return f"of {counted(every)} other ways of analysing the data, {which} {does} a clear result."


def offer_taken(evidence: Evidence) -> str:
    """Return that an offer was decided, and how many did not take it up; empty where it was none.

    An offer is what a study assigns where its protocol has a variable of take-up.
    """
    if not evidence.protocol["take_up"]["variable"]:
        return ""
    offered = f"Who was offered a place {AT_RANDOM}"
    units = evidence.check("assignment_units")
    if units is None:
        return offered
    control = next(iter(evidence.arms))
    known = units.loc[units["arm"] != control, "taken_up"].dropna()
    refused = int((known == 0).sum())
    if not refused:
        return offered
    return f"{offered} {refused:,} of the {len(known):,} did not take it up."


def certainty(
    found: list[Finding],
    *,
    randomised: bool,
    disputed: Sequence[str] = (),
    offer: str = "",
    gaps: Sequence[str] = (),
) -> str:
    """Return how the groups came about, and which results are clear, up and down.

    A result with which other analyses disagree (``disputed``, one text for each) is not clear.
    ``offer`` says that an offer was decided at random, where it was one; ``gaps`` how unlike the
    groups were before.
    """
    how = (
        offer or f"Who got the programme {AT_RANDOM}"
        if randomised
        else "Who got the programme was not decided at random. The results show what went along "
        "with the programme; other differences between the groups may be the cause."
    )
    how = " ".join([how, *gaps])
    known = [
        (one, bool(words))
        for one, words in zip(found, disputed or [""] * len(found), strict=True)
        if one.found
    ]
    if not known:
        return how
    parts: dict[str, list[Finding]] = {}
    for words in (HIGHER, LOWER, DISPUTED, UNCLEAR):  # in this order
        if results := [one for one, doubted in known if _clearness(one, doubted) == words]:
            parts[words] = results
    first, *others = parts
    if len(known) == 1:
        return f"{how} The one main result is {first}."
    if not others and first != DISPUTED:
        every = "Both" if len(known) == 2 else f"All {counted(len(known))}"
        none = "Neither" if len(known) == 2 else f"None of the {counted(len(known))}"
        clear = "main result is clear" if len(known) == 2 else "main results is clear"
        alike = f"{none} {clear}" if first == UNCLEAR else f"{every} main results are {first}"
        return f"{how} {alike}."
    told = "; ".join(f"{_named(results)} {words}" for words, results in parts.items())
    return f"{how} {counted(len(known)).capitalize()} main results: {told}."


def plain_gaps(evidence: Evidence) -> list[str]:
    """Return how unlike the groups were before the programme, in places of a line."""
    gaps = baseline_gaps(evidence)[:MOST]
    told = []
    for at, one in enumerate(gaps):
        places = _places(percentile_points(one.size)[0])
        way = "higher" if one.size > 0 else "lower"
        verb = f"scored {way}" if one.scored else f"were {way}"
        told.append(
            f"{'' if at else 'Before the programme, '}{one.group} {verb} than {one.comparison} in "
            f"{one.measure} (about {places})".replace("about less", "less")
        )
    if not told:
        return []
    which = "this" if len(gaps) == 1 else "these differences"
    account = "account" if all(one.adjusted for one in gaps) else "no account"
    if len({one.adjusted for one in gaps}) > 1:
        account, which = "account", "some of these differences only"
    return [f"{'; '.join(told)}. The main analysis takes {account} of {which}."]


def _clearness(one: Finding, doubted: bool) -> str:
    """Return how clear a result is, in words."""
    if not excludes_zero(one):
        return UNCLEAR
    if doubted:
        return DISPUTED
    return HIGHER if one.low > 0 else LOWER


def _named(results: Sequence[Finding]) -> str:
    """Return results by their outcomes and a verb; their number where they are many or alike."""
    names = list(dict.fromkeys(one.label for one in results))
    verb = "is" if len(results) == 1 else "are"
    if len(names) < len(results) or len(names) > MOST:
        return f"{len(results)} {verb}"
    return f"{listed(names)} {verb}"


def doubts(found: list[Finding], evidence: Evidence) -> list[str]:
    """Return what makes the results less sure: who joined or moved, and a low rating, in words."""
    wanted = {(one.model, one.outcome) for one in found}
    rated = [
        one
        for one in evidence.records["verdict"]["ratings"]
        if (one["model"], one["outcome"]) in wanted
    ]
    parts = []
    for people in dict.fromkeys(one["inputs"]["people"] for one in rated):
        mine = [
            one["inputs"] for one in rated
            # Classes that are formed each year have new pupils in any study
            if one["inputs"]["people"] == people and not one["inputs"]["formed_since"]
        ]  # fmt: skip
        joined, moved = (
            max((one[key] for one in mine if one[key] is not None), default=0.0)
            for key in ("joined", "changed_arm")
        )
        if joined >= NOTABLE:
            came = joined_words(evidence.protocol, people) or "came after the groups were formed"
            parts.append(f"{percent(joined)} of the {people} whose results count {came}")
        if moved >= NOTABLE:
            parts.append(f"{percent(moved)} of the {people} who stayed changed group")
    told = []
    if parts:
        told.append(f"{listed(parts)}: they may have had only a part of what their group received.")
    labels = {(one.model, one.outcome): one.label for one in found}
    weak: dict[tuple[str, str], list[str]] = {}
    for one in rated:
        if (word := security_word(one)) in WEAK:
            label = labels[(one["model"], one["outcome"])]
            weak.setdefault((word, lowered_by(one, briefly=bool(parts))), []).append(label)
    if weak:
        each = [
            f"{word} in the result on {listed(names)}{f', because of {why}' if why else ''}"
            for (word, why), names in weak.items()
        ]
        if [len(names) for names in weak.values()] == [len(rated)]:
            ((word, why),) = weak
            these = "these results" if len(rated) > 1 else "this result"
            each = [f"{word} in {these}{f', because of {why}' if why else ''}"]
        told.append(
            "By rules like those of the Education Endowment Foundation, confidence should be "
            f"{'; and '.join(each)}."
        )
    return [" ".join(told)] if told else []


def lowered_by(rated: Mapping[str, Any], *, briefly: bool = False) -> str:
    """Return what keeps an outcome's EEF-style rating from the highest, in words.

    Parameters
    ----------
    rated : mapping
        One of the ``ratings`` of ``verdict.json``.
    briefly : bool
        Whether a sentence before says already who joined or moved.
    """
    _, eef = rated["ratings"]
    told = []
    for one in lowering(eef.get("criteria", ())):
        if one["name"] == "threats":
            what = "" if briefly else f" ({ASIDE.sub('', one['finding'])})"
            told.append(f"what happened to the groups{what}")
        else:
            told.append(next(
                (words for start, words in REASONS if one["name"].startswith(start)), one["name"]
            ))  # fmt: skip
    return listed(told) if told else ""


def security_word(rated: Mapping[str, Any]) -> str:
    """Return the word of an outcome's EEF-style rating: ``low``; empty where it is not rated.

    Parameters
    ----------
    rated : mapping
        One of the ``ratings`` of ``verdict.json``.
    """
    _, eef = (str(rating["rating"]) for rating in rated["ratings"])
    return with_security_word(eef).rpartition(", ")[2] if "of" in eef.split() else ""


def missed(unclear: list[Finding], power: pd.DataFrame | None) -> str:
    """Return what size of effect may have been missed by results that are not clear."""
    known = [
        (one, row)
        for one in unclear
        if power is not None and (row := power_row(power, one.outcome, one.model)) is not None
    ]
    hoped = [row for _, row in known if pd.notna(row["effect"]) and pd.notna(row["power"])]
    short = any(row["power"] < row["target_power"] for row in hoped)
    what = "an effect as large as the one hoped for" if short else "an effect, good or bad,"
    places = [
        percentile_points(float(row["mdes"]))[0]
        for one, row in known
        if row["units_label"] == "SD" and one.in_sd
    ]
    if not places or len(places) < len(unclear):
        return f"{what} may have been missed"
    least = plural(round(max(places)), "place")
    return f"{what} may have been missed. Only one of about {least} or more was likely to be seen"


def unknown(found: list[Finding], evidence: Evidence) -> list[str]:
    """Return what a school leader might think the study shows, and it does not."""
    told = []
    if not evidence.protocol["design"]["randomised"]:
        told.append(
            "Whether the programme caused a difference. Groups that were not formed at random may "
            "have been on different paths already."
        )
    unclear = [one for one in found if one.found and one.low <= 0 <= one.high]
    if unclear:
        told.append(
            "That the programme does nothing. A result that is not clear is no proof of that: "
            f"{missed(unclear, evidence.check('power'))}."
        )
    if evidence.protocol["take_up"]["variable"] and any(one.estimand == "ITT" for one in found):
        told.append(
            "What the programme does for those who take it up: the results are the effect of an "
            "offer."
        )
    told += not_recorded(evidence)
    last = ["What it would do in schools unlike those in the study."]
    if evidence.study["synthetic"]:
        last.append("Anything about a real programme: the data are simulated.")
    return [*told[: MOST_UNKNOWN - len(last)], *last]


def not_recorded(evidence: Evidence) -> list[str]:
    """Return what the files of a study leave open, the most important first."""
    told = []
    rated = [one["inputs"] for one in evidence.records["verdict"]["ratings"]]
    if any(one["joined"] is None and not one["formed_since"] for one in rated):
        whom = next(one["people"] for one in rated if one["joined"] is None)
        told.append(
            f"What it does for {whom} who had the whole programme: it is not known who joined "
            "after the groups were formed."
        )
    if evidence.check("fidelity") is None and evidence.check("dosage") is None:
        told.append("Whether the programme was delivered as planned: no record of it is given.")
    if evidence.check("costs") is None:
        told.append("Whether it is worth its cost.")
    return told
