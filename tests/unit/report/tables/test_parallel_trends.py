"""What the report says of effects under trends that were not parallel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from schooltrial.checks.parallel_trends.panel_models import COLUMNS
from schooltrial.checks.written_tables import read_check
from schooltrial.report.tables.parallel_trends import (
    parallel_trends_sentences,
    parallel_trends_shown,
)

EXAMPLE = Path(__file__).parents[3] / "support" / "parallel_trends" / "parallel_trends.csv"
LABELS = {"ela": "English"}


@pytest.fixture
def found() -> pd.DataFrame:
    return read_check(EXAMPLE)


def test_the_example_has_the_columns_of_the_check(found: pd.DataFrame) -> None:
    assert found.columns.tolist() == COLUMNS


def test_one_sentence_each_says_when_it_breaks_and_what_placebos_and_parts_show(
    found: pd.DataFrame,
) -> None:
    (said,) = parallel_trends_sentences(found, LABELS)
    assert said.startswith("English: the effect is 4.90 (2.10 to 7.70). Zero enters the interval")
    assert "0.86 times the largest yearly difference before it." in said
    assert "gone on as a straight line, zero enters once its slope" in said
    assert "may change by 0.29 from one year to the next." in said
    assert "has 80% power for a drift of 0.62 a year, which would add 1.43" in said
    assert "would be 0.30, −0.50 and 0.10 (p below 0.05: 0 of 3)" in said
    assert "between −2.40 and 2.50 (p = 0.001)" in said
    assert "between 3.20 (without cohort 2016) and 5.60 (without cohort 2017)" in said


def test_an_effect_on_a_share_is_told_to_the_digits_that_its_interval_has(
    found: pd.DataFrame,
) -> None:
    share = found.copy()
    share[["estimate", "conf_low", "conf_high"]] /= 1000
    (said,) = parallel_trends_sentences(share, LABELS)
    assert said.startswith("English: the effect is 0.00490 (0.00210 to 0.00770).")
    assert "a drift of 0.00062 a year" in said
    assert "between 0.00320 (without cohort 2016) and 0.00560 (without cohort 2017)" in said
    table = parallel_trends_shown(share, LABELS)
    assert table is not None
    assert table.cells["95% CI"].iloc[0] == "0.00210 to 0.00770"


def test_bounds_that_never_break_or_break_at_once_are_said_so(found: pd.DataFrame) -> None:
    breaking = found["check"] == "breakdown"
    far = found.copy()
    far.loc[breaking, "estimate"] = np.nan
    far.loc[breaking, "note"] = "zero is outside up to 10"
    (said,) = parallel_trends_sentences(far, LABELS)
    assert "even where trends differ by 10 times the largest" in said
    assert "by a line that bends by 10 a year" in said
    at_once = found.copy()
    at_once.loc[breaking, "estimate"] = 0.0
    (said,) = parallel_trends_sentences(at_once, LABELS)
    assert "inside the interval even where trends are parallel" in said
    assert "differ by a straight line" in said


def test_what_was_not_tried_is_told_without_a_number(found: pd.DataFrame) -> None:
    bounds = found["check"] == "relative magnitudes"
    none = found[~bounds | ~bounds.duplicated()].copy()
    none.loc[bounds, ["setting", "estimate", "conf_low", "conf_high"]] = np.nan
    table = parallel_trends_shown(none, LABELS)
    assert table is not None
    assert "Trends that differ by a multiple of the largest yearly difference before" in (
        table.cells["Analysis"].tolist()
    )


def test_one_placebo_year_is_one_year_earlier(found: pd.DataFrame) -> None:
    placebos = found["check"] == "placebo year"
    first = placebos & (found["setting"].astype(str) == "1")
    (said,) = parallel_trends_sentences(found[~placebos | first], LABELS)
    assert "begun 1 year earlier, its effect" in said


def test_a_model_without_an_estimate_says_why(found: pd.DataFrame) -> None:
    only = found.iloc[:1].assign(estimate=np.nan, note="no cohort informs an effect")
    assert parallel_trends_sentences(only, LABELS) == [
        "English: no estimate. no cohort informs an effect."
    ]


def test_the_table_says_in_words_what_was_tried(found: pd.DataFrame) -> None:
    table = parallel_trends_shown(found, LABELS)
    assert table is not None
    said = table.cells["Analysis"].tolist()
    assert said[0] == "As fitted"
    assert "Trends differ by up to 0.5 × the largest yearly difference before" in said
    assert "Placebo: programme 1 year earlier" in said
    assert "Placebo: programme 2 years earlier" in said
    assert "Without cohort 2016" in said
    assert set(table.group) == {"English", "attendance"}
    assert parallel_trends_shown(found[found["check"] == "breakdown"], LABELS) is None
