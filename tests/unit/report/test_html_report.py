"""Every number of the report comes from a file of the results."""

import re
from typing import Any

import jinja2
import pandas as pd
import pytest

from schooltrial.exhibits.table_style import interval, number, p_text
from schooltrial.report.html_report import event_study, fill, headlines, sample_by_year
from small_trial import SmallTrial


def _row(**keys: Any) -> dict[str, Any]:
    return {
        "model": "itt", "outcome": "maths", "estimand": "ITT", "estimate": 0.1, "conf_low": 0.02,
        "conf_high": 0.18, "converged": True, "note": "", **keys,
    }  # fmt: skip


def test_headlines_are_the_primary_outcomes_of_the_primary_models(finished: SmallTrial) -> None:
    rows = pd.read_csv(finished.path("estimates.csv"))
    (found,) = headlines(rows, finished.read().content)
    row = rows[(rows["model"] == "itt") & (rows["outcome"] == "maths")].iloc[0]
    for name in ("estimate", "conf_low", "conf_high", "p_value", "effect_size", "n_pupils"):
        assert found[name] == row[name]
    assert (found["label"], found["model_label"]) == ("Maths", "Intention to treat")


@pytest.mark.parametrize(
    ("keys", "verdict"),
    [
        ({}, "The interval lies above zero"),
        ({"conf_low": -0.2, "conf_high": -0.1}, "The interval lies below zero"),
        ({"conf_low": -0.2}, "The interval includes zero"),
        ({"converged": False}, "The model did not converge: no finding"),
        ({"conf_low": float("nan")}, "There is no interval: no finding"),
    ],
)
def test_a_headline_says_what_its_interval_says(
    finished: SmallTrial, keys: dict[str, Any], verdict: str
) -> None:
    (found,) = headlines(pd.DataFrame([_row(**keys)]), finished.read().content)
    assert found["verdict"] == verdict


def test_a_headline_without_a_note_has_none(finished: SmallTrial) -> None:
    (found,) = headlines(pd.DataFrame([_row(note=float("nan"))]), finished.read().content)
    assert found["note"] == ""


def test_a_name_that_nobody_gives_is_an_error_and_no_blank() -> None:
    with pytest.raises(jinja2.UndefinedError, match="nobody"):
        fill("{{ nobody }}", {}, [])
    with pytest.raises(jinja2.UndefinedError, match="title"):
        fill("{{ study.title }}", {"study": {}}, [])


def test_text_of_a_protocol_cannot_become_markup() -> None:
    assert fill("{{ title }}", {"title": "<b>&"}, []) == "&lt;b&gt;&amp;"


def test_the_template_formats_numbers_like_the_tables() -> None:
    page = fill("{{ x | number }} {{ q | p }} {{ interval(x, q) }}", {"x": -1.5, "q": 0.0123}, [])
    assert page == f"{number(-1.5)} {p_text(0.0123)} {interval(-1.5, 0.0123)}"


def test_the_flow_sums_years_and_keeps_the_order_of_steps() -> None:
    flow = pd.DataFrame(
        {
            "step": ["b", "b", "a"],
            "reason": "r",
            "level": "pupil",
            "year": [2019, 2020, 2019],
            "arm": "control",
            "entered": [5, 6, 0],
            "left": [1, 2, 0],
            "remained": [4, 4, 0],
        }
    )
    (row,) = sample_by_year(flow).to_dict("records")
    assert (row["step"], row["entered"], row["left"], row["remained"]) == ("b", 11, 3, 8)


def test_the_event_study_is_taken_with_the_test_of_its_pre_trend() -> None:
    rows = [_row(estimand=e) for e in ("ITT", "event study", "pre-trend test", "ATT")]
    found = event_study(pd.DataFrame(rows), {"maths": {"label": "Maths"}})
    assert found["estimand"].tolist() == ["event study", "pre-trend test"]
    assert set(found["label"]) == {"Maths"}


def test_the_template_uses_no_number_of_its_own() -> None:
    """Outside style and markup, the words of the template hold no figure."""
    from small_trial import ROOT

    text = (ROOT / "workflow" / "templates" / "report.html.j2").read_text("utf-8")
    text = re.sub(r"<style>.*?</style>|\{[{%].*?[%}]\}|<[^>]*>", " ", text, flags=re.S)
    assert re.findall(r"\d+", text.replace("SHA-256", "")) == []
