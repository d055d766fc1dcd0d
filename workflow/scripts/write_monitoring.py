"""Write the monitoring page: enrolment and implementation, without any outcome."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from schooltrial.checks.data_quality.codebook import arms_of_rows
from schooltrial.checks.flow.enrolment import count_enrolment
from schooltrial.checks.written_tables import read_check
from schooltrial.document.formats.html import html_page
from schooltrial.exhibits.writing import write_data
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.pipeline.steps import with_checksums
from schooltrial.protocol.content.sections import Arm, Design, StudyLine
from schooltrial.protocol.form.strict_yaml import parse_yaml
from schooltrial.report.pages.monitoring import Monitored, monitoring_page
from schooltrial.report.pictures import read_pictures
from schooltrial.report.tables.steps import steps_data
from schooltrial.report.wording import block_words

ROSTERS = {"pupil": "pupils", "teacher": "teachers"}


def main(
    *,
    captions: str,
    assignment: str,
    pupils: str,
    teachers: str,
    crosswalk: str,
    raw_files: str,
    design: Design,
    study: StudyLine,
    blinded: str,
    held_back: Sequence[tuple[str, str]],
    provenance: Sequence[Mapping[str, Any]],
    page: str,
    units: str,
    enrolment: str,
    embargoed: str,
    steps: str,
    fidelity: str | None = None,
    contrasts: str | None = None,
    figures: Sequence[str] = (),
    **traced: Any,
) -> None:
    """Count who is enrolled, read what is known of the implementation, and write the page."""
    assigned = pd.read_parquet(assignment)
    unit = design["unit"]
    labels = {arm["name"]: arm["label"] for arm in design["arms"]}
    tables = {"assignment": assigned, "pupils": pd.read_parquet(pupils)}
    tables["teachers"] = pd.read_parquet(teachers)
    arms = arms_of_rows({**tables, "crosswalk": pd.read_parquet(crosswalk)}, unit)
    there = {who: table for who, table in ROSTERS.items() if len(tables[table])}
    rosters = {who: tables[table] for who, table in there.items()}
    counts = count_enrolment(rosters, {who: arms[table] for who, table in there.items()})
    of_arms = _units(assigned, unit, design["arms"])
    files = pd.DataFrame(held_back, columns=["file", "not_read"])
    for data, csv in ((of_arms, units), (counts, enrolment), (files, embargoed)):
        write_data(data, study, csv)
    traced_steps = [with_checksums(step) for step in provenance]
    write_data(steps_data(traced_steps), study, steps)
    words = parse_yaml(Path(captions).read_text("utf-8"))
    found = Monitored(
        unit=unit,
        blocks=block_words(design),
        units=of_arms,
        enrolment=counts.astype("object"),
        raw_files=read_check(raw_files),
        blinded=blinded,
        held_back=files,
        labels=labels,
        pictures=read_pictures(figures),
        captions=words,
        fidelity=read_check(fidelity) if fidelity else None,
        contrast=read_check(contrasts) if contrasts else None,
        steps=traced_steps,
    )
    Path(page).write_text(html_page(monitoring_page(found, study)), "utf-8", newline="\n")


def _units(assigned: pd.DataFrame, unit: str, arms: Sequence[Arm]) -> pd.DataFrame:
    found = []
    for arm in arms:
        rows = assigned[assigned["arm"].astype("str") == arm["name"]]
        blocks = rows["block"].nunique() if "block" in rows else 1
        found.append({
            "arm": arm["name"], "label": arm["label"],
            "n_units": rows[unit].nunique(), "n_blocks": blocks,
        })  # fmt: skip
    return pd.DataFrame(found)


run_as_rule(main, globals())
