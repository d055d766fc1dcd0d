"""Tabulate the effects."""

from collections.abc import Mapping, Sequence

import pandas as pd

from schooltrial.exhibits.tables.plain_labels import PlainLabels, yes_no_variables
from schooltrial.exhibits.tables.results import results_table, selected, with_term_labels
from schooltrial.exhibits.writing import write_table
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Arm, Deviation, Model, Outcome, StudyLine, Years


def main(
    *,
    estimates: str,
    models: Mapping[str, Model],
    outcomes: Mapping[str, Outcome],
    years: Years,
    arms: Sequence[Arm],
    labels: Mapping[str, str],
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
    terms = yes_no_variables(rows["term"].astype("str"))
    named = PlainLabels(labels, {arm["name"]: arm["label"] for arm in arms}, terms)
    noted = results_table(rows, models, outcomes, years, named, deviations)
    data = with_term_labels(rows, named)
    write_table(noted, data, study, csv=csv, html=html, tex=tex, docx=docx, md=md)


run_as_rule(main, globals())
