"""A crosswalk at its edges: schools that no table names, two changes of one year, and circles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.data.linking.assigned_units import read_units
from schooltrial.data.linking.school_crosswalk import (
    Change,
    Crosswalk,
    crosswalk_of,
    owners,
    read_crosswalk,
)
from schooltrial.protocol.content.sample_rules import SampleRules
from schooltrial.refusal import Refusal
from support.standard_study import ASSIGNMENT, SCHOOLS, build, reasons, roster, sample_rules, scores

COLUMNS = ["from_school", "from_year", "to_school", "change"]
RENAMED = Crosswalk((Change("B", 2020, "A", "renamed"),))


def _table(*rows: tuple[Any, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=COLUMNS)


def _faults(*rows: tuple[Any, ...], years: tuple[int, ...] = (2019, 2020)) -> list[str]:
    with pytest.raises(Refusal) as caught:
        read_crosswalk(_table(*rows), [*"ABCDE"], years)
    return [fault.found for fault in caught.value.faults]


def _study(changes: pd.DataFrame, **tables: pd.DataFrame) -> Any:
    pupils = roster([("a", 2019, "S1"), ("b", 2019, "S2"), ("a", 2020, "S1"), ("b", 2020, "S2")])
    return build({"pupils": pupils, "scores": scores([]), "crosswalk": changes, **tables})


def test_an_assigned_school_that_is_not_listed_has_no_part_in_the_year() -> None:
    found = RENAMED.of_year(["A", "B", "C"], {"A", "Q"}, 2020)
    assert found.successor.tolist() == [0, 0, 2]
    assert found.owner.tolist() == [0, 1, 2]
    assert found.lineage.tolist() == [0, -1, -1]
    assert found.merged.tolist() == [False, False, False]
    nothing = RENAMED.of_year(["A", "B", "C"], {"Q"}, 2020)
    assert nothing.lineage.tolist() == [-1, -1, -1]


def test_where_nothing_was_assigned_every_school_is_its_own() -> None:
    found = RENAMED.of_year(["A", "B", "C"], (), 2019)
    assert found.successor.tolist() == found.owner.tolist() == [0, 1, 2]
    assert not found.merged.any()
    assert (found.lineage == -1).all()


def test_an_assigned_school_in_no_table_is_refused_though_a_crosswalk_leads_to_it() -> None:
    lot = ASSIGNMENT.assign(school=["S1", "S2", "S3", "S9"])
    with pytest.raises(Refusal) as caught:
        _study(_table(("S4", 2020, "S9", "renamed")), assignment=lot)
    assert [fault.found for fault in caught.value.faults] == [
        "school S9 is not in the table of schools"
    ]  # fmt: skip


def test_faults_of_the_crosswalk_are_told_before_those_of_the_assignment_and_with_them() -> None:
    lot = ASSIGNMENT.assign(school=["S1", "S2", "S3", "S9"])
    with pytest.raises(Refusal) as caught:
        _study(_table(("S4", 2020, "Z", "renamed")), assignment=lot)
    assert [fault.found for fault in caught.value.faults] == [
        "school S4, 2020: renamed into Z, which is not in any table",
        "school S9 is not in the table of schools",
    ]


def test_an_assigned_school_without_a_roster_keeps_its_name_and_is_told() -> None:
    # S3 is assigned and described, on no roster, and was renamed to S6 in 2020.
    sample = _study(_table(("S3", 2020, "S6", "renamed")))
    assert set(sample.pupils["school"]) == {"S1", "S2"}
    assert reasons(sample, "school") == {"no pupil of the school in the sample in that year": 4}


def test_a_change_of_a_school_that_no_table_names_changes_nothing() -> None:
    plain, changed = _study(_table()), _study(_table(("Q", 2020, "S1", "renamed")))
    columns = ["pupil", "year", "school", "arm"]
    pd.testing.assert_frame_equal(plain.pupils[columns], changed.pupils[columns])


def test_of_two_changes_of_one_year_the_lower_row_holds() -> None:
    crosswalk = crosswalk_of(_table(("B", 2020, "A", "renamed"), ("B", 2020, "C", "renamed")))
    assert crosswalk.active(2020)["B"].into == "C"
    assert crosswalk.active(2019) == {}


def test_of_two_changes_the_later_year_holds_wherever_its_row_stands() -> None:
    crosswalk = crosswalk_of(_table(("B", 2020, "C", "renamed"), ("B", 2019, "A", "renamed")))
    assert [crosswalk.active(year)["B"].into for year in (2019, 2020, 2021)] == ["A", "C", "C"]


def test_what_a_table_leaves_out_is_a_new_name() -> None:
    table = pd.DataFrame({"from_school": ["A"], "from_year": [2020.0], "to_school": ["B"]})
    assert crosswalk_of(table).changes == (Change("A", 2020, "B", "renamed"),)
    bare = table.drop(columns="to_school").assign(change=[None])
    assert crosswalk_of(bare).changes == (Change("A", 2020, None, "renamed"),)
    assert crosswalk_of(None) == crosswalk_of(table[:0]) == Crosswalk()


def test_a_school_may_close_into_none_but_not_into_one_that_is_unknown() -> None:
    assert read_crosswalk(_table(("A", 2019, None, "closed")), [*"AB"], [2019]).schools() == {"A"}
    assert _faults(("A", 2019, "Z", "closed")) == [
        "school A, 2019: closed into Z, which is not in any table"
    ]  # fmt: skip


def test_all_that_is_wrong_with_a_row_is_told() -> None:
    assert _faults(("A", 2019, None, "moved"), ("B", 2019, "Z", "split")) == [
        "school A, 2019: the change 'moved'",
        "school A, 2019: moved, but `to_school` is empty",
        "school B, 2019: split into Z, which is not in any table",
    ]


def test_a_circle_is_told_once_and_without_the_schools_that_lead_into_it() -> None:
    rows = [("A", 2019, "B", "renamed"), ("B", 2019, "C", "renamed"), ("C", 2019, "B", "renamed")]
    assert _faults(*rows) == ["rows form a circle in 2019: B → C → B"]
    # A circle is no fault in a study whose years end before it closes.
    assert len(read_crosswalk(_table(*rows), [*"ABC"], [2018]).changes) == 3


def test_rows_belong_to_the_assigned_school_of_their_year_and_keep_their_order() -> None:
    frame = pd.DataFrame(
        {
            "school": ["B", "A", "B", None, "C", "D", "Q"],
            "year": [2020, 2019, 2019, 2020, 2020, 2020, 2020],
        },
        index=[5, 3, 9, 1, 0, 7, 2],
    )
    changes = Crosswalk((*RENAMED.changes, Change("C", 2020, None, "closed")))
    found = owners(frame, {"A", "S9"}, changes)
    assert found.index.tolist() == [5, 3, 9, 1, 0, 7, 2]
    assert found.where(found.notna(), "none").tolist() == [
        "A", "A", "B", "none", "none", "D", "Q",
    ]  # fmt: skip
    merger = Crosswalk((Change("A", 2020, "D", "merged"), Change("B", 2020, "D", "merged")))
    both = owners(frame, {"A", "B"}, merger)
    assert both.where(both.notna(), "none").tolist() == [
        "none", "A", "B", "none", "C", "none", "Q",
    ]  # fmt: skip


def test_a_school_that_closed_after_it_was_renamed_has_no_line_left() -> None:
    changes = Crosswalk((Change("A", 2019, "B", "renamed"), Change("B", 2020, "C", "closed")))
    before, after = (changes.of_year(["A", "B", "C"], {"A"}, year) for year in (2019, 2020))
    assert (before.lineage.tolist(), before.owner.tolist()) == ([1, -1, -1], [0, 0, 2])
    assert (after.lineage.tolist(), after.owner.tolist()) == ([-1, -1, -1], [0, 1, 2])
    assert after.successor.tolist() == [2, 2, 2]


def _rules(**keys: Any) -> SampleRules:
    arms = [{"name": name, "label": name} for name in ("control", "letters")]
    return sample_rules(**{"outcomes": {}, "arms": arms, **keys})


def _people(**columns: list[Any]) -> pd.DataFrame:
    return pd.DataFrame({"teacher": ["t2", "t1"], "arm": ["letters", "control"]} | columns)


def test_each_school_that_is_not_described_is_told_once_and_an_empty_one_not_at_all() -> None:
    lot = pd.DataFrame(
        {"teacher": [*"abcde"], "arm": ["control", "letters"] * 2 + ["letters"],
         "school": ["S9", "S9", None, "S8", "S1"]}
    )  # fmt: skip
    with pytest.raises(Refusal) as caught:
        read_units(lot, SCHOOLS, _rules(unit="teacher"))
    assert [fault.found for fault in caught.value.faults] == [
        "school S9 is not in the table of schools",
        "school S8 is not in the table of schools",
    ]


def test_people_of_whom_no_school_is_known_have_no_block() -> None:
    units = read_units(_people(), SCHOOLS, _rules(unit="teacher"))
    assert units["block"].isna().all()
    told = read_units(
        _people(), SCHOOLS, _rules(unit="teacher"), pd.Series(["S4"], index=["t1"], dtype="str")
    )
    assert told["block"].fillna("none").tolist() == ["none", "S4"]


def test_units_keep_the_order_of_the_list_and_arms_that_of_the_design() -> None:
    lot = _people(school=["S1", "S2"], drawn=["2019-06-01"] * 2, hours=[3.0, 0.0])
    units = read_units(lot.set_axis([7, 4]), SCHOOLS, _rules(unit="teacher"))
    assert list(units) == ["teacher", "block", "arm", "cluster", "treated", "hours"]
    assert units.index.tolist() == [0, 1]
    assert units["teacher"].tolist() == units["cluster"].tolist() == ["t2", "t1"]
    assert units["block"].tolist() == ["S1", "S2"]
    assert units["arm"].cat.categories.tolist() == ["control", "letters"]
    assert units["treated"].tolist() == [1.0, 0.0]
    assert units["treated"].dtype == np.float64


def test_a_staggered_list_without_cohorts_is_refused_for_every_treated_unit() -> None:
    with pytest.raises(Refusal) as caught:
        read_units(_people(), SCHOOLS, _rules(unit="teacher", kind="staggered"))
    assert [fault.found for fault in caught.value.faults] == [
        "teacher t2 is in the group 'letters' and has no cohort"
    ]
