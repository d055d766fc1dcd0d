"""Claims about the dosage figure."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from schooltrial.exhibits.figures.dosage import dosage_plot

ARMS = [
    {"name": name, "label": f"Schools of the arm that is called {name}"}
    for name in ("control", "coached", "coached and mentored")
]
COMPONENTS: dict[str, Any] = {
    name: {"label": f"{name} of those who lead learning in their schools", "indicator": "hours"}
    for name in ("Training", "Feedback", "Observation of colleagues")
}
STUDY = {"title": "A trial", "synthetic": True, "protocol": "0" * 64}


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
    made.draw_without_rendering()
    return made


def test_nothing_runs_off_the_canvas_and_titles_do_not_overlap(figure: Figure) -> None:
    canvas = figure.bbox
    titles = [panel.title.get_window_extent() for panel in figure.axes[:3]]
    heading = figure._suptitle  # type: ignore[attr-defined]
    for box in [*titles, heading.get_window_extent()]:
        assert box.x0 >= canvas.x0
        assert box.x1 <= canvas.x1
        assert box.y1 <= canvas.y1 + 1
    assert all(left.x1 < right.x0 for left, right in pairwise(titles))


def test_months_without_a_record_keep_their_place_in_time(figure: Figure) -> None:
    cells = figure.axes[0].images[0].get_array()
    assert cells is not None
    assert cells.shape == (12, 6)
    assert [bool(known) for known in ~np.isnan(np.ma.filled(cells, np.nan)[0])] == [
        True, False, True, False, False, True,
    ]  # fmt: skip


def test_periods_that_are_years_stand_side_by_side() -> None:
    drawn = dosage_plot(_data(("2019", "2021")), COMPONENTS, ARMS, STUDY)
    cells = drawn.axes[0].images[0].get_array()
    assert cells is not None
    assert cells.shape == (12, 2)


def test_every_arm_is_named_with_its_number_of_schools(figure: Figure) -> None:
    heading = " ".join(figure._suptitle.get_text().split())  # type: ignore[attr-defined]
    for arm in ARMS:
        assert f"{arm['label']}: 4" in heading
