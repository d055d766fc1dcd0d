"""Claims about models that are fitted again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from schooltrial.refusal import UserError
from schooltrial.study.opened_study import OpenedStudy


@pytest.mark.parametrize("model", ["itt", "did", "multilevel", "compliers", "redrawn", "bootstrap"])
def test_a_planned_model_comes_to_the_rows_that_its_script_wrote(
    opened: OpenedStudy, model: str
) -> None:
    outcome = opened.models[model]["outcomes"][-1]
    fit = opened.refit(model, outcome)
    assert fit.planned is True
    assert fit.changed == {}
    rows = opened.estimates.query("model == @model and outcome == @outcome")
    for column in ("estimate", "std_error", "p_value", "conf_low", "effect_size"):
        assert fit.rows[column].tolist() == pytest.approx(
            rows[column].tolist(), rel=1e-9, nan_ok=True
        )


@pytest.mark.parametrize("column", ["estimate", "std_error", "p_value", "method"])
def test_a_planned_model_that_does_not_come_to_the_table_raises(
    table_with: Callable[..., OpenedStudy], opened: OpenedStudy, column: str
) -> None:
    stored = pd.read_csv(opened.paths.estimates, dtype=str)
    value = stored.query("model == 'itt' and outcome == 'reading'")[column].iloc[0]
    digit = next(d for d in reversed(value) if d.isdigit())
    at = value.rindex(digit)
    other = value[:at] + str((int(digit) + 2) % 10) + value[at + 1 :]
    study = table_with(f",{value}," if column != "method" else value, f",{other},"
                       if column != "method" else other)  # fmt: skip
    model, outcome = ("itt", "reading") if column != "method" else ("itt", "maths")
    with pytest.raises(UserError, match=f"the {column} is .*run the study again"):
        study.refit(model, outcome)


def test_a_changed_model_is_exploratory_and_says_so_wherever_it_is_shown(
    opened: OpenedStudy,
) -> None:
    fit = opened.refit("itt", "maths", covariates=[], where={"year": [2020], "sex": ["girl"]})
    assert fit.planned is False
    assert fit.changed == {"covariates": [], "where": {"year": [2020], "sex": ["girl"]}}
    assert "exploratory, not planned: covariates=[]" in repr(fit)
    assert fit.to_frame()["planned"].tolist() == [False]
    assert fit.to_frame()["status"].iloc[0].startswith("exploratory, not planned: covariates=[]")
    girls = opened.sample(year=2020, outcome="maths").query("sex == 'girl'")
    assert fit.rows["n_individuals"].tolist() == [len(girls)]


def test_a_value_that_is_the_planned_one_changes_nothing(opened: OpenedStudy) -> None:
    fit = opened.refit("itt", "maths", covariates=["girl"])
    assert fit.planned is True
    assert fit.changed == {}


def test_an_outcome_that_the_model_was_not_planned_for_is_a_change(opened: OpenedStudy) -> None:
    fit = opened.refit("itt", "attendance")
    assert fit.planned is False
    assert fit.changed == {"outcomes": ["attendance"]}


def test_another_rule_for_degrees_of_freedom_changes_them_and_not_the_effect(
    opened: OpenedStudy,
) -> None:
    planned, other = (opened.refit("multilevel", **keys) for keys in ({}, {"df": "satterthwaite"}))
    assert planned.rows["estimate"].tolist() == other.rows["estimate"].tolist()
    assert planned.rows["method"].tolist() != other.rows["method"].tolist()


def test_a_model_of_several_outcomes_is_refitted_to_its_one_primary_outcome(
    opened: OpenedStudy,
) -> None:
    assert opened.refit("itt").outcome == "maths"


def test_of_several_primary_outcomes_one_must_be_named(
    opened: OpenedStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    for outcome in opened.protocol.content["outcomes"].values():
        monkeypatch.setitem(outcome, "primary", True)
    with pytest.raises(UserError, match=r"as in study\.refit\('itt', 'maths', …\)"):
        opened.refit("itt")


@pytest.mark.parametrize(
    ("model", "outcome", "changes", "told"),
    [
        ("it", "maths", {}, "no model 'it'; did you mean 'itt'"),
        ("itt", "math", {}, "no outcome 'math'; did you mean 'maths'"),
        ("itt", "maths", {"covariate": ["girl"]}, "'covariate'; did you mean 'covariates'"),
        ("itt", "maths", {"covariates": ["grils"]}, "fix:      Did you mean 'girl'"),
        ("itt", "maths", {"where": {"yaer": [2020]}}, "fix:      Did you mean 'year'"),
        ("itt", "maths", {"where": {"year": [2025]}}, "2025, but the protocol has no such year"),
        ("itt", "maths", {"blocks": "fixd"}, "one of fixed, random, none"),
        ("itt", "maths", {"df": "satterthwaite"}, "cluster_robust makes no use of `df`"),
        ("did", "reading", {"blocks": "none"}, "makes no use of `blocks`"),
        ("itt", "maths", {"random_levels": ["school"]}, "makes no use of `random_levels`"),
        ("itt", "maths", {"cluster": "schol"}, "fix:      Did you mean 'school'"),
    ],
)
def test_what_is_not_known_or_of_no_effect_is_told(
    opened: OpenedStudy, model: str, outcome: str | None, changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(UserError, match=told):
        opened.refit(model, outcome, **changes)


def test_a_refit_may_cluster_errors_otherwise_and_take_another_estimator(
    opened: OpenedStudy,
) -> None:
    planned, other = (opened.refit("itt", "maths", **keys) for keys in ({}, {"cluster": "block"}))
    assert planned.rows["estimate"].item() == pytest.approx(other.rows["estimate"].item())
    assert "errors clustered on block" in other.rows["note"].iloc[0]
    bootstrap = opened.refit("itt", "maths", estimator="wild_bootstrap", replications=100)
    assert bootstrap.rows["method"].iloc[0].startswith("wild cluster bootstrap")


def test_all_models_of_a_role_are_fitted_again(opened: OpenedStudy) -> None:
    rows = opened.refit_all(role="sensitivity")
    stored = opened.estimates[opened.estimates["model"].map(
        lambda name: opened.models[name]["role"] == "sensitivity"
    )]  # fmt: skip
    assert rows["model"].tolist() == stored["model"].tolist()
    assert rows["planned"].all()
    with pytest.raises(UserError, match="no model of the role 'sensitive'; did you mean"):
        opened.refit_all(role="sensitive")


def test_a_refit_offers_what_its_estimators_result_offers(opened: OpenedStudy) -> None:
    fit = opened.refit("itt", "maths")
    assert fit.conf_int().equals(fit.result.conf_int())
    with pytest.raises(AttributeError, match="a refit of 'itt' has no 'nothing'"):
        _ = fit.nothing


@pytest.mark.parametrize(("key", "value"), [("outcomes", ["reading"]), ("role", "secondary")])
def test_what_is_no_part_of_a_fit_cannot_be_changed(
    opened: OpenedStudy, key: str, value: object
) -> None:
    with pytest.raises(UserError, match=f"'{key}' changes no fit"):
        opened.refit("itt", "maths", **{key: value})


def test_a_refit_of_a_panel_offers_what_the_fit_of_its_effect_does(opened: OpenedStudy) -> None:
    fit = opened.refit("did")
    assert fit.conf_int().equals(fit.result.effect.conf_int())
