"""Formulas are read, and data turned into columns, with messages that name the user's columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.analysis.formulas.model_formula import parse_formula, read_rows


def pupils() -> pd.DataFrame:
    return pd.DataFrame({
        "maths": [3.0, 4.0, 5.0, 6.0, 8.0, 9.0],
        "treated": [0, 1, 0, 1, 0, 1],
        "maths_before": [1.0, np.nan, 3.0, 5.0, 4.0, 7.0],
        "male": [True, False, True, True, False, False],
        "grade": ["4", "5", "5", "6", "4", "6"],
        "school": list("aabbcc"),
        "weight": [1.0, 1, 2, 2, 1, np.nan],
        "band": ["low", "low", "high", "low", "high", "high"],
    })  # fmt: skip


def test_the_parts_of_a_formula_are_outcome_regressors_absorbed_and_instrument() -> None:
    found = parse_formula("maths ~ male + np.log(x | 1) | block + year | took_up ~ treated")
    assert (found.outcome, found.absorbed) == ("maths", ("block", "year"))
    assert found.regressors == "male + np.log(x | 1)"
    assert (found.endogenous, found.instruments) == ("took_up", "treated")
    without_blocks = parse_formula("maths ~ male | took_up ~ treated")
    assert (without_blocks.absorbed, without_blocks.endogenous) == ((), "took_up")
    assert parse_formula("maths ~ male | 0 | took_up ~ treated").absorbed == ()
    assert set(parse_formula("np.log(y) ~ a*b + `my score` | c").variables()) == {
        "y", "a", "b", "my score", "c",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("maths", "must have one ~"),
        ("~ treated", "something on both its sides"),
        ("maths ~ ", "something on both its sides"),
        ("maths ~ treated ~ x", "must have one ~"),
        ("maths ~ treated + (x", r"'maths ~ treated \+ \(x' cannot be read"),
        ("maths ~ treated +", "cannot be read: Operator"),
        ("maths ~ treated | a | b", "one part too many: 'b'"),
        ("maths ~ treated | a + ", "does not name the effects"),
    ],
)
def test_a_formula_that_cannot_be_read_is_shown_with_what_is_wrong(
    formula: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        parse_formula(formula)
    assert "outcome ~ treated + covariate" in str(raised.value)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    ("formula", "how", "message"),
    [
        ("maths ~ treatd", {}, "no column 'treatd'; did you mean 'treated'"),
        ("matsh ~ treated", {}, "no column 'matsh'; did you mean 'maths'"),
        ("maths ~ treated | shcool", {}, "no column 'shcool'; did you mean 'school'"),
        ("maths ~ treated", {"weights": "wieght"}, "no column 'wieght'; did you mean 'weight'"),
        ("maths ~ treated + zzzz", {}, "no column 'zzzz'; they have maths, treated"),
        ("band ~ treated", {}, r"'band' holds text \('low' in its first row\)"),
        ("maths ~ treated + empty", {}, "none of the 6 rows is complete; .* empty 6"),
    ],
)
def test_messages_name_the_users_column(formula: str, how: dict[str, Any], message: str) -> None:
    data = pupils().assign(empty=np.nan) if "empty" in formula else pupils()
    with pytest.raises(ValueError, match=message):
        read_rows(formula, data, **how)


def test_rows_that_lack_a_value_are_left_out_and_counted_by_column() -> None:
    rows = read_rows("maths ~ treated + maths_before", pupils(), cluster="school", weights="weight")
    assert rows.notes == ("2 of 6 rows are left out for missing values: maths_before 1, weight 1",)
    np.testing.assert_array_equal(rows.outcome, [3, 5, 6, 8])
    assert rows.values("school").tolist() == list("abbc")
    assert read_rows("maths ~ treated", pupils()).notes == ()


def test_categories_are_indicators_of_all_levels_but_the_first_and_flags_are_numbers() -> None:
    rows = read_rows("maths ~ treated + grade + male + C(band)", pupils())
    assert list(rows.columns) == [
        "(Intercept)",
        "grade=5",
        "grade=6",
        "band=low",
        "treated",
        "male",
    ] or list(rows.columns) == ["(Intercept)", "treated", "grade=5", "grade=6", "male", "band=low"]
    np.testing.assert_array_equal(rows.columns["grade=6"], [0, 0, 0, 1, 0, 1])
    np.testing.assert_array_equal(rows.columns["male"], pupils()["male"])
    assert read_rows("maths ~ treated | school", pupils()).columns.keys() == {"treated"}


def test_the_treatment_is_the_column_of_that_name_or_else_the_first() -> None:
    rows = read_rows("maths ~ maths_before + treated*grade", pupils())
    assert set(rows.treatment_terms) == {"treated", "treated:grade=5", "treated:grade=6"}
    assert read_rows("maths ~ male + maths_before", pupils()).treatment_terms == ("male",)


def test_a_mapping_of_arrays_is_data_too() -> None:
    data = {name: column.to_numpy() for name, column in pupils().items()}
    one, other = (read_rows("maths ~ treated + grade", given) for given in (data, pupils()))
    np.testing.assert_array_equal(one.outcome, other.outcome)
    for name, column in one.columns.items():
        np.testing.assert_array_equal(column, other.columns[name])


def test_columns_inside_any_function_are_found_and_a_function_is_no_column() -> None:
    model = parse_formula("maths ~ treated + poly(before, 2) + bs(age, df=4):sex + double(days)")
    assert model.variables() == ["maths", "treated", "before", "age", "sex", "days"]


def test_a_function_of_all_rows_makes_columns_and_one_that_is_not_known_is_told() -> None:
    data = pupils().assign(age=[6.0, 7, 8, 9, 10, 12])
    rows = read_rows("maths ~ treated + center(age)", data)
    assert rows.columns["center(age)"].tolist() == pytest.approx(
        (rows.frame["age"] - rows.frame["age"].mean()).tolist()
    )
    with pytest.raises(ValueError, match="cannot be computed: name 'double' is not defined"):
        read_rows("maths ~ treated + double(age)", data)
