"""The fidelity matrix as drawn: a cell per component and year, coloured by whether it was met."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from schooltrial.exhibits.figures.fidelity import MET, NOT_MET, fidelity_plot
from schooltrial.exhibits.style.figures import rendered
from schooltrial.protocol.content.sections import StudyLine
from support.drawn_artists import hues, tick_words, written

STUDY: StudyLine = {"title": "A trial", "synthetic": True, "protocol": "0" * 64}
DATA = pd.DataFrame(
    [
        ["coaching", "Coaching", 2021, "school", 10.0, 0.8, 9, 10, 0.9, "yes"],
        ["coaching", "Coaching", 2020, "school", 10.0, 0.8, 3, 8, 0.375, "no"],
        ["texts", "Texts", 2020, "pupil", 2.5, 0.5, 120, 200, 0.6, "yes"],
    ],
    columns=["component", "label", "year", "unit_kind", "unit_threshold", "share_required", "n_met",
             "n_units", "share_met", "met"],
)  # fmt: skip


@pytest.fixture(scope="module")
def figure() -> Iterator[Figure]:
    """Return the figure of two components, of which one was logged in both years."""
    made = fidelity_plot(DATA, STUDY)
    yield made
    made.clear()


@pytest.fixture(scope="module")
def panel(figure: Figure) -> Axes:
    """Return its panel."""
    return figure.axes[0]


def test_years_run_to_the_right_and_components_downwards_as_they_were_given(panel: Axes) -> None:
    assert tick_words(panel.xaxis) == ["2020", "2021"]
    assert panel.get_xticks().tolist() == panel.get_yticks().tolist() == [0, 1]
    head = [name.split("\n", 1) for name in tick_words(panel.yaxis)]
    assert [f"{label}\n{' '.join(planned.split())}" for label, planned in head] == [
        "Coaching\nplanned: 10 or more for 80% of schools",
        "Texts\nplanned: 2.5 or more for 50% of pupils",
    ]
    assert panel.get_xlim() == pytest.approx((-0.55, 1.55))
    assert panel.get_ylim() == pytest.approx((1.5, -0.5))


def test_each_cell_has_the_colour_of_its_verdict_about_its_place(panel: Axes) -> None:
    cells = {
        (
            round(patch.get_x() + patch.get_width() / 2, 9),
            round(patch.get_y() + patch.get_height() / 2, 9),
        ): hues([patch.get_facecolor()])[0]
        for patch in panel.patches
        if isinstance(patch, Rectangle)
    }
    assert cells == {(1, 0): MET, (0, 0): NOT_MET, (0, 1): MET}
    assert MET != NOT_MET
    for patch in panel.patches:
        assert isinstance(patch, Rectangle)
        assert (patch.get_width(), patch.get_height()) == (0.96, 0.9)


def test_each_cell_tells_its_share_its_count_and_its_verdict(panel: Axes) -> None:
    assert written(panel) == {
        "90%": (1, -0.1), "9 of 10 · met": (1, 0.24),
        "38%": (0, -0.1), "3 of 8 · NOT met": (0, 0.24),
        "60%": (0, 0.9), "120 of 200 · met": (0, 1.24),
    }  # fmt: skip


def test_title_and_note_say_what_met_means(figure: Figure, panel: Axes) -> None:
    assert figure.get_suptitle() == "Who received the planned amount, by school year"
    assert panel.get_xlabel() == "met: at least the planned share received it"
    assert figure.get_supxlabel() == "SYNTHETIC DATA.  A trial.  Protocol 000000000000"


def test_the_matrix_has_no_frame_its_years_stand_above_and_it_grows_with_components(
    figure: Figure, panel: Axes
) -> None:
    assert not any(spine.get_visible() for spine in panel.spines.values())
    assert panel.xaxis.get_ticks_position() == "top"
    more = fidelity_plot(pd.concat([DATA, DATA.assign(component=DATA["component"] + "2")]), STUDY)
    assert more.get_figheight() > figure.get_figheight() + 0.62


@pytest.mark.parametrize("years", [3, 8])
def test_words_of_a_cell_stay_within_it_however_many_years_there_are(years: int) -> None:
    rows = [
        [name, "Opettajien täydennyskoulutuksen osallistuminen", 2017 + year, "teacher", 10.0, 0.8,
         90, 120, 0.75, "no"]
        for name in ("a", "b")
        for year in range(years)
    ]  # fmt: skip
    made = fidelity_plot(pd.DataFrame(rows, columns=DATA.columns), STUDY)
    rendered(made, ["svg"])
    (panel,) = made.axes
    cells = [patch.get_window_extent() for patch in panel.patches]
    texts = list(panel.texts)
    boxes = [text.get_window_extent() for text in texts]
    assert len(boxes) == 2 * len(cells) == 4 * years
    for box in boxes:
        within = [
            cell
            for cell in cells
            if cell.x0 <= box.x0 and box.x1 <= cell.x1 and cell.y0 <= box.y0 and box.y1 <= cell.y1
        ]
        assert len(within) == 1
        assert sum(box.overlaps(other) for other in boxes) == 1  # itself
    shown = {" ".join(text.get_text().split()) for text in texts}
    assert shown <= {"75%", "90 of 120 · NOT met", "90 of 120 NOT met"}
