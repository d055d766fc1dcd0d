"""The effects as drawn: each estimate with its interval on its line, primary ones filled."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, isnan, nan
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation, Text

from schooltrial.exhibits.figures.effects import (
    LINE,
    PLOT,
    alt_text,
    drawn,
    effects_plot,
    true_effects,
    with_truth,
)
from schooltrial.exhibits.style.figures import CONTROL, TREATED, rendered
from schooltrial.protocol.content.sections import StudyLine
from support.drawn_artists import (
    overlapping_texts,
    points,
    smallest_letters,
    with_marker,
    words,
)

STUDY: StudyLine = {"title": "A trial", "synthetic": True, "protocol": "0" * 64}
LONG = "A multilevel model with the baseline score, the school and the grade as covariates"
OUTCOMES: Any = {
    "maths": {"label": "Maths", "units_label": "SD", "primary": True, "measured_on": "pupil"},
    "ela": {"label": "English", "units_label": "points", "primary": False, "measured_on": "pupil"},
}
YEARS: Any = {"baseline": [2019], "programme": [2020], "follow_up": []}
MODELS: Any = {
    "itt": {
        "label": "Offer", "role": "primary", "confidence_level": 0.95, "estimator": "multilevel",
        "where": {"year": [2020]}, "where_label": "",
    },
    "cace": {
        "label": LONG, "role": "sensitivity", "confidence_level": 0.9,
        "estimator": "complier_effect",
        "where": {"year": [2020]}, "where_label": "",
    },
}  # fmt: skip


def _row(model: str, outcome: str, **keys: Any) -> dict[str, Any]:
    return {
        "model": model, "outcome": outcome, "term": "treated", "estimand": "ITT",
        "subgroup": "all", "estimate": 0.1, "conf_low": 0.0, "conf_high": 0.3, "p_value": 0.04,
        "n_individuals": 100, "n_schools": 10, **keys,
    }  # fmt: skip


ESTIMATES = pd.DataFrame(
    [
        _row("itt", "ela", estimate=2.0, conf_low=-1.0, conf_high=4.0),
        _row("cace", "maths", estimand="CACE", estimate=0.25, conf_low=0.05, conf_high=0.45),
        _row("itt", "maths", estimate=-0.1, conf_low=-0.3, conf_high=0.05),
        _row("itt", "maths", term="intercept", estimand="coefficient"),
        _row("cace", "ela", estimand="take-up"),
        _row("cace", "ela", estimate=nan),
    ]
)


SECOND = (2 * LINE + PLOT) / (LINE + PLOT)
"""Where the second interval of maths is, below a label of two lines."""


@pytest.fixture(scope="module")
def figure() -> Iterator[Figure]:
    """Return the figure of three effects, of which two are of maths."""
    made = effects_plot(drawn(ESTIMATES, MODELS, OUTCOMES, YEARS), STUDY)
    yield made
    made.clear()


def _intervals(panel: Axes) -> list[tuple[list[float], list[float], str]]:
    """Return ends, heights and colour of every interval; the line at zero runs over the panel."""
    return [
        ([x for x, _ in points(line)], [y for _, y in points(line)], str(line.get_color()))
        for line in panel.lines
        if line.get_marker() == "None" and not _is_upright(line)
    ]


def _is_upright(line: Line2D) -> bool:
    return list(np.asarray(line.get_xdata())) == [0, 0]


def test_effects_alone_are_drawn_outcome_by_outcome_and_model_by_model() -> None:
    data = drawn(ESTIMATES, MODELS, OUTCOMES, YEARS)
    assert data[["outcome", "model", "estimate", "conf_level", "primary"]].to_numpy().tolist() == [
        ["maths", "itt", -0.1, 0.95, True],
        ["maths", "cace", 0.25, 0.9, False],
        ["ela", "itt", 2.0, 0.95, False],  # its outcome is not primary
    ]
    assert data["outcome_label"].tolist() == ["Maths", "Maths", "English"]
    assert data["units_label"].tolist() == ["SD", "SD", "points"]


def test_each_interval_ends_where_the_table_says_on_the_line_of_its_estimate(
    figure: Figure,
) -> None:
    maths, english = figure.axes
    assert _intervals(maths) == [
        ([-0.3, 0.05], [0, 0], TREATED),
        ([0.05, 0.45], [SECOND, SECOND], CONTROL),
    ]
    assert _intervals(english) == [([-1.0, 4.0], [0, 0], CONTROL)]


def test_estimates_of_primary_analyses_are_filled_and_the_others_hollow(figure: Figure) -> None:
    maths, english = figure.axes
    marks = [
        (points(mark)[0], mark.get_color(), mark.get_markerfacecolor())
        for mark in with_marker(maths, "o")
    ]
    assert marks == [((-0.1, 0.0), TREATED, TREATED), ((0.25, SECOND), CONTROL, "white")]
    (mark,) = with_marker(english, "o")
    assert (points(mark), mark.get_markerfacecolor()) == ([(2.0, 0.0)], "white")


def test_a_line_marks_no_effect_in_every_panel(figure: Figure) -> None:
    for panel, places in zip(figure.axes, ([0, SECOND], [0]), strict=True):
        upright = [line for line in panel.lines if _is_upright(line)]
        assert [sum(y for _, y in points(line)) / 2 for line in upright] == pytest.approx(places)


def test_lines_are_named_by_model_from_the_top_and_a_long_name_is_wrapped(figure: Figure) -> None:
    maths, english = figure.axes
    first, second = _names(maths)
    assert first.get_text() == "Offer"
    assert second.get_text().replace("\n", " ") == LONG
    assert max(map(len, second.get_text().split("\n"))) <= 75
    for at, name in ((0, first), (SECOND, second)):
        assert at - 1 < name.get_position()[1] < at  # above the interval at its number
    assert len(_names(english)) == 1


def _names(panel: Axes) -> list[Text]:
    """Return the names of models, which are no annotations as the numbers are."""
    return [text for text in panel.texts if not isinstance(text, Annotation)]


def _numbers(panel: Axes) -> list[str]:
    return [text.get_text() for text in panel.texts if isinstance(text, Annotation)]


def test_panels_are_named_by_outcome_and_axes_by_unit(figure: Figure) -> None:
    assert [panel.get_title(loc="left") for panel in figure.axes] == ["Maths", "English"]
    assert [panel.get_xlabel() for panel in figure.axes] == ["effect, SD", "effect, points"]
    maths, english = (panel.get_position().height for panel in figure.axes)
    assert maths / english == pytest.approx(1 + SECOND)  # as they have lines


def test_the_key_tells_the_levels_of_the_intervals_and_the_truth_where_it_is_drawn(
    figure: Figure,
) -> None:
    assert figure.get_suptitle() == "90% and 95% intervals; filled: primary"
    data = drawn(ESTIMATES, MODELS, OUTCOMES, YEARS)[:1]
    one = effects_plot(data.assign(truth=0.2), STUDY)
    assert one.get_suptitle() == (
        "95% intervals; filled: primary; bar: the effect that was simulated"
    )
    assert effects_plot(data.assign(truth=nan), STUDY).get_suptitle() == (
        "95% intervals; filled: primary"
    )
    assert figure.get_supxlabel() == "SYNTHETIC DATA.  A trial.  Protocol 000000000000"


def test_a_bar_stands_at_the_simulated_effect_of_each_line_where_it_is_known() -> None:
    data = drawn(ESTIMATES, MODELS, OUTCOMES, YEARS).assign(truth=[0.2, 0.3, nan])
    maths, english = effects_plot(data, STUDY).axes
    (bars,) = with_marker(maths, "|")
    assert points(bars) == [(0.2, 0.0), (0.3, SECOND)]
    assert with_marker(english, "|") == []


def test_arms_of_one_model_are_told_apart_by_their_labels() -> None:
    rows = [_row("itt", "maths", term=f"treated[arm={arm}]") for arm in ("text", "call")]
    data = drawn(pd.DataFrame(rows), MODELS, OUTCOMES, YEARS)
    assert data["model_label"].tolist() == ["Offer: call", "Offer: text"]
    arms: Any = [{"name": "call", "label": "Calls home"}, {"name": "text", "label": "Texts home"}]
    named = drawn(pd.DataFrame(rows), MODELS, OUTCOMES, YEARS, arms)
    assert named["model_label"].tolist() == ["Offer: Calls home", "Offer: Texts home"]


@pytest.mark.parametrize(
    ("compared", "control", "label"),
    [
        (["none", "text"], True, "Offer: Texts home"),
        ([], True, "Offer"),
        (["none", "call", "text"], True, "Offer"),
        (["call", "text"], False, "Offer"),  # there is no other arm
    ],
)
def test_an_effect_of_one_of_several_arms_names_it_where_its_model_compares_that_alone(
    compared: list[str], control: bool, label: str
) -> None:
    arms: Any = [{"name": "call", "label": "Calls home"}, {"name": "text", "label": "Texts home"}]
    arms = [{"name": "none", "label": "Nothing"}, *arms] if control else arms
    models = {**MODELS, "itt": {**MODELS["itt"], "arms": compared}}
    data = drawn(pd.DataFrame([_row("itt", "maths")]), models, OUTCOMES, YEARS, arms)
    assert data["model_label"].tolist() == [label]


def test_lines_of_a_label_are_apart_and_a_word_of_forty_letters_is_not_cut_off() -> None:
    word = "Pienimmänneliösummanmenetelmämallinnukset"
    models = {**MODELS, "itt": {**MODELS["itt"], "label": word}}
    rows = pd.DataFrame([_row("itt", "maths", term=f"treated[arm={word}]")])
    figure = effects_plot(drawn(rows, models, OUTCOMES, YEARS), STUDY)
    rendered(figure, ["svg"])
    (label,) = _names(figure.axes[0])
    assert label.get_text().split("\n") == [f"{word}:", word]
    box = label.get_window_extent()
    assert box.height >= 2.2 * float(label.get_fontsize()) * figure.dpi / 72
    assert box.x1 <= figure.bbox.x1
    assert overlapping_texts(figure) == []


@pytest.mark.parametrize(("outcomes", "models"), [(1, 1), (12, 1), (3, 9)])
def test_texts_are_apart_and_at_one_column_no_smaller_than_six_points(
    outcomes: int, models: int
) -> None:
    measured: Any = {
        f"o{at}": {**OUTCOMES["maths"], "label": f"Outcome number {at}, in words"}
        for at in range(outcomes)
    }
    fitted: Any = {
        f"m{at}": {**MODELS["itt"], "label": f"Model number {at}, {'with covariates, ' * (3 * at)}"}
        for at in range(models)
    }
    rows = pd.DataFrame([_row(model, outcome) for outcome in measured for model in fitted])
    figure = effects_plot(drawn(rows, fitted, measured, YEARS), STUDY)
    rendered(figure, ["svg"])
    assert smallest_letters(figure, 88) >= 6
    assert overlapping_texts(figure) == []


def test_a_study_without_any_effect_says_so() -> None:
    figure = effects_plot(drawn(ESTIMATES[3:], MODELS, OUTCOMES, YEARS), STUDY)
    assert words(figure)[0] == "The protocol's models estimate no effect of the offer."
    assert not figure.axes[0].axison
    assert figure.get_supxlabel() == "SYNTHETIC DATA.  A trial.  Protocol 000000000000"


STAGGERED = {**MODELS["itt"], "estimator": "staggered_adoption", "where": {}}
BY_REGION = {**STAGGERED, "where_label": "north"}
TRUTH = {
    "effects": {"maths": {"2020": 0.2, "2019": 0.9}}, "cace": {"maths": {"2020": 0.4}},
    "att": {"overall": {"maths": 0.3}, "region": {"maths": {"north": 0.7}}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("model", "row", "truth", "known"),
    [
        (MODELS["itt"], {}, TRUTH, 0.2),
        (MODELS["cace"], {"estimand": "CACE"}, TRUTH, 0.4),
        (MODELS["itt"], {"estimand": "ATT"}, TRUTH, nan),
        (
            MODELS["itt"],
            {"units_label": "points"},
            TRUTH,
            nan,
        ),  # the simulation's effects are in SD
        (MODELS["itt"], {"units_label": "points"}, {**TRUTH, "units": {"maths": "points"}}, 0.2),
        (MODELS["itt"], {}, {**TRUTH, "units": {"ela": "points"}}, nan),
        ({**MODELS["itt"], "where": {}}, {}, TRUTH, nan),  # of several years
        ({**MODELS["itt"], "where": {"year": [2019, 2020]}}, {}, TRUTH, nan),
        ({**MODELS["itt"], "where": {"year": [2019]}}, {}, TRUTH, 0.9),
        ({**MODELS["itt"], "where": {"year": [2018]}}, {}, TRUTH, nan),
        ({**MODELS["itt"], "where_label": "girls"}, {"model": "itt__girls"}, TRUTH, nan),
        (STAGGERED, {"estimand": "ATT"}, TRUTH, 0.3),
        (BY_REGION, {"model": "itt__north"}, TRUTH, 0.7),
        ({**BY_REGION, "where_label": "south"}, {"model": "itt__south"}, TRUTH, nan),
        (STAGGERED, {}, {"effects": {}}, nan),
        ({**STAGGERED, "method": "stacked"}, {"estimand": "ATT"}, TRUTH, nan),  # a window's effect
    ],
)
def test_the_truth_of_a_row_is_that_of_its_estimand_year_unit_and_subgroup(
    model: Any, row: dict[str, Any], truth: dict[str, Any], known: float
) -> None:
    cells = {"outcome": "maths", "model": "itt", "estimand": "ITT", "units_label": "SD", **row}
    (found,) = true_effects(pd.DataFrame([cells]), {cells["model"]: model}, truth)
    assert found == known or (isnan(found) and isnan(known))


@pytest.mark.parametrize(("scale", "shown"), [("binary", 20.0), ("continuous", 0.2)])
def test_a_simulated_effect_is_in_per_cent_as_its_outcome_is_whatever_the_unit_is_called(
    scale: str, shown: float
) -> None:
    cells = {
        "outcome": "maths",
        "model": "itt",
        "estimand": "ITT",
        "units_label": "percentage points",
    }
    known = {**TRUTH, "units": {"maths": "percentage points"}}
    outcomes: Any = {"maths": {**OUTCOMES["maths"], "scale": scale}}
    data = pd.DataFrame([cells])
    (found,) = with_truth(data, {"itt": MODELS["itt"]}, outcomes, known)["truth"]
    assert found == pytest.approx(shown)


def test_numbers_stand_at_each_interval_with_people_and_schools() -> None:
    maths, english = effects_plot(drawn(ESTIMATES, MODELS, OUTCOMES, YEARS), STUDY).axes
    assert _numbers(maths) == [
        "−0.100 (−0.300 to 0.050)", "100 (10)", "+0.250 (0.050 to 0.450)", "100 (10)",
        "Estimate (90% and 95% CI)", "pupils (schools)",
    ]  # fmt: skip
    assert _numbers(english) == ["+2.0 (−1.0 to 4.0)", "100 (10)"]


def _counts(panel: Axes) -> list[str]:
    """Return what stands in the last column, its head last."""
    return [text for text in _numbers(panel) if not text.startswith(("E", "+"))]


def test_without_schools_people_alone_are_counted() -> None:
    rows = pd.DataFrame([_row("itt", "maths", n_schools=0, n_individuals=5000)])
    (panel,) = effects_plot(drawn(rows, MODELS, OUTCOMES, YEARS), STUDY).axes
    assert _counts(panel) == ["5,000", "pupils"]


def test_schools_whose_size_is_not_known_are_counted_alone() -> None:
    rows = pd.DataFrame([_row("itt", "maths", n_individuals=nan)])
    (panel,) = effects_plot(drawn(rows, MODELS, OUTCOMES, YEARS), STUDY).axes
    assert _counts(panel) == ["10", "schools"]


def test_who_is_counted_is_said_again_where_others_are() -> None:
    outcomes = {**OUTCOMES, "ela": {**OUTCOMES["ela"], "measured_on": "teacher"}}
    models = {**MODELS, "cace": {**MODELS["cace"], "where": {}}}  # of both years
    rows = pd.DataFrame([_row("itt", "maths"), _row("cace", "maths"), _row("itt", "ela")])
    data = drawn(rows, models, outcomes, YEARS)
    assert data["counted"].tolist() == ["pupils", "pupil-years", "teachers"]
    maths, english = effects_plot(data, STUDY).axes
    assert _counts(maths)[-1] == "n (schools)"
    assert _counts(english)[-1] == "teachers (schools)"


def test_a_bound_near_zero_keeps_the_decimals_that_show_its_side() -> None:
    rows = pd.DataFrame([_row("itt", "maths", conf_low=0.0003)])
    (panel,) = effects_plot(drawn(rows, MODELS, OUTCOMES, YEARS), STUDY).axes
    assert panel.texts[0].get_text() == "+0.1000 (0.0003 to 0.3000)"


def test_outcomes_of_one_unit_share_a_scale_and_others_have_their_own() -> None:
    outcomes = {**OUTCOMES, "reading": {**OUTCOMES["maths"], "label": "Reading"}}
    wide = _row("itt", "reading", estimate=-0.5, conf_low=-0.9, conf_high=-0.1)
    data = drawn(pd.concat([ESTIMATES, pd.DataFrame([wide])]), MODELS, outcomes, YEARS)
    maths, english, reading = (panel.get_xlim() for panel in effects_plot(data, STUDY).axes)
    assert maths == reading != english
    assert reading[0] < -0.9
    assert reading[1] > 0.45


def test_intervals_without_end_or_not_known_are_said_and_leave_the_scale() -> None:
    rows = [_row("itt", "maths", conf_high=inf), _row("cace", "maths", conf_low=nan, conf_high=nan)]
    (panel,) = effects_plot(drawn(pd.DataFrame(rows), MODELS, OUTCOMES, YEARS), STUDY).axes
    assert panel.get_xlim() == pytest.approx((-0.006, 0.106))
    (mark,) = with_marker(panel, ">")
    assert points(mark) == [pytest.approx((0.106, 0))]
    assert _numbers(panel)[:3:2] == [
        "+0.100 (0.000 to ∞)", "+0.100 (not known)",
    ]  # fmt: skip


def test_the_words_for_those_who_do_not_see_it_give_the_primary_effects_in_numbers() -> None:
    said = alt_text(drawn(ESTIMATES, MODELS, OUTCOMES, YEARS))
    assert said.startswith("Forest plot of 3 effects by outcome and model. ")
    assert "Maths (Offer): −0.100 SD, 95% CI −0.300 to 0.050, p = " in said
    assert said.endswith(" 2 other estimates.")
    assert alt_text(drawn(ESTIMATES[:1], MODELS, OUTCOMES, YEARS)).startswith(
        "Forest plot of 1 effect by"
    )
    assert alt_text(drawn(ESTIMATES[3:], MODELS, OUTCOMES, YEARS)) == "No effect was estimated."
