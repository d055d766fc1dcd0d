"""The love plot: hand-computed differences where they belong, and what lies beyond the edge."""

from __future__ import annotations

from math import log, sqrt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from schooltrial.checks.balance.standardised_differences import balance
from schooltrial.exhibits.figures.love_plot import FARTHEST, balance_plot, drawn

SETTINGS = {
    "where": {}, "pupil_variables": ["score", "sex"], "school_variables": ["score"],
    "satisfied": 0.05, "adjustable": 0.25,
}  # fmt: skip
STUDY = {"title": "A trial", "synthetic": True, "protocol": "0123456789abcdef"}
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
    expected = [[score, 0], [female, 1], [-female, 2]]
    np.testing.assert_allclose(marks["pupils, randomised"], expected, rtol=1e-12)
    np.testing.assert_allclose(marks["school means, randomised"], [[school, 3]], rtol=1e-12)
    ticks = [tick.get_text() for tick in _plot(data).axes[0].get_yticklabels()]
    assert ticks == ["Score", "Sex: f", "Sex: m", "Score"]


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


@pytest.mark.parametrize(("value", "text"), [(1.7, "1.70"), (-np.inf, "−∞"), (np.inf, "∞")])
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


def test_a_difference_that_is_not_defined_is_not_drawn() -> None:
    data = drawn(
        _rows(("pupil", "a", np.nan, "randomised", ""), ("pupil", "b", 0.0, "randomised", ""))
    )
    assert data["label"].tolist() == ["b"]


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
    assert alone.get_xlabel().startswith("schools: standardised difference")
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
