"""Section 9: what was delivered, and what each group received."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from schooltrial.document.blocks import Block, Details, Exhibit, Paragraph, Section
from schooltrial.report.evidence import Evidence
from schooltrial.report.tables.implementation import contrast_shown, fidelity_shown
from schooltrial.wording import listed, percent, plural, uncapitalised


def implementation_section(evidence: Evidence) -> Section:
    """Return fidelity, dosage and the treatment contrast; one sentence where none is on record."""
    blocks: list[Block] = []
    fidelity, contrast = evidence.check("fidelity"), evidence.check("contrast")
    told = [
        "" if fidelity is None else fidelity_sentence(fidelity),
        "" if contrast is None else contrast_sentence(contrast, evidence.arms),
    ]
    if any(told):
        blocks.append(Paragraph(" ".join(filter(None, told))))
    figure = evidence.exhibit("fidelity")
    if figure is not None:
        blocks.append(figure)
    if fidelity is not None:
        table = Exhibit(
            "fidelity_table", "Fidelity by component and school year",
            fidelity_shown(fidelity, evidence.arms), data="checks/fidelity.csv",
            source="check_fidelity",
        )  # fmt: skip
        blocks.append(Details.of(table))
    dosage = evidence.exhibit("dosage")
    if dosage is not None:
        blocks.append(dosage)
    if contrast is not None:
        blocks.append(Exhibit(
            "contrast", "Treatment contrast and contamination",
            contrast_shown(contrast, evidence.arms),
            "Means include schools with no entry as zero, unless the log has no entry for the "
            "whole group (then: not recorded).",
            data="checks/contrast.csv", source="check_fidelity", subject="the treatment contrast",
        ))  # fmt: skip
    if not blocks:
        blocks.append(Paragraph("Implementation was not recorded in the study’s files."))
    return Section("implementation", "Implementation and treatment contrast", tuple(blocks))


def fidelity_sentence(fidelity: pd.DataFrame) -> str:
    """Return in how many component-years the planned share was reached; empty if not known.

    Parameters
    ----------
    fidelity : DataFrame
        ``fidelity.csv``.
    """
    known = fidelity[fidelity["share_met"].notna() & fidelity["met"].isin(["yes", "no"])]
    if known.empty:
        return ""
    shares = [percent(known["share_met"].min()), percent(known["share_met"].max())]
    span = " to ".join(dict.fromkeys(shares))
    met, of = int((known["met"] == "yes").sum()), len(known)
    cases = (
        f"{plural(known['component'].nunique(), 'component')} in "
        f"{plural(known['year'].nunique(), 'school year')}"
    )
    where = f"For {cases}" if met == of else f"In {met} of {of} cases ({cases})"
    return (
        f"{where}, the planned share of those meant to have it met the threshold ({span} met it)."
    )


def contrast_sentence(contrast: pd.DataFrame, arms: Mapping[str, str]) -> str:
    """Return whether groups that were to have none of a component had any, as far as recorded.

    Parameters
    ----------
    contrast : DataFrame
        ``contrast.csv``.
    arms : mapping
        Group → its label.
    """
    told = []
    held = contrast[contrast["intended"] == "no"]
    for arm, rows in held.groupby("arm", sort=False):
        group = uncapitalised(arms.get(str(arm), str(arm)))
        recorded = rows[rows["n_with_any"].notna()]
        if recorded.empty:
            told.append(
                f"The log has no entry for {group}: whether any of them received the programme is "
                "not known."
            )
            continue
        had = recorded[recorded["n_with_any"] > 0]
        if had.empty:
            told.append(f"The log shows none of what {group} were not to receive.")
            continue
        most = had.loc[had["n_with_any"].idxmax()]
        told.append(
            f"Of {most['n_schools']:.0f} {group}, {most['n_with_any']:.0f} received some of what "
            f"they were not to receive ({listed(list(dict.fromkeys(had['label'])))})."
        )
    return " ".join(told)
