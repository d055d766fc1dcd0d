"""Figures of the page on data quality are readable: no name covers another, few lines are named."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from schooltrial.exhibits.figures.distributions import distributions_plot
from schooltrial.exhibits.figures.school_outliers import school_outliers_plot
from schooltrial.exhibits.style.label_placement import text_box
from schooltrial.protocol.content.sections import StudyLine
from support.drawn_artists import legend_words
from support.standard_study import outcome

STUDY: StudyLine = {"title": "A trial", "synthetic": True, "protocol": "0" * 64}
OUTCOMES = {"maths": outcome(label="Maths")}


def test_names_of_outliers_that_lie_close_do_not_cover_each_other() -> None:
    rows = [["maths", 2010 + at // 5, f"{at:06d}", 0.4 * (at % 5) - 1, ""] for at in range(50)]
    far = [["maths", 2010 + at % 2, f"24284{at}", 3.2 + 0.02 * at, "outlier"] for at in range(6)]
    columns = ["outcome", "year", "school", "z", "verdict"]
    data = pd.DataFrame(rows + far, columns=columns).assign(threshold=3.0)
    figure = school_outliers_plot(data, OUTCOMES, STUDY)
    names = [text for text in figure.axes[0].texts if text.get_text().startswith("24284")]
    assert len(names) == 6
    boxes = [text_box(text) for text in names]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    plt.close(figure)


@pytest.mark.parametrize(
    ("years", "named"),
    [
        (range(2010, 2020), ["first year", "years between", "last year"]),
        (range(2018, 2021), ["first year", "years between", "last year"]),
        ([2019, 2020], ["first year", "last year"]),
        ([2020], ["last year"]),
    ],
)
def test_many_years_are_told_by_the_first_the_last_and_those_between(
    years: Any, named: list[str]
) -> None:
    rows = [
        ["maths", year, low, low + 1.0, 5, share, False]
        for year in years
        for low, share in ((0.0, 0.25), (1.0, 0.5), (2.0, 0.25))
    ]
    columns = ["outcome", "year", "bin_low", "bin_high", "n", "share", "heap"]
    figure = distributions_plot(
        pd.DataFrame(rows, columns=columns).assign(arm=None), OUTCOMES, [], STUDY
    )
    (panel,) = figure.axes
    assert legend_words(figure) == named
    span = "2020" if len(years) == 1 else f"{min(years)} to {max(years)}"
    assert panel.get_xlabel() == f"value in the files, {span}"
    assert panel.get_ylim()[1] > 0.5
    plt.close(figure)
