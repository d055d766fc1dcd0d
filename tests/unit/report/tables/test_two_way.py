"""What the report says of the comparisons behind two-way effects."""

from typing import Any

import pandas as pd

from schooltrial.report.tables.two_way import (
    BASES,
    comparisons_shown,
    explain_two_way,
    forbidden_sentences,
)

ROWS = pd.DataFrame(
    [
        ("never treated", 2014, 0, 2.0, 0.5),
        ("not yet treated", 2014, 2016, 3.0, 0.25),
        ("already treated", 2016, 2014, -2.0, 0.25),
    ],
    columns=["kind", "treated_cohort", "compared_cohort", "estimate", "weight"],
).assign(model="main", outcome="maths", n_schools=1200, note="3 schools are left out")
LABELS = {"maths": "Maths"}


def test_the_share_of_comparisons_with_treated_schools_is_said_with_what_it_changes() -> None:
    assert forbidden_sentences(ROWS, LABELS) == [
        "Maths: comparisons with schools that are already treated have 25.0% of the weight. The "
        "two-way effect is +1.25; without these comparisons it would be +2.33 (1,200 schools; "
        "3 schools are left out)."
    ]


def test_models_with_the_same_comparisons_are_shown_once_and_others_are_named() -> None:
    same = pd.concat([ROWS, ROWS.assign(model="two_way")], ignore_index=True)
    table = comparisons_shown(same, LABELS)
    assert table is not None
    assert len(table.cells) == 3
    assert "Model" not in table.cells
    assert len(forbidden_sentences(same, LABELS)) == 1
    other = pd.concat([ROWS, ROWS.assign(model="two_way", estimate=1.0)], ignore_index=True)
    assert [said[:24] for said in forbidden_sentences(other, LABELS)] == [
        "Maths (model main): comp", "Maths (model two_way): c"
    ]  # fmt: skip


def test_the_heaviest_comparison_comes_first_and_whom_it_is_with_is_in_words() -> None:
    table = comparisons_shown(ROWS, LABELS)
    assert table is not None
    assert table.cells["Compared with"].tolist() == [
        "never treated", "cohort 2016, not yet treated", "cohort 2014, already treated"
    ]  # fmt: skip
    assert table.cells["Weight"].tolist() == ["50.0%", "25.0%", "25.0%"]


def test_without_such_comparisons_or_a_decomposition_that_is_what_is_said() -> None:
    (clean,) = forbidden_sentences(ROWS[:2].assign(note=""), LABELS)
    assert clean == (
        "Maths: no cohort is compared with schools that are already treated (1,200 schools)."
    )
    none = ROWS[:1].assign(kind="not available", note="2 of 9 schools are seen")
    assert forbidden_sentences(none, LABELS) == [
        "Maths: no decomposition. 2 of 9 schools are seen."
    ]
    assert comparisons_shown(none, LABELS) is None


def _estimates(**effects: float) -> pd.DataFrame:
    """Return effects of two cohorts, of 10 and 5 schools, each seen in so many years since."""
    cells = [
        (f"treated[cohort={start}, year={year}]", 0.0, n)
        for start, n in ((2014, 10), (2016, 5)) for year in range(start, 2018)
    ]  # fmt: skip
    rows = [*((term, value, 15) for term, value in effects.items()), *cells]
    frame = pd.DataFrame(rows, columns=["term", "estimate", "n_treated_schools"])
    return frame.assign(model="main", outcome="maths")


CLEAN = ROWS[:2].assign(treated_cohort=[2014, 2016], kind="never treated", weight=[0.75, 0.25])
MODEL = {
    "estimator": "staggered_adoption", "role": "primary", "method": "callaway_santanna",
    "label": "Main", "active_from": None,
}  # fmt: skip
PROTOCOL: Any = {"models": {"main": MODEL}, "years": {"programme": [2014, 2015, 2016, 2017]}}
MAIN = {"treated": 3.6, "treated[cohort=2014]": 4.0, "treated[cohort=2016]": 2.0}


def test_a_two_way_effect_is_compared_with_the_primary_one_cohort_by_cohort() -> None:
    told = explain_two_way(CLEAN, _estimates(**MAIN), PROTOCOL, LABELS)
    (words,) = told.outcomes
    assert words.startswith("Maths: the primary analysis gives +3.60, the two-way effect is +2.25.")
    assert "the two-way effect is +2.00 and +3.00, the primary one +4.00 and +2.00." in words
    assert "weights account for −0.05 of the difference of +1.35." in words
    assert told.reasons == (BASES,)


def test_weights_explain_nothing_where_they_do_not_give_the_effect_back() -> None:
    other = {**MAIN, "treated": 9.0}
    (words,) = explain_two_way(CLEAN, _estimates(**other), PROTOCOL, LABELS).outcomes
    assert "weights account for" not in words


def test_a_model_that_lets_all_cohorts_begin_together_says_so_and_one_that_does_not_is_silent() -> (
    None
):
    estimates = pd.concat([
        _estimates(**MAIN), _estimates(treated=1.5).assign(model="two_way"),
    ], ignore_index=True)  # fmt: skip
    two_way = {**MODEL, "estimator": "difference_in_differences", "label": "Two-way"}
    together: Any = {**PROTOCOL, "models": {"main": MODEL, "two_way": two_way}}
    told = explain_two_way(CLEAN, estimates, together, LABELS)
    assert "The model “Two-way” gives +1.50." in told.outcomes[0]
    assert "years of cohort 2016 before its own start" in told.reasons[1]
    own_start = {**two_way, "active_from": "cohort"}
    own: Any = {**PROTOCOL, "models": {"main": MODEL, "two_way": own_start}}
    assert "“Two-way”" not in explain_two_way(CLEAN, estimates, own, LABELS).outcomes[0]


def test_nothing_is_explained_without_a_primary_staggered_model() -> None:
    other: Any = {**PROTOCOL, "models": {"main": {**MODEL, "role": "sensitivity"}}}
    assert explain_two_way(CLEAN, _estimates(**MAIN), other, LABELS).outcomes == ()
