"""The study record: the eight tables of What Works Clearinghouse's reporting guide, as an annex."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from schooltrial.document.blocks import Block, Exhibit, Paragraph, Section
from schooltrial.document.tables import Column, Table, tabulate
from schooltrial.report.headlines import HEADLINES

Record = Mapping[str, Any]

NOT_KNOWN = "not stated"

SOURCE = "check_rating"
"""The rule whose ``verdict.json`` holds the record."""

DESCRIBED = [
    Column("measure", key="label"),
    Column("sample"),
    Column("n, comparison", "count", key="n_control"),
    Column("n, intervention", "count", key="n_treated"),
    Column("mean, comparison", "significant", 3, key="mean_control"),
    Column("mean, intervention", "significant", 3, key="mean_treated"),
    Column("SD, comparison", "significant", 3, key="sd_control"),
    Column("SD, intervention", "significant", 3, key="sd_treated"),
    Column("effect size", "number", 2, key="wwc_effect_size"),
]

RESULTS = [
    Column("outcome", key="shown"),
    Column("model"),
    Column("estimand"),
    Column("subgroup"),
    Column("term"),
    Column("estimate", "number", 3),
    Column("standard error", "number", 3, key="std_error"),
    Column("CI, low", "number", 3, key="conf_low"),
    Column("CI, high", "number", 3, key="conf_high"),
    Column("effect size", "number", 2, key="effect_size"),
    Column("p", "p", key="p_value"),
    Column("observations", "count", key="n_individuals"),
    Column("schools", "count", key="n_places", optional=True),
]

ATTRITION = [
    Column("outcome", key="shown"),
    Column("year", "told"),
    Column("level"),
    Column("overall (%)", "percent", 1, key="overall"),
    Column("differential (pp)", "percent", 1, key="differential"),
    Column("verdict"),
]


def study_record_section(record: Record) -> Section:
    """Return the annex of a study record.

    Parameters
    ----------
    record : mapping
        ``verdict.json``.
    """
    outcomes = record["design_and_measures"]["outcomes"]
    labels = {name: outcome["label"] for name, outcome in outcomes.items()}
    design = record["design_and_measures"]
    registration = record["registration_and_conflicts"]
    formation = record["sample_formation_and_analysis"]
    shown: list[tuple[str, str, Table | None]] = [
        ("conditions", "Conditions", _items(_conditions(record["conditions"]))),
        ("sample", "Sample and context", _items(_context(record["sample_and_context"]))),
        ("registration", "Registration and conflicts of interest",
         _items((_words(key), value) for key, value in registration.items())),
        ("design", "Design and measures", _items(_design(design))),
        ("formation", "Sample formation and analysis", _items(_formation(formation))),
        ("descriptive", "Descriptive statistics at baseline",
         _frame(record["descriptive_statistics"]["equivalence"], DESCRIBED, labels)),
        ("results", "Results of primary models",
         _frame([row for row in record["results"]["estimates"] if row["estimand"] in HEADLINES],
                RESULTS, labels)),
        ("attrition", "Attrition", _frame(record["attrition"], ATTRITION, labels)),
    ]  # fmt: skip
    blocks: list[Block] = []
    for name, title, table in shown:
        if table is None:
            blocks.append(Paragraph(f"{title}: nothing is on record."))
        else:
            blocks.append(
                Exhibit(f"record-{name}", title, table, data="checks/verdict.json", source=SOURCE)
            )
    return Section("study-record", "Study record", tuple(blocks), annex=True)


def _items(rows: Iterator[tuple[str, Any]]) -> Table:
    frame = pd.DataFrame([(name, _said(value)) for name, value in rows], columns=["item", "value"])
    return tabulate("Study record", frame, [Column("item"), Column("value")])


def _frame(
    rows: Sequence[Record], columns: Sequence[Column], labels: Mapping[str, str]
) -> Table | None:
    if not rows:
        return None
    frame = pd.DataFrame(rows)
    told = frame.assign(shown=[labels.get(name, name) for name in frame["outcome"]])
    for counted, key in (("n_individuals", "n_individuals"), ("n_places", "n_schools")):
        if key in told:
            counts = told[key].astype("Int64")
            told[counted] = counts.mask(counts == 0)  # a trial without schools counts none
    return tabulate("Study record", told, columns)


def _conditions(part: Record) -> Iterator[tuple[str, Any]]:
    for place, arm in enumerate(part["arms"]):
        yield "Intervention" if place else "Comparison", arm["label"]
    for component in part["components"].values():
        yield "Component", component["label"]


def _context(part: Record) -> Iterator[tuple[str, Any]]:
    yield "Summary", part["summary"]
    for name, years in part["years"].items():
        yield f"{_words(name)} years", years
    for line in part["flow"]:
        yield str(line["text"]).capitalize(), line["n"]


def _design(part: Record) -> Iterator[tuple[str, Any]]:
    yield "Design", part["kind"]
    yield "Unit of assignment", part["unit"]
    yield "Randomised", part["randomised"]
    yield "Check of the assignment", part["assignment"].get("verdict")
    for outcome in part["outcomes"].values():
        yield (
            outcome["label"],
            f"{outcome['family']}; {outcome['scale']}; of {outcome['measured_on']}s; "
            f"{outcome['units_label']}",
        )


def _formation(part: Record) -> Iterator[tuple[str, Any]]:
    yield "Kept in the sample", [str(one) for one in part["keep"]]
    for model in part["models"].values():
        yield f"Covariates, {model['label']}", model["covariates"]


def _words(key: str) -> str:
    spoken = {"plan_sha256": "Checksum of the plan (SHA-256)", "url": "URL"}
    return spoken.get(key, key.replace("_", " ").capitalize())


def _said(value: Any) -> str:
    if value is None or value == "":
        return NOT_KNOWN
    if value == []:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return f"{value:,}" if isinstance(value, int | float) else str(value)
