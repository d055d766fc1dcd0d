"""Claims about models that are fitted again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pandas as pd
import pytest

import schooltrial as st
from schooltrial.cli.main import main
from schooltrial.refusal import UserError
from schooltrial.study.opened.opened_study import OpenedStudy
from support.small_trial import SmallTrial


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
    opened: OpenedStudy, key: str, value: Any
) -> None:
    with pytest.raises(UserError, match=f"'{key}' changes no fit"):
        opened.refit("itt", "maths", **{key: value})


def test_a_refit_of_a_panel_offers_what_the_fit_of_its_effect_does(opened: OpenedStudy) -> None:
    fit = opened.refit("did")
    assert fit.conf_int().equals(fit.result.effect.conf_int())


EQUAL = ("estimate", "std_error", "df", "p_value", "conf_low", "conf_high", "effect_size")


@pytest.mark.parametrize("model", ["itt", "multilevel", "compliers", "redrawn", "bootstrap"])
@pytest.mark.parametrize(
    ("formula", "covariates"),
    [
        ("maths ~ treated + maths_before + sex", ["maths_before", "sex"]),
        ("maths ~ treated + maths_before + C(sex)", ["maths_before", "sex"]),
        ("maths ~ treated + sex * C(grade)", ["sex:grade"]),
    ],
)
def test_a_refit_by_formula_equals_the_refit_by_keys(
    opened: OpenedStudy, model: str, formula: str, covariates: list[str]
) -> None:
    written = opened.refit(model, formula=formula)
    keyed = opened.refit(model, "maths", covariates=covariates)
    for column in EQUAL:
        assert written.rows[column].tolist() == pytest.approx(
            keyed.rows[column].tolist(), rel=1e-12, abs=1e-12, nan_ok=True
        )
    assert written.rows["n_individuals"].tolist() == keyed.rows["n_individuals"].tolist()
    assert written.rows["method"].tolist() == keyed.rows["method"].tolist()
    assert written.planned is False
    assert written.changed == {"formula": formula}


def test_a_refit_by_formula_is_the_fit_by_formula_of_the_rows_that_it_analyses(
    opened: OpenedStudy,
) -> None:
    formula = "maths ~ treated + poly(maths_before, 2) + scale(days_present):sex"
    refitted = opened.refit("multilevel", formula=formula)
    rows = opened.sample(complete_for="multilevel")
    fitted = st.fit_multilevel(formula, rows, school="cluster")
    assert refitted.rows["estimate"].item() == pytest.approx(fitted.params["treated"], rel=1e-9)
    assert np.allclose(refitted.predict(), fitted.predict())


def test_a_refit_by_formula_keeps_the_rest_of_the_model_and_answers_like_another(
    opened: OpenedStudy,
) -> None:
    written = opened.refit("itt", formula="reading ~ treated + np.log(days_present)")
    planned = opened.refit("itt", "reading")
    assert written.outcome == "reading"
    assert written.rows["method"].tolist() == planned.rows["method"].tolist()
    assert written.rows["n_individuals"].tolist() == planned.rows["n_individuals"].tolist()
    assert "np.log(days_present)" in str(written.summary())
    assert "not planned: formula='reading ~ treated + np.log(days_present)'" in repr(written)
    both = st.compare({"as planned": planned, "by formula": written}).to_frame()
    assert both["by formula"].iloc[0] == written.rows["estimate"].item()
    assert both["by formula"].iloc[-1] == written.status
    assert len(written.residuals()) == written.result.n_rows
    assert "treated" in written.plot().svg


def test_a_formula_of_the_planned_covariates_is_the_planned_model(opened: OpenedStudy) -> None:
    fit = opened.refit("itt", formula="maths ~ treated + girl")
    assert fit.planned is True
    assert fit.changed == {}
    other = opened["itt"].refit(formula="maths ~ treated + C(girl)")
    assert other.planned is False


def test_a_formula_is_given_on_the_command_line(
    trial_on_disk: SmallTrial,
    opened: OpenedStudy,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    copytree(trial_on_disk.folder / "elsewhere", tmp_path / "small")
    (tmp_path / "small" / "logs").mkdir()
    study = [str(trial_on_disk.folder / "trial.yaml"), "multilevel"]
    results = ["--results", str(tmp_path / "small")]
    formula = "maths ~ treated + C(sex)"
    assert main(["refit", *study, "--formula", formula, *results]) == 0
    assert capsys.readouterr().out == f"{opened.refit('multilevel', formula=formula)!r}\n"
    assert main(["refit", *study, "covariates=[]", "--formula", formula, *results]) == 1
    assert "give `formula` or `covariates`, not both" in capsys.readouterr().err


def test_a_formula_of_names_serves_a_panel(opened: OpenedStudy) -> None:
    written = opened.refit("did", formula="reading ~ treated + district")
    keyed = opened.refit("did", covariates=["district"])
    assert written.rows["estimate"].tolist() == keyed.rows["estimate"].tolist()


@pytest.mark.parametrize(
    ("model", "formula", "keys", "told"),
    [
        ("itt", "maths ~ treated + grils", {}, "Did you mean 'girl'"),
        ("itt", "maths ~ treated + np.log(grils)", {}, "Did you mean 'girl'"),
        ("itt", "maths ~ treated + np.log(reading)", {}, "names 'reading', but the protocol has"),
        ("itt", "math ~ treated", {}, "no outcome 'math'; did you mean 'maths'"),
        ("itt", "maths ~ treated + girl", {"outcome": "reading"}, "'maths' on its left, and 're"),
        ("itt", "maths ~ treated", {"covariates": []}, "give `formula` or `covariates`, not both"),
        ("itt", "maths ~ treated", {"blocks": "none"}, "give `formula` or `blocks`, not both"),
        ("itt", "maths ~ girl", {}, "has no 'treated'"),
        ("itt", "maths ~ treated + double(girl)", {}, "itt, maths: .* 'double' is not defined"),
        ("itt", "maths ~ treated + baseline:sex", {}, "name the column, such as maths_before"),
        ("did", "reading ~ treated + C(grade)", {}, "schools by year, whose covariates are names"),
    ],
)
def test_what_a_formula_cannot_say_is_told(
    opened: OpenedStudy, model: str, formula: str, keys: dict[str, Any], told: str
) -> None:
    with pytest.raises(UserError, match=told):
        opened.refit(model, formula=formula, **keys)
