"""Tabulate the effects."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from schooltrial.exhibits.tables.results import results_html, selected
from schooltrial.exhibits.writing import write_data
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.sections import Deviation, Model, Outcome, StudyLine


def main(
    *,
    estimates: str,
    models: Mapping[str, Model],
    outcomes: Mapping[str, Outcome],
    study: StudyLine,
    deviations: Sequence[Deviation],
    csv: str,
    html: str,
) -> None:
    """Write the table as data and as a fragment of HTML."""
    rows = selected(pd.read_csv(estimates), models, outcomes)
    write_data(rows, study, csv)
    page = results_html(rows, models, outcomes, study, deviations)
    Path(html).write_text(page, encoding="utf-8")


run_as_rule(main, globals())
