"""Claims about the covariates that a formula gives to a model of a protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.analysis.design_matrix import DesignMatrix, build_design_matrix
from schooltrial.analysis.formulas.covariate_formula import parse_covariates
from schooltrial.protocol.content.sections import Model

Make = Callable[..., Model]


def _design(formula: str, sample: pd.DataFrame, model: Model) -> DesignMatrix:
    rows, names = parse_covariates(formula).add_columns(sample, model)
    return build_design_matrix(rows, {**model, "covariates": list(names)}, "score")


def test_a_name_alone_is_the_covariate_of_that_name_and_changes_no_column(
    sample: pd.DataFrame, model: Make
) -> None:
    read = parse_covariates("score ~ treated + age + `sector`")
    assert (read.outcome, read.names, read.computed) == ("score", ("age", "sector"), ())
    rows, names = read.add_columns(sample, model())
    assert rows is sample
    assert names == ("age", "sector")


def test_functions_products_and_categories_are_columns(sample: pd.DataFrame, model: Make) -> None:
    design = _design("score ~ treated + np.log(age) + age:girl + C(year)", sample, model())
    assert list(design.columns) == ["treated", "np.log(age)", "year=2020", "age × girl"]
    assert np.array_equal(design.columns["np.log(age)"], np.log(sample["age"]))
    assert np.array_equal(design.columns["age × girl"], sample["age"] * sample["girl"])
    assert np.array_equal(design.columns["year=2020"], sample["year"] == 2020)


def test_a_product_beside_its_parts_has_the_columns_that_they_leave(
    sample: pd.DataFrame, model: Make
) -> None:
    beside = _design("score ~ treated + sector * C(year)", sample, model())
    by_key = build_design_matrix(sample, model(covariates=["sector:year"]), "score")
    both = np.column_stack([np.ones(len(sample)), beside.regressors, by_key.regressors])
    alone = np.column_stack([np.ones(len(sample)), beside.regressors])
    assert alone.shape[1] == 7
    assert np.linalg.matrix_rank(both) == np.linalg.matrix_rank(alone) == 7


def test_a_function_of_all_rows_is_of_those_that_are_analysed(
    sample: pd.DataFrame, model: Make
) -> None:
    design = _design("score ~ treated + center(age)", sample, model(where={"year": [2020]}))
    later = sample[sample["year"] == 2020]
    assert 0 < len(later) < len(sample)
    assert np.allclose(design.columns["center(age)"], later["age"] - later["age"].mean())


@pytest.mark.parametrize("rule", ["indicator", "drop"])
def test_rows_that_lack_a_part_are_treated_and_counted_as_for_keys(
    sample: pd.DataFrame, model: Make, rule: str
) -> None:
    lacking = sample.assign(age=sample["age"].where(sample.index % 5 != 1))
    lacking.loc[lacking.index[2], "score"] = np.nan
    planned = model(missing_covariates=rule)
    by_formula = _design("score ~ treated + np.log(age)", lacking, planned)
    keyed = lacking.assign(log_age=np.log(lacking["age"]))
    by_key = build_design_matrix(keyed, {**planned, "covariates": ["log_age"]}, "score")
    assert len(by_formula.rows) == len(by_key.rows)
    assert len(by_key.rows) < len(sample)
    for ours, theirs in zip(by_formula.columns.values(), by_key.columns.values(), strict=True):
        assert np.array_equal(ours, theirs)

    def as_key(counts: dict[str, int]) -> dict[str, int]:
        return {name.replace("np.log(age)", "log_age"): count for name, count in counts.items()}

    assert as_key(by_formula.incomplete) == by_key.incomplete
    assert as_key(by_formula.indicated) == by_key.indicated
    assert by_key.incomplete.get("log_age", by_key.indicated.get("log_age"))


def test_a_category_that_some_rows_lack_spans_the_columns_that_its_key_has(
    sample: pd.DataFrame, model: Make
) -> None:
    lacking = sample.assign(sector=sample["sector"].where(sample.index % 5 != 1))
    by_formula = _design("score ~ treated + C(sector)", lacking, model())
    by_key = build_design_matrix(lacking, model(covariates=["sector"]), "score")
    ones = np.ones((len(sample), 1))
    spans = [[by_formula], [by_key], [by_formula, by_key]]
    ranks = [
        np.linalg.matrix_rank(np.hstack([ones, *(design.regressors for design in designs)]))
        for designs in spans
    ]
    assert ranks == [5, 5, 5]


def test_missing_covariates_that_the_model_refuses_are_refused_by_formula_too(
    sample: pd.DataFrame, model: Make
) -> None:
    lacking = sample.assign(age=sample["age"].where(sample.index % 5 != 1))
    with pytest.raises(ValueError, match=r"covariates are missing .*: np\.log\(age\) \d"):
        _design("score ~ treated + np.log(age)", lacking, model(missing_covariates="refuse"))


def test_a_baseline_that_is_held_as_0_is_missing_to_a_function(
    sample: pd.DataFrame, model: Make
) -> None:
    unknown = sample.index % 4 == 1
    held = sample.assign(
        score_before=np.where(unknown, 0.0, sample["age"]), score_before_missing=unknown * 1.0
    )
    design = _design("score ~ treated + np.log(score_before)", held, model())
    assert design.indicated == {"np.log(score_before)": int(unknown.sum())}
    known = design.columns["np.log(score_before)"][~unknown]
    assert np.array_equal(known, np.log(sample["age"][~unknown]))


@pytest.mark.parametrize(
    ("formula", "told"),
    [
        ("score ~ treated + age | block", "Blocks, fixed effects and take-up stay"),
        ("score ~ age | 0 | took_up ~ treated", "Blocks, fixed effects and take-up stay"),
        ("score ~ treated + age - 1", "takes the intercept out"),
        ("score ~ age", r"has no 'treated', .* write 'score ~ treated \+ age'"),
        ("score ~ treated * girl", r"'treated:girl', .*moderator='girl'"),
        ("score ~ treated + np.exp(treated)", "must be alone"),
        ("np.log(score) ~ treated", r"'np\.log\(score\)' is no outcome of the study"),
        ("score + age ~ treated", r"'score\+age' is no outcome|'score \+ age' is no outcome"),
        ("score", "must have one ~"),
    ],
)
def test_what_a_formula_does_not_change_is_told(formula: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse_covariates(formula)


@pytest.mark.parametrize(
    ("formula", "changes", "told"),
    [
        ("score ~ treated + double(age)", {}, "cannot be computed: name 'double' is not defined"),
        ("score ~ treated + np.log(girl)", {}, r"'np\.log\(girl\)' is not finite in \d+ of"),
        ("score ~ treated + np.exp(age)", {"where": {"year": [1990]}}, "no row of the model has"),
    ],
)
def test_what_cannot_be_computed_is_told(
    sample: pd.DataFrame, model: Make, formula: str, changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        _design(formula, sample, model(**changes))
