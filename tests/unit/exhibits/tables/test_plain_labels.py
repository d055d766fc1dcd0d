"""Readers see labels where estimates and their notes name variables."""

from __future__ import annotations

import pytest

from schooltrial.exhibits.tables.plain_labels import PlainLabels, yes_no_variables

LABELS = PlainLabels(
    {
        "girl": "Girls", "maths": "Maths", "fee_status": "Fees", "half": "Half of the score",
        "took_up": "Took the course",
    },
    {"control": "No texts", "text_a": "Short texts"},
)  # fmt: skip


@pytest.mark.parametrize(
    ("term", "told"),
    [
        ("treated", "Intervention"),
        ("treated[half=upper]", "Half of the score upper"),
        ("treated[arm=text_a]", "Short texts"),
        ("treated[arm=text_a, half=upper]", "Short texts, Half of the score upper"),
        ("treated[cohort=2016]", "cohort 2016"),
        ("treated[per maths]", "per Maths"),
        ("treated[half=upper] - treated[half=lower]",
         "Half of the score upper - Half of the score lower"),
        ("took_up", "Took the course"),
        ("took_up, robust set", "Took the course"),
        ("first stage of took_up", "Took the course"),
        ("attended_once", "attended once"),
        ("effects are equal across fee_status", "effects are equal across Fees"),
        ("ATE joint, by a=b", "ATE joint, by a=b"),
    ],
)  # fmt: skip
def test_a_term_calls_variables_and_groups_by_their_labels(term: str, told: str) -> None:
    assert LABELS.of_term(term) == told


def test_an_effect_on_the_whole_intervention_group_is_its_estimand_alone() -> None:
    assert LABELS.of_effect("ITT", "treated") == "ITT"
    assert LABELS.of_effect("CACE", "took_up") == "CACE: Took the course"


def test_notes_name_variables_by_their_labels_and_leave_other_words_alone() -> None:
    note = "left out: girl (constant); kept with an indicator of missing: maths_before 3; a girl"
    assert LABELS.of_note(f"{note}; fee_status") == (
        "left out: Girls (constant); 3 records without Maths at baseline, kept with a missing "
        "indicator; a girl; Fees"
    )
    several = "kept with an indicator of missing: maths_before 2,878, girl 5"
    assert LABELS.of_note(several, "pupils") == (
        "2,878 pupils without Maths at baseline and 5 without Girls, kept with a missing indicator"
    )


def test_variables_made_at_baseline_have_labels_of_which_those_of_a_protocol_come_first() -> None:
    note = "left out: maths_before_school, maths_before_missing"
    assert LABELS.of_note(note) == (
        "left out: Maths of the school at baseline, missing Maths at baseline"
    )
    own = PlainLabels({**LABELS.variables, "maths_before_school": "Maths of the school, 2018"})
    assert own.of_note(note) == "left out: Maths of the school, 2018, missing Maths at baseline"


def test_the_levels_of_a_yes_no_variable_are_yes_and_no_and_those_of_others_stay() -> None:
    terms = [
        "treated[girl=1]", "treated[girl=0]", "treated[quartile=1]", "treated[quartile=2]",
        "treated[since=0]", "treated[since=1]", "treated",
    ]  # fmt: skip
    found = yes_no_variables(terms)
    assert found == {"girl"}
    named = PlainLabels({"girl": "Girl", "quartile": "Quartile"}, yes_no=found)
    assert [named.of_term(term) for term in terms[:3]] == ["Girl: yes", "Girl: no", "Quartile 1"]
