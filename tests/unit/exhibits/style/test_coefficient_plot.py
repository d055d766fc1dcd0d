"""Claims about plots of coefficients."""

from __future__ import annotations

from math import nan
from pathlib import Path

import pytest

from schooltrial.exhibits.style.coefficient_plot import plot_estimates, shown_decimals
from schooltrial.models.inference.estimate import Estimate
from schooltrial.refusal import UserError


def _row(term: str, estimate: float, half: float = 0.2) -> Estimate:
    return Estimate(term, estimate, 0.1, 20.0, 1.0, 0.5, estimate - half, estimate + half,
                    100, 10, "OLS")  # fmt: skip


def test_a_plot_says_in_words_what_it_shows() -> None:
    plot = plot_estimates({"fit": [_row("treated", 0.5), _row("male", -0.25)]}, "A model")
    assert plot.words == "treated 0.500 (0.300 to 0.700); male −0.250 (−0.450 to −0.050)."
    assert 'aria-label="treated 0.500' in plot._repr_html_()


def test_the_numbers_of_a_plot_are_in_the_drawing() -> None:
    svg = plot_estimates({"fit": [_row("treated", 0.5)]}).svg
    assert "0.500 (0.300 to 0.700)" in svg


def test_a_row_without_a_number_is_not_drawn_and_nothing_alone_is_refused() -> None:
    plot = plot_estimates({"fit": [_row("treated", 0.5), _row("test", nan)]})
    assert "test" not in plot.words
    with pytest.raises(UserError, match="nothing to plot"):
        plot_estimates({"fit": [_row("test", nan)]})


@pytest.mark.parametrize("kind", ["svg", "pdf", "png"])
def test_a_plot_is_saved_by_the_ending_of_the_file(tmp_path: Path, kind: str) -> None:
    plot = plot_estimates({"fit": [_row("treated", 0.5)]})
    first, second = (plot.save(tmp_path / f"{n}.{kind}").read_bytes() for n in "ab")
    assert first == second
    with pytest.raises(UserError, match=r"saved as \.svg, \.pdf or \.png"):
        plot.save(tmp_path / "a.jpg")


@pytest.mark.parametrize(
    ("estimates", "decimals"), [([0.0768], 3), ([5.61], 2), ([0.0003], 6), ([0.0], 2), ([nan], 2)]
)
def test_estimates_have_three_decimals_at_most_unless_those_are_zeros(
    estimates: list[float], decimals: int
) -> None:
    assert shown_decimals(estimates) == decimals
