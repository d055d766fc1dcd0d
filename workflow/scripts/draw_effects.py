"""Draw the effects of the programme by outcome and model."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from schooltrial.exhibits.figures.effects import alt_text, drawn, effects_plot, with_truth
from schooltrial.exhibits.writing import write_figure
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Arm, Model, Outcome, StudyLine, Years


def main(
    *,
    estimates: str,
    models: Mapping[str, Model],
    outcomes: Mapping[str, Outcome],
    years: Years,
    study: StudyLine,
    arms: Sequence[Arm] = (),
    truth: str | None = None,
    **files: str,
) -> None:
    """Write the figure in its formats, what it draws, and what it shows in words."""
    data = drawn(pd.read_csv(estimates), models, outcomes, years, arms)
    if truth is not None:
        simulated = json.loads(Path(truth).read_text("utf-8"))
        data = with_truth(data, models, outcomes, simulated)
    figure = effects_plot(data, study)
    write_figure(figure, data, alt_text(data), study, **files)


run_as_rule(main, globals())
