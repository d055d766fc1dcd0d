"""Every number of the report comes from a file of the results."""

import copy
import re
from importlib.resources import files
from typing import Any

import jinja2
import pandas as pd
import pytest

from schooltrial.document.numbers import interval, number, p_text
from schooltrial.protocol.sections import Estimator, Level
from schooltrial.report.headlines import arm_of, sensitivity_range, summarise_findings
from schooltrial.report.page import fill
from schooltrial.report.tables.participants import flow_shown
from support.small_trial import SmallTrial


def _row(**keys: Any) -> dict[str, Any]:
    return {
        "model": "itt", "outcome": "maths", "estimand": "ITT", "estimate": 0.1, "conf_low": 0.02,
        "conf_high": 0.18, "converged": True, "note": "", "term": "treated",
        "subgroup": "all", "n_schools": 8, "n_treated_schools": 4, **keys,
    }  # fmt: skip


def test_headlines_are_the_primary_outcomes_of_the_primary_models(finished: SmallTrial) -> None:
    rows = pd.read_csv(finished.path("estimates.csv"))
    (found,) = summarise_findings(rows, finished.read().content)
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
    (found,) = summarise_findings(pd.DataFrame([_row(**keys)]), finished.read().content)
    assert found["verdict"] == verdict


@pytest.mark.parametrize(
    ("estimator", "level", "people"),
    [
        ("multilevel", "pupil", "pupils"),
        ("multilevel", "teacher", "teachers"),
        ("staggered_adoption", "school", "pupil-years"),
        ("difference_in_differences", "pupil", "pupil-years"),
    ],
)
def test_a_headline_counts_pupils_teachers_or_pupils_by_year(
    finished: SmallTrial, estimator: Estimator, level: Level, people: str
) -> None:
    content = copy.deepcopy(finished.read().content)
    content["models"]["itt"]["estimator"] = estimator
    content["outcomes"]["maths"]["measured_on"] = level
    (found,) = summarise_findings(pd.DataFrame([_row()]), content)
    assert found["people"] == people


def test_a_headline_without_a_note_has_none(finished: SmallTrial) -> None:
    (found,) = summarise_findings(pd.DataFrame([_row(note=float("nan"))]), finished.read().content)
    assert found["note"] == ""


def test_a_name_that_nobody_gives_is_an_error_and_no_blank() -> None:
    with pytest.raises(jinja2.UndefinedError, match="nobody"):
        fill("{{ nobody }}", {}, [])
    with pytest.raises(jinja2.UndefinedError, match="title"):
        fill("{{ study.title }}", {"study": {}}, [])


def test_text_of_a_protocol_cannot_become_markup() -> None:
    assert fill("{{ title }}", {"title": "<b>&"}, []) == "&lt;b&gt;&amp;"


def test_what_ratings_advise_shows_names_of_the_protocol_as_code() -> None:
    page = fill("{{ told | code }}", {"told": "`outcomes.maths.baseline_measures` & <b>"}, [])
    assert page == "<code>outcomes.maths.baseline_measures</code> &amp; &lt;b&gt;"
    template = (files("schooltrial.report") / "templates" / "report.html.j2").read_text("utf-8")
    for said in ("one.rule", "one.would_change"):
        assert f"{said} | code" in template


def test_the_template_formats_numbers_like_the_tables() -> None:
    page = fill("{{ x | number }} {{ q | p }} {{ interval(x, q) }}", {"x": -1.5, "q": 0.0123}, [])
    assert page == f"{number(-1.5)} {p_text(0.0123)} {interval(-1.5, 0.0123)}"


def test_the_flow_shown_is_that_of_the_analysed_years_and_of_those_followed_to_them() -> None:
    flow = pd.DataFrame(
        {
            "step": ["kept", "kept", "followed up: 2018 to 2020", "kept"],
            "year": [2018, 2020, 2018, 2020],
            "entered": [9, 7000, 5, 0],
            "reason": "",
            "level": "pupil",
            "arm": "a",
            "left": 0,
            "remained": [9, 7000, 5, 0],
        }
    )
    shown = flow_shown(flow, [2020], "spring").cells
    assert shown[["step", "spring", "remained"]].values.tolist() == [
        ["kept", "2020", "7,000"],
        ["followed up: 2018 to 2020", "2018", "5"],
    ]


def test_the_range_of_the_sensitivity_analyses_stands_beside_the_headline() -> None:
    models: dict[str, Any] = {
        "itt": {"role": "primary", "arms": []},
        "a": {"role": "sensitivity", "arms": []},
        "b": {"role": "sensitivity", "arms": []},
    }
    arms = [{"name": "control"}, {"name": "programme"}]
    protocol = {"models": models, "design": {"arms": arms}}
    rows = [
        _row(model="itt", subgroup="all", estimate=0.5),
        _row(model="a", subgroup="all", estimate=0.1),
        _row(model="b", subgroup="all", estimate=0.3, estimand="ATT"),
        _row(model="b", subgroup="girls", estimate=9.0),
    ]
    assert sensitivity_range(pd.DataFrame(rows), protocol, "maths", "programme") == (0.1, 0.3, 2)
    assert sensitivity_range(pd.DataFrame(rows[:1]), protocol, "maths", "programme") is None


def test_the_boxes_of_several_arms_name_their_arm_and_its_own_sensitivity_analyses() -> None:
    arms = [{"name": name, "label": name.title()} for name in ("control", "coaching", "both")]
    plain: dict[str, Any] = {
        "label": "Model",
        "confidence_level": 0.95,
        "arms": [],
        "estimator": "multilevel",
    }
    plain["where"] = {"year": [2020]}
    protocol: dict[str, Any] = {
        "design": {"arms": arms},
        "years": {"baseline": [2019], "programme": [2020, 2021], "follow_up": []},
        "outcomes": {"maths": {
            "label": "Maths", "units_label": "SD", "primary": True, "measured_on": "pupil",
        }},
        "models": {
            "itt": {**plain, "role": "primary"},
            "ols": {**plain, "role": "sensitivity"},
            "redrawn": {**plain, "role": "sensitivity", "arms": ["control", "both"]},
        },
    }  # fmt: skip
    rows = pd.DataFrame([
        _row(term="treated[arm=coaching]"), _row(term="treated[arm=both]"),
        _row(term="treated[arm=coaching]", model="ols", estimate=0.16),
        _row(term="treated[arm=both]", model="ols", estimate=0.31),
        _row(term="treated", model="redrawn", estimate=0.32),
    ])  # fmt: skip
    coaching, both = summarise_findings(rows, protocol)
    assert (coaching["arm_label"], coaching["others"]) == ("Coaching", (0.16, 0.16, 1))
    assert coaching["people"] == "pupils"
    assert (both["arm_label"], both["others"]) == ("Both", (0.31, 0.32, 2))
    protocol["design"] = {"arms": [arms[0], arms[2]]}
    (only,) = summarise_findings(rows.iloc[1:2], protocol)
    assert only["arm_label"] == ""
    protocol["models"]["itt"]["where"] = {}
    (every,) = summarise_findings(rows.iloc[1:2], protocol)
    assert every["people"] == "pupil-years"  # each pupil counts in each of the three years


def test_the_template_uses_no_number_of_its_own() -> None:
    """Outside style and markup, the words of the template hold no figure."""
    from support.small_trial import ROOT

    template = ROOT / "src" / "schooltrial" / "report" / "templates" / "report.html.j2"
    text = template.read_text("utf-8")
    text = re.sub(r"<style>.*?</style>|\{[{%].*?[%}]\}|<[^>]*>", " ", text, flags=re.S)
    assert re.findall(r"\d+", text.replace("SHA-256", "")) == []


@pytest.mark.parametrize(
    ("term", "compare", "arms", "arm"),
    [
        ("treated", [], ["c", "a"], "a"),
        ("treated", [], ["c", "a", "b"], ""),  # of both arms together
        ("treated", ["c", "b"], ["c", "a", "b"], "b"),
        ("treated[arm=a]", [], ["c", "a", "b"], "a"),
        ("treated[arm=a b]:girl", ["c", "b"], ["c", "a b", "b"], "a b"),
    ],
)
def test_a_term_is_of_the_arm_that_it_names_or_else_of_the_only_one_compared(
    term: str, compare: list[str], arms: list[str], arm: str
) -> None:
    assert arm_of(term, {"arms": compare}, arms) == arm


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.0, 0.2, "The interval includes zero"),
        (-0.2, 0.0, "The interval includes zero"),
        (0.001, 0.2, "The interval lies above zero"),
        (-0.2, -0.001, "The interval lies below zero"),
        (0.1, float("nan"), "There is no interval: no finding"),
    ],
)
def test_an_interval_that_ends_at_zero_includes_it(
    finished: SmallTrial, low: float, high: float, verdict: str
) -> None:
    row = _row(conf_low=low, conf_high=high)
    (found,) = summarise_findings(pd.DataFrame([row]), finished.read().content)
    assert found["verdict"] == verdict


def test_only_effects_of_primary_outcomes_in_primary_models_are_headlines(
    finished: SmallTrial,
) -> None:
    rows = [
        _row(outcome="reading"), _row(model="did"), _row(estimand="take-up"),
        _row(estimand="CACE"), _row(estimand="ATT"),
    ]  # fmt: skip
    found = summarise_findings(pd.DataFrame(rows), finished.read().content)
    assert [one["estimand"] for one in found] == ["CACE", "ATT"]
    assert {(one["unit"], one["level"]) for one in found} == {("control SD", 0.95)}
