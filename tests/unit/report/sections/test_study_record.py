"""The annex of the study record has the eight tables, and invents nothing."""

from __future__ import annotations

from typing import Any

from schooltrial.document.blocks import Exhibit, Paragraph
from schooltrial.document.tables import Table
from schooltrial.document.text import Link, spans
from schooltrial.report.sections.study_record import FILE, study_record_section
from schooltrial.report.study_record import build_record
from schooltrial.report.tables.panel import CohortYears
from schooltrial.report.wording import NOT_STATED
from support.study_verdict import ESTIMATE, LOST, made_verdict

LABELS = {"took_up": "Took it up"}


def _record(**changed: Any) -> dict[str, Any]:
    study = {"title": "A small trial", "protocol": "0" * 64}
    return build_record(made_verdict(**changed), study, {}, {"control": 20, "programme": 20})


def _table(record: dict[str, Any], name: str) -> Table:
    blocks = study_record_section(record, LABELS).blocks
    found = [one for one in blocks if isinstance(one, Exhibit) and one.name == f"record-{name}"]
    assert isinstance(found[0].content, Table)
    return found[0].content


def _items(record: dict[str, Any], name: str) -> dict[str, str]:
    cells = _table(record, name).cells
    return dict(zip(cells["Item"], cells["Value"], strict=True))


def test_the_record_has_eight_tables_is_an_annex_and_links_the_data() -> None:
    section = study_record_section(_record(), LABELS)
    assert section.annex
    first, *tables = section.blocks
    assert len(tables) == 8
    assert isinstance(first, Paragraph)
    assert [one.target for one in spans(first.text) if isinstance(one, Link)] == [FILE]


def test_a_table_without_rows_is_said_to_be_empty() -> None:
    _, *told = [
        one.text
        for one in study_record_section(_record(), LABELS).blocks
        if isinstance(one, Paragraph)
    ]
    assert told == ["Baseline measures of those analysed: nothing is on record."]


def test_what_is_not_known_is_told_apart_from_what_there_is_none_of() -> None:
    registration = _items(_record(), "registration")
    assert (registration["Registry"], registration["Deviations declared"]) == (NOT_STATED, "none")
    assert _items(_record(), "sample")["Follow-up years"] == "none"
    assert _items(_record(), "design")["Allocation check"] == NOT_STATED


def test_results_are_those_of_effects_and_name_outcome_and_analysis_by_their_labels() -> None:
    cells = _table(_record(), "results").cells
    assert list(cells["Outcome"]) == ["Maths"]
    assert list(cells["Analysis"]) == ["ITT model"]
    assert list(cells["Individuals"]) == ["5,926"]
    assert list(cells["Effect size"]) == ["0.08"]
    assert list(cells["CI, low"]) == ["−0.060"]


def test_a_term_of_the_results_calls_the_variable_by_its_label() -> None:
    effects = [{**ESTIMATE, "estimand": "CACE", "term": "took_up"}, ESTIMATE]
    record = _record(results={"estimates": effects, "icc": {}})
    assert list(_table(record, "results").cells["Term"]) == ["Took it up", ""]


def test_attrition_counts_those_lost_in_per_cent_and_percentage_points() -> None:
    (row,) = _table(_record(), "attrition").cells.to_dict("records")
    assert (row["Overall (%)"], row["Differential (pp)"]) == ("24.2", "1.8")
    assert (row["Lost, control"], row["Lost, intervention"]) == ("20 of 100", "30 of 110")
    assert "Group" not in row


def test_groups_are_counted_by_the_units_assigned_to_them() -> None:
    assert _items(_record(), "conditions")["Intervention"] == "Programme schools (20 assigned)"


def test_the_context_has_grades_setting_and_who_was_analysed_in_each_group() -> None:
    told = _items(_record(), "sample")
    assert told["Grades"] == "3, 4"
    assert told["District"] == "North, South"
    assert told["Pupils analysed: Maths, 2020, Programme schools"] == "2,978"
    assert not any("not observed" in item for item in told)


def test_cohorts_have_follow_up_years_of_their_own() -> None:
    study = {"title": "A small trial", "protocol": "0" * 64}
    cohorts = (CohortYears(2020, 3, (2020, 2021), (2022,)), CohortYears(2021, 2, (2021, 2022), ()))
    record = build_record(made_verdict(), study, {}, {"control": 20}, cohorts)
    context = record["sample_and_context"]
    assert (context["programme_years"], context["follow_up_years"]) == ([2020, 2021, 2022], [2022])
    told = _items(record, "sample")
    assert told["Cohort 2020"].endswith("follow-up 2022")
    assert "follow-up" not in told["Cohort 2021"]


def test_secondary_outcomes_come_after_the_primary_ones_and_are_called_so() -> None:
    second = {**ESTIMATE, "outcome": "attendance"}
    design = made_verdict()["design_and_measures"]
    other = {**design["outcomes"]["maths"], "label": "Attendance", "primary": False}
    design = {**design, "outcomes": {**design["outcomes"], "attendance": other}}
    record = _record(design_and_measures=design,
                     results={"estimates": [second, ESTIMATE], "icc": {}})  # fmt: skip
    table = _table(record, "results")
    assert list(table.cells["Outcome"]) == ["Maths", "Attendance"]
    assert list(table.group) == ["Primary outcomes", "Secondary outcomes"]
    assert not _table(_record(), "results").group


def test_people_in_units_that_stay_have_a_row_only_where_a_unit_left() -> None:
    within = {**LOST, "level": "pupils in schools that stay"}
    assert len(_record(attrition=[LOST, within])["attrition"]) == 1
    fewer = {**within, "n_control": 90.0}
    assert len(_record(attrition=[LOST, fewer])["attrition"]) == 2
