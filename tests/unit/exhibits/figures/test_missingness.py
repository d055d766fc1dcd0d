"""The missingness map as drawn: a cell's number is the share that is missing of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from schooltrial.exhibits.figures.missingness import drawn, missingness_plot
from schooltrial.exhibits.style.figures import INK
from schooltrial.protocol.content.sections import StudyLine
from support.drawn_artists import overlapping_texts, tick_words

STUDY: StudyLine = {"title": "A trial", "synthetic": True, "protocol": "0" * 64}
LONG = "Home language as the parents told it to the school at enrolment"
DATA = pd.DataFrame(
    [
        ["pupils", "language", LONG, 2021, 0.6],
        ["pupils", "language", LONG, 2020, 0.004],
        ["pupils", "grade", "Grade", 2020, 0.0],
        ["pupils", "grade", "Grade", 2021, 0.01],
        ["schools", "grade", "Lowest grade", "all", 0.61],
    ],
    columns=["table", "variable", "label", "year", "share"],
)


@pytest.fixture(scope="module")
def figure() -> Iterator[Figure]:
    """Return the map of three variables, of which two have a name in common."""
    made = missingness_plot(DATA, STUDY)
    yield made
    made.clear()


@pytest.fixture(scope="module")
def panel(figure: Figure) -> Axes:
    """Return its panel."""
    return figure.axes[0]


def test_variables_run_downwards_as_given_and_years_to_the_right_the_undated_last(
    panel: Axes,
) -> None:
    assert tick_words(panel.xaxis) == ["2020", "2021", "all"]
    first, *others = tick_words(panel.yaxis)
    assert first.replace("\n", " ") == f"pupils: {LONG}"
    assert max(map(len, first.split("\n"))) <= 45
    assert others == ["pupils: Grade", "schools: Lowest grade"]
    assert panel.get_yticks().tolist() == panel.get_xticks().tolist() == [0, 1, 2]


def test_each_cell_is_shaded_by_the_share_missing_and_blank_where_there_is_none(
    panel: Axes,
) -> None:
    (image,) = panel.collections
    cells: Any = np.ma.filled(np.ma.asarray(image.get_array()), np.nan)
    np.testing.assert_array_equal(
        cells, [[0.004, 0.6, np.nan], [0.0, 0.01, np.nan], [np.nan, np.nan, 0.61]]
    )
    assert image.get_clim() == (0, 1)  # the same shade is the same share in every study
    assert image.get_cmap().name == "Oranges"  # darker for more


def test_each_cell_with_something_missing_tells_its_share_legibly(panel: Axes) -> None:
    told = [(text.get_text(), text.get_position(), text.get_color()) for text in panel.texts]
    assert told == [
        ("<1", (0, 0), INK), ("60", (1, 0), INK), ("1", (1, 1), INK), ("61", (2, 2), "white"),
    ]  # fmt: skip
    assert all(text.get_horizontalalignment() == "center" for text in panel.texts)


def test_the_map_is_titled_and_grows_with_its_variables(figure: Figure, panel: Axes) -> None:
    assert panel.get_title(loc="left") == "Missing cells, per cent"
    assert figure.get_figheight() == pytest.approx(1.4 + 0.24 * 3)
    assert not any(spine.get_visible() for spine in panel.spines.values())
    assert figure.get_supxlabel() == "SYNTHETIC DATA.  A trial.  Protocol 000000000000"


def test_what_is_empty_by_design_or_of_no_arm_or_has_no_rows_is_not_drawn() -> None:
    missing = pd.DataFrame(
        [
            ["pupils", "home_language", 10], ["pupils", "sex", 10], ["pupils", "grade", 0],
            ["schools", "score_low", 10], ["schools", "cohort", 10], ["costs", "quantity", 10],
        ],
        columns=["table", "variable", "rows"],
    )  # fmt: skip
    data = drawn(missing, {"sex": "Sex of the pupil", "home_language": ""})
    assert data[["variable", "label"]].to_numpy().tolist() == [
        ["home_language", "home language"], ["sex", "Sex of the pupil"],
    ]  # fmt: skip


def test_of_many_years_every_second_is_named_so_that_names_do_not_run_together() -> None:
    rows = [["pupils", "grade", "Grade", year, 0.1] for year in range(2010, 2020)]
    made = missingness_plot(pd.DataFrame(rows, columns=list(DATA.columns)), STUDY)
    assert tick_words(made.axes[0].xaxis) == ["2011", "2013", "2015", "2017", "2019"]
    assert overlapping_texts(made) == []
    made.clear()
