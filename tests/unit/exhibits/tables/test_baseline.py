"""The baseline table as a reader sees it, cell by cell."""

from __future__ import annotations

from math import nan
from typing import Any

import pandas as pd
import pytest

from schooltrial.document.tables import fragment
from schooltrial.exhibits.tables.baseline import baseline_table
from schooltrial.protocol.content.sections import StudyLine
from support.html_cells import aligned_right, caption, notes, rows

STUDY: StudyLine = {"title": "A trial", "synthetic": True, "protocol": "0123456789abcdef"}
SETTINGS: Any = {"equivalent_to": 0.05, "adjust_to": 0.25}
ARMS: Any = [
    {"name": "c", "label": "Control"}, {"name": "t", "label": "Tutored"},
    {"name": "x", "label": "Texts"},
]  # fmt: skip
BALANCE = pd.DataFrame(
    [
        ["pupil", "t", "randomised", "Score", 10.5, 2.0, 11.0, 2.5, 0.5, 0.2216, 0.2, "adjust",
         1200, 1300, 7],
        ["school", "t", "randomised", "Mean score", 10.0, 1.0, 9.5, nan, -0.5, -0.4, -0.38, nan,
         20, 21, 0],
        ["pupil", "t", "analysed", "Score", 10.5, 2.0, 10.5, 2.0, -0.0001, 0.0, nan, nan, 900, 950,
         0],
    ],
    columns=["level", "arm", "sample", "label", "mean_control", "sd_control", "mean_treated",
             "sd_treated", "difference", "standardised_difference", "wwc_effect_size", "wwc_band",
             "n_control", "n_treated", "missing"],
)  # fmt: skip


@pytest.fixture(scope="module")
def page() -> str:
    """Return the table of a trial of two groups."""
    return fragment(baseline_table(BALANCE, ARMS[:2], SETTINGS, "2019"), STUDY)


def test_columns_are_headed_by_the_arms_control_first(page: str) -> None:
    assert caption(page) == "Baseline, 2019"
    assert rows(page, "thead") == [
        ["Variable", "Control", "Tutored", "Difference", "Standardised", "Effect size", "WWC band",
         "N", "Missing"],
    ]  # fmt: skip
    assert aligned_right(page) == [
        "Control", "Tutored", "Difference", "Standardised", "Effect size", "N", "Missing",
    ]  # fmt: skip


def test_each_row_tells_means_with_sds_differences_and_numbers_under_its_level_and_sample(
    page: str,
) -> None:
    assert rows(page) == [
        ["Pupils, as randomised"],
        ["Score", "10.50 (2.00)", "11.00 (2.50)", "0.500", "0.222", "0.200", "adjust",
         "1,200 + 1,300", "7"],
        ["Schools, as randomised"],
        ["Mean score", "10.00 (1.00)", "9.50 (no SD)", "−0.500", "−0.400", "", "", "20 + 21",
         "0"],
        ["Pupils, as analysed"],
        ["Score", "10.50 (2.00)", "10.50 (2.00)", "0.000", "0.000", "not known", "", "900 + 950",
         "0"],
    ]  # fmt: skip


def test_the_page_is_named_so_that_the_report_can_point_at_it(page: str) -> None:
    assert 'id="baseline"' in page


def test_several_programme_arms_are_told_apart_in_the_headings(page: str) -> None:
    rows_of_both = pd.concat([BALANCE[:1], BALANCE[:1].assign(arm="x")])
    several = fragment(baseline_table(rows_of_both, ARMS, SETTINGS, "2019"), STUDY)
    assert [row[0] for row in rows(several) if len(row) == 1] == [
        "Pupils, as randomised: Tutored", "Pupils, as randomised: Texts",
    ]  # fmt: skip
    assert rows(several, "thead")[0][1:3] == ["Control", "Intervention group"]


def test_a_check_of_one_sample_is_headed_by_its_level_alone() -> None:
    older = BALANCE[:1].drop(columns=["sample", "arm"]).assign(level="teacher")
    (heading,), cells = rows(fragment(baseline_table(older, ARMS[:2], SETTINGS, "2019"), STUDY))
    assert heading == "Teachers"
    assert (
        cells == rows(fragment(baseline_table(BALANCE[:1], ARMS[:2], SETTINGS, "2019"), STUDY))[1]
    )


def test_the_note_tells_the_protocols_bands_and_the_foot_the_study(page: str) -> None:
    note, study = notes(page)
    assert "satisfied up to 0.05 SD; adjustment needed above that and up to 0.25 SD" in note
    assert "intervention − control over the pooled SD" in note
    assert study == "SYNTHETIC DATA. A trial. Protocol 0123456789ab"
