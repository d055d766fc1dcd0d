"""Labels of any length neither leave a figure nor cover one another."""

from __future__ import annotations

from itertools import combinations, pairwise

import matplotlib as mpl
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from schooltrial.exhibits.style.figures import READABLE, SETTINGS, arm_styles, new_figure
from schooltrial.exhibits.style.text_fitting import add_key, fit_texts

FINNISH = "Yhteiskuntatieteidenopetussuunnitelmataso"
ARABIC = "المجموعة الضابطة في محافظات صعيد مصر كلها"
WORDS = "Reading partners with weekly visits at home"
LONG = pytest.mark.parametrize("label", [FINNISH, ARABIC, WORDS], ids=["fi", "ar", "en"])


def _drawn(label: str, columns: int) -> tuple[Figure, list[Axes]]:
    with mpl.rc_context(SETTINGS):
        figure, panels = new_figure(2.0, columns=columns)
        for panel in panels:
            panel.plot([0, 1], [0, 5])
            panel.set_title(label)
            panel.set_xlabel(label)
            panel.set_ylabel(label)
        figure.supxlabel(label * 3, x=0.01, ha="left", fontsize=7)
        fit_texts(figure)
    return figure, panels


def _texts(figure: Figure) -> list[Text]:
    return [text for text in figure.findobj(Text) if isinstance(text, Text) and _is_word(text)]


def _is_word(text: Text) -> bool:
    return any(sign.isalpha() for sign in text.get_text())


def _inside(figure: Figure, text: Text) -> bool:
    box, (width, height) = text.get_window_extent(), figure.get_size_inches() * figure.dpi
    return bool(box.x0 >= 0 and box.x1 <= width and box.y0 >= 0 and box.y1 <= height)


@LONG
@pytest.mark.parametrize("columns", [1, pytest.param(2, marks=pytest.mark.slow), 3])
def test_titles_and_labels_of_axes_are_within_the_figure_and_cover_no_other(
    label: str, columns: int
) -> None:
    figure, panels = _drawn(label, columns)
    assert [text.get_text() for text in _texts(figure) if not _inside(figure, text)] == []
    titles = [panel._left_title.get_window_extent() for panel in panels]  # type: ignore[attr-defined]
    below = [panel.xaxis.label.get_window_extent() for panel in panels]
    for group in (titles, below):
        assert not any(one.overlaps(other) for one, other in combinations(group, 2))


@LONG
def test_names_of_ticks_are_apart_and_within_the_figure(label: str) -> None:
    with mpl.rc_context(SETTINGS):
        figure, (panel,) = new_figure(1.5)
        panel.set_yticks(range(8), [f"{label} {label} {at}" for at in range(8)])
        panel.set_ylim(-0.5, 7.5)
        fit_texts(figure)
    names = panel.yaxis.get_ticklabels()
    assert all(_inside(figure, name) for name in names)
    boxes = [name.get_window_extent() for name in names]
    assert all(lower.y1 <= upper.y0 for lower, upper in pairwise(boxes))
    assert figure.get_figheight() > 1.5


def test_short_labels_change_nothing() -> None:
    figure, (panel,) = _drawn("Maths", 1)
    assert panel.get_title(loc="left") == "Maths"
    assert figure.get_figheight() == 2.0


@LONG
def test_a_key_has_as_many_columns_as_fit(label: str) -> None:
    with mpl.rc_context(SETTINGS):
        figure, (panel,) = new_figure(2.0)
        lines = [panel.plot([0, 1], [at, at])[0] for at in range(4)]
        key = add_key(
            figure, lines, [label] * 4, columns=4, size=8, loc="outside upper right", title=label
        )
        fit_texts(figure)
    box = key.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= READABLE * figure.dpi


def test_an_arm_whose_label_begins_with_an_underscore_is_in_the_key() -> None:
    arms = [{"name": "control", "label": "_Control", "share": None, "in_models": True}]
    (style,) = arm_styles(arms)  # type: ignore[arg-type]
    with mpl.rc_context(SETTINGS):
        _, (panel,) = new_figure(2.0)
        panel.plot([0, 1], [0, 1], label=style.label)
    assert panel.get_legend_handles_labels()[1] == [" _Control"]


def test_dollar_signs_are_written_and_no_formula() -> None:
    _, (panel,) = _drawn("$\\frac$ and 5$", 1)
    assert panel.get_title(loc="left") == "$\\frac$ and 5$"
