"""What the report shows of the checks, from their files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from schooltrial.checks.written_tables import read_check
from schooltrial.document.tables import Table
from schooltrial.protocol.plan import PlanRecord, plan_told
from schooltrial.report.tables.assignment import (
    blocks_left_out,
    blocks_shown,
    tests_shown,
    units_left_out,
    units_shown,
)
from schooltrial.report.tables.balance import (
    compared_sentence,
    equivalence_shown,
    omnibus_shown,
    pretrends_shown,
)
from schooltrial.report.tables.checks import (
    attrition_shown,
    bounds_shown,
    power_shown,
    who_left_shown,
)
from schooltrial.report.tables.data import cleaning_shown, raw_files_shown
from schooltrial.report.tables.implementation import implementation_shown
from schooltrial.report.tables.parallel_trends import (
    parallel_trends_sentences,
    parallel_trends_shown,
)
from schooltrial.report.tables.participants import flow_shown, mobility_shown
from schooltrial.report.tables.rating import criteria_shown, measures_shown
from schooltrial.report.tables.two_way import comparisons_shown, forbidden_sentences


def read_checks(
    paths: Sequence[str],
    years: Sequence[int],
    labels: Mapping[str, str],
    registered: str | None,
    arms: Mapping[str, str],
    year_label: str,
) -> dict[str, Any]:
    """Return what the template names, from the files of ``checks/``, by the stems of their names.

    Parameters
    ----------
    paths : sequence of str
        Files of the checks; a study without pupils lacks some.
    years : sequence of int
        Years of the primary analysis.
    labels : mapping
        Variable → its name in exhibits.
    registered : str or None
        Checksum of the plan as it was registered.
    arms : mapping
        Arm → its name in exhibits.
    year_label : str
        What a year is called.
    """
    files = {Path(path).stem: path for path in paths}
    plan = json.loads(Path(files["plan"]).read_text("utf-8"))
    recorded = PlanRecord(plan["first"], plan["now"])
    tables = {name: read_check(path) for name, path in files.items() if path.endswith(".csv")}
    record = json.loads(Path(files["verdict"]).read_text("utf-8"))
    return {
        "plan": plan_told(recorded, registered),
        "plan_changed": bool(recorded.changed),
        "flow": flow_shown(read_check(files["flow"], keep_default_na=False), years, year_label),
        "flow_text": Path(files["flow_text"]).read_text("utf-8"),
        "mobility": mobility_shown(read_check(files["mobility"]), years, year_label),
        "assignment": blocks_shown(read_check(files["assignment"])),
        "assignment_verdict": json.loads(Path(files["assignment_verdict"]).read_text("utf-8")),
        "assignment_tests": tests_shown(tables["assignment_tests"]),
        "assignment_units": units_shown(read_check(files["assignment_units"])),
        "units_left_out": units_left_out(read_check(files["assignment_units"])),
        "blocks_left_out": blocks_left_out(read_check(files["assignment"])),
        "omnibus": _table(tables, "balance_omnibus", omnibus_shown),
        "pretrends": _table(tables, "pretrends", pretrends_shown),
        "compared": compared_sentence(tables["balance"]) if "balance" in tables else "",
        "equivalence": _table(tables, "balance", equivalence_shown),
        "attrition": _table(tables, "attrition", lambda f: attrition_shown(f, years, labels)),
        "who_left": _table(tables, "who_left", lambda f: who_left_shown(f, labels)),
        "missing_outcomes": _table(tables, "missing_outcomes", lambda f: bounds_shown(f, labels)),
        "power": _table(tables, "power", lambda f: power_shown(f, labels)),
        "comparisons": _table(tables, "goodman_bacon", lambda f: comparisons_shown(f, labels)),
        "forbidden": forbidden_sentences(tables["goodman_bacon"], labels)
        if "goodman_bacon" in tables
        else [],
        "other_trends": _table(
            tables, "parallel_trends", lambda f: parallel_trends_shown(f, labels)
        ),
        "trends_told": parallel_trends_sentences(tables["parallel_trends"], labels)
        if "parallel_trends" in tables
        else [],
        **implementation_shown(tables, arms),
        "measures": _table(tables, "equivalence", lambda f: measures_shown(f, labels)),
        "ratings": record["ratings"],
        "ratings_differ": record["ratings_differ"],
        "criteria": criteria_shown(record["ratings"]),
        "cleaning": cleaning_shown(read_check(files["cleaning_log"], keep_default_na=False)),
        "raw_files": raw_files_shown(read_check(files["raw_files"])),
    }


def _table(
    tables: Mapping[str, pd.DataFrame], name: str, show: Callable[[pd.DataFrame], Table | None]
) -> Table | None:
    """Return a table as shown; None where the study has none, or it has no rows."""
    return None if name not in tables or tables[name].empty else show(tables[name])
