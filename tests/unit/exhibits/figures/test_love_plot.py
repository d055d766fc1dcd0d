"""The love plot: hand-computed differences where they belong, and what lies beyond the edge."""

from __future__ import annotations

from collections.abc import Iterator
from math import log, sqrt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from schooltrial.checks.balance.standardised_differences import balance
from schooltrial.exhibits.figures.love_plot import (
    FARTHEST,
    OUTER_BAND,
    WHITE_BAND,
    balance_plot,
    drawn,
)
from schooltrial.exhibits.style.figures import INK
from schooltrial.protocol.content.sections import Balance, StudyLine
from support.drawn_artists import hues, labelled, legend_words, points, tick_words, with_marker
from support.sections import section

SETTINGS: Balance = section("balance", pupil_variables=["score", "sex"], school_variables=["score"])
STUDY: StudyLine = {"title": "A trial", "synthetic": True, "protocol": "0123456789abcdef"}
PUPILS = pd.DataFrame(
    {
        "school": list("AABBCCDD"),
        "treated": [0.0] * 4 + [1.0] * 4,
        "year": 2019,
        "score": [1.0, 2, 3, 4, 1, 3, 3, 4],
        "sex": list("mfmfffmf"),
    }
)


def _plot(data: pd.DataFrame, **keys: Any) -> Figure:
    return balance_plot(data, SETTINGS, STUDY, "2019", **keys)


def _marks(panel: Axes) -> dict[str, list[list[float]]]:
    """Return the points of each series by its name in the key."""
    return {
        str(line.get_label()): np.column_stack([line.get_xdata(), line.get_ydata()]).tolist()
        for line in panel.get_lines()
        if "," in str(line.get_label())
    }


def test_the_marks_are_the_differences_computed_by_hand() -> None:
    data = drawn(balance(PUPILS, SETTINGS, {"score": "Score", "sex": "Sex"}, 2019))
    # Scores: means 2.5 and 2.75, variances 5/3 and 19/12. Shares of f: 1/2 and 3/4; variances
    # 1/3 and 1/4. Means of schools: 1.5, 3.5 and 2, 3.5; variances 2 and 9/8. Hedges' correction of
    # eight pupils is 1 - 3/23; the Cox index of the shares is log(3 : 1)/1.65.
    score = 0.25 / sqrt((5 / 3 + 19 / 12) / 2) * (1 - 3 / 23)
    female = log(3) / 1.65
    school = 0.25 / sqrt((2 + 9 / 8) / 2)
    marks = _marks(_plot(data).axes[0])
    assert list(marks) == ["pupils, randomised", "school means, randomised"]
    expected = [[score, 0], [female, 1]]
    np.testing.assert_allclose(marks["pupils, randomised"], expected, rtol=1e-12)
    np.testing.assert_allclose(marks["school means, randomised"], [[school, 2]], rtol=1e-12)
    ticks = [tick.get_text() for tick in _plot(data).axes[0].get_yticklabels()]
    assert ticks == ["Score", "Sex: f", "Score"]


def _rows(*rows: tuple[str, str, float, str, str]) -> pd.DataFrame:
    names = ["level", "label", "standardised_difference", "sample", "arm"]
    return pd.DataFrame(list(rows), columns=names).assign(band="satisfied")


def test_both_samples_of_a_variable_share_a_line_the_analysed_one_filled() -> None:
    data = drawn(
        _rows(
            ("pupil", "Score", 0.1, "randomised", "a"),
            ("pupil", "Girl", 0.2, "randomised", "a"),
            ("pupil", "Girl", 0.3, "analysed", "a"),
        )
    )
    panel = _plot(data).axes[0]
    assert _marks(panel)["pupils, analysed"] == [[0.3, 1]]
    filled = {str(line.get_label()): line.get_markerfacecolor() for line in panel.get_lines()}
    assert filled["pupils, randomised"] == "white"
    assert filled["pupils, analysed"] != "white"


@pytest.mark.parametrize(
    ("value", "text"), [(1.7, "1.70"), (-np.inf, "−∞ (infinite)"), (np.inf, "∞ (infinite)")]
)
def test_a_difference_beyond_the_edge_is_an_arrow_with_its_number(value: float, text: str) -> None:
    data = drawn(
        _rows(("pupil", "Near", 0.1, "randomised", ""), ("pupil", "Far", value, "randomised", ""))
    )
    panel = _plot(data).axes[0]
    assert text in [said.get_text() for said in panel.texts]
    low, high = panel.get_xlim()
    assert high == -low
    assert FARTHEST < high < 1.2 * FARTHEST
    shown = [line for line in panel.get_lines() if line.get_label() == "pupils, randomised"]
    assert list(np.asarray(shown[0].get_markevery())) == [True, False]


def test_a_difference_that_is_not_known_has_a_cross_at_the_edge_and_the_words() -> None:
    data = drawn(
        _rows(("pupil", "a", np.nan, "randomised", ""), ("pupil", "b", 0.0, "randomised", ""))
    )
    assert data["label"].tolist() == ["a", "b"]
    assert data["reading"].tolist() == ["not known", ""]
    panel = _plot(data).axes[0]
    reach = panel.get_xlim()[1]
    (cross,) = with_marker(panel, "x")
    assert points(cross) == [pytest.approx((0.975 * reach, 0.0))]
    assert [said.get_text() for said in panel.texts] == ["0.25", "−0.05", "not known"]


def test_a_plot_of_nothing_that_is_known_is_drawn_still() -> None:
    panel = _plot(drawn(_rows(("pupil", "a", np.nan, "randomised", "")))).axes[0]
    assert tick_words(panel.yaxis) == ["a"]
    assert np.isfinite(panel.get_xlim()).all()


def test_each_arm_has_a_panel_of_its_name_against_control() -> None:
    data = drawn(
        _rows(("pupil", "a", 0.1, "randomised", "text"), ("pupil", "a", 0.2, "randomised", "tutor"))
    )
    arms = [{"name": name, "label": name.title()} for name in ("none", "text", "tutor")]
    figure = _plot(data, arms=arms)
    assert [panel.get_title(loc="left") for panel in figure.axes] == ["Text − None", "Tutor − None"]
    found = [_marks(panel)["pupils, randomised"] for panel in figure.axes]
    assert found == [[[0.1, 0]], [[0.2, 0]]]


def test_school_means_have_no_band_behind_them() -> None:
    schools = ("school", "Rate", 0.1, "assigned", "")
    people = ("pupil", "Score", 0.1, "assigned", "")
    alone = _plot(drawn(_rows(schools))).axes[0]
    assert not [patch for patch in alone.patches if isinstance(patch, Rectangle)]
    assert alone.get_xlabel().endswith("\n(schools: difference)")
    both = _plot(drawn(_rows(schools, people))).axes[0]
    ends = {p.get_y() + p.get_height() for p in both.patches if isinstance(p, Rectangle)}
    assert [round(end, 9) for end in ends] == [0.5]  # pupils at 0, schools at 1
    assert list(_marks(both)) == ["pupils, assigned", "school means, assigned"]


def test_the_bands_are_those_of_the_protocol() -> None:
    data = drawn(_rows(("pupil", "a", 0.1, "randomised", "")))
    spans = [p for p in _plot(data).axes[0].patches if isinstance(p, Rectangle)]
    assert [(span.get_x(), span.get_x() + span.get_width()) for span in spans] == [
        (-0.25, 0.25),
        (-0.05, 0.05),
    ]


def test_a_table_of_older_columns_is_drawn_as_the_randomised_sample() -> None:
    data = drawn(_rows(("pupil", "a", 0.1, "", "")).drop(columns=["sample", "arm"]))
    assert list(_marks(_plot(data).axes[0])) == ["pupils, randomised"]


LEVEL_ROWS = _rows(
    ("school", "Mean score", -0.3, "randomised", ""),
    ("pupil", "Score", 0.1, "randomised", ""),
    ("pupil", "Girl", 1.7, "randomised", ""),
    ("teacher", "Experience", -0.2, "randomised", ""),
    ("pupil", "Score", 0.02, "analysed", ""),
    ("teacher", "Experience", -1.4, "analysed", ""),
)
"""Two lines of pupils, one of teachers, one of schools; two values lie off the scale."""


@pytest.fixture(scope="module")
def figure() -> Iterator[Figure]:
    """Return the love plot of these rows."""
    made = _plot(drawn(LEVEL_ROWS))
    yield made
    made.clear()


@pytest.fixture(scope="module")
def panel(figure: Figure) -> Axes:
    """Return its panel."""
    return figure.axes[0]


def test_pupils_stand_above_teachers_above_schools_in_the_order_of_the_check(panel: Axes) -> None:
    assert tick_words(panel.yaxis) == ["Score", "Girl", "Experience", "Mean score"]
    assert panel.get_yticks().tolist() == [0, 1, 2, 3]
    assert panel.get_ylim() == (3.6, -1.6)  # the first line is the uppermost


def test_each_point_lies_at_its_difference_on_its_line(panel: Axes) -> None:
    assert _marks(panel) == {
        "pupils, randomised": [[0.1, 0], [1.7, 1]],
        "pupils, analysed": [[0.02, 0]],
        "teachers, randomised": [[-0.2, 2]],
        "teachers, analysed": [[-1.4, 2]],
        "school means, randomised": [[-0.3, 3]],
    }


def test_levels_differ_in_shape_and_the_analysed_sample_is_smaller_and_filled(panel: Axes) -> None:
    look = {
        name: (labelled(panel, name).get_marker(), labelled(panel, name).get_markerfacecolor())
        for name in _marks(panel)
    }
    assert look == {
        "pupils, randomised": ("o", "white"), "pupils, analysed": ("o", INK),
        "teachers, randomised": ("s", "white"), "teachers, analysed": ("s", INK),
        "school means, randomised": ("D", "white"),
    }  # fmt: skip
    hollow, filled = (labelled(panel, f"pupils, {of}") for of in ("randomised", "analysed"))
    assert hollow.get_markersize() > filled.get_markersize()


def test_each_value_off_the_scale_has_exactly_one_arrow_at_its_edge(panel: Axes) -> None:
    reach = panel.get_xlim()[1]
    (right,), (left,) = with_marker(panel, ">"), with_marker(panel, "<")
    assert points(right) == [pytest.approx((0.975 * reach, 1.0))]
    assert points(left) == [pytest.approx((-0.975 * reach, 2.0))]
    hidden = {name: labelled(panel, name).get_markevery() for name in _marks(panel)}
    assert hidden == {
        "pupils, randomised": [True, False], "pupils, analysed": [True],
        "teachers, randomised": [True], "teachers, analysed": [False],
        "school means, randomised": [True],
    }  # fmt: skip


def test_an_arrows_number_stands_beside_it_inside_the_panel(panel: Axes) -> None:
    reach = panel.get_xlim()[1]
    *limits, high, low = panel.texts
    assert [text.get_text() for text in limits] == ["0.25", "−0.05"]  # of the bands
    assert (high.get_text(), low.get_text()) == ("1.70", "−1.40")
    assert high.get_position() == pytest.approx((0.95 * reach, 1 - 0.26))  # a hollow mark's: above
    assert low.get_position() == pytest.approx((-0.95 * reach, 2 + 0.26))  # a filled one's: below
    assert (high.get_horizontalalignment(), low.get_horizontalalignment()) == ("right", "left")


@pytest.mark.parametrize(
    ("value", "reach", "arrows"),
    [
        (0.1, 0.325, 0),  # 1.3 × the outer band
        (0.4, 0.46, 0),  # 1.15 × the farthest
        (-0.4, 0.46, 0),
        (1.0, 1.15, 0),
        (-1.0, 1.15, 0),
        (1.08, 1.242, 0),  # a little more is within the scale
        (1.301, 1.15, 1),
        (-1.301, 1.15, 1),
        (np.inf, 1.15, 1),
    ],
)
def test_the_scale_reaches_the_farthest_difference_up_to_one_sd_and_a_little_more(
    value: float, reach: float, arrows: int
) -> None:
    panel = _plot(drawn(_rows(("pupil", "a", value, "randomised", "")))).axes[0]
    assert panel.get_xlim() == pytest.approx((-reach, reach))
    assert len(with_marker(panel, "<", ">")) == len(panel.texts) - 2 == arrows


def test_panels_of_several_arms_share_the_scale_of_the_farthest() -> None:
    rows = _rows(("pupil", "a", 0.1, "analysed", "x"), ("pupil", "a", 0.8, "analysed", "y"))
    limits = [panel.get_xlim() for panel in _plot(drawn(rows)).axes]
    assert limits[0] == limits[1] == pytest.approx((-0.92, 0.92))


def test_bands_lie_behind_people_alone_and_say_what_they_stand_for(panel: Axes) -> None:
    outer, inner = (patch for patch in panel.patches if isinstance(patch, Rectangle))
    for band, bound in ((outer, 0.25), (inner, 0.05)):
        assert (band.get_x(), band.get_width()) == (-bound, 2 * bound)
        assert band.get_y() == -0.6
        assert band.get_y() + band.get_height() == pytest.approx(2.5)  # schools begin at 2.5
    assert outer.get_label() == "pupils and teachers within ±0.25 SD: adjust for it"
    assert inner.get_label() == "pupils and teachers within ±0.05 SD: balanced"
    assert hues([outer.get_facecolor(), inner.get_facecolor()]) == [OUTER_BAND, WHITE_BAND]


def test_a_line_marks_no_difference_and_dotted_ones_part_the_levels(panel: Axes) -> None:
    upright = [line for line in panel.lines if list(np.asarray(line.get_xdata())) == [0, 0]]
    assert len(upright) == 1
    dotted = [line for line in panel.lines if line.get_linestyle() == ":"]
    assert sorted(np.asarray(line.get_ydata()).tolist() for line in dotted) == [
        [1.5, 1.5],
        [2.5, 2.5],
    ]


def test_what_is_drawn_is_saved_with_the_bands_and_measures_of_the_check() -> None:
    check = LEVEL_ROWS.drop(columns="band").assign(
        wwc_effect_size=0.1, wwc_measure="Hedges' g", wwc_band="satisfied", blocks=4
    )
    assert list(drawn(check).columns) == [
        "level", "label", "standardised_difference", "wwc_effect_size", "wwc_measure", "wwc_band",
        "sample", "arm", "size", "reading",
    ]  # fmt: skip


def test_no_line_parts_a_level_that_stands_alone() -> None:
    panel = _plot(drawn(LEVEL_ROWS[1:3])).axes[0]
    assert [line for line in panel.lines if line.get_linestyle() == ":"] == []


def test_the_legend_tells_the_bands_then_each_level_and_sample(figure: Figure) -> None:
    assert legend_words(figure) == [
        "pupils and teachers within ±0.25 SD: adjust for it",
        "pupils and teachers within ±0.05 SD: balanced", "pupils, randomised",
        "pupils, analysed", "teachers, randomised", "teachers, analysed",
        "school means, randomised",
    ]  # fmt: skip
    assert figure.legends[0].get_title().get_text() == "Baseline balance, 2019"


@pytest.mark.parametrize(
    ("levels", "label"),
    [
        (["pupil"], "pupils: effect size"),
        (["teacher"], "teachers: effect size"),
        (["pupil", "teacher"], "pupils and teachers: effect size"),
        (["school"], "schools: difference"),
        (["school", "pupil"], "pupils: effect size; schools: difference"),
    ],
)
def test_the_axis_says_what_is_measured_of_whom(levels: list[str], label: str) -> None:
    rows = _rows(*[(level, "a", 0.1, "randomised", "") for level in levels])
    for keys, control in (({}, "control"), ({"control": "comparison"}, "comparison")):
        said = _plot(drawn(rows), **keys).axes[0].get_xlabel()
        assert said == f"intervention − {control}, in SDs\n({label})"


def test_of_several_panels_the_first_alone_names_the_lines_and_each_axis_has_two_lines() -> None:
    rows = _rows(
        ("pupil", "a", 0.1, "randomised", "x"), ("school", "a", 0.2, "randomised", "y")
    )  # fmt: skip
    first, second = _plot(drawn(rows)).axes
    assert tick_words(first.yaxis) == ["a", "a"]
    assert set(tick_words(second.yaxis)) <= {""}
    assert first.get_title(loc="left") == "x − control"  # without names of arms
    assert second.get_xlabel() == "in SDs\n(pupils: effect size;\nschools: difference)"


def test_people_are_drawn_by_effect_size_and_schools_by_the_standardised_difference() -> None:
    rows = _rows(
        ("pupil", "Score", 0.1, "randomised", ""),
        ("pupil", "Flag", 0.2, "randomised", ""),
        ("teacher", "Score", 0.3, "randomised", ""),
        ("school", "Mean", 0.4, "randomised", ""),
    ).assign(wwc_effect_size=[0.11, np.nan, 0.33, 0.44])
    assert drawn(rows)["size"].tolist() == [0.11, 0.2, 0.33, 0.4]


def test_the_figure_has_room_for_its_lines_and_says_that_its_data_are_synthetic(
    figure: Figure,
) -> None:
    assert figure.get_figheight() == pytest.approx(2.15 + 0.21 * 4)
    one = _plot(drawn(LEVEL_ROWS[1:2]))
    assert one.get_figheight() == pytest.approx(2.15 + 0.21 * 3)
    assert figure.get_supxlabel() == "SYNTHETIC DATA.  A trial.  Protocol 0123456789ab"
