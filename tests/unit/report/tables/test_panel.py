"""Effects of panel models in the report: in the order of the questions, each note once."""

from __future__ import annotations

from math import nan
from typing import Any

import pandas as pd

from schooltrial.report.tables.panel import (
    base_sentences,
    cohorts_sentence,
    panels_shown,
    programme_by_cohort,
)

OUTCOMES: Any = {"maths": {"label": "Maths"}, "ela": {"label": "English"}}
MODELS: Any = {
    "itt": {"label": "Offer", "estimator": "multilevel", "role": "primary"},
    "s": {"label": "Cohorts", "estimator": "staggered_adoption", "role": "primary"},
    "t": {"label": "Two-way", "estimator": "difference_in_differences", "role": "sensitivity"},
}


def _row(estimand: str, term: str, **cells: Any) -> dict[str, Any]:
    return {
        "model": "s", "outcome": "maths", "estimand": estimand, "term": term, "estimate": 1.0,
        "std_error": 0.5, "df": 7.25, "p_value": 0.04, "conf_low": 0.0, "conf_high": 2.0,
        "n_individuals": 1200, "n_schools": 40, "n_treated_schools": 9, "method": "two regimes",
        "note": "few schools", **cells,
    }  # fmt: skip


ROWS = pd.DataFrame([
    _row("ATT", "treated", outcome="ela", note="few schools; a gap; no standard error: alike"),
    _row("ATT", "treated", band_low=-1.0, band_high=3.0),
    _row("event study", "treated[since=-2]"), _row("event study", "treated[since=-1]"),
    _row("event study", "treated[since=0]"), _row("event study", "treated[since=2]"),
    _row("effect by group", "treated[cohort=2016]", n_schools=31, n_treated_schools=2),
    _row("effect by group", "treated[charter=1]"), _row("calendar year", "treated[year=2017]"),
    _row("group-time effect", "treated[cohort=2016, year=2017]"),
    _row("pre-trend test", "test of equal trends before the programme", estimate=nan,
         note="F(2, 6.1234); few schools", method="two regimes; joint test"),
    _row("permutation check", "treated", note="few schools; least p 0.1"),
    _row("permutation check", "treated[cohort=2016]", note="few schools; least p 0.1"),
    _row("event study", "treated[year=2015]", model="t"),
    _row("event study", "treated[year>=2017]", model="t"), _row("ITT", "treated", model="itt"),
])  # fmt: skip


def test_effects_by_calendar_year_are_shown_of_primary_models_alone() -> None:
    other = {**MODELS, "s": {**MODELS["s"], "role": "sensitivity"}}
    for models, shown in ((MODELS, True), (other, False)):
        table = panels_shown(ROWS, OUTCOMES, models, {}, {})[0].table
        parts = {str(group) for group in table.group}
        assert ("Maths, by calendar year" in parts) is shown
        assert ("Maths, permutation check" in parts) is shown
        assert "Maths, by year since the programme began" in parts


def test_each_panel_model_has_a_table_whose_rows_are_in_words_by_part() -> None:
    staggered, two_way = panels_shown(ROWS, OUTCOMES, MODELS, {"charter": "Charter school"}, {})
    assert (staggered.label, staggered.primary, two_way.primary) == ("Cohorts", True, False)
    told = list(zip(staggered.table.group, staggered.table.cells["Effect"], strict=True))
    assert told == [
        ("Maths, overall", "Programme"), ("Maths, by cohort", "Began 2016"),
        ("Maths, by group", "Charter school: 1"),
        ("Maths, by year since the programme began", "First year"),
        ("Maths, by year since the programme began", "2 years later"),
        ("Maths, by calendar year", "2017"),
        ("Maths, before the programme began", "2 years before"),
        ("Maths, before the programme began", "1 year before"),
        ("Maths, before the programme began", "Test of equal trends before the programme"),
        ("Maths, permutation check", "Programme"), ("Maths, permutation check", "Began 2016"),
        ("English, overall", "Programme"),
    ]  # fmt: skip
    assert list(zip(two_way.table.group, two_way.table.cells["Effect"], strict=True)) == [
        ("Maths, by year", "2015"),
        ("Maths, by year", "2017 and later"),
    ]


def test_a_note_is_below_the_table_once_and_what_is_of_one_row_beside_it() -> None:
    staggered, _ = panels_shown(ROWS, OUTCOMES, MODELS, {}, {})
    assert staggered.notes == (
        "Two regimes: two regimes; joint test.", "Few schools.",
        "Permutation check: least p 0.1.", "English: a gap.",
    )  # fmt: skip
    assert [note for note in staggered.table.cells["Note"] if note] == [
        "F(2, 6.1)", "no standard error: alike",
    ]  # fmt: skip


def test_what_several_parts_bear_is_said_once_whatever_the_joint_test_says() -> None:
    alone = ROWS["outcome"].eq("maths") & ROWS["estimand"].isin(["event study", "calendar year"])
    rows = pd.concat([ROWS, ROWS[ROWS["estimand"] == "calendar year"]], ignore_index=True)
    alone = alone.reindex(rows.index, fill_value=True)
    rows.loc[alone, "note"] = "few schools; no standard error: alike"
    staggered, _ = panels_shown(rows, OUTCOMES, MODELS, {}, {})
    assert [note for note in staggered.notes if "no standard error" in note] == [
        "By year since the programme began, by calendar year and before the programme began: "
        "no standard error: alike."
    ]
    assert list(staggered.table.cells["Note"]).count("no standard error: alike") == 1  # overall


def test_rows_of_several_covariances_are_told_apart_by_their_method() -> None:
    rows = [_row("ATT", "treated", model="t", method=f"clustered ({kind})") for kind in "AB"]
    (two_way,) = panels_shown(pd.DataFrame(rows), OUTCOMES, MODELS, {}, {})
    assert two_way.table.cells["Note"].tolist() == ["clustered (A)", "clustered (B)"]


def test_the_two_variances_of_cohorts_are_compared_in_words() -> None:
    ratios = {"treated": 1.0428, "treated[cohort=2016]": 0.5}
    diagnostics = {"s": {"maths": {"std_error_own_over_two_regimes": ratios}}}
    staggered, _ = panels_shown(ROWS, OUTCOMES, MODELS, {}, diagnostics)
    assert staggered.notes[-1] == (
        "Maths: standard errors from the variance of each cohort alone, as a multiple of those "
        "that pool the treated cohorts: 1.04 (programme), 0.50 (began 2016)."
    )


def test_a_row_counts_its_own_schools_and_bands_are_shown_where_there_are_any() -> None:
    staggered, two_way = panels_shown(ROWS, OUTCOMES, MODELS, {}, {})
    cohort = staggered.table.cells.set_index("Effect").loc["Began 2016"].iloc[0]
    assert (cohort["Intervention schools"], cohort["Schools"], cohort["Pupil-years"]) == (
        "2", "31", "1,200",
    )  # fmt: skip
    assert staggered.table.cells["Simultaneous band"].iloc[0] == "−1.000 to 3.000"
    without = ROWS.drop(columns=["band_low", "band_high"])
    bare = panels_shown(without, OUTCOMES, MODELS, {}, {})[0]
    assert "Simultaneous band" not in bare.table.cells
    assert len(two_way.table) == 2


def test_the_caption_says_the_base_of_each_model_the_rule_and_the_schools() -> None:
    points = pd.DataFrame(
        {"model_label": ["A", "A", "B"], "outcome": "maths",
         "method": ["Cells; rule", "Cells; rule", nan],
         "base": ["each year before the programme with the year before it"] * 2
         + ["the year −1 of each cohort"], "n_treated_schools": [4.0, 9.0, nan]}
    )  # fmt: skip
    assert base_sentences(points[:2]) == (
        "Each year before the programme is compared with the year before it, each year since with "
        "the last year before the programme. Intervals: rule. Below each point "
        "whose year is named is its number of intervention schools: 4 to 9."
    )
    assert "; in “B”, each year is compared with the year −1 of each cohort. Intervals: rule." in (
        base_sentences(points)
    )
    assert base_sentences(points).endswith(
        "Below each point of the first model whose year is named is its number of intervention "
        "schools: 4 to 9."
    )
    assert base_sentences(points[:0]) == ""


def test_the_design_says_when_each_cohort_began_and_with_how_many_schools() -> None:
    means = pd.DataFrame(
        {"cohort": ["comparison", "2016", "2017", "2016"], "n_schools": [90, 1200, 1, 1100]}
    )
    assert cohorts_sentence(means) == (
        "Cohorts with outcomes began in 2016 (1,200 schools) and 2017 (1 school)."
    )
    assert cohorts_sentence(means[:1]) == ""
    assert cohorts_sentence(means[:0]) == ""


def test_the_years_of_the_programme_are_those_of_each_cohort_where_its_length_is_known() -> None:
    def years(lasts: Any) -> Any:
        return {
            "baseline": [2015], "programme": [2016, 2017, 2018], "follow_up": [], "lasts": lasts,
        }  # fmt: skip

    assert programme_by_cohort(years(2), [2016, 2017]) == (
        "Programme: 2016–2017 (cohort 2016) and 2017–2018 (cohort 2017). Later years of a cohort "
        "are after the programme."
    )
    assert programme_by_cohort(years({"2016": 3, "2017": 2}), [2016, 2017]) == (
        "Programme: 2016–2018 (cohort 2016) and 2017–2018 (cohort 2017)."
    )
    assert programme_by_cohort(years(None), [2016, 2017]) == ""
    assert programme_by_cohort(years({"2016": 2}), [2016, 2017]) == ""
