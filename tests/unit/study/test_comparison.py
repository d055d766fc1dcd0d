"""Claims about fits side by side."""

from __future__ import annotations

import pytest

from schooltrial.refusal import UserError
from schooltrial.study.comparison import compare
from schooltrial.study.opened_study import OpenedStudy


def test_each_column_is_what_its_fit_says_of_the_term(opened: OpenedStudy) -> None:
    fits = {"REML": opened.refit("multilevel"), "CR2": opened.refit("itt", "maths")}
    table = compare(fits, terms=["treated"])
    for head, fit in fits.items():
        (row,) = fit.estimates()
        assert table.loc[("treated", "estimate"), head] == row.estimate
        assert table.loc[("treated", "std_error"), head] == row.std_error
        assert table.loc[("treated", "n_individuals"), head] == row.n_individuals
        assert table.loc[("treated", "method"), head] == row.method
    assert ("", "status") not in table.index


def test_results_of_estimators_stand_beside_refits(opened: OpenedStudy) -> None:
    fit = opened.refit("itt", "maths")
    table = compare({"refit": fit, "result": fit.result}, terms=["treated"])
    estimate = table.loc[("treated", "estimate")]
    assert estimate["refit"] == estimate["result"]


def test_a_fit_that_was_not_planned_is_said_to_be_so(opened: OpenedStudy) -> None:
    fits = {"planned": opened.refit("itt", "maths"),
            "other": opened.refit("itt", "maths", covariates=[])}  # fmt: skip
    status = compare(fits).loc[("", "status")]
    assert status["planned"] == "as planned"
    assert status["other"] == "exploratory, not planned: covariates=[]"


def test_a_term_that_a_fit_has_not_is_empty_and_one_that_none_has_is_told(
    opened: OpenedStudy,
) -> None:
    fits = {"CACE": opened.refit("compliers"), "CR2": opened.refit("itt", "maths")}
    assert compare(fits, terms=["took_up"]).loc[("took_up", "estimate"), "CR2"] == ""
    with pytest.raises(UserError, match="no term 'treatd'; did you mean 'treated'"):
        compare(fits, terms=["treatd"])
