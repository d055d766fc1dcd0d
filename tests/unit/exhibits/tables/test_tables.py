"""Tables show what the results say, and are the same text on every run."""

from math import inf, nan

import pandas as pd
import pytest

from schooltrial.document.numbers import interval, number, p_text
from schooltrial.document.tables import fragment
from schooltrial.exhibits.tables.baseline import baseline_table
from schooltrial.exhibits.tables.plain_labels import PlainLabels
from schooltrial.exhibits.tables.results import results_table, selected
from schooltrial.protocol.content.sections import arm_labels, labels
from support.small_trial import SmallTrial


def _results(trial: SmallTrial, synthetic: bool = False) -> str:
    content = trial.read().content
    models, outcomes = content["models"], content["outcomes"]
    rows = selected(pd.read_csv(trial.path("estimates.csv")), models, outcomes)
    named = PlainLabels(labels(content), arm_labels(content["design"]))
    table = results_table(rows, models, outcomes, content["years"], named)
    return fragment(table, trial.study(synthetic))


def _baseline(trial: SmallTrial, synthetic: bool = False) -> str:
    balance = pd.read_csv(trial.path("balance.csv"))
    content = trial.read().content
    arms, settings = content["design"]["arms"], content["balance"]
    return fragment(baseline_table(balance, arms, settings, "2019"), trial.study(synthetic))


@pytest.mark.parametrize("write", [_results, _baseline])
def test_a_table_is_the_same_text_twice_and_says_where_data_are_synthetic(
    finished: SmallTrial, write: object
) -> None:
    assert callable(write)
    assert write(finished) == write(finished)
    assert "SYNTHETIC DATA" not in write(finished)
    label = f"SYNTHETIC DATA. A small trial. Protocol {finished.read().sha256[:12]}"
    assert label in write(finished, True)


def test_every_effect_stands_in_the_results_table_as_in_the_estimates(finished: SmallTrial) -> None:
    page = _results(finished)
    rows = pd.read_csv(finished.path("estimates.csv"))
    shown = rows[rows["estimand"].isin(["ITT", "ATT"])]
    assert len(shown) == 3
    for _, row in shown.iterrows():
        for text in (
            number(row["estimate"]),
            number(row["std_error"]),
            interval(row["conf_low"], row["conf_high"]),
            p_text(row["p_value"]).replace("<", "&lt;"),
        ):
            assert f">{text}</td>" in page, text


def test_every_row_of_the_check_stands_in_the_baseline_table(finished: SmallTrial) -> None:
    page = _baseline(finished)
    checked = pd.read_csv(finished.path("balance.csv"))
    assert len(checked)
    for _, row in checked.iterrows():
        assert f">{row['label']}</th>" in page
        assert f">{number(row['standardised_difference'])}</td>" in page
        if row["level"] != "school":
            assert f">{number(row['wwc_effect_size'])}</td>" in page
            assert f">{row['wwc_band']}</td>" in page


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.12345, 3, "0.123"),
        (-0.12345, 3, "−0.123"),
        (-0.0001, 3, "0.000"),
        (0.0, 2, "0.00"),
        (1234.5, 1, "1,234.5"),
        (nan, 3, ""),
        (inf, 1, "∞"),
        (-inf, 1, "−∞"),
    ],
)
def test_a_number_has_fixed_decimals_a_true_minus_and_no_negative_zero(
    value: float, digits: int, text: str
) -> None:
    assert number(value, digits) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "<0.001"),
        (0.00099, "<0.001"),
        (0.001, "0.001"),
        (0.0216, "0.022"),
        (0.05, "0.050"),
        (0.99949, "0.999"),
        (1.0, "1.000"),
        (nan, ""),
    ],
)
def test_a_p_value_has_three_decimals_and_a_zero_before_the_point(value: float, text: str) -> None:
    assert p_text(value) == text


def test_an_interval_stands_in_brackets_and_is_empty_where_there_is_none() -> None:
    assert interval(-0.5, 1.25, 2) == "−0.50 to 1.25"
    assert interval(0.0003, 0.144) == "0.0003 to 0.1440"  # 0.000 would seem to include zero
    assert interval(nan, nan) == ""
