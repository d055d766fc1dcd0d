"""What the first screen says of an effect follows from its interval, and from nothing else."""

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.document.numbers import signed
from schooltrial.document.text import Strong, spans
from schooltrial.protocol.content.sections import Estimator, Level
from schooltrial.report.findings.headlines import (
    Finding,
    arm_of,
    digits_of,
    excludes_zero,
    finding_sentence,
    other_samples_sentence,
    p_phrase,
    secondary_findings,
    sensitivity_findings,
    sensitivity_sentence,
    summarise_findings,
    unit_of,
    verdict_sentence,
    with_interval,
)
from schooltrial.report.tables.participants import flow_shown
from support.small_trial import SmallTrial

NAN = float("nan")


def _row(**keys: Any) -> dict[str, Any]:
    return {
        "model": "itt", "outcome": "maths", "estimand": "ITT", "estimate": 0.1, "conf_low": 0.02,
        "conf_high": 0.18, "converged": True, "note": "", "term": "treated", "p_value": 0.03,
        "effect_size": 0.1, "es_conf_low": 0.02, "es_conf_high": 0.18, "n_individuals": 160,
        "subgroup": "all", "n_units": 8,
        "n_treated_units": 4, "n_schools": 8, "n_treated_schools": 4, **keys,
    }  # fmt: skip


def _one(trial: SmallTrial, **keys: Any) -> Finding:
    (found,) = summarise_findings(pd.DataFrame([_row(**keys)]), trial.read().content)
    return found


def _words(one: Finding) -> str:
    said = [
        span if isinstance(span, str) else span.words
        for span in spans(finding_sentence(one))
        if isinstance(span, str | Strong)
    ]
    return "".join(said)


def test_headlines_are_the_primary_outcomes_of_the_primary_models(finished: SmallTrial) -> None:
    rows = pd.read_csv(finished.path("estimates.csv"))
    (found,) = summarise_findings(rows, finished.read().content)
    row = rows[(rows["model"] == "itt") & (rows["outcome"] == "maths")].iloc[0]
    assert (found.estimate, found.low, found.high) == (
        row["estimate"], row["conf_low"], row["conf_high"],
    )  # fmt: skip
    assert (found.p_value, found.effect_size, found.n_people) == (
        row["p_value"], row["effect_size"], row["n_individuals"],
    )  # fmt: skip
    assert (found.label, found.model_label) == ("Maths", "Intention to treat")


def test_a_finding_is_said_with_its_size_unit_comparison_interval_and_p_value(
    finished: SmallTrial,
) -> None:
    assert _words(_one(finished)) == (
        "Maths: pupils in programme scored 0.10 SD higher than pupils in control (95% CI 0.02 to "
        "0.18; p = 0.030)."
    )
    assert "0.10 SD lower" in _words(_one(finished, estimate=-0.1, conf_low=-0.2, conf_high=0.1))
    assert _words(_one(finished, p_value=0.0001)).endswith("p < 0.001).")


def test_an_effect_written_as_zero_is_no_higher_and_no_lower(finished: SmallTrial) -> None:
    none = _one(finished, estimate=0.00005, conf_low=-0.0743, conf_high=0.0744)
    assert none.size == "0.00 (−0.07 to 0.07)"
    assert _words(none) == (
        "Maths: the difference between pupils in programme and pupils in control was 0.00 SD "
        "(95% CI −0.07 to 0.07; p = 0.030)."
    )


CLEAR = "Zero is outside the 95% CI: chance alone would rarely make a difference this large."


@pytest.mark.parametrize(
    ("keys", "verdict"),
    [
        ({}, CLEAR),
        ({"conf_low": -0.2, "conf_high": -0.1}, CLEAR),
        (
            {"conf_low": -0.2},
            "The data are compatible with anything from 0.20 SD lower to 0.18 SD higher: the trial "
            "cannot tell whether the programme helped, harmed or did nothing.",
        ),
        ({"converged": False}, ""),
        ({"conf_low": NAN}, ""),
    ],
)
def test_a_verdict_says_what_the_interval_allows(
    finished: SmallTrial, keys: dict[str, Any], verdict: str
) -> None:
    assert verdict_sentence(_one(finished, **keys), randomised=True) == verdict


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.2), (-0.2, 0.0)])
def test_an_interval_that_ends_at_zero_includes_it(
    finished: SmallTrial, low: float, high: float
) -> None:
    one = _one(finished, conf_low=low, conf_high=high)
    assert "cannot tell" in verdict_sentence(one, randomised=True)


def test_what_was_not_randomised_is_an_effect_only_under_parallel_trends(
    finished: SmallTrial,
) -> None:
    said = verdict_sentence(_one(finished), randomised=False)
    assert said.startswith("Zero is outside")
    assert said.endswith("only if trends would have been parallel without the programme.")


def test_without_convergence_or_interval_there_is_no_finding(finished: SmallTrial) -> None:
    assert "did not converge" in _words(_one(finished, converged=False))
    assert "no finding" in _words(_one(finished, conf_low=NAN))


def test_effects_on_yes_no_outcomes_are_in_percentage_points(finished: SmallTrial) -> None:
    content = copy.deepcopy(finished.read().content)
    content["outcomes"]["maths"] |= {"scale": "binary", "standardise": "none"}
    (one,) = summarise_findings(pd.DataFrame([_row(estimate=0.113)]), content)
    assert one.unit == "percentage points"
    assert one.estimate == pytest.approx(11.3)
    assert "the share was 11.3 percentage points higher" in _words(one)


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
    assert found.people == people


def test_a_headline_without_a_note_has_none(finished: SmallTrial) -> None:
    assert _one(finished, note=NAN).note == ""


@pytest.mark.parametrize(
    ("values", "in_sd", "digits"),
    [
        ((0.0718, 0.0003, 0.1433), True, 4),  # a bound above zero is not written as 0.00
        ((0.08, -0.06, 0.21), True, 2),
        ((7.27, 3.9, 10.6), False, 1),
        ((0.0, NAN, 0.0), True, 2),
        ((253.0, 17.0, 480.0), False, 0),
    ],
)
def test_rounding_does_not_contradict_the_sign(
    values: tuple[float, ...], in_sd: bool, digits: int
) -> None:
    assert digits_of(*values, in_sd=in_sd) == digits


def test_effects_bear_their_sign_and_p_values_three_decimals() -> None:
    assert [signed(x, 2) for x in (0.1, -0.1, 0.001, NAN)] == ["+0.10", "−0.10", "0.00", ""]
    assert with_interval(0.1, -0.05, 0.25, 2) == "+0.10 (−0.05 to 0.25)"
    assert with_interval(NAN, 0.0, 1.0, 2) == ""
    assert [p_phrase(p) for p in (0.0123, 0.0001, NAN)] == ["p = 0.012", "p < 0.001", ""]


def test_the_flow_shown_is_that_of_the_analysed_years_and_of_those_followed_to_them() -> None:
    flow = pd.DataFrame(
        {
            "step": ["kept", "analysed: itt, maths", "followed up: 2018 to 2020", "kept"],
            "year": [2018, 2020, 2018, 2020],
            "entered": [9, 7000, 5, 0],
            "reason": ["", "maths was not observed", "a covariate was not observed", ""],
            "level": "pupil",
            "arm": "a",
            "left": [0, 1000, 2, 0],
            "remained": [9, 7000, 5, 0],
        }
    )
    labels = {"itt": "Intention to treat", "maths": "Maths"}
    shown = flow_shown(flow, [2020], labels).cells
    assert shown.to_numpy()[:, [0, 1, 3, 7]].tolist() == [
        ["analysed: Maths (Intention to treat)", "Maths: missing", "2020", "7,000"],
        ["followed up: 2018 to 2020", "a covariate was not observed", "2018", "5"],
    ]


def _several() -> tuple[dict[str, Any], pd.DataFrame]:
    arms = [{"name": name, "label": name.title()} for name in ("control", "coaching", "both")]
    plain: dict[str, Any] = {
        "label": "Model", "confidence_level": 0.95, "arms": [], "estimator": "multilevel",
        "where": {"year": [2020]},
    }  # fmt: skip
    protocol: dict[str, Any] = {
        "design": {"arms": arms, "unit": "school"},
        "years": {"baseline": [2019], "programme": [2020, 2021], "follow_up": []},
        "outcomes": {"maths": {
            "label": "Maths", "units_label": "SD", "primary": True, "measured_on": "pupil",
            "scale": "continuous", "standardise": "control",
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
        _row(term="treated", model="redrawn", estimate=0.32, conf_low=-0.1),
        _row(term="treated[arm=both]", model="ols", estimate=9.0, subgroup="girls"),
    ])  # fmt: skip
    return protocol, rows


def test_each_of_several_arms_has_its_own_sensitivity_analyses() -> None:
    protocol, rows = _several()
    coaching, both = summarise_findings(rows, protocol)
    assert (coaching.arm, coaching.group) == ("coaching", "pupils in coaching")
    found = [
        [other.estimate for other in sensitivity_findings(rows, protocol, one)]
        for one in (coaching, both)
    ]
    assert found == [[0.16], [0.31, 0.32]]
    protocol["models"]["itt"]["where"] = {}
    assert summarise_findings(rows, protocol)[0].people == "pupil-years"


def test_sensitivity_analyses_that_disagree_are_said_in_plain_words() -> None:
    protocol, rows = _several()
    coaching, both = summarise_findings(rows, protocol)
    said = sensitivity_sentence(both, sensitivity_findings(rows, protocol, both))
    (wide,) = (
        other for other in sensitivity_findings(rows, protocol, both) if not excludes_zero(other)
    )
    assert said == (
        "Both sensitivity analyses give higher estimates (+0.31 to +0.32 SD). One of them "
        f"(Model) includes zero: {wide.size} SD."
    )
    one = sensitivity_sentence(coaching, sensitivity_findings(rows, protocol, coaching))
    assert one == "The one sensitivity analysis gives a higher estimate (+0.16 SD)."
    assert sensitivity_sentence(coaching, []) == ""
    near = replace(coaching, estimate=coaching.estimate - 0.001, low=coaching.low - 0.001)
    assert sensitivity_sentence(coaching, [near, near]) == (
        f"Both sensitivity analyses give {signed(near.estimate, near.digits)} SD."
    )


def test_a_panel_that_averages_the_years_of_the_programme_says_which() -> None:
    protocol, rows = _several()
    coaching, _ = summarise_findings(rows, protocol)
    primary = replace(coaching, low=-0.1, high=0.3)
    panel = replace(coaching, low=0.02, averaged="2019 and 2020", model_label="Panel")
    assert "(Panel, which averages 2019 and 2020) excludes zero" in sensitivity_sentence(
        primary, [panel, primary]
    )
    same = sensitivity_sentence(replace(primary, averaged=panel.averaged), [panel, primary])
    assert "averages" not in same


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


def test_only_effects_of_primary_outcomes_in_primary_models_are_headlines(
    finished: SmallTrial,
) -> None:
    rows = [
        _row(outcome="reading"), _row(model="did"), _row(estimand="take-up"),
        _row(estimand="CACE"), _row(estimand="ATT"),
    ]  # fmt: skip
    found = summarise_findings(pd.DataFrame(rows), finished.read().content)
    assert [one.estimand for one in found] == ["CACE", "ATT"]
    assert {(one.unit, one.level) for one in found} == {("SD", 0.95)}
    assert "among those who took up the offer" in _words(found[0])
    assert not np.isnan(found[0].estimate)


def test_a_placebo_is_told_apart_from_the_analyses_of_the_same_sample(
    finished: SmallTrial,
) -> None:
    content: Any = copy.deepcopy(dict(finished.read().content))
    models = content["models"]
    models["itt_ols"] = {**models["itt"], "role": "sensitivity", "label": "OLS"}
    models["placebo"] = {**models["itt"], "role": "sensitivity", "label": "Placebo, year 2"}
    rows = pd.DataFrame([
        _row(), _row(model="itt_ols", estimate=0.12),
        _row(model="placebo", estimate=-0.02, conf_low=-0.1, conf_high=0.06, subgroup="year 2"),
    ])  # fmt: skip
    (one,) = summarise_findings(rows, content)
    others = sensitivity_findings(rows, content, one)
    assert [other.model for other in others] == ["itt_ols"]
    assert other_samples_sentence(rows, content, one) == (
        "Of other years or samples: Placebo, year 2: −0.02 (−0.10 to 0.06) SD."
    )
    assert other_samples_sentence(rows[:2], content, one) == ""


def test_a_secondary_outcome_has_one_effect_that_of_its_primary_model_before_others(
    finished: SmallTrial,
) -> None:
    content: Any = copy.deepcopy(finished.read().content)
    content["outcomes"]["ela"] = {**content["outcomes"]["maths"], "primary": False, "label": "ELA"}
    models = content["models"]
    models |= {"early": {**models["itt"], "role": "secondary"},
               "check": {**models["itt"], "role": "sensitivity"}}  # fmt: skip
    rows = [
        _row(), _row(outcome="ela", model="check", estimate=0.3),
        _row(outcome="ela", model="early", estimate=0.2),
    ]  # fmt: skip
    (one,) = secondary_findings(pd.DataFrame(rows), content)
    assert (one.model, one.label, one.estimate) == ("early", "ELA", 0.2)
    rows += [_row(outcome="ela"), _row(outcome="ela", subgroup="girls", estimate=0.4)]
    (one,) = secondary_findings(pd.DataFrame(rows), content)
    assert (one.model, one.estimate) == ("itt", 0.1)


def test_an_outcome_of_several_primary_models_bears_their_names(finished: SmallTrial) -> None:
    content: Any = copy.deepcopy(dict(finished.read().content))
    content["models"]["girls"] = {**content["models"]["itt"], "label": "Girls"}
    rows = pd.DataFrame([_row(), _row(model="girls", subgroup="girls")])
    found = summarise_findings(rows, content)
    assert [one.label for one in found] == ["Maths (Intention to treat)", "Maths (Girls)"]
    assert [one.label for one in summarise_findings(rows[:1], content)] == ["Maths"]


def test_a_difference_of_per_cents_is_in_percentage_points() -> None:
    outcome = {"scale": "continuous", "standardise": "none", "units_label": "per cent"}
    assert unit_of(outcome) == "percentage points"
    assert unit_of({**outcome, "units_label": "points"}) == "points"
    assert unit_of({**outcome, "standardise": "control"}) == "SD"
