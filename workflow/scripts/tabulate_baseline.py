"""Tabulate the groups at baseline."""

from collections.abc import Sequence

from schooltrial.checks.written_tables import read_check
from schooltrial.exhibits.tables.baseline import baseline_table
from schooltrial.exhibits.writing import write_table
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Arm, Balance, StudyLine


def main(
    *,
    balance: str,
    arms: Sequence[Arm],
    settings: Balance,
    study: StudyLine,
    year_label: str,
    control: str,
    csv: str,
    html: str,
    tex: str,
    docx: str,
    md: str,
) -> None:
    """Write the table as data, and for pages, papers and editors."""
    rows = read_check(balance)
    noted = baseline_table(rows, arms, settings, year_label, control)
    write_table(noted, rows, study, csv=csv, html=html, tex=tex, docx=docx, md=md)


run_as_rule(main, globals())
