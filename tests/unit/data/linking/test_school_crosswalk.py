"""Rows of schools that changed are rows of the school that was assigned."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from schooltrial.data.linking.school_crosswalk import Crosswalk, read_crosswalk
from schooltrial.refusal import Refusal
from support.standard_study import build, reasons, roster, scores

YEARS = [2018, 2019, 2020, 2021]
COLUMNS = ["from_school", "from_year", "to_school", "change"]


def read(*rows: tuple[Any, ...]) -> Crosswalk:
    known = [*"ABCDE"]
    return read_crosswalk(pd.DataFrame(list(rows), columns=COLUMNS), known, YEARS)


def owners(crosswalk: Crosswalk, assigned: str, year: int) -> dict[str, str]:
    """Return school → as which assigned school its rows are analysed."""
    schools = [*"ABCDE"]
    found = crosswalk.of_year(schools, set(assigned), year)
    return {
        name: "closed" if at < 0 else "merged" if found.merged[at] else schools[found.owner[at]]
        for name, at in zip(schools, found.successor, strict=True)
    }


def cleaned(rows: list[tuple[Any, ...]], changes: list[tuple[Any, ...]], **cleaning: str) -> Any:
    tables = {
        "pupils": roster(rows),
        "scores": scores([]),
        "crosswalk": pd.DataFrame(changes, columns=COLUMNS),
    }
    return build(tables, cleaning=cleaning)


def test_a_chain_of_names_leads_back_to_the_school_that_was_assigned() -> None:
    crosswalk = read(("A", 2019, "B", "renamed"), ("B", 2021, "C", "renamed"))
    assert owners(crosswalk, "A", 2018) == {name: name for name in "ABCDE"}
    assert owners(crosswalk, "A", 2020) == {"A": "A", "B": "A", "C": "C", "D": "D", "E": "E"}
    assert owners(crosswalk, "A", 2021) == {"A": "A", "B": "A", "C": "A", "D": "D", "E": "E"}


def test_the_parts_of_a_split_school_are_rows_of_the_school_they_are_mapped_to() -> None:
    crosswalk = read(("B", 2020, "A", "split"), ("C", 2020, "A", "split"))
    found = owners(crosswalk, "A", 2020)
    assert (found["A"], found["B"], found["C"]) == ("A", "A", "A")


def test_only_mergers_of_assigned_schools_have_no_one_owner() -> None:
    changes = [("A", 2020, "C", "merged"), ("B", 2020, "C", "merged")]
    assert owners(read(*changes), "AB", 2020)["C"] == "merged"
    assert owners(read(*changes), "AB", 2019)["C"] == "C"
    assert owners(read(*changes), "A", 2020)["C"] == "A"
    assert owners(read(("B", 2020, "A", "merged")), "AB", 2020)["A"] == "merged"


def test_a_closed_school_is_not_carried_on_in_the_school_its_pupils_were_sent_to() -> None:
    found = owners(read(("A", 2020, "B", "closed"), ("C", 2020, None, "closed")), "ABC", 2020)
    assert found["B"] == "B"
    assert found["C"] == "closed"


def test_of_two_changes_of_a_school_the_later_holds_from_its_year_on() -> None:
    crosswalk = read(("B", 2019, "A", "renamed"), ("B", 2021, "C", "renamed"))
    assert [owners(crosswalk, "A", year)["B"] for year in YEARS] == ["B", "A", "A", "C"]


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([("A", 2019, "B", "renamed"), ("B", 2020, "A", "renamed")], "a circle in 2020: A → B → A"),
        ([("A", 2019, "A", "renamed")], "a circle in 2019: A → A"),
        ([("A", 2019, "Z", "renamed")], "renamed into Z, which is not in any table"),
        ([("A", 2019, None, "merged")], "merged, but `to_school` is empty"),
        ([("A", 2019, "B", "moved")], "the change 'moved'"),
    ],
)
def test_a_crosswalk_that_leads_nowhere_is_refused(rows: list[Any], found: str) -> None:
    with pytest.raises(Refusal) as caught:
        read(*rows)
    assert [found in fault.found for fault in caught.value.faults] == [True]


MERGER = [("S1", 2020, "S6", "merged"), ("S2", 2020, "S6", "merged")]
MERGED = [
    ("a", 2019, "S1"), ("a", 2020, "S6"), ("a", 2021, "S6"),
    ("b", 2019, "S2"), ("b", 2020, "S6"),
    ("new", 2020, "S6"), ("new", 2021, "S6"),
    ("from S3", 2019, "S3"), ("from S3", 2020, "S6"),
]  # fmt: skip


def test_pupils_of_a_merger_are_analysed_where_they_were_before_it() -> None:
    sample = cleaned(MERGED, MERGER)
    later = sample.pupils[sample.pupils["year"] >= 2020]
    assert later[["pupil", "year", "school", "arm"]].to_numpy().tolist() == [
        ["a", 2020, "S1", "control"],
        ["b", 2020, "S2", "programme"],
        ["a", 2021, "S1", "control"],
    ]
    assert reasons(sample)["in a merger of schools of the study, without a school before it"] == 3
    assert reasons(sample, "school")["no pupil of the school in the sample in that year"] > 0


def test_all_pupils_of_a_merger_leave_where_the_protocol_drops_them() -> None:
    sample = cleaned(MERGED, MERGER, merged_schools="drop")
    assert set(sample.pupils["year"]) == {2019}
    assert reasons(sample)["in a merger of schools of the study"] == 6
    told = reasons(sample, "school")
    assert told["the school had merged with another school of the study"] == 4


def test_pupils_listed_in_a_school_that_had_closed_leave() -> None:
    sample = cleaned(
        [("a", 2019, "S1"), ("a", 2020, "S1"), ("b", 2020, "S2")], [("S1", 2020, None, "closed")]
    )
    assert reasons(sample) == {"the school had closed": 1}
    assert reasons(sample, "school")["the school had closed"] == 1


def test_schools_under_a_new_id_are_counted_in_the_mobility_table() -> None:
    rows = [("a", 2019, "S1"), ("a", 2020, "S6"), ("b", 2020, "S2")]
    sample = cleaned(rows, [("S1", 2020, "S6", "renamed")])
    assert sample.pupils["school"].tolist() == ["S1", "S1", "S2"]
    assert sample.mobility.groupby("year")["n_recoded_school"].sum().to_dict() == {2019: 0, 2020: 1}
