"""No key of a protocol settles a list that assigns one unit to two groups: it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from schooltrial.refusal import Fault, Refusal
from support.small_trial import SmallTrial


def _faults(trial: SmallTrial) -> tuple[Fault, ...]:
    with pytest.raises(Refusal) as caught:
        trial.obtain()
    return caught.value.faults


def _in_both_arms(trial: SmallTrial, **other: str) -> None:
    """Add a row for S1 and S3, in the other group; and a column of days that decides."""
    rows = trial.files["assignment.csv"]
    rows[0].append("day")
    for row in rows[1:]:
        row.append("1")
    rows += [["S1", "1", other.get("arm", "T"), "9"], ["S3", "2", other.get("arm", "T"), "0"]]
    trial.reading("assignment")["columns"]["day"] = {"column": "day", "type": "integer"}


@pytest.mark.parametrize(
    "keys",
    [
        {"duplicate_keys": "day"},
        {"duplicate_keys": {"keep": "smallest", "by": "day"}},
        {"duplicate_keys": {"keep": "first"}},
        {"duplicate_keys": {"keep": "last"}},
        {"duplicate_keys": {"keep": "last"}, "duplicate_rows": "keep_one"},
        {"collapse_repeats": True},
        {"duplicate_rows": "keep_one"},
        {},
    ],
)
def test_whatever_the_keys_a_unit_in_two_arms_is_refused_with_both_rows(
    trial: SmallTrial, keys: dict[str, Any]
) -> None:
    _in_both_arms(trial)
    trial.reading("assignment").update(keys)
    first, second = _faults(trial)
    assert first.found == (
        "school S1 is in two groups: 'programme' here, 'control' in row 2 of assignment.csv"
    )
    assert (first.row, second.row) == (10, 11)
    assert not any("duplicate_keys" in fault.remedy for fault in (first, second))


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("block", "4", "is in two blocks: '4' here, '1' in row 2"),
        ("cohort", "2020", "is in two cohorts: 2020 here, 2019 in row 2"),
        (
            "drawn",
            "2019-05-02",
            "has two randomisation dates: 2019-05-02 here, 2019-05-01 in row 2",
        ),
    ],
)
def test_nor_do_they_settle_blocks_cohorts_or_dates(
    trial: SmallTrial, variable: str, value: str, said: str
) -> None:
    rows = trial.files["assignment.csv"]
    rows[0] += ["cohort", "drawn"]
    for row in rows[1:]:
        row += ["2019", "2019-05-01"]
    columns = trial.reading("assignment")["columns"]
    columns["cohort"] = {"column": "cohort", "type": "integer"}
    columns["drawn"] = {"column": "drawn", "type": "date"}
    again = dict(zip(("school", "block", "arm", "cohort", "drawn"), rows[1], strict=True))
    rows.append(list((again | {variable: value}).values()))
    trial.reading("assignment")["duplicate_keys"] = {"keep": "first"}
    (fault,) = _faults(trial)
    assert said in fault.found


def test_of_three_rows_those_that_contradict_each_other_are_named(trial: SmallTrial) -> None:
    rows = trial.files["assignment.csv"]
    rows += [[*rows[1]], ["S1", "1", "T"]]
    (*_, fault) = _faults(trial)
    assert "'programme' here, 'control' in row 2" in fault.found


def test_rows_that_agree_in_what_was_assigned_are_settled_as_declared(trial: SmallTrial) -> None:
    _in_both_arms(trial, arm="C")
    trial.reading("assignment")["duplicate_keys"] = "day"
    trial.obtain()


def test_a_row_that_is_left_out_as_empty_may_not_hide_another_arm(trial: SmallTrial) -> None:
    _in_both_arms(trial)
    for row in (10, 11):
        trial.set("assignment.csv", row, "day", "")
    trial.reading("assignment")["keep_if_any"] = ["day"]
    first, second = _faults(trial)
    assert "arm 'programme' in this row, which is left out, and 'control' in row 2" in first.found
    assert (first.row, second.row) == (10, 11)


def test_a_filter_on_arms_may_not_choose_one_of_two(trial: SmallTrial) -> None:
    _in_both_arms(trial)
    trial.reading("assignment")["where"] = {
        "any_of": [{"arm": ["control"]}, {"school": ["S2", "S4", "S6", "S8"]}]
    }
    assert len(_faults(trial)) == 2


def test_a_column_that_fills_another_may_not_contradict_it(trial: SmallTrial) -> None:
    rows = trial.files["assignment.csv"]
    rows[0].append("new_arm")
    for at, row in enumerate(rows[1:]):
        row.append(["", "T"][at == 4])
    arm = trial.reading("assignment")["columns"]["arm"]
    arm["otherwise"] = "new_arm"
    (fault,) = _faults(trial)
    assert "two arms: 'control' here, 'programme' in the column 'new_arm'" in fault.found
    assert fault.row == 6
    trial.set("assignment.csv", 6, "new_arm", "C")
    trial.obtain()


def test_a_joined_file_may_not_contradict_the_list_that_it_fills(trial: SmallTrial) -> None:
    arm = {"column": "arm", "type": "category", "codes": {"C": "control", "T": "programme"}}
    trial.raw["arms.csv"] = b"id,arm\nS1,C\nS3,T\n"
    trial.reading("assignment")["join"] = [
        {
            "file": "arms.csv", "on": ["school"], "unmatched": "keep", "fill": ["arm"],
            "columns": {"school": {"column": "id"}, "arm": arm},
        }
    ]  # fmt: skip
    (fault,) = _faults(trial)
    assert fault.found == "the arm is 'control' here, and 'programme' in row 3 of arms.csv"
    assert fault.row == 4


@pytest.mark.parametrize("rule", [{"keep": "first"}, "drop_all"])
def test_a_joined_file_may_not_choose_among_arms(trial: SmallTrial, rule: Any) -> None:
    trial.raw["arms.csv"] = b"id,arm\n" + b"".join(
        f"S{at},{'CT'[at % 2]}\n".encode() for at in [*range(1, 9), 2]
    ).replace(b"S2,C\nS3", b"S2,T\nS3")
    reading = trial.reading("assignment")
    reading["join"] = [
        {
            "file": "arms.csv", "on": ["school"], "unmatched": "keep", "duplicate_keys": rule,
            "columns": {"school": {"column": "id"}, "arm": reading["columns"].pop("arm")},
        }
    ]  # fmt: skip
    (fault,) = _faults(trial)
    assert "school S2 is in two groups: 'control' here, 'programme' in row 3" in fault.found
    assert "duplicate_keys" not in fault.remedy


def test_two_files_may_not_contradict_each_other(trial: SmallTrial) -> None:
    trial.files["late.csv"] = [["school_code", "pair", "arm"], ["S1", "1", "T"]]
    late = {**trial.reading("assignment"), "file": "late.csv", "duplicate_keys": {"keep": "last"}}
    trial.protocol["tables"]["assignment"].append(late)
    (fault,) = _faults(trial)
    assert "school S1 is in two groups" in fault.found


def test_two_spellings_of_an_identifier_in_two_arms_are_refused(trial: SmallTrial) -> None:
    for file in ("assignment.csv", "schools.csv"):
        trial.set(file, 3, "school_code", "s-01")
    (fault,) = _faults(trial)
    assert "school s-01 is in the group 'programme' here, and S1, which differs by" in fault.found
    assert "in 'control' in row 2 of assignment.csv" in fault.found
    trial.protocol["cleaning"] = {"alike_identifiers": "distinct"}
    trial.obtain()


def test_a_roster_that_puts_a_school_into_another_arm_is_refused(trial: SmallTrial) -> None:
    for file, rows in trial.files.items():
        if file.startswith("roster"):
            rows[0].append("group")
            for row in rows[1:]:
                row.append("CT"[(int(row[1][1]) + 1) % 2])
    arm = {"column": "group", "type": "category", "codes": {"C": "control", "T": "programme"}}
    trial.reading("pupils")["columns"]["arm"] = arm
    trial.obtain()
    trial.clean()
    trial.set("roster_2020.csv", 2, "group", "T")
    trial.obtain()
    with pytest.raises(Refusal) as caught:
        trial.clean()
    (fault,) = caught.value.faults
    assert "1 school with a different arm than in" in fault.found
    assert "school S1 is in 'programme' here, and in 'control' there" in fault.found
