"""Effect sizes in other words."""

from __future__ import annotations

from math import nan

import pytest

from schooltrial.report.findings.effect_words import (
    MONTHS_TABLE,
    months_text,
    percentile_points,
    percentile_points_text,
)


def test_the_published_improvement_indices_are_found() -> None:
    found = percentile_points(0.25, 0.10, 0.05)
    assert [round(points) for points in found] == [10, 4, 2]


def test_an_effect_and_its_interval_bear_their_signs_and_a_true_minus() -> None:
    assert percentile_points_text(0.0761, -0.0592, 0.2114) == "+3 (−2 to +8)"
    assert months_text(0.0761, -0.0592, 0.2114) == "+1 (−1 to +3)"


def test_a_loss_mirrors_a_gain() -> None:
    assert percentile_points_text(-0.25, -0.4, -0.1) == "−10 (−16 to −4)"
    assert months_text(-0.25, -0.4, -0.1) == "−3 (−5 to −2)"


def test_a_bound_above_zero_is_not_printed_as_zero() -> None:
    assert percentile_points_text(0.072, 0.0003, 0.144) == "+3 (+0.01 to +6)"
    assert percentile_points_text(-0.072, -0.144, -0.0003) == "−3 (−6 to −0.01)"


def test_a_zero_has_no_sign() -> None:
    assert percentile_points_text(0.0, -0.1, 0.1) == "0 (−4 to +4)"
    assert months_text(-0.004, -0.1, 0.1) == "0 (−2 to +2)"


@pytest.mark.parametrize("shown", [months_text, percentile_points_text])
def test_what_is_not_known_is_not_printed(shown) -> None:  # type: ignore[no-untyped-def]
    assert shown(nan, nan, nan) == ""
    assert "(" not in shown(0.2, nan, 0.4)
    assert shown(0.2, nan, nan) == shown(0.2)


def test_the_table_of_months_is_named() -> None:
    assert "Toolkit" in MONTHS_TABLE
    assert "the table of EEF’s trial reports, not included here" in MONTHS_TABLE
