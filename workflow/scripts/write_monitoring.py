"""Write the monitoring page: enrolment and implementation, without any outcome."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from schooltrial.checks.data_quality.codebook import arms_of_rows
from schooltrial.checks.flow.enrolment import count_enrolment
from schooltrial.checks.written_tables import read_check
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.sections import Arm, Design, StudyLine
from schooltrial.report.exhibits import read_exhibits
from schooltrial.report.page import fill
from schooltrial.report.tables.data import held_back_shown, raw_files_shown
from schooltrial.report.tables.implementation import contrast_shown, fidelity_shown
from schooltrial.report.tables.participants import enrolment_shown, units_counted

ROSTERS = {"pupil": "pupils", "teacher": "teachers"}


def main(
    *,
    template: str,
    style: str,
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
    page: str,
    fidelity: str | None = None,
    contrasts: str | None = None,
    figures: Sequence[str] = (),
) -> None:
    """Count who is enrolled, gather what is known of the implementation, fill the template."""
    assigned = pd.read_parquet(assignment)
    unit = design["unit"]
    labels = {arm["name"]: arm["label"] for arm in design["arms"]}
    tables = {"assignment": assigned, "pupils": pd.read_parquet(pupils)}
    tables["teachers"] = pd.read_parquet(teachers)
    arms = arms_of_rows({**tables, "crosswalk": pd.read_parquet(crosswalk)}, unit)
    there = {who: table for who, table in ROSTERS.items() if len(tables[table])}
    rosters = {who: tables[table] for who, table in there.items()}
    counts = count_enrolment(rosters, {who: arms[table] for who, table in there.items()})
    context = {
        "study": study,
        "style": Path(style).read_text("utf-8"),
        "blinded": blinded,
        "held_back": held_back_shown(held_back),
        "unit": unit,
        "units": units_counted(_units(assigned, unit, design["arms"]), unit),
        "enrolment": enrolment_shown(counts.astype("object")),
        "fidelity": fidelity_shown(read_check(fidelity), labels) if fidelity else None,
        "contrast": contrast_shown(read_check(contrasts), labels) if contrasts else None,
        "raw_files": raw_files_shown(read_check(raw_files)),
    }
    text = fill(Path(template).read_text("utf-8"), context, read_exhibits(captions, figures, []))
    Path(page).write_text(text, encoding="utf-8")


def _units(assigned: pd.DataFrame, unit: str, arms: Sequence[Arm]) -> pd.DataFrame:
    found = []
    for arm in arms:
        rows = assigned[assigned["arm"].astype("str") == arm["name"]]
        blocks = rows["block"].nunique() if "block" in rows else 1
        found.append({"label": arm["label"], "n_units": rows[unit].nunique(), "n_blocks": blocks})
    return pd.DataFrame(found)


run_as_rule(main, globals())
