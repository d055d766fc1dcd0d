"""Section 4: whether the groups were alike at baseline."""

from __future__ import annotations

from schooltrial.document.blocks import Block, Details, Exhibit, Paragraph, Section
from schooltrial.exhibits.tables.baseline import baseline_table
from schooltrial.protocol.sections import year_label
from schooltrial.report.evidence import Evidence
from schooltrial.report.tables.balance import (
    compared_sentence,
    equivalence_shown,
    omnibus_shown,
    pretrends_shown,
)

JOINT = (
    "Mahalanobis distance between the groups{randomised}, and an F test. Small p-values suggest "
    "imbalance. Compared are means of the units assigned, each counted once."
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
            source="check_balance",
        ))  # fmt: skip
    told = compared_sentence(balance) if balance is not None else ""
    if told:
        blocks.append(Paragraph(told))
    equivalence = (
        None if balance is None or balance.empty else equivalence_shown(evidence.compared(balance))
    )
    if equivalence is not None:
        blocks.append(Exhibit(
            "equivalence", "Baseline equivalence of the analytic sample", equivalence,
            "WWC bands: up to the first limit equivalent, up to the second adjustment required, "
            "above it not satisfied.",
            data="checks/balance.csv", source="check_balance",
        ))  # fmt: skip
    if balance is not None and not balance.empty:
        protocol = evidence.protocol
        noted = baseline_table(
            balance, protocol["design"]["arms"], protocol["balance"], year_label(protocol)
        )
        table = Exhibit(
            "baseline", "Baseline characteristics by group", noted.table, notes=noted.notes,
            data="tables/baseline.csv", source="tabulate_baseline",
        )  # fmt: skip
        blocks.append(Details("Baseline characteristics by group", (table,)))
    trends = evidence.check("pretrends")
    if trends is not None:
        shown = Exhibit(
            "pretrends", "Pre-programme outcomes and trends",
            pretrends_shown(evidence.compared(trends)),
            data="checks/pretrends.csv", source="check_balance",
        )  # fmt: skip
        blocks.append(Details("Pre-programme outcomes and trends", (shown,)))
    return Section("baseline_equivalence", "Baseline equivalence", tuple(blocks))
