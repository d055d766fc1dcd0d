"""The words of a figure for those who do not see it give its numbers."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import pandas as pd

from schooltrial.exhibits.figures import fidelity, love_plot, trends


def test_the_love_plot_names_its_largest_known_difference() -> None:
    rows = [
        ["pupil", "Age", "analysed", 0.02], ["school", "Score", "analysed", -0.31],
        ["pupil", "Male", "randomised", inf], ["pupil", "Free lunch", "randomised", nan],
    ]  # fmt: skip
    data = pd.DataFrame(rows, columns=["level", "label", "sample", "size"])
    assert love_plot.alt_text(data) == (
        "Love plot of 4 standardised baseline differences. "
        "The largest is −0.31 SD: Score (school means, analysed). 2 infinite or not known."
    )
    assert love_plot.alt_text(data[2:]) == (
        "Love plot of 2 baseline differences. 2 infinite or not known."
    )


def test_trends_give_each_arms_mean_in_its_first_and_last_year() -> None:
    rows = [["maths", year, "c", year - 2019.5] for year in (2021, 2019, 2020)]
    data = pd.DataFrame(rows, columns=["outcome", "year", "arm", "mean"])
    outcomes: Any = {"maths": {"label": "Maths", "units_label": "SD"}, "ela": {"label": "English"}}
    arms: Any = [{"name": "c", "label": "Control"}]
    assert trends.alt_text(data, outcomes, arms) == (
        "Means by arm and year. Maths (SD): Control −0.50 in 2019, 1.50 in 2021."
    )


def test_fidelity_counts_those_who_met_the_threshold_among_those_on_record() -> None:
    rows = [["Coaching", 2019, 34.0, 38.0], ["Coaching", 2020, nan, nan]]
    data = pd.DataFrame(rows, columns=["label", "year", "n_met", "n_recorded"])
    assert fidelity.alt_text(data) == (
        "Units that met the threshold, by component and year. Coaching, 2019: 34 of 38 on record."
    )
    assert fidelity.alt_text(data[1:]).endswith(" None recorded.")
