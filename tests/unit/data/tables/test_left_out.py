"""Rows that a reading leaves out are left out before anything of them is judged, and are logged."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from schooltrial.refusal import Fault, Refusal
from support.small_trial import SmallTrial

NOTE = ["Source: https://district.example/notes", "", "x", "?", "2020/21", ""]
"""A row of notes below the roster: no cell of it can be read."""


def _obtain(trial: SmallTrial, table: str = "pupils") -> pd.DataFrame:
    trial.obtain()
    return pd.read_parquet(trial.path(f"{table}.parquet"))


def _log(trial: SmallTrial, file: str) -> dict[str, tuple[int, int]]:
    log = pd.read_csv(trial.path("cleaning_log.csv"))
    mine = log[log["file"] == file]
    return {r.rule: (r.cells, r.rows) for r in mine.itertuples()}


def _faults(trial: SmallTrial) -> list[Fault]:
    with pytest.raises(Refusal) as caught:
        trial.obtain()
    return list(caught.value.faults)


def _plain(trial: SmallTrial) -> pd.DataFrame:
    return _obtain(SmallTrial(trial.folder / "plain"))


def test_rows_without_what_is_needed_may_hold_anything(trial: SmallTrial) -> None:
    trial.files["roster_2020.csv"] += [[""] * 6, NOTE]
    trial.reading("pupils")["columns"]["school"]["required"] = True
    trial.reading("pupils")["keep_if_any"] = ["school"]
    pd.testing.assert_frame_equal(_obtain(trial), _plain(trial))
    assert _log(trial, "roster_2020.csv") == {"rows left out: school empty": (0, 1)}


def test_rows_that_a_filter_does_not_keep_may_hold_anything(trial: SmallTrial) -> None:
    for year in (2019, 2020):
        name = f"roster_{year}.csv"
        header, *rows = trial.files[name]
        others = [["", "Total", "x", "?", "-", "99/9"], ["a/b", "Total", "9", "F", "", ""]]
        rows = [[*row, "in"] for row in rows] + [[*row, "out"] for row in others]
        trial.files[name] = [[*header, "kind"], *rows]
    reading = trial.reading("pupils")
    reading["columns"]["kind"] = {"column": "kind", "type": "category", "codes": {"in": "ours"}}
    reading["where"] = {"kind": ["ours"]}
    found = _obtain(trial)
    plain = _plain(trial)
    pd.testing.assert_frame_equal(found[plain.columns], plain)
    told = _log(trial, "roster_2020.csv")
    assert told["rows left out: `where` keeps those of which kind is ours"] == (0, 2)
    odd = "rows left out: a cell that `where` needs cannot be read"
    assert told[odd] == (2, 0)  # `out` has no code


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ({"grade": [4]}, {4}),
        ({"grade": {"at_least": 5}}, {5}),
        ({"grade": {"not_in": [3, 5]}}, {4}),
        ({"any_of": [{"grade": [3]}, {"sex": ["girl"], "grade": [5]}]}, {3, 5}),
        ({"year": [2020], "grade": [4]}, {4}),
    ],
)
def test_a_filter_of_a_reading_is_that_of_the_protocol(
    trial: SmallTrial, where: dict[str, Any], kept: set[int]
) -> None:
    trial.reading("pupils")["where"] = where
    found = _obtain(trial)
    assert set(found["grade"]) == kept
    assert 0 < len(found) < 320


def test_rows_of_years_outside_the_study_are_left_out_by_a_filter(trial: SmallTrial) -> None:
    rows = [line for year in (2019, 2020) for line in trial.files[f"scores_{year}.csv"][1:]]
    years = ["2019"] * 320 + ["2020"] * 320
    header = [*trial.files["scores_2019.csv"][0], "year"]
    every = [[*row, year] for row, year in zip(rows, years, strict=True)]
    trial.files["scores.csv"] = [header, *every, ["0001", "MATH", "no score", "2015"]]
    reading = trial.reading("scores")
    reading["file"] = "scores.csv"
    reading["columns"]["year"] = {"column": "year"}
    assert "2015" in _faults(trial)[1].found
    reading["where"] = {"year": {"at_least": 2019}}
    assert len(_obtain(trial, "scores")) == 640


def test_a_kept_row_with_a_fault_is_refused_with_its_own_line(trial: SmallTrial) -> None:
    trial.reading("pupils")["where"] = {"grade": [4, 5]}
    trial.set("roster_2020.csv", 2, "grade", "3")  # left out; the fault is below it
    trial.set("roster_2020.csv", 4, "days_present", "many")
    (fault,) = _faults(trial)
    assert (fault.file, fault.row, fault.column) == ("roster_2020.csv", 4, "days_present")


def test_a_cell_that_cannot_be_read_is_not_empty(trial: SmallTrial) -> None:
    trial.reading("pupils")["keep_if_any"] = ["days_present"]
    trial.set("roster_2020.csv", 4, "days_present", "many")
    (fault,) = _faults(trial)
    assert fault.row == 4


def test_rows_can_be_left_out_by_a_variable_of_a_joined_file(trial: SmallTrial) -> None:
    trial.raw["status.csv"] = b"id,status\n" + b"".join(
        f"{at:04d},{'left' if at <= 5 else 'there'}\n".encode() for at in range(1, 161)
    )
    status = {"column": "status", "type": "category"}
    reading = trial.reading("pupils")
    reading["join"] = [
        {"file": "status.csv", "on": ["pupil"],
         "columns": {"pupil": {"column": "id"}, "status": status}}
    ]  # fmt: skip
    reading["where"] = {"status": ["there"]}
    trial.set("roster_2020.csv", 3, "sex", "?")  # of one who left
    found = _obtain(trial)
    assert len(found) == 310
    assert set(found["status"]) == {"there"}


def test_where_that_names_what_is_not_read_is_a_fault_of_the_protocol(trial: SmallTrial) -> None:
    trial.reading("pupils")["where"] = {"grad": [3]}
    trial.write()
    with pytest.raises(Refusal) as caught:
        trial.read()
    assert [fault.remedy for fault in caught.value.faults] == ["did you mean 'grade'?"]


def test_both_children_who_share_an_identifier_are_dropped_and_recorded(trial: SmallTrial) -> None:
    rows = trial.files["roster_2020.csv"]
    rows.append([rows[1][0], "S8", "5", "F", "180", "150"])
    assert "in two schools" in _faults(trial)[0].found
    trial.reading("pupils")["duplicate_keys"] = "drop_all"
    found = _obtain(trial)
    assert len(found) == 319
    assert not ((found["pupil"] == "0001") & (found["year"] == 2020)).any()
    told = _log(trial, "roster_2020.csv")
    assert told == {"rows with the same key: all were left out": (0, 2)}
    trial.clean()
    ledger = pd.read_csv(trial.path("ledger.csv"))
    shared = ledger[ledger["step"] == "shared identifiers"]
    assert shared[["level", "year"]].to_numpy().tolist() == [["pupil", 2020]] * 2
    linking = pd.read_csv(trial.path("linking.csv"))
    of_2020 = linking[(linking["table"] == "scores") & (linking["year"] == 2020)]
    assert (of_2020["n_left_out"] == 1).all()
    assert (of_2020["rows_not_found"] == 0).all()


def test_scores_of_pupils_whom_the_roster_leaves_out_are_no_mismatch(trial: SmallTrial) -> None:
    trial.reading("pupils")["where"] = {"sex": ["girl"]}
    trial.obtain()
    trial.clean()
    linking = pd.read_csv(trial.path("linking.csv"))
    scores = linking[linking["table"] == "scores"]
    assert (scores["share"] == 1).all()
    assert (scores["n_left_out"] == 54).all()


def test_the_assignment_list_never_drops_a_unit_that_it_names_twice(trial: SmallTrial) -> None:
    trial.reading("assignment")["duplicate_keys"] = "drop_all"
    trial.write()
    with pytest.raises(Refusal) as caught:
        trial.read()
    assert "drops units that are in the allocation list twice" in caught.value.faults[0].found


def test_costs_of_an_arm_that_the_design_lacks_are_refused(trial: SmallTrial) -> None:
    trial.raw["costs.csv"] = b"what,n,price,arm\nbooks,1,5,programme\ntrips,1,9,Programme B\n"
    columns = {name: {"column": raw} for name, raw in (("ingredient", "what"), ("arm", "arm"))}
    for name, raw in (("quantity", "n"), ("unit_cost", "price")):
        columns[name] = {"column": raw, "type": "number"}
    trial.protocol["tables"]["costs"] = [{"file": "costs.csv", "columns": columns}]
    (fault,) = _faults(trial)
    assert (fault.file, fault.row, fault.column) == ("costs.csv", 3, "arm")
    assert fault.found == "costs of the group 'Programme B'"
