"""Tabulate the effects."""

from collections.abc import Mapping, Sequence

import pandas as pd

from schooltrial.exhibits.tables.results import results_table, selected
from schooltrial.exhibits.writing import write_table
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Deviation, Model, Outcome, StudyLine


def main(
    *,
    estimates: str,
    models: Mapping[str, Model],
    outcomes: Mapping[str, Outcome],
    study: StudyLine,
    deviations: Sequence[Deviation],
    csv: str,
    html: str,
    tex: str,
    docx: str,
    md: str,
) -> None:
    """Write the table as data, and for pages, papers and editors."""
    rows = selected(pd.read_csv(estimates), models, outcomes)
    noted = results_table(rows, models, outcomes, deviations)
    write_table(noted, rows, study, csv=csv, html=html, tex=tex, docx=docx, md=md)


run_as_rule(main, globals())
