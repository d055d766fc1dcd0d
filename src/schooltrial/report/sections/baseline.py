"""Section 4: whether the groups were alike at baseline."""

from __future__ import annotations

import pandas as pd

from schooltrial.checks.balance.analysed import primary_analysis
from schooltrial.document.blocks import Block, Details, Exhibit, Paragraph, Section
from schooltrial.exhibits.tables.baseline import bands_sentence, baseline_table
from schooltrial.protocol.content.levels import DesignLevels
from schooltrial.protocol.content.sections import Content, year_label
from schooltrial.report.evidence import Evidence
from schooltrial.report.methods.model_methods import adjustment_sentences
from schooltrial.report.tables.balance import (
    compared_sentence,
    equivalence_shown,
    omnibus_shown,
    pretrends_shown,
)
from schooltrial.wording import listed

JOINT = (
    "Mahalanobis distance between the groups{randomised}, and an F test. Small p-values suggest "
    "imbalance. Compared are means of the units assigned, each counted once."
)

OUTSIDE = (
    "Scores from before are known of all pupils who were enrolled then, also in classes that were "
    "not randomised; other characteristics only of pupils in randomised classes. "
)


def baseline_section(evidence: Evidence) -> Section:
    """Return the love plot, the joint test, equivalence of those analysed, and the table."""
    blocks: list[Block] = []
    balance = evidence.checks.get("balance")
    plot = evidence.exhibit("love_plot")
    if plot is None:
        reason = evidence.lacking.get("love_plot", "it was not made")
        blocks.append(Paragraph(f"Baseline characteristics were not compared: {reason}."))
    else:
        blocks.append(plot)
    omnibus = evidence.check("balance_omnibus")
    if omnibus is not None:
        re_drawn = evidence.protocol["design"]["randomised"]
        words = " with a randomisation p-value" if re_drawn else ""
        blocks.append(Exhibit(
            "balance_omnibus", "Joint test of baseline balance",
            omnibus_shown(evidence.compared(omnibus)),
            JOINT.format(randomised=words), data="checks/balance_omnibus.csv",
            source="check_balance", subject="a joint test of balance",
        ))  # fmt: skip
    told = compared_sentence(balance) if balance is not None else ""
    if told:
        blocks.append(Paragraph(told))
    settings = evidence.protocol["balance"]
    limits = (settings["equivalent_to"], settings["adjust_to"])
    equivalence = (
        None
        if balance is None or balance.empty
        else equivalence_shown(evidence.compared(balance), limits)
    )
    if equivalence is not None and balance is not None:
        blocks.append(Exhibit(
            "equivalence", "Baseline equivalence of the analytic sample", equivalence,
            f"{analysed_sentence(evidence.protocol, balance)}{bands_sentence(settings)}",
            notes=needed_notes(balance, evidence.protocol),
            data="checks/balance.csv", source="check_balance",
            subject="the baseline equivalence of those analysed",
        ))  # fmt: skip
    if balance is not None and not balance.empty:
        protocol = evidence.protocol
        noted = baseline_table(
            balance,
            protocol["design"]["arms"],
            protocol["balance"],
            year_label(protocol),
            evidence.control,
        )
        table = Exhibit(
            "baseline", "Baseline characteristics by group", noted.table, notes=noted.notes,
            data="tables/baseline.csv", source="tabulate_baseline",
            subject="all baseline characteristics by group",
        )  # fmt: skip
        blocks.append(Details("Baseline characteristics by group", (table,)))
    trends = evidence.check("pretrends")
    if trends is not None:
        shown = Exhibit(
            "pretrends", "Pre-programme outcomes and trends",
            pretrends_shown(evidence.compared(trends), evidence.control),
            data="checks/pretrends.csv", source="check_balance",
            subject="outcomes and trends before the programme",
        )  # fmt: skip
        blocks.append(Details("Pre-programme outcomes and trends", (shown,)))
    return Section("baseline_equivalence", "Baseline equivalence", tuple(blocks))


NEEDED = "adjustment needed"
"""Band of the check of balance that asks for an adjustment."""


def needed_notes(balance: pd.DataFrame, protocol: Content) -> tuple[str, ...]:
    """Return what ‘adjustment needed’ means and what is adjusted for, where the table says it.

    Parameters
    ----------
    balance : DataFrame
        ``balance.csv``.
    protocol : Content
        Sections of the protocol.
    """
    if "wwc_band" not in balance or not (balance["wwc_band"] == NEEDED).any():
        return ()
    words = (
        "Adjustment needed: a difference of this size in a baseline measure of the outcome must be "
        "adjusted for if the WWC is to accept the comparison. For other characteristics it "
        "only shows how unlike the groups are. "
    )
    return (words + " ".join(adjustment_sentences(protocol)),)


def analysed_sentence(protocol: Content, balance: pd.DataFrame) -> str:
    """Return whose baseline is compared as analysed: the sample of which model and outcome.

    Parameters
    ----------
    protocol : Content
        Sections of the protocol.
    balance : DataFrame
        ``balance.csv``, which says whose baseline is known.
    """
    told, outcomes = [], protocol["outcomes"]
    compared = set(balance.loc[balance["sample"] == "analysed", "level"])
    for level in sorted(compared & {"pupil", "teacher"}):
        of_level = [name for name, one in outcomes.items() if one["measured_on"] == level]
        model, outcome = primary_analysis(protocol["models"], of_level)
        if model:
            told.append(f"the {level}s analysed for {outcomes[outcome]['label']}")
    if not told:
        return ""
    outside = DesignLevels.of(protocol["design"]).holds_pupils and "pupil" in compared
    return (
        f"Compared are {listed(told)}; those analysed for other outcomes can differ. "
        f"{OUTSIDE if outside else ''}"
    )
