"""A table of effects holds the models of its roles, no others, in the units that readers see."""

import copy
from typing import Any

import pandas as pd
import pytest

from schooltrial.protocol.reading import with_subgroup_models
from schooltrial.report.findings.effects import Rows, effects_shown, high_attrition, same_estimates
from schooltrial.report.findings.headlines import summarise_findings
from support.small_trial import SmallTrial

LABELS = {"girl": "Girls"}


def _row(**keys: Any) -> dict[str, Any]:
    return {
        "model": "itt", "outcome": "maths", "estimand": "ITT", "subgroup": "all",
        "term": "treated", "estimate": 0.1, "std_error": 0.04, "df": 6.0, "statistic": 2.5,
        "p_value": 0.03, "conf_low": 0.02, "conf_high": 0.18, "effect_size": 0.1,
        "es_conf_low": 0.02, "es_conf_high": 0.18, "n_individuals": 160, "n_units": 8,
        "n_treated_units": 4, "n_schools": 8,
        "n_treated_schools": 4, "method": "OLS", "converged": True, "note": "", **keys,
    }  # fmt: skip


def _of(wanted: str) -> Rows:
    """Return the choice of the models of one role, whatever their outcomes."""
    return lambda role, primary: role == wanted


@pytest.fixture
def protocol(finished: SmallTrial) -> dict[str, Any]:
    """Return a protocol whose primary model is followed by that of a subgroup."""
    content: dict[str, Any] = copy.deepcopy(dict(finished.read().content))
    models: Any = {"itt": {**content["models"]["itt"], "subgroups": ["girls"]}}
    girls: Any = {"girls": {"label": "Girls only", "where": {"girl": [1.0]}}}
    content["models"] = with_subgroup_models(models, girls)
    return content


def test_the_model_of_a_subgroup_is_secondary_and_the_whole_sample_is_primary(
    protocol: dict[str, Any],
) -> None:
    rows = pd.DataFrame([_row(), _row(model="itt__girls", subgroup="Girls only", estimate=0.15)])
    primary = effects_shown(rows, protocol, "Primary", _of("primary"), LABELS)
    secondary = effects_shown(rows, protocol, "Secondary", _of("secondary"), LABELS)
    assert primary is not None
    assert primary.table.cells["Effect"].tolist() == ["+0.100"]
    assert secondary is not None
    assert secondary.table.cells["Effect"].tolist() == ["+0.150"]
    assert secondary.table.group == ("Intention to treat: Girls only",)


def test_a_table_of_a_role_that_no_model_has_is_left_out(protocol: dict[str, Any]) -> None:
    assert (
        effects_shown(pd.DataFrame([_row()]), protocol, "None", _of("replication"), LABELS) is None
    )


def test_a_secondary_outcome_of_a_primary_model_is_not_shown_among_the_primary_ones(
    protocol: dict[str, Any],
) -> None:
    protocol["outcomes"]["reading"] = {**protocol["outcomes"]["reading"], "primary": False}
    rows = pd.DataFrame([_row(), _row(outcome="reading", estimate=0.15)])
    shown = [
        effects_shown(rows, protocol, "Effects", chosen, LABELS)
        for chosen in (lambda role, primary: primary, lambda role, primary: not primary)
    ]
    assert [one.table.cells["Effect"].tolist() for one in shown if one] == [["+0.100"], ["+0.150"]]


def test_take_up_is_in_percentage_points_whatever_the_outcome(protocol: dict[str, Any]) -> None:
    take_up = _row(estimand="take-up", estimate=0.62, conf_low=0.5, conf_high=0.74, std_error=0.06)
    for scale in ("binary", "continuous"):
        protocol["outcomes"]["maths"] = {**protocol["outcomes"]["maths"], "scale": scale}
        shown = effects_shown(pd.DataFrame([take_up]), protocol, "Effects", _of("primary"), LABELS)
        assert shown is not None
        (cells,) = shown.table.cells.to_dict("records")
        assert (cells["Effect"], cells["95% CI"], cells["Unit"], cells["SE"]) == (
            "+62.0", "50.0 to 74.0", "percentage points", "6.0",
        )  # fmt: skip


def test_a_joint_test_has_a_statistic_and_no_effect(protocol: dict[str, Any]) -> None:
    rows = pd.DataFrame([_row(estimand="joint test", statistic=3.456)])
    shown = effects_shown(rows, protocol, "Effects", _of("primary"), LABELS)
    assert shown is not None
    (cells,) = shown.table.cells.to_dict("records")
    assert (cells["Effect"], cells["95% CI"], cells["SE"]) == ("F = 3.46", "", "")


def test_the_primary_analysis_is_first_and_rows_that_disagree_with_it_are_marked(
    protocol: dict[str, Any],
) -> None:
    itt = protocol["models"]["itt"]
    protocol["models"] = {"other": {**itt, "role": "sensitivity", "label": "Other"}, "itt": itt}
    unlike = _row(model="other", conf_low=-0.1, conf_high=0.3)
    rows = pd.DataFrame([unlike, _row(), _row(model="other", estimand="first stage")])
    compared = summarise_findings(rows, protocol)
    shown = effects_shown(rows, protocol, "Effects", _of("sensitivity"), LABELS, compared)
    assert shown is not None
    assert shown.table.group == ("Primary analysis: Intention to treat", "Other", "Other")
    assert shown.table.cells["Notes"].tolist() == [
        "", "unlike in the primary analysis, zero is inside the CI", "",
    ]  # fmt: skip


def test_notes_are_said_once_for_a_model_and_for_models_that_share_them(
    protocol: dict[str, Any],
) -> None:
    protocol["models"]["itt__girls"]["role"] = "primary"
    part = "few schools"
    rows = pd.DataFrame([
        _row(note=part), _row(outcome="reading", note=part), _row(estimand="effect by group"),
        _row(model="itt__girls", note=part), _row(model="itt__girls", estimand="effect by group"),
        _row(model="itt__girls", outcome="reading", note=f"{part}; one more"),
    ])  # fmt: skip
    shown = effects_shown(rows, protocol, "Effects", _of("primary"), LABELS)
    assert shown is not None
    assert shown.notes == ("OLS; few schools.",)
    assert [note for note in shown.table.cells["Notes"] if note] == ["one more"]


def test_an_effect_of_a_year_in_which_attrition_is_high_is_marked() -> None:
    attrition = pd.DataFrame({
        "kind": "lost", "outcome": "maths", "verdict": ["high", "low"], "year": [2022, 2021],
    })  # fmt: skip
    row = pd.Series(_row())
    later: dict[str, Any] = {"where": {"year": [2021, 2022]}}
    assert high_attrition(row, later, attrition) == "attrition is high by the WWC boundary (2022)"
    assert high_attrition(row, {"where": {"year": [2021]}}, attrition) == ""
    assert high_attrition(row, later, attrition.assign(outcome="reading")) == ""
    assert high_attrition(row, later, None) == ""


def test_one_estimate_with_several_standard_errors_says_why_and_which_is_primary() -> None:
    models = {
        "ols": {"label": "OLS", "role": "primary", "estimator": "cluster_robust"},
        "drawn": {"label": "Drawn again", "role": "sensitivity",
                  "estimator": "randomisation_inference"},
        "reml": {"label": "REML", "role": "sensitivity", "estimator": "multilevel"},
    }  # fmt: skip
    rows = pd.DataFrame([
        _row(model="ols"), _row(model="drawn", std_error=0.05), _row(model="reml", estimate=0.11),
    ])  # fmt: skip
    (told,) = same_estimates(rows, models)
    assert told.startswith(
        "One estimate with several standard errors: OLS, the primary analysis; Drawn again. Each is"
    )
    assert told.endswith("p-values and intervals come from the draws.")
    assert same_estimates(rows.iloc[[0, 2]], models) == []


def test_one_estimate_under_several_covariances_names_these() -> None:
    models = {"ols": {"label": "OLS", "role": "primary", "estimator": "cluster_robust"}}
    rows = pd.DataFrame(
        [_row(model="ols", method="OLS, CR1"), _row(model="ols", method="CR2", std_error=0.05)]
    )
    (told,) = same_estimates(rows, models)
    assert "several standard errors: OLS, CR1; CR2. Each is" in told
    assert "draws" not in told
