"""Table 1 of Pustejovsky and Tipton (2018, JBES 36(4): 672-683), from our estimates table.

The printed numbers are in data/achievement_awards/README.md. Every printed digit must be met: a
number printed with k decimals is met when ours, rounded to k decimals, is that number.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from schooltrial.study.opened.published import compare_with_published, read_published

HYPOTHESES = [
    # model, hypothesis, q, covariance, F, df, p as printed
    ("published_effect", "ATE upper half", 1, "CR1", "5.746", "34", ".02217"),
    ("published_effect", "ATE upper half", 1, "CR2", "5.169", "18.13", ".03539"),
    ("published_effect", "ATE joint", 2, "CR1", "3.848", "34", ".03116"),
    ("published_effect", "ATE joint", 2, "CR2", "3.389", "16.97", ".05775"),
    ("published_moderation", "Moderation upper half", 2, "CR1", "3.186", "34", ".05393"),
    ("published_moderation", "Moderation upper half", 2, "CR2", "1.665", "7.84", ".24959"),
    ("published_moderation", "Moderation joint", 4, "CR1", "8.213", "34", ".00010"),
    ("published_moderation", "Moderation joint", 4, "CR2", "3.091", "3.69", ".16057"),
]
COEFFICIENTS = [
    # term, covariance, estimate, standard error as printed (None: not printed)
    ("treated[half=lower]", "CR2", "-.0104", ".0398"),
    ("treated[half=upper]", "CR2", ".1101", ".0484"),
    ("treated[half=upper]", "CR1", ".1101", ".0459"),
]


def as_printed(value: float, printed: str) -> str:
    """Return a value with as many decimals as were printed, in the same style."""
    decimals = len(printed.split(".")[1]) if "." in printed else 0
    text = f"{value:.{decimals}f}"
    return text.replace("0.", ".", 1) if printed.lstrip("-").startswith(".") else text


@pytest.mark.parametrize(("model", "hypothesis", "q", "covariance", "f", "df", "p"), HYPOTHESES)
def test_each_hypothesis_test_of_the_published_table_is_reproduced_to_every_printed_digit(
    estimates: pd.DataFrame,
    model: str,
    hypothesis: str,
    q: int,
    covariance: str,
    f: str,
    df: str,
    p: str,
) -> None:
    rows = estimates[
        (estimates["model"] == model)
        & (estimates["term"] == hypothesis)
        & estimates["method"].str.contains(covariance)
    ]
    assert len(rows) == 1
    row = rows.iloc[0]
    assert as_printed(row["statistic"], f) == f
    assert as_printed(row["df"], df) == df
    assert as_printed(row["p_value"], p) == p
    assert row["note"].startswith(f"F({q}, ")


@pytest.mark.parametrize(("term", "covariance", "printed", "error"), COEFFICIENTS)
def test_each_published_coefficient_and_its_standard_error_are_reproduced(
    estimates: pd.DataFrame, term: str, covariance: str, printed: str, error: str
) -> None:
    rows = estimates[
        (estimates["model"] == "published_effect")
        & (estimates["term"] == term)
        & estimates["method"].str.contains(covariance)
    ]
    assert len(rows) == 1
    assert as_printed(rows.iloc[0]["estimate"], printed) == printed
    assert as_printed(rows.iloc[0]["std_error"], error) == error


def test_the_published_analysis_rests_on_5921_girls_in_35_schools(estimates: pd.DataFrame) -> None:
    assert set(estimates["n_individuals"]) == {5921}
    assert set(estimates["n_schools"]) == {35}


def test_the_notebook_compares_these_numbers_and_finds_that_all_agree(
    estimates: pd.DataFrame,
) -> None:
    file = Path(__file__).parents[2] / "notebooks" / "published" / "achievement_awards.csv"
    published = read_published(file)
    given = {tuple(row) for row in published[["model", "term", "method", "printed"]].to_numpy()}
    tested = {
        (model, term, covariance, printed)
        for model, term, _, covariance, *numbers in HYPOTHESES
        for printed in numbers
    } | {
        ("published_effect", term, covariance, printed)
        for term, covariance, *numbers in COEFFICIENTS
        for printed in numbers
    }
    assert given == tested
    assert set(compare_with_published(published, estimates)["Agrees"]) == {"yes"}


def test_the_committed_codebook_is_the_one_that_the_pipeline_writes(sample_file: Path) -> None:
    written = (sample_file.parent / "codebook.csv").read_text("utf-8")
    committed = Path(__file__).parents[2] / "data" / "achievement_awards" / "codebook.csv"
    assert committed.read_text("utf-8") == written
