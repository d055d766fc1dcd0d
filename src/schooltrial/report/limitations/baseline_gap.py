"""How unlike the groups were in the outcome before the programme, with its direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite

import pandas as pd

from schooltrial.document.numbers import number
from schooltrial.protocol.content.sections import arm_labels
from schooltrial.report.evidence import Evidence
from schooltrial.report.findings.headlines import Finding, people_in
from schooltrial.report.findings.present_at_assignment import BARE, first_assigned, rows_of, size_of
from schooltrial.wording import exact, listed


@dataclass(frozen=True)
class BaselineGap:
    """The largest difference before the programme in a baseline measure of a primary outcome.

    Attributes
    ----------
    model, outcome, label : str
        The primary model, and its outcome by name and by label.
    measure : str
        What was measured before.
    group, comparison : str
        Who is compared: ``pupils in programme schools``.
    size : float
        Standardised difference, intervention − control.
    adjusted : bool
        Whether the primary analysis takes account of it.
    scored : bool
        Whether it is a score, so that people scored higher or lower.
    """

    model: str
    outcome: str
    label: str
    measure: str
    group: str
    comparison: str
    size: float
    adjusted: bool
    scored: bool


def baseline_gaps(evidence: Evidence) -> list[BaselineGap]:
    """Return of each primary outcome the largest gap, where it is beyond what counts as alike.

    Parameters
    ----------
    evidence : Evidence
        Of the study; the measures are those that its ratings judge by.
    """
    found: dict[tuple[str, str, str], BaselineGap] = {}
    outcomes, arms = evidence.protocol["outcomes"], arm_labels(evidence.protocol["design"])
    control, *others = arms.values()
    for rated in evidence.records["verdict"]["ratings"]:
        known = [
            row for row in rated["inputs"]["baseline"]
            if isinstance(row["size"], int | float) and isfinite(row["size"])
            and abs(row["size"]) > rated["inputs"]["satisfied"]
        ]  # fmt: skip
        if not known:
            continue
        row = max(known, key=lambda one: abs(float(one["size"])))
        group = arms.get(row["arm"]) or (others[0] if len(others) == 1 else "intervention group")
        outcome = outcomes.get(rated["outcome"])
        gap = BaselineGap(
            model=rated["model"], outcome=rated["outcome"], label=rated["label"],
            measure=row["label"],
            group=people_in(row["level"], group, evidence.levels),
            comparison=people_in(row["level"], control, evidence.levels),
            size=float(row["size"]), adjusted=bool(row["adjusted"]),
            scored=outcome is not None and outcome["standardise"] != "none",
        )  # fmt: skip
        found.setdefault((gap.group, gap.measure, gap.label), gap)
    return list(found.values())


def gap_sentences(
    gaps: Sequence[BaselineGap], equivalent_to: float, adjust_to: float
) -> list[str]:  # fmt: skip
    """Return the gaps in words: one text, the groups of each kind compared in turn.

    Parameters
    ----------
    gaps : sequence of BaselineGap
        Of the study.
    equivalent_to, adjust_to : float
        Standardised differences up to which groups count as alike, and up to which the What Works
        Clearinghouse accepts that a difference is adjusted for.
    """
    if not gaps:
        return []
    parts = []
    for group, comparison in dict.fromkeys((one.group, one.comparison) for one in gaps):
        mine = [one for one in gaps if (one.group, one.comparison) == (group, comparison)]
        sizes = listed(list(dict.fromkeys(_size(one) for one in mine)))
        verb = "scored" if all(one.scored for one in mine) else "were"
        parts.append(f"{group} {verb} {sizes} than {comparison}")
    told = f"Before the programme, {'; '.join(parts)} (up to {exact(equivalent_to)} SD counts as "
    words = [f"{told}alike).", _account(gaps)]
    beyond = [one for one in gaps if one.adjusted and abs(one.size) > adjust_to]
    if beyond:
        words.append(
            f"The WWC accepts an adjustment up to {exact(adjust_to)} SD; the difference in "
            f"{listed(list(dict.fromkeys(one.measure for one in beyond)))} is larger."
        )
    return [" ".join(words)]


def told_gaps(evidence: Evidence) -> list[str]:
    """Return the gaps of a study in words, and estimates that take no account of them.

    Parameters
    ----------
    evidence : Evidence
        Of the study.
    """
    gaps = baseline_gaps(evidence)
    bands = evidence.protocol["balance"]
    told = gap_sentences(gaps, bands["equivalent_to"], bands["adjust_to"])
    keys = {(one.model, one.outcome) for one in gaps if one.adjusted}
    without = [
        f"Without covariates the same {bare.n_people:,} {bare.people} give {bare.size} {bare.unit} "
        f"for {bare.label}."
        for one in evidence.findings
        if (one.model, one.outcome) in keys
        and (bare := without_covariates(one, evidence.check("missing_outcomes"))) is not None
    ]
    return [" ".join([*told[:1], *without]), *told[1:]] if told else []


def without_covariates(one: Finding, bounds: pd.DataFrame | None) -> Finding | None:
    """Return the stored estimate of the same people without covariates, if there is one.

    None too where its words stand among the other analyses, as they differ from the primary one.

    Parameters
    ----------
    one : Finding
        Of the primary analysis.
    bounds : DataFrame, optional
        ``missing_outcomes.csv``.
    """
    if bounds is None or not one.found:
        return None
    said = first_assigned(one, [], bounds)
    if said is not None and not said.adjusted:
        return None
    rows = rows_of(one, bounds)
    rows = rows[(rows["approach"] == BARE) & (rows["n_individuals"] == one.n_people)]
    if len(rows) != 1:
        return None
    size, low, high = size_of(rows.iloc[0], one)
    return replace(one, estimate=size, low=low, high=high)


def _size(one: BaselineGap) -> str:
    way = "higher" if one.size > 0 else "lower"
    return f"{number(abs(one.size), 2)} SD {way} in {one.measure}"


def _account(gaps: Sequence[BaselineGap]) -> str:
    """Say whether the primary analyses take account of gaps."""
    left = list(dict.fromkeys(one.label for one in gaps if not one.adjusted))
    which = "these differences" if len({one.measure for one in gaps}) > 1 else "this difference"
    if not left:
        return f"The primary analysis takes account of {which}."
    if len(left) == len({one.label for one in gaps}):
        return f"The primary analysis takes no account of {which}."
    return f"The primary analysis takes account of {which}, but not for {listed(left)}."
