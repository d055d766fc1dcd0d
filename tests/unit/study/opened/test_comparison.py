"""Claims about fits side by side."""

from __future__ import annotations

from pathlib import Path

import docx
import pandas as pd
import pytest

from schooltrial.models.inference.estimate import Estimate
from schooltrial.refusal import UserError
from schooltrial.study.opened.comparison import compare
from schooltrial.study.opened.opened_study import OpenedStudy


class Rows:
    """A fit that reports given rows."""

    def __init__(self, *rows: Estimate) -> None:
        self.rows = rows

    def estimates(self) -> tuple[Estimate, ...]:
        return self.rows


def _row(term: str, estimate: float, method: str = "OLS, CR2") -> Estimate:
    return Estimate(term, estimate, 0.1, 20.0, estimate / 0.1, 0.5, estimate - 0.2, estimate + 0.2,
                    1_200, 40, method)  # fmt: skip


def test_each_column_is_what_its_fit_says_of_the_term(opened: OpenedStudy) -> None:
    fits = {"REML": opened.refit("multilevel"), "CR2": opened.refit("itt", "maths")}
    table = compare(fits, terms=["treated"]).to_frame()
    for head, fit in fits.items():
        (row,) = fit.estimates()
        assert table.loc[("treated", "estimate"), head] == row.estimate
        assert table.loc[("treated", "std_error"), head] == row.std_error
        assert table.loc[("treated", "n_individuals"), head] == row.n_individuals
        assert table.loc[("treated", "method"), head] == row.method
    assert ("", "status") not in table.index


def test_results_of_estimators_stand_beside_refits(opened: OpenedStudy) -> None:
    fit = opened.refit("itt", "maths")
    table = compare({"refit": fit, "result": fit.result}, terms=["treated"]).to_frame()
    estimate = table.loc[("treated", "estimate")]
    assert estimate["refit"] == estimate["result"]


def test_fits_may_be_given_alone_or_by_name_and_models_of_a_study_too(opened: OpenedStudy) -> None:
    fit = opened.refit("multilevel")
    assert list(compare(fit, fit).rows) == ["(1)", "(2)"]
    both = compare(planned=opened["multilevel"], again=fit)
    assert list(both.rows) == ["planned", "again"]
    estimate = both.to_frame().loc[("treated", "estimate")]
    assert estimate["planned"] == pytest.approx(estimate["again"], rel=1e-9)
    with pytest.raises(UserError, match="nothing to compare"):
        compare()


def test_a_fit_that_was_not_planned_is_said_to_be_so(opened: OpenedStudy) -> None:
    fits = {"planned": opened.refit("itt", "maths"),
            "other": opened.refit("itt", "maths", covariates=[])}  # fmt: skip
    both = compare(fits)
    status = both.to_frame().loc[("", "status")]
    assert status["planned"] == "as planned"
    assert status["other"] == "exploratory, not planned: covariates=[]"
    assert "other: exploratory, not planned: covariates=[]" in repr(both)


def test_a_term_that_a_fit_has_not_is_empty_and_one_that_none_has_is_told(
    opened: OpenedStudy,
) -> None:
    fits = {"CACE": opened.refit("compliers"), "CR2": opened.refit("itt", "maths")}
    table = compare(fits, terms=["took_up"]).to_frame()
    assert table.loc[("took_up", "estimate"), "CR2"] == ""
    with pytest.raises(UserError, match="no term 'treatd'; did you mean 'treated'"):
        compare(fits, terms=["treatd"])


def test_a_term_that_a_fit_has_twice_is_named_by_what_its_methods_do_not_share() -> None:
    twice = Rows(_row("treated", 0.1, "OLS, CR1"), _row("treated", 0.2, "OLS, CR2"))
    once = Rows(_row("treated", 0.3))
    table = compare({"a": twice, "b": once}, terms=["treated"]).to_frame()["a"]
    assert table.loc[("treated (CR1)", "estimate")] == 0.1
    assert table.loc[("treated (CR2)", "estimate")] == 0.2
    same = compare(a=Rows(_row("treated", 0.1), _row("treated", 0.2)))
    assert same.terms == ["treated", "treated (2)"]


def test_a_comparison_prints_as_a_table_of_words() -> None:
    text = repr(compare(a=Rows(_row("treated", 0.07683)), b=Rows(_row("treated", -0.05))))
    assert "Estimate" in text
    assert "0.077" in text
    assert "−0.050" in text
    assert "1,200" in text


@pytest.mark.parametrize("ending", ["csv", "html", "tex", "docx", "md"])
def test_a_comparison_is_saved_by_the_ending_of_the_file(
    opened: OpenedStudy, tmp_path: Path, ending: str
) -> None:
    both = compare(a=opened.refit("multilevel"), b=opened.refit("multilevel", covariates=[]))
    file = both.save(tmp_path / f"models.{ending}")
    if ending == "csv":
        stored = pd.read_csv(file)
        value = stored.query("term == 'treated' and `Unnamed: 1` == 'estimate'")["a"].item()
        expected = both.rows["a"]["treated"].estimate
        assert float(value) == pytest.approx(expected, rel=1e-9)
        return
    if ending == "docx":
        document = docx.Document(str(file))
        cells = [cell.text for row in document.tables[0].rows for cell in row.cells]
        text = " ".join([*cells, *(paragraph.text for paragraph in document.paragraphs)])
    else:
        text = file.read_text("utf-8")
    assert "Standard error" in text
    assert opened.title in text


def test_a_comparison_is_not_saved_under_an_ending_that_says_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"models.xlsx: a comparison is saved as .csv"):
        compare(a=Rows(_row("treated", 0.1))).save(tmp_path / "models.xlsx")


def test_fits_of_no_study_are_saved_without_the_name_of_one(tmp_path: Path) -> None:
    text = compare(a=Rows(_row("treated", 0.1))).save(tmp_path / "m.md").read_text("utf-8")
    assert "Models fitted with schooltrial." in text
    assert "Protocol" not in text


def test_a_comparison_is_plotted_with_its_numbers_in_words() -> None:
    plot = compare(a=Rows(_row("treated", 0.1)), b=Rows(_row("treated", -0.1))).plot()
    assert plot.words == (
        "treated, a 0.100 (−0.100 to 0.300); treated, b −0.100 (−0.300 to 0.100)."
    )
    assert "<svg" in plot.svg
