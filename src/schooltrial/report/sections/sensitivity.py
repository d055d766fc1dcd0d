"""Section 6: other analyses of the primary outcomes, and what missing outcomes could do."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from schooltrial.document.blocks import Block, Details, Exhibit, Paragraph, Section
from schooltrial.document.text import joined
from schooltrial.report.evidence import Evidence
from schooltrial.report.findings.effects import effects_shown
from schooltrial.report.other_analyses import describe_other_analyses, name_finding
from schooltrial.report.tables.checks import bounds_shown
from schooltrial.wording import listed

BOUNDS = (
    "Effects if those with missing outcomes had done as well, or as badly, as each "
    "approach allows, and effects weighted for the chance of being observed. Every row is "
    "of those on the rosters at the assignment, in the group first assigned, whose outcome "
    "of the year is analysed or missing, without covariates but where it says adjusted. Complete "
    "cases: those who are analysed."
)

NONE_MISSING = (
    "No outcome is missing that could be bounded, so these are the effects on those observed."
)


OF_COHORT = r"treated\[cohort=\d+\]"
"""The term of the effect on a cohort."""

NOTHING_KNOWN = "Nothing could be computed; the notes say why."


def sensitivity_section(evidence: Evidence) -> Section:
    """Return the sensitivity analyses, and the bounds for missing outcomes."""
    blocks: list[Block] = []
    bounds = evidence.check("missing_outcomes")
    for one in evidence.findings:
        told = describe_other_analyses(one, evidence)
        if told:
            primary = f"{name_finding(one, evidence)} (primary: {one.size} {one.unit})."
            blocks.append(Paragraph(joined(primary, told)))
    shown = effects_shown(
        without_cohorts(evidence), evidence.protocol, "Sensitivity analyses",
        lambda role, primary: role == "sensitivity" and primary, evidence.labels,
        evidence.findings,
    )  # fmt: skip
    if shown is None:
        blocks.append(
            Paragraph("The protocol declares no sensitivity analysis of a primary outcome.")
        )
    else:
        blocks.append(Exhibit(
            "sensitivity_effects", "Sensitivity analyses", shown.table,
            "The primary analysis of each outcome is first.", notes=shown.notes,
            data="estimates/estimates.csv", source="gather_estimates",
            subject="the sensitivity analyses",
        ))  # fmt: skip
    if bounds is not None:
        computed, why = without_empty(bounds, evidence.labels)
        table = Exhibit(
            "missing_outcomes", "Bounds for missing outcomes",
            bounds_shown(
                computed, evidence.labels, evidence.arms, evidence.protocol["outcomes"]
            ),
            _bounds_told(bounds), notes=why,
            data="checks/missing_outcomes.csv", source="check_attrition",
        )  # fmt: skip
        blocks.append(Details("Bounds for missing outcomes", (table,)))
    return Section("sensitivity", "Sensitivity and missing outcomes", tuple(blocks))


def without_cohorts(evidence: Evidence) -> pd.DataFrame:
    """Return the estimates without the effects on cohorts, which the tables by year show."""
    rows = evidence.estimates
    return rows[~rows["term"].astype("str").str.fullmatch(OF_COHORT)]


def without_empty(
    bounds: pd.DataFrame, labels: Mapping[str, str]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the approaches that gave something, and a note on the others and why; all if none did.

    Parameters
    ----------
    bounds : DataFrame
        ``missing_outcomes.csv``.
    labels : mapping
        Outcome → its label.
    """
    keys = ["outcome", "model", "year", "arm", "approach"]
    given = bounds.assign(known=bounds["estimate"].notna()).groupby(keys, dropna=False)
    known = given["known"].transform("any")
    if known.all() or not known.any():
        return bounds, ()
    empty: dict[tuple[str, str], list[str]] = {}
    for row in bounds[~known].to_dict("records"):
        why = "" if pd.isna(row["note"]) else str(row["note"])
        names = empty.setdefault((str(row["approach"]), why), [])
        if (label := labels.get(row["outcome"], str(row["outcome"]))) not in names:
            names.append(label)
    told = tuple(
        f"Not computed: {approach} of {listed(names)}{f' ({why})' if why else ''}."
        for (approach, why), names in empty.items()
    )
    return bounds[known], told


def _bounds_told(bounds: pd.DataFrame) -> str:
    """Return what the rows of the table are."""
    if not bounds["approach"].str.startswith("complete cases").all():
        return BOUNDS
    return NONE_MISSING if bounds["estimate"].notna().any() else NOTHING_KNOWN
