"""Tabulate the arms at baseline."""

from collections.abc import Sequence
from pathlib import Path

from schooltrial.checks.written_tables import read_check
from schooltrial.exhibits.tables.baseline import baseline_html
from schooltrial.exhibits.writing import write_data
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.sections import Arm, Balance, StudyLine


def main(
    *,
    balance: str,
    arms: Sequence[Arm],
    settings: Balance,
    study: StudyLine,
    year_label: str,
    csv: str,
    html: str,
) -> None:
    """Write the table as data and as a fragment of HTML."""
    rows = read_check(balance)
    write_data(rows, study, csv)
    Path(html).write_text(baseline_html(rows, arms, settings, study, year_label), encoding="utf-8")


run_as_rule(main, globals())
