"""What the report says of the comparisons behind two-way effects."""

import pandas as pd

from schooltrial.report.tables.two_way import comparisons_shown, forbidden_sentences

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
