"""Claims about the dosage figure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from schooltrial.exhibits.figures.dosage import dosage_plot
from schooltrial.exhibits.style.figures import rendered
from schooltrial.protocol.content.sections import Arm, StudyLine
from support.drawn_artists import overlapping_texts, smallest_letters, tick_words

ARMS: list[Arm] = [
    {
        "name": name,
        "label": f"Schools of the group that is called {name}",
        "share": None,
        "in_models": True,
    }
    for name in ("control", "coached", "coached and mentored")
]
COMPONENTS: dict[str, Any] = {
    name: {"label": f"{name} of those who lead learning in their schools", "indicator": "hours"}
    for name in ("Training", "Feedback", "Observation of colleagues")
}
STUDY: StudyLine = {"title": "A trial", "synthetic": True, "protocol": "0" * 64}


def _data(periods: tuple[str, ...]) -> pd.DataFrame:
    rows = [
        (name, f"{at}{arm['name']}", arm["name"], period, 2020, 1, 1.0 + at)
        for name in COMPONENTS for arm in ARMS for at in range(4) for period in periods
    ]  # fmt: skip
    names = ["component", "school", "arm", "period", "year", "n_leaders", "value"]
    return pd.DataFrame(rows, columns=names)


@pytest.fixture(scope="module")
def figure() -> Figure:
    made = dosage_plot(_data(("2019-09", "2019-11", "2020-02")), COMPONENTS, ARMS, STUDY)
    rendered(made, ["svg"])
    return made


def test_nothing_runs_off_the_canvas_and_titles_do_not_overlap(figure: Figure) -> None:
    canvas = figure.bbox
    titles = [panel._left_title.get_window_extent() for panel in figure.axes[:3]]  # type: ignore[attr-defined]
    heading = figure._suptitle  # type: ignore[attr-defined]
    for box in [*titles, heading.get_window_extent()]:
        assert box.x0 >= canvas.x0
        assert box.x1 <= canvas.x1
        assert box.y1 <= canvas.y1 + 1
    assert len(titles) == 3
    assert all(left.x1 < right.x0 for left, right in pairwise(titles))


def test_months_without_a_record_keep_their_place_in_time(figure: Figure) -> None:
    cells = figure.axes[0].collections[0].get_array()
    assert cells is not None
    assert cells.shape == (12, 6)
    assert [bool(known) for known in ~np.isnan(np.ma.filled(cells, np.nan)[0])] == [
        True, False, True, False, False, True,
    ]  # fmt: skip


def test_periods_that_are_years_stand_side_by_side() -> None:
    drawn = dosage_plot(_data(("2019", "2021")), COMPONENTS, ARMS, STUDY)
    cells = drawn.axes[0].collections[0].get_array()
    assert cells is not None
    assert cells.shape == (12, 2)


def test_every_arm_is_named_with_its_number_of_schools(figure: Figure) -> None:
    heading = " ".join(figure._suptitle.get_text().split())  # type: ignore[attr-defined]
    for arm in ARMS:
        assert f"{arm['label']}: 4" in heading


DOSES = pd.DataFrame(
    [
        ("coaching", "B1", "control", "2019-11", 1.0),
        ("coaching", "T1", "programme", "2019-11", 2.0),
        ("coaching", "T2", "programme", "2019-11", 2.0),
        ("coaching", "T2", "programme", "2020-02", 5.0),
        ("coaching", "T0", "programme", "2020-02", 2.0),
        ("texts", "T1", "programme", "2019-12", 0.0),
        ("texts", "B2", "control", "2019-12", 4.0),
    ],
    columns=["component", "school", "arm", "period", "value"],
)
TWO_ARMS: Any = [
    {"name": "control", "label": "Control"},
    {"name": "programme", "label": "Programme"},
]
NAMED_COMPONENTS: dict[str, Any] = {"coaching": {"label": "Coaching", "indicator": "hours"}}


@pytest.fixture(scope="module")
def small() -> Iterator[Figure]:
    """Return the figure of five schools; the protocol does not declare the second component."""
    made = dosage_plot(DOSES, NAMED_COMPONENTS, TWO_ARMS, STUDY)
    yield made
    made.clear()


def _cells(figure: Figure, at: int) -> list[list[float | None]]:
    cells: Any = np.ma.filled(np.ma.asarray(figure.axes[at].collections[0].get_array()), np.nan)
    return [[None if np.isnan(cell) else float(cell) for cell in line] for line in cells]


def test_schools_stand_by_arm_the_last_first_then_by_what_they_received_then_by_name(
    small: Figure,
) -> None:
    first, second = small.axes[:2]
    assert tick_words(first.yaxis) == ["T2", "T0", "T1", "B2", "B1"]
    assert first.get_yticks().tolist() == [0, 1, 2, 3, 4]
    assert second.get_yticks().tolist() == []


def test_each_cell_is_the_dose_of_its_school_and_month_and_blank_where_none_is_recorded(
    small: Figure,
) -> None:
    assert _cells(small, 0) == [  # November, December, January, February
        [2.0, None, None, 5.0],
        [None, None, None, 2.0],
        [2.0, None, None, None],
        [None, None, None, None],
        [1.0, None, None, None],
    ]
    assert _cells(small, 1) == [
        [None, None, None, None],
        [None, None, None, None],
        [None, 0.0, None, None],  # a dose of nothing is a record
        [None, 4.0, None, None],
        [None, None, None, None],
    ]
    for panel in small.axes[:2]:
        assert tick_words(panel.xaxis) == ["2019-11", "2019-12", "2020-01", "2020-02"]
        assert panel.collections[0].get_clim()[0] == 0
    assert small.axes[0].collections[0].get_clim()[1] == 5


def test_a_rule_parts_the_arms_and_none_lies_under_the_last(small: Figure) -> None:
    for panel in small.axes[:2]:
        (rule,) = panel.lines
        assert np.asarray(rule.get_ydata()).tolist() == [2.5, 2.5]


def test_panels_and_their_scales_are_named_by_the_protocol_or_else_by_the_log(
    small: Figure,
) -> None:
    first, second, *bars = small.axes
    assert (first.get_title(loc="left"), second.get_title(loc="left")) == ("Coaching", "texts")
    assert [bar.get_xlabel() for bar in bars] == ["hours", ""]
    assert small.get_suptitle() == "Schools with a record, from the top: Programme: 3;  Control: 2"
    assert small.get_supxlabel() == "SYNTHETIC DATA.  A trial.  Protocol 000000000000"


@pytest.mark.parametrize(("schools", "named"), [(45, 45), (46, 0)])
def test_many_schools_are_not_named(schools: int, named: int) -> None:
    rows = [("coaching", f"S{at:02d}", "control", "2019", 1.0) for at in range(schools)]
    data = pd.DataFrame(rows, columns=list(DOSES.columns))
    figure = dosage_plot(data, NAMED_COMPONENTS, TWO_ARMS, STUDY)
    assert len(figure.axes[0].get_yticks()) == named
    rendered(figure, ["svg"])
    assert overlapping_texts(figure) == []


def test_of_many_months_every_so_many_is_named_so_that_they_have_room() -> None:
    rows = [("coaching", "S", "control", period, 1.0) for period in ("2018-12", "2020-06")]
    data = pd.DataFrame(rows, columns=list(DOSES.columns))
    figure = dosage_plot(data, NAMED_COMPONENTS, TWO_ARMS, STUDY)
    assert len(tick_words(figure.axes[0].xaxis)) == 19  # alone, a component has room for all
    three = pd.concat([data.assign(component=name) for name in ("a", "b", "c")])
    figure = dosage_plot(three, NAMED_COMPONENTS, TWO_ARMS, STUDY)
    named = tick_words(figure.axes[0].xaxis)  # nineteen months: every third
    assert named == [
        "2018-12", "2019-03", "2019-06", "2019-09", "2019-12", "2020-03", "2020-06",
    ]  # fmt: skip
    assert figure.axes[0].get_xticks().tolist() == [0, 3, 6, 9, 12, 15, 18]


@pytest.mark.parametrize(
    ("components", "schools"),
    [
        (1, 2),
        pytest.param(3, 45, marks=pytest.mark.slow),
        pytest.param(7, 30, marks=pytest.mark.slow),
        (2, 558),
    ],
)
def test_texts_are_apart_at_one_column_and_the_figure_fits_a_page(
    components: int, schools: int
) -> None:
    rows = [
        (f"c{name}", f"{at:04d}", "control", f"20{19 + month // 12}-{1 + month % 12:02d}", 1.0)
        for name in range(components) for at in range(schools) for month in (0, 20)
    ]  # fmt: skip
    named: Any = {
        f"c{at}": {"label": f"Component number {at}", "indicator": "hours"}
        for at in range(components)
    }
    figure = dosage_plot(pd.DataFrame(rows, columns=list(DOSES.columns)), named, TWO_ARMS, STUDY)
    rendered(figure, ["svg"])
    assert smallest_letters(figure, 88) >= 6
    assert overlapping_texts(figure) == []
    assert figure.get_figheight() < 2.8 * figure.get_figwidth()
