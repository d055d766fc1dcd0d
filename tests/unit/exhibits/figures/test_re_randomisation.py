"""The re-randomisation figure as drawn: statistics of draws, and the observed one among them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from schooltrial.exhibits.figures.re_randomisation import alt_text, drawn, re_randomisation_plot
from schooltrial.exhibits.style.figures import rendered
from schooltrial.protocol.content.sections import StudyLine
from support.drawn_artists import labelled, legend_words, words

STUDY: StudyLine = {"title": "A trial", "synthetic": True, "protocol": "0" * 64}
OUTCOMES: Any = {"maths": {"label": "Maths"}, "ela": {"label": "English"}}
MODELS: Any = {"ri": {"label": "Re-randomised"}, "ri__girls": {"label": "Re-randomised: girls"}}


def _bins(**more: Any) -> pd.DataFrame:
    return pd.DataFrame(
        {"model": "ri", "outcome": "maths", "statistic_name": "studentised", "bin_low": [-2.0,
         -1.0, 1.0],
         "bin_high": [-1.0, 1.0, 2.0], "share": [0.25, 0.5, 0.25], "observed": 1.5, "p_value": 0.26,
         "replications": 9999, "exact": False, "undefined": 0} | more
    )  # fmt: skip


def test_each_outcome_has_a_panel_and_subgroups_have_none() -> None:
    rows = pd.concat([_bins(), _bins(outcome="ela"), _bins(model="ri__girls")])
    data = drawn(rows, MODELS, OUTCOMES)
    figure = re_randomisation_plot(data, STUDY)
    assert [panel.get_title(loc="left") for panel in figure.axes] == ["Maths", "English"]


def test_the_observed_statistic_is_marked_and_its_mirror_with_the_shares_beyond() -> None:
    (panel,) = re_randomisation_plot(drawn(_bins(), MODELS, OUTCOMES), STUDY).axes
    assert set(np.asarray(labelled(panel, "observed").get_xdata())) == {1.5}
    assert set(np.asarray(labelled(panel, "as large, of the other sign").get_xdata())) == {-1.5}
    assert "1.50" in words(panel)
    low, high = panel.get_xlim()
    assert low == -high < -2.0


@pytest.mark.parametrize("observed", [-9.0, -1.9, -0.42, 0.0, 0.42, 1.9, 9.0])
def test_the_observed_value_stands_off_the_bars_wherever_it_lies(observed: float) -> None:
    figure = re_randomisation_plot(drawn(_bins(observed=observed), MODELS, OUTCOMES), STUDY)
    rendered(figure, ["svg"])
    (panel,) = figure.axes
    (value,) = panel.texts
    (title,) = (text for text in panel.findobj(Text) if text.get_text() == "Maths")
    place, frame = value.get_window_extent(), panel.get_window_extent()
    assert place.y0 >= frame.y1  # above the panel, and so above every bar
    assert place.y1 <= title.get_window_extent().y0
    assert frame.x0 - place.width / 2 <= place.x0 <= place.x1 <= frame.x1 + place.width / 2
    assert place.x1 <= figure.bbox.x1


def test_the_number_of_draws_and_the_p_value_stand_below() -> None:
    (panel,) = re_randomisation_plot(drawn(_bins(), MODELS, OUTCOMES), STUDY).axes
    assert panel.get_xlabel() == ("effect ÷ its standard error\n9,999 re-randomisations\np = 0.260")
    every = drawn(_bins(exact=True, replications=70, p_value=0.0001), MODELS, OUTCOMES)
    (panel,) = re_randomisation_plot(every, STUDY).axes
    assert panel.get_xlabel().endswith("all 70 re-randomisations\np < 0.001")


def test_a_key_says_what_the_marks_are() -> None:
    figure = re_randomisation_plot(drawn(_bins(), MODELS, OUTCOMES), STUDY)
    assert legend_words(figure) == [
        "share of re-randomisations", "observed", "as large, of the other sign",
    ]  # fmt: skip


def test_the_words_give_the_observed_statistic_among_the_re_randomised() -> None:
    assert alt_text(drawn(_bins(), MODELS, OUTCOMES)) == (
        "The effect among re-randomisations. Maths, Re-randomised: 9,999 re-randomisations; "
        "p = 0.260; effect ÷ its standard error observed 1.50, re-randomised from −2 to 2."
    )


def test_without_re_randomisations_the_figure_says_so() -> None:
    data = drawn(_bins()[:0], MODELS, OUTCOMES)
    assert "No effect was compared with re-randomisations." in words(
        re_randomisation_plot(data, STUDY)
    )
    assert alt_text(data) == "No effect was compared with re-randomisations."
