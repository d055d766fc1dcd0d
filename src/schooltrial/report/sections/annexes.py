"""The annexes: allocation, exclusions, other models by year, data quality, and provenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from schooltrial.document.blocks import Block, Bullets, Details, Exhibit, Paragraph, Section
from schooltrial.document.formats.html import OTHER_FORMATS
from schooltrial.document.text import Cite, Link
from schooltrial.exhibits.catalogue import tables_of
from schooltrial.report.evidence import Evidence
from schooltrial.report.sections.provenance import steps_exhibit
from schooltrial.report.sections.trends import lasting_blocks, panel_exhibits, weighting_blocks
from schooltrial.report.tables.assignment import (
    distances_sentence,
    distances_shown,
    levels_note,
    remarks_counted,
    tests_shown,
    units_left_out,
    units_shown,
    units_told,
    without_names,
)
from schooltrial.report.tables.checks import who_left_shown
from schooltrial.report.tables.data import cleaning_shown, raw_files_shown
from schooltrial.report.tables.participants import flow_shown
from schooltrial.report.wording import block_word, models_by_label
from schooltrial.wording import plural, year_spans

TITLES = {"results": "all effects", "baseline": "baseline characteristics"}
TABLES = "tables"
"""Files with all tables of the report, in its folder, one for each format."""

MOST_CHANGES = 20
"""Rules of the cleaning log that the annex lists; all are in its file."""


def allocation_section(evidence: Evidence) -> Section:
    """Return every check of the allocation, and the units with a remark."""
    verdict = evidence.records["assignment_verdict"]
    units, tests = evidence.checks["assignment_units"], evidence.checks["assignment_tests"]
    randomised = evidence.protocol["design"]["randomised"]
    levels = levels_note(tests, evidence.protocol["checks"]["alpha"])
    people = evidence.levels.units_are_people
    if people:
        tests = without_names(tests, set(units["unit"].astype("str")))
    blocks: list[Block] = [
        Paragraph(units_told(verdict, evidence.protocol["design"]["unit"])),
        Exhibit(
            "assignment_tests", "Randomisation checks" if randomised else "Allocation checks",
            tests_shown(tests), notes=(levels,) if levels else (),
            data="checks/assignment_tests.csv", source="check_assignment",
            subject="the checks of the allocation",
        ),
    ]  # fmt: skip
    distances = evidence.check("assignment_distances")
    if distances is not None:
        balanced_on = evidence.protocol["design"]["randomisation"]["balance_on"]
        blocks += [
            Paragraph(distances_sentence(
                distances, [evidence.labels.get(name, name) for name in balanced_on]
            )),
            Exhibit(
                "assignment_distances", "Balance of allocations", distances_shown(distances),
                data="checks/assignment_distances.csv", source="check_assignment",
                subject="how balanced allocations are",
            ),
        ]  # fmt: skip
    labelled = evidence.labelled(units)
    names = set(units["unit"].astype("str"))
    shown = (
        remarks_counted(without_names(labelled, names))
        if people
        else units_shown(labelled, block_word(evidence.protocol["design"]))
    )
    if shown is not None:
        noun = evidence.levels.units.capitalize()
        more = "" if people else units_left_out(units)
        table = Exhibit(
            "assignment_units", f"{noun} with remarks", shown, notes=(more,) if more else (),
            data="checks/assignment_units.csv", source="check_assignment",
        )  # fmt: skip
        opened, count = bool(verdict["units_contradicted"]), (units["verdict"] != "passed").sum()
        blocks.append(Details(f"{noun} with remarks ({count:,})", (table,), opened))
    return Section("allocation_checks", "Allocation checks", tuple(blocks), annex=True)


def exclusions_section(evidence: Evidence) -> Section:
    """Return who left the analysis at each step and why, and whether the groups lost alike."""
    protocol, years = evidence.protocol, evidence.years
    labels = {**models_by_label(protocol), **evidence.labels}
    lost = flow_shown(evidence.labelled(evidence.checks["flow"]), years, labels)
    blocks: list[Block] = []
    if len(lost):
        blocks.append(Exhibit(
            "flow_by_step", f"Participant flow by step, {year_spans(years)}", lost,
            "Only steps at which someone or something was left out; the data file has all.",
            data="checks/flow.csv", source="clean_sample", subject="who was excluded at each step",
        ))  # fmt: skip
    else:
        said = f"No record of {year_spans(years)} was left out at any step."
        blocks.append(Paragraph(said))
    left = evidence.check("who_left")
    if left is not None:
        blocks.append(Exhibit(
            "who_left", "Differential attrition by baseline characteristics",
            who_left_shown(left, labels, evidence.arms, evidence.control),
            "How much more, in percentage points, the share lost in the intervention group changes "
            f"with a baseline variable than in the {evidence.control} group: per SD of a number, "
            "or between those with and those without the characteristic.",
            data="checks/who_left.csv", source="check_attrition",
        ))  # fmt: skip
    return Section("exclusions", "Exclusions and attrition", tuple(blocks), annex=True)


def other_panels_section(evidence: Evidence) -> Section | None:
    """Return the effects by year of all panel models but the primary ones; None without any."""
    tables = [exhibit for exhibit, primary in panel_exhibits(evidence) if not primary]
    more = [
        *weighting_blocks(evidence, primary=False), *lasting_blocks(evidence, primary=False)
    ]  # fmt: skip
    if not tables and not more:
        return None
    said = Paragraph((
        "Effects by year of the primary models: ", Cite("trends_section"), ". Effects of these "
        "other models by calendar year are in the data file.",
    ))  # fmt: skip
    return Section("panels", "Effects by year, other models", (said, *tables, *more), annex=True)


def data_section(evidence: Evidence) -> Section:
    """Return the raw files and what was changed in them."""
    log = evidence.checks["cleaning_log"]
    blocks: list[Block] = [
        Paragraph((
            "Missing cells, distributions and outliers: ",
            Link("data quality", "data_quality.html"),
            ". Enrolment and implementation without outcomes: ",
            Link("monitoring", "monitoring.html"), ". All tables of this report: ",
            *_links(f"{TABLES}."), ".",
        )),
        Exhibit(
            "raw_files", "Raw files", raw_files_shown(evidence.checks["raw_files"]),
            data="checks/raw_files.csv", source="obtain_tables", subject="the raw files",
        ),
    ]  # fmt: skip
    if log.empty:
        blocks.append(Paragraph(
            "No cell was changed and no row left out between raw files and standard tables."
        ))  # fmt: skip
    else:
        more = len(log) - MOST_CHANGES
        notes = (f"{plural(more, 'rule')} more in the data file.",) if more > 0 else ()
        table = Exhibit(
            "cleaning", "Changes between raw files and standard tables",
            cleaning_shown(log.head(MOST_CHANGES)), notes=notes,
            data="checks/cleaning_log.csv", source="obtain_tables",
            subject="the changes between raw files and standard tables",
        )  # fmt: skip
        blocks.append(Details(f"{table.title} ({len(log)})", (table,)))
    return Section("data", "Data quality and raw files", tuple(blocks), annex=True)


def provenance_section(
    evidence: Evidence, steps: Sequence[Mapping[str, Any]], lock_sha256: str
) -> Section:
    """Return how every number was made: steps, hashes, and the checks that passed.

    Parameters
    ----------
    evidence : Evidence
    steps : sequence of mapping
        Rule, script, code, files read, and files written with their checksums.
    lock_sha256 : str
        Of ``requirements.lock``.
    """
    seed = evidence.protocol["study"]["seed"]
    blocks: list[Block] = [
        Paragraph(
            f"Protocol SHA-256 `{evidence.study['protocol']}`; seed {seed}; software: "
            f"`requirements.lock`, SHA-256 `{lock_sha256}`. Each step read what the steps before "
            "it wrote, back to the raw files; the code of a step is its script and all modules of "
            "the project that it imports."
        ),
        steps_exhibit(steps, "report"),
        Details(f"Automated checks passed ({len(evidence.claims)})", (Bullets(evidence.claims),)),
        Paragraph((
            "What each fit reports of itself: ",
            Link("diagnostics of every model", "../estimates/diagnostics.json"), ".",
        )),
        Paragraph(("Tables for a text of your own: ", *_formats_of(evidence), ".")),
    ]  # fmt: skip
    return Section("provenance", "Provenance", tuple(blocks), annex=True)


def _formats_of(evidence: Evidence) -> list[str | Link]:
    """Return the tables that the study has, with a link to each of their formats."""
    spans: list[str | Link] = []
    for name in reversed(tables_of(evidence.protocol)):
        spans += ["; " if spans else "", f"{TITLES[name]} (", *_links(f"../tables/{name}."), ")"]
    return [span for span in spans if span]


def _links(stem: str) -> list[str | Link]:
    """Return a link to each format of a file of tables, with commas between them."""
    spans: list[str | Link] = []
    for word, ending in OTHER_FORMATS.items():
        spans += [", ", Link(word, f"{stem}{ending}")]
    return spans[1:]
