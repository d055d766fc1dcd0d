"""Tables that do not match are refused, both files named, with lines to paste."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from schooltrial.data.files.file_names import KeySource
from schooltrial.data.linking.key_sources import Sources
from schooltrial.data.linking.raw_places import RawPlace, RawPlaces
from schooltrial.data.sample.build import SampleBuild
from schooltrial.refusal import Fault, Refusal
from support.sections import reading
from support.standard_study import ASSIGNMENT, SCHOOLS, roster, sample_rules, scores

PUPILS = [f"{at:03d}" for at in range(1, 41)]


def _file(name: str, year: int | None, **columns: str) -> KeySource:
    return KeySource(file=name, year=year, columns=columns, outcomes=[])


SOURCES = Sources(
    {
        "pupils": [
            _file(f"roster_{y}.csv", y, pupil="id", school="code", teacher="t")
            for y in (2019, 2020)
        ],
        "scores": [_file(f"scores_{y}.csv", y, pupil="pupil_id") for y in (2019, 2020)],
        "assignment": [_file("list.csv", None, school="school")],
        "teachers": [_file("staff.csv", None, teacher="t")],
        "observations": [_file("observations.csv", None, teacher="t")],
        "implementation": [_file("log.csv", None, school="school")],
    }
)


def _rosters(*pupils: str, schools: int = 4, **keys: str) -> pd.DataFrame:
    return roster(
        [(who, year, f"S{1 + at % schools}") for at, who in enumerate(pupils)
         for year in (2019, 2020)]
    )  # fmt: skip


def _faults(
    tables: dict[str, pd.DataFrame], cleaning: dict[str, Any] | None = None,
    raw: RawPlaces | None = None, **rules: Any,
) -> list[Fault]:  # fmt: skip
    every = {"schools": SCHOOLS, "assignment": ASSIGNMENT, **tables}
    sources = replace(SOURCES, raw=raw or RawPlaces())
    stated = {"match_at_least": 0.95, **(cleaning or {})}
    try:
        SampleBuild(every, sample_rules(cleaning=stated, **rules), sources=sources)
    except Refusal as refusal:
        return list(refusal.faults)
    return []


def _scores(names: list[str], year: int = 2020) -> pd.DataFrame:
    return scores([(name, year, 1.0) for name in names])


def test_scores_that_lost_their_zeros_are_refused_with_the_width_that_restores_them() -> None:
    lost = [name.lstrip("0") if at < 9 else name for at, name in enumerate(PUPILS)]
    (fault,) = _faults({"pupils": _rosters(*PUPILS), "scores": _scores(lost)})
    assert (fault.file, fault.column) == ("scores_2020.csv", "pupil_id")
    assert "9 pupils of 40 are not in roster_2020.csv" in fault.found
    assert "leading zeros ('1' here is '001' there" in fault.found
    assert "`pupil: {column: pupil_id, width: 3, pad: true}`" in fault.remedy


def test_a_roster_that_lost_zeros_is_the_one_to_be_read_otherwise() -> None:
    short = [name.lstrip("0") for name in PUPILS]
    (fault,) = _faults({"pupils": _rosters(*short), "scores": _scores(PUPILS)})
    assert "under `tables.pupils`, for roster_2020.csv" in fault.remedy
    assert "`pupil: {column: id, width: 3, pad: true}`" in fault.remedy


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda name: f"{name}.0", "written_as_decimals: true}"),
        (lambda name: f"{int(name)}.0", "written_as_decimals: true, width: 3, pad: true}"),
    ],
)
def test_identifiers_written_as_decimals_are_refused_with_the_key_that_reads_them(
    change: Any, key: str
) -> None:
    names = [change(name) for name in PUPILS]
    (fault,) = _faults({"pupils": _rosters(*PUPILS), "scores": _scores(names)})
    assert f"`pupil: {{column: pupil_id, {key}`" in fault.remedy


def test_a_few_that_are_spelt_otherwise_can_be_respelt() -> None:
    pupils = _rosters(*PUPILS).assign(school=lambda rows: rows["school"].replace("S2", "s 2"))
    (fault,) = _faults({"pupils": pupils, "scores": _scores(PUPILS)})[:1]
    assert "blanks and capital letters" in fault.found
    assert '`school: {column: code, respell: {"s 2": "S2"}}`' in fault.remedy


def test_alike_identifiers_can_be_declared_distinct() -> None:
    tables = {"pupils": _rosters(*PUPILS), "scores": _scores([*PUPILS[1:], "0001"])}
    assert len(_faults(tables)) == 1
    assert _faults(tables, {"alike_identifiers": "distinct"}) == []


def test_scores_of_others_are_refused_below_the_share_and_accepted_at_it() -> None:
    others = [*PUPILS, "x1", "x2", "x3", "x4", "x5"]  # 40 of 45: 88.9%
    tables = {"pupils": _rosters(*PUPILS), "scores": _scores(others)}
    (fault,) = _faults(tables)
    assert "5 of 45 pupils with scores are not in roster_2020.csv, such as 'x1'" in fault.found
    assert "at least 95.0%" in fault.expected
    assert "`where: {district: [ours]}`" in fault.remedy
    assert "`cleaning: {match_at_least: {scores: 0.88}}`" in fault.remedy
    assert _faults(tables, {"match_at_least": {"scores": 0.88}}) == []
    assert len(_faults(tables, {"match_at_least": {"observations": 0.1}})) == 1


def test_one_score_without_a_pupil_is_no_mismatch_of_tables() -> None:
    tables = {"pupils": _rosters(*PUPILS[:9]), "scores": _scores([*PUPILS[:9], "x"])}  # 90%
    assert _faults(tables) == []


def test_pupils_without_scores_are_no_mismatch() -> None:
    assert _faults({"pupils": _rosters(*PUPILS), "scores": _scores(PUPILS[:5])}) == []


def test_scores_of_another_year_say_so() -> None:
    late = roster([(f"n{at}x", 2020, f"S{1 + at % 4}") for at in range(40)])
    pupils = pd.concat([roster([(n, 2019, "S1") for n in PUPILS]), late], ignore_index=True)
    (fault,) = _faults({"pupils": pupils, "scores": _scores(PUPILS)})
    assert "Most of them are in the enrolment records of 2019" in fault.remedy


def test_one_outcome_whose_identifiers_are_others_is_refused_by_itself() -> None:
    maths = _scores(PUPILS)
    reading = scores([(f"x{at}", 2020, 1.0) for at in range(2)], "reading")
    both = pd.concat([maths, reading], ignore_index=True)
    (fault,) = _faults({"pupils": _rosters(*PUPILS), "scores": both})
    assert "2 of 2 pupils with scores for reading are not in" in fault.found


def test_schools_that_were_not_assigned_are_no_mismatch_but_none_that_was_is() -> None:
    assert _faults({"pupils": _rosters(*PUPILS, schools=6)}) == []
    pupils = _rosters(*PUPILS).assign(school=lambda rows: "K" + rows["school"].str[1:])
    told = [fault.found for fault in _faults({"pupils": pupils})]
    assert [text.split(",")[0] for text in told] == [
        "4 of 4 schools in these enrolment records are not in list.csv"
    ] * 2


def test_a_year_whose_schools_are_mostly_others_is_refused() -> None:
    pupils = _rosters(*PUPILS)
    odd = (pupils["year"] == 2020) & (pupils["school"] != "S1")
    pupils = pupils.assign(school=pupils["school"].mask(odd, "K" + pupils["school"].str[1:]))
    (fault,) = _faults({"pupils": pupils})
    assert fault.file == "roster_2020.csv"
    assert "accept it: `cleaning: {match_at_least: {assignment: 0}}`" in fault.remedy
    assert _faults({"pupils": pupils}, {"match_at_least": {"assignment": 0}}) == []


def test_a_pupil_whose_identifier_changes_between_rosters_is_refused() -> None:
    pupils = roster(
        [(name, 2019, "S1") for name in PUPILS]
        + [(name.lstrip("0"), 2020, "S2") for name in PUPILS]
    )
    (fault,) = _faults({"pupils": pupils})
    assert "40 pupils of roster_2019.csv would also be in roster_2020.csv" in fault.found
    assert "width: 3, pad: true" in fault.remedy


def test_teachers_who_were_observed_are_on_the_staff_of_the_year() -> None:
    staff = roster([(f"t{at}", 2020, f"S{1 + at % 4}") for at in range(20)], unit="teacher")
    seen = scores([(f"u{at}", 2020, 1.0) for at in range(20)]).rename(columns={"pupil": "teacher"})
    (fault,) = _faults({"teachers": staff, "observations": seen})
    assert "20 of 20 teachers with observations are not in staff.csv" in fault.found


def test_a_log_of_other_schools_is_refused() -> None:
    log = pd.DataFrame({"school": ["S1", "Q1", "Q2"]}, dtype="str")
    tables = {"pupils": _rosters(*PUPILS), "implementation": log}
    (fault,) = _faults(tables)
    assert (fault.file, fault.column) == ("log.csv", "school")
    assert _faults(tables, {"match_at_least": {"implementation": 0.3}}) == []


@pytest.mark.parametrize(
    ("change", "keys"),
    [
        (lambda name: f"p-{name}", "letters: upper"),
        (lambda name: f"P{name}", 'without: ["-"]'),
        (lambda name: f"p {name}", 'without: [" "], letters: upper'),
    ],
)
def test_many_that_differ_in_case_dashes_or_blanks_are_read_alike_by_a_key(
    change: Any, keys: str
) -> None:
    rosters = _rosters(*(f"P-{name}" for name in PUPILS))
    (fault,) = _faults({"pupils": rosters, "scores": _scores([change(name) for name in PUPILS])})
    assert f"{keys}}}`" in fault.remedy


def test_a_prefix_that_one_table_alone_writes_is_taken_out() -> None:
    tables = {"pupils": _rosters(*PUPILS), "scores": _scores([f"P-{name}" for name in PUPILS])}
    (fault,) = _faults(tables)
    assert '`pupil: {column: pupil_id, without: ["P-"]}`' in fault.remedy


LISTED = pd.DataFrame(
    {
        "school": [f"{at:02d}" for at in range(1, 13)],
        "block": "b",
        "arm": ["control", "programme"] * 6,
    }
).astype("str")


def _in_schools(*schools: str) -> pd.DataFrame:
    return roster(
        [(f"p{at}", y, school) for y in (2019, 2020) for at, school in enumerate(schools)]
    )


def _refused(schools: list[str], least: Any = 0.95) -> list[Fault]:
    every = {
        "assignment": LISTED,
        "schools": pd.DataFrame({"school": sorted({*schools, *LISTED["school"]})}, dtype="str"),
        "pupils": _in_schools(*schools),
    }
    return _faults(every, {"match_at_least": least})


def test_units_without_a_match_in_both_the_list_and_the_rosters_are_refused() -> None:
    names = list(LISTED["school"])
    (fault,) = _refused([f"91{name}X" if at < 5 else name for at, name in enumerate(names)])
    assert (fault.file, fault.column) == ("list.csv", "school")
    assert "5 of 12 schools in the allocation list are not in" in fault.found
    assert "5 schools there are not in list.csv" in fault.found
    assert "`cleaning: {match_at_least: {assignment: 0.58}}`" in fault.remedy


def test_a_mismatch_both_ways_can_be_accepted() -> None:
    names = [f"91{name}X" if at < 5 else name for at, name in enumerate(LISTED["school"])]
    assert _refused(names, {"assignment": 0.58}) == []
    assert len(_refused(names, {"scores": 0.5})) == 1


def test_schools_beyond_a_list_that_is_wholly_there_and_closed_schools_are_no_mismatch() -> None:
    names = list(LISTED["school"])
    assert _refused([*names, *(f"{letter}x" for letter in "ABCDEFGHI")]) == []
    assert _refused(names[3:]) == []


def test_pupils_of_the_list_under_other_identifiers_are_refused() -> None:
    listed = pd.DataFrame({"pupil": PUPILS, "block": "b", "arm": ["control", "programme"] * 20})
    names = [f"Q9{name}" if at % 5 < 2 else name for at, name in enumerate(PUPILS)]
    tables = {"assignment": listed.astype("str"), "pupils": _rosters(*names)}
    (fault,) = _faults(tables, unit="pupil")
    assert "16 of 40 pupils in the allocation list" in fault.found
    whole = {**tables, "pupils": _rosters(*PUPILS, *(f"Q{letter}x" for letter in "ABCDEFGHI"))}
    assert _faults(whole, unit="pupil") == []


def test_another_column_of_the_file_that_has_the_identifiers_is_named(tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_text(
        "id,code,urn\n" + "\n".join(f"{at:03d},s{at % 4},S{1 + at % 4}" for at in range(1, 41))
    )
    wrong = _rosters(*PUPILS).assign(school=lambda rows: rows["school"].str.lower() + "x")
    places = {
        "pupils": [
            RawPlace("roster.csv", str(tmp_path / "roster.csv"), None, reading("roster.csv"))
        ]
    }
    faults = _faults({"pupils": wrong}, raw=RawPlaces(places))
    told = "column 'urn' of roster.csv has the identifiers of list.csv: write under `tables.pupils`"
    assert any(told in fault.remedy for fault in faults)
    assert any("`school: {column: urn}`" in fault.remedy for fault in faults)
