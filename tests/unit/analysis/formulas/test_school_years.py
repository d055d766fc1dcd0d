"""Claims about years that a data frame writes as school years: 2010/11."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.analysis.formulas.panel_fits import (
    fit_difference_in_differences,
    fit_staggered_adoption,
)
from schooltrial.analysis.formulas.year_columns import ends_in, in_school_years


def _panel() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    panel = pd.DataFrame({
        "school": np.repeat(range(12), 5), "year": np.tile(range(2010, 2015), 12),
        "treated": np.repeat(np.arange(12) % 2, 5),
    })  # fmt: skip
    panel["mean"] = rng.normal(size=len(panel)) + 0.5 * panel["treated"] * (panel["year"] >= 2013)
    panel["cohort"] = np.where(panel["treated"] == 1, 2013.0, np.nan)
    return panel


def _as_text(year: float, mark: str = "/") -> Any:
    return None if np.isnan(year) else f"{int(year) - 1}{mark}{int(year) % 100:02d}"


def _in_texts(panel: pd.DataFrame, mark: str = "/") -> pd.DataFrame:
    return panel.assign(**{
        name: panel[name].map(lambda year: _as_text(year, mark)) for name in ("year", "cohort")
    })  # fmt: skip


@pytest.mark.parametrize("mark", ["/", "-", "–"])
def test_school_years_give_the_same_effects_as_the_numbers_in_which_they_end(mark: str) -> None:
    panel = _panel()
    numbers = fit_staggered_adoption(panel).overall
    texts = fit_staggered_adoption(_in_texts(panel, mark)).overall
    assert (texts.estimate, texts.std_error) == (numbers.estimate, numbers.std_error)


def test_arguments_write_years_as_the_column_does() -> None:
    panel = _panel()
    numbers = fit_difference_in_differences(panel, active=[2013, 2014])
    texts = fit_difference_in_differences(_in_texts(panel), active=["2012/13", "2013/14"])
    assert texts.coefficients.tolist() == numbers.coefficients.tolist()
    events = fit_difference_in_differences(_in_texts(panel), reference="2011/12")
    assert events.names == fit_difference_in_differences(panel, reference=2012).names


@pytest.mark.parametrize(
    ("change", "how", "told"),
    [
        ({}, {"reference": 2012}, "`reference` is 2012; write it as the column of years does"),
        ({}, {"active": ["2019/20"]}, "`active` names 2019/20, which 'year' does not have; it has"),
        ({"year": "2012/14"}, {"reference": "2011/12"}, "no year in 'year', such as"),
    ],
)  # fmt: skip
def test_a_year_that_is_written_otherwise_is_told(
    change: dict[str, Any], how: dict[str, Any], told: str
) -> None:
    panel = _in_texts(_panel())
    for name, value in change.items():
        panel.loc[0, name] = value
    with pytest.raises(ValueError, match=told):
        fit_difference_in_differences(panel, **how)


def test_a_number_of_a_year_is_no_school_year_and_the_other_way_round() -> None:
    panel = _panel()
    with pytest.raises(
        ValueError, match=r"`reference` is '2011/12'; write it as the column of years"
    ):
        fit_difference_in_differences(panel, reference="2011/12")
    mixed = _in_texts(panel).assign(cohort=panel["cohort"])
    with pytest.raises(ValueError, match="no school year in 'cohort', such as '2013"):
        fit_staggered_adoption(mixed)


@pytest.mark.parametrize(
    ("text", "end"),
    [("2010/11", 2011), ("1999-2000", 2000), ("1999/00", 2000), ("2010/12", None), ("2011", None)],
)
def test_a_school_year_ends_in_the_year_after_it_began(text: str, end: int | None) -> None:
    assert ends_in(text) == end


def test_a_column_holds_school_years_where_every_row_does() -> None:
    assert in_school_years(pd.Series(["2010/11", None, "2011/12"]))
    assert not in_school_years(pd.Series(["2010/11", "2012"]))
    assert not in_school_years(pd.Series([2010, 2011]))
    assert not in_school_years(pd.Series([None, None], dtype="object"))
