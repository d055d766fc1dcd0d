"""The study record: the eight tables of What Works Clearinghouse's reporting guide, as an annex."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import nan
from typing import Any

import pandas as pd

from schooltrial.document.blocks import Block, Exhibit, Paragraph, Section
from schooltrial.document.numbers import number
from schooltrial.document.tables import Column, Table, naming_control, tabulate
from schooltrial.document.text import Link
from schooltrial.exhibits.tables.plain_labels import PlainLabels, yes_no_variables
from schooltrial.protocol.content.levels import control_name
from schooltrial.report.wording import NOT_STATED
from schooltrial.wording import deviation_words, exact, plural, plural_of, year_spans

Record = Mapping[str, Any]

FILE = "study_record.json"
"""The record as data, in the folder of the report."""

DESCRIBED = [
    Column("Measure", key="label"),
    Column("Level", key="level"),
    Column("n, control", "count", key="n_control"),
    Column("n, intervention", "count", key="n_treated"),
    Column("Mean, control", "number", 2, key="mean_control"),
    Column("Mean, intervention", "number", 2, key="mean_treated"),
    Column("SD, control", "number", 2, key="sd_control"),
    Column("SD, intervention", "number", 2, key="sd_treated"),
    Column("Effect size", "told", key="size"),
]

RESULTS = [
    Column("Outcome", key="outcome_label"),
    Column("Analysis", key="analysis"),
    Column("Estimand", key="estimand"),
    Column("Group", key="subgroup", optional=True),
    Column("Term", key="term", optional=True),
    Column("Estimate", "number", 3, key="estimate"),
    Column("SE", "number", 3, key="std_error"),
    Column("CI, low", "told", key="low"),
    Column("CI, high", "told", key="high"),
    Column("Effect size", "number", 2, key="effect_size", optional=True),
    Column("p", "p", key="p_value"),
    Column("Individuals", "count", key="individuals", optional=True),
    Column("Units of assignment", "count", key="units", optional=True),
    Column("Schools", "count", key="schools", optional=True),
]

ATTRITION = [
    Column("Outcome", key="outcome_label"),
    Column("Year", "told", key="year"),
    Column("Level", key="level"),
    Column("Group", key="group", optional=True),
    Column("Lost, control", "told", key="control"),
    Column("Lost, intervention", "told", key="intervention"),
    Column("Overall (%)", "percent", 1, key="overall"),
    Column("Differential (pp)", "percent", 1, key="differential"),
    Column("WWC boundary", key="verdict", optional=True),
]


def study_record_section(record: Record, labels: Mapping[str, str]) -> Section:
    """Return the annex of a study record.

    Parameters
    ----------
    record : mapping
        As `study_record.build_record` returns it.
    labels : mapping
        Variable → its name in exhibits.
    """
    arms = record["conditions"]["groups"]
    named_arms = {str(one["arm"]): str(one["label"]) for one in arms}
    terms = [str(one["term"]) for one in record["results"]["effects"]]
    named = PlainLabels(labels, named_arms, yes_no_variables(terms))
    control = control_name(randomised=record["design_and_measures"]["randomised"])
    shown: list[tuple[str, str, Table | None]] = [
        ("conditions", "Conditions", _items(_conditions(record["conditions"], control))),
        ("sample", "Sample and context", _items(_context(record, named_arms))),
        ("registration", "Registration and conflicts of interest",
         _items(_registration(record["registration_and_conflicts"]))),
        ("design", "Design and measures", _items(_design(record["design_and_measures"]))),
        ("formation", "Sample formation and analysis",
         _items(_formation(record["sample_formation_and_analysis"]))),
        ("descriptive", "Baseline measures of those analysed",
         _described(record["descriptive_statistics"]["measures"], control)),
        ("results", "Results of primary models", _results(record, named)),
        ("attrition", "Attrition", _attrition(record["attrition"], arms, control)),
    ]  # fmt: skip
    blocks: list[Block] = [
        Paragraph((
            "The record follows the tables of the reporting guide of the What Works "
            "Clearinghouse. The same record as data: ", Link(FILE, FILE), ".",
        ))
    ]  # fmt: skip
    for name, title, table in shown:
        if table is None:
            blocks.append(Paragraph(f"{title}: nothing is on record."))
        else:
            blocks.append(Exhibit(
                f"record-{name}", title, table, data=f"report/{FILE}", source="write_report",
                subject="the record",
            ))  # fmt: skip
    return Section("study-record", "Study record", tuple(blocks), annex=True)


def _items(rows: Iterator[tuple[str, Any]]) -> Table:
    frame = pd.DataFrame([(name, _said(value)) for name, value in rows], columns=["item", "value"])
    return tabulate(
        "Study record", frame, [Column("Item", key="item"), Column("Value", key="value")]
    )


def _described(rows: Sequence[Record], control: str) -> Table | None:
    if not rows:
        return None
    sizes = [row["wwc_effect_size"] for row in rows]
    written = [
        one if isinstance(one, str) else number(nan if one is None else one, 2) for one in sizes
    ]
    frame = pd.DataFrame(rows).assign(size=written)
    return tabulate("Study record", frame, naming_control(DESCRIBED, control))


def _results(record: Record, named: PlainLabels) -> Table | None:
    rows = _primary_first(record["results"]["effects"])
    if not rows:
        return None
    analyses = record["sample_formation_and_analysis"]["analyses"]
    labels = {one["model"]: one["label"] for one in analyses}
    frame = pd.DataFrame(rows)
    counted = {"individuals": "n_individuals", "units": "n_units", "schools": "n_schools"}
    counts = {
        name: frame[key].astype("Int64").mask(frame[key].fillna(0) == 0)
        for name, key in counted.items()
    }
    counts["units"] = counts["units"].mask(counts["units"] == counts["schools"])
    told = frame.assign(
        analysis=[labels.get(name, name) for name in frame["model"]],
        subgroup=frame["subgroup"].where(frame["subgroup"] != "all", ""),
        term=frame["term"].map(named.of_term).where(frame["term"] != "treated", ""),
        low=[_bound(value) for value in frame["conf_low"]],
        high=[_bound(value) for value in frame["conf_high"]],
        **counts,
    )
    return tabulate("Study record", told, RESULTS, group=_kinds(rows))


def _kinds(rows: Sequence[Record]) -> Sequence[str]:
    """Return of which kind the outcome of each row is; nothing where all are primary."""
    if all(row["primary"] for row in rows):
        return ()
    return ["Primary outcomes" if row["primary"] else "Secondary outcomes" for row in rows]


def _primary_first(rows: Sequence[Record]) -> list[Record]:
    return sorted(rows, key=lambda row: not row["primary"])


def _bound(value: Any) -> str:
    return value if isinstance(value, str) else number(value, 3)


def _attrition(rows: Sequence[Record], arms: Sequence[Record], control: str) -> Table | None:
    if not rows:
        return None
    rows = _primary_first(rows)
    labels = {arm["arm"]: arm["label"] for arm in arms}
    several = len(arms) > 2
    frame = pd.DataFrame(rows)
    told = frame.assign(
        group=[labels.get(arm, "") if several else "" for arm in frame["arm"]],
        control=[_of(row["count_control"], row["n_control"]) for row in rows],
        intervention=[_of(row["count_treated"], row["n_treated"]) for row in rows],
    )
    columns = naming_control(ATTRITION, control)
    return tabulate("Study record", told, columns, group=_kinds(rows))


def _of(lost: int | None, assigned: int | None) -> str:
    return "" if lost is None or assigned is None else f"{lost:,} of {assigned:,}"


def _conditions(part: Record, control: str) -> Iterator[tuple[str, Any]]:
    for group in part["groups"]:
        units = (
            "" if group["units_assigned"] is None else f" ({group['units_assigned']:,} assigned)"
        )
        role = control if group["role"] == "comparison" else group["role"]
        yield role.capitalize(), f"{group['label']}{units}"
    for component in part["components"]:
        yield "Component", component["label"]


def _context(record: Record, arms: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    part = record["sample_and_context"]
    labels = {
        one["outcome"]: one["outcome_label"] for one in record["design_and_measures"]["outcomes"]
    }
    yield "Summary", part["summary"]
    yield "Recruitment", part["recruitment"]
    yield "Grades", part["grades"] or None
    for one in part["setting"]:
        yield one["characteristic"], one["categories"] or None
    if not part["setting"]:
        yield "Setting", None
    yield "Baseline years", part["baseline_years"]
    yield "Programme years", part["programme_years"]
    yield "Follow-up years", part["follow_up_years"]
    for cohort in part["cohorts"]:
        ended = year_spans(cohort["follow_up_years"])
        yield (
            f"Cohort {cohort['first_year']}",
            f"{plural(cohort['schools_with_outcomes'], 'school')} with outcomes; programme "
            f"{year_spans(cohort['programme_years'])}{f'; follow-up {ended}' if ended else ''}",
        )
    for line in part["flow"]:
        yield str(line["text"]).capitalize(), line["n"]
    for line in part["analysed"]:
        outcome = labels.get(line["outcome"], line["outcome"])
        where = f"{outcome}, {line['year']}, {arms.get(line['arm'], line['arm'])}"
        yield f"{str(line['text']).capitalize()}: {where}", line["n"]


def _registration(part: Record) -> Iterator[tuple[str, Any]]:
    yield "Registry", part["registry"]
    yield "Identifier", part["identifier"]
    yield "Date", part["date"]
    yield "URL", part["url"]
    yield "Checksum of the registered plan (SHA-256)", part["plan_sha256"]
    yield "Funding", part["funding"]
    yield "Conflicts of interest", part["conflicts_of_interest"]
    yield "Deviations declared", list(map(deviation_words, part["deviations"]))


def _design(part: Record) -> Iterator[tuple[str, Any]]:
    how = "randomised" if part["randomised"] else "not randomised"
    yield "Design", f"{plural_of(part['unit_of_assignment'])} {how}; {part['design']}"
    yield "Unit of assignment", part["unit_of_assignment"]
    yield "Randomised", part["randomised"]
    yield "Allocation check", part["allocation_check"]
    for outcome in part["outcomes"]:
        primary = "primary; " if outcome["primary"] else ""
        known = outcome["reliability"]
        reliability = "" if known is None else f"; reliability {exact(known)}"
        yield (
            outcome["outcome_label"],
            f"{primary}{outcome['domain']}; {SCALES[outcome['scale']]}; of "
            f"{plural_of(outcome['measured_on'])}; {outcome['units']}{reliability}",
        )


SCALES = {"continuous": "continuous", "binary": "yes/no"}


def _formation(part: Record) -> Iterator[tuple[str, Any]]:
    yield "Sample", part["sample"] or "all in the files"
    for analysis in part["analyses"]:
        yield f"Rows, {analysis['label']}", analysis["rows"] or "all"
        yield f"Covariates, {analysis['label']}", analysis["covariates"]


def _said(value: Any) -> str:
    if value is None or value == "":
        return NOT_STATED
    if value == []:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return f"{value:,}" if isinstance(value, int | float) else str(value)
