"""Further files are joined to the rows of one by declared keys; who has no match is told."""

from typing import Any

import pandas as pd
import pytest

from schooltrial.refusal import Fault, Refusal
from support.small_trial import SmallTrial


@pytest.fixture
def joined(trial: SmallTrial) -> SmallTrial:
    """Return the small trial with sex and grade in a file of their own, in other notation."""
    for year in (2019, 2020):
        name = f"roster_{year}.csv"
        rows = trial.files[name]
        other = [["id", "sex", "grade"]] + [[r[0], r[3], r[2]] for r in rows[:0:-1]]
        trial.raw[f"more_{year}.csv"] = "".join(";".join(r) + "\n" for r in other).encode("cp1252")
        trial.files[name] = [[r[0], r[1], *r[4:]] for r in rows]
    reading = trial.reading("pupils")
    moved = {name: reading["columns"].pop(name) for name in ("sex", "grade")}
    reading["join"] = [
        {
            "file": "more_{year}.csv",
            "delimiter": ";",
            "encoding": "windows-1252",
            "on": ["pupil"],
            "columns": {"pupil": {"column": "id"}, **moved},
        }
    ]
    return trial


def _pupils(trial: SmallTrial) -> pd.DataFrame:
    trial.obtain()
    return pd.read_parquet(trial.path("pupils.parquet"))


def _faults(trial: SmallTrial) -> list[Fault]:
    with pytest.raises(Refusal) as caught:
        trial.obtain()
    assert trial.written() == []
    return list(caught.value.faults)


def _edit(trial: SmallTrial, *, drop: int = 0, add: str = "") -> None:
    lines = trial.raw["more_2020.csv"].splitlines(keepends=True)
    if drop:
        del lines[drop - 1]
    trial.raw["more_2020.csv"] = b"".join(lines) + add.encode()


def test_a_table_from_two_files_is_the_one_from_a_single_file(
    trial: SmallTrial, joined: SmallTrial, tmp_path_factory: Any
) -> None:
    single = _pupils(SmallTrial(tmp_path_factory.mktemp("single")))
    found = _pupils(joined)
    pd.testing.assert_frame_equal(found[single.columns], single)


def test_a_row_without_a_match_is_refused_with_its_line(joined: SmallTrial) -> None:
    _edit(joined, drop=161)
    (fault,) = _faults(joined)
    assert (fault.file, fault.row) == ("roster_2020.csv", 2)
    assert fault.found == "no match in more_2020.csv"
    assert "`unmatched: keep`" in fault.remedy


def test_rows_without_a_match_are_kept_where_declared_and_logged_on_both_sides(
    joined: SmallTrial,
) -> None:
    joined.reading("pupils")["join"][0]["unmatched"] = "keep"
    _edit(joined, drop=161, add="9999;F;4\n")
    pupils = _pupils(joined).query("year == 2020").set_index("pupil")
    assert pupils.loc["0001", ["sex", "grade"]].isna().all()
    assert len(pupils) == 160
    log = pd.read_csv(joined.path("cleaning_log.csv"))
    told = log.set_index("file")[["rule", "cells", "rows", "before"]]
    assert told.loc["roster_2020.csv"].tolist() == [
        "rows without a match by pupil in more_2020.csv: kept", 1, 0, "row 2"
    ]  # fmt: skip
    assert told.loc["more_2020.csv"].tolist() == [
        "rows without a match by pupil in roster_2020.csv: not used", 1, 0, "row 161"
    ]  # fmt: skip


def test_a_key_that_stands_twice_in_the_joined_file_is_refused(joined: SmallTrial) -> None:
    _edit(joined, add="0001;F;4\n")
    (fault,) = _faults(joined)
    assert (fault.file, fault.row) == ("more_2020.csv", 162)
    assert fault.found == "pupil 0001 is also in row 161 of more_2020.csv"


def test_a_fault_in_a_joined_file_is_told_with_its_own_line_and_column(joined: SmallTrial) -> None:
    _edit(joined, drop=161, add="0001;F;11\n")
    (fault,) = _faults(joined)
    assert (fault.file, fault.row, fault.column) == ("more_2020.csv", 161, "grade")


def test_rows_are_matched_by_two_keys_one_of_them_the_year(joined: SmallTrial) -> None:
    both = [joined.raw.pop(f"more_{year}.csv").splitlines()[1:] for year in (2019, 2020)]
    rows = [f"{line.decode()};{2019 + at}" for at, lines in enumerate(both) for line in lines]
    joined.raw["more.csv"] = "\n".join(["id;sex;grade;cohort", *rows]).encode()
    join = joined.reading("pupils")["join"][0]
    join |= {"file": "more.csv", "on": ["pupil", "year"]}
    join["columns"]["year"] = {"column": "cohort"}
    pupils = _pupils(joined)
    by_year = pupils.groupby("year")["grade"].agg(["min", "max"])
    assert by_year.to_numpy().tolist() == [[3, 4], [4, 5]]
    assert pupils["sex"].notna().all()


def test_the_joined_file_is_one_of_the_raw_files(joined: SmallTrial) -> None:
    _pupils(joined)
    listed = pd.read_csv(joined.path("raw_files.csv")).set_index("file")
    assert listed.loc["more_2019.csv", "rows"] == 160


def test_a_join_by_a_variable_that_is_not_read_is_a_fault_of_the_protocol(
    joined: SmallTrial,
) -> None:
    joined.reading("pupils")["join"][0]["on"] = ["pupl"]
    joined.write()
    with pytest.raises(Refusal) as caught:
        joined.read()
    named = [fault for fault in caught.value.faults if "'pupl'" in fault.found]
    assert [fault.remedy for fault in named] == ["did you mean 'pupil'?"] * 2


def test_a_joined_file_may_repeat_facts_and_leave_rows_out(joined: SmallTrial) -> None:
    _edit(joined, add="0001;F;4\n;note;https://x.example\n")
    join = joined.reading("pupils")["join"][0]
    (twice, *_) = _faults(joined)
    assert twice.file == "more_2020.csv"
    join |= {"keep_if_any": ["pupil"], "collapse_repeats": True}
    joined.set("roster_2020.csv", 2, "days_present", "150")
    _edit(joined, drop=161)  # the first row of 0001
    assert len(_pupils(joined)) == 320


def test_of_rows_of_a_joined_file_that_share_a_key_one_is_kept_as_declared(
    joined: SmallTrial,
) -> None:
    _edit(joined, add="0001;F;8\n")
    joined.reading("pupils")["join"][0]["duplicate_keys"] = "grade"
    found = _pupils(joined).set_index(["year", "pupil"])
    assert found.loc[(2020, "0001"), "grade"] == 8
    log = pd.read_csv(joined.path("cleaning_log.csv")).set_index("file")
    assert (
        log.loc["more_2020.csv", "rule"]
        == "rows with the same key: the one with most grade was kept"
    )


def test_rows_of_a_joined_file_can_be_filtered(joined: SmallTrial) -> None:
    _edit(joined, add="0001;F;oops\n")
    text = joined.raw["more_2020.csv"].decode("cp1252").splitlines()
    rows = [f"{line};{'x' if line.endswith('oops') else 'ours'}" for line in text[1:]]
    joined.raw["more_2020.csv"] = "\n".join([f"{text[0]};who", *rows, ""]).encode()
    lines = joined.raw["more_2019.csv"].decode("cp1252").splitlines()
    joined.raw["more_2019.csv"] = "\n".join(
        [f"{lines[0]};who", *(f"{line};ours" for line in lines[1:]), ""]
    ).encode()
    join = joined.reading("pupils")["join"][0]
    join["columns"]["who"] = {"column": "who", "type": "category"}
    join["where"] = {"who": ["ours"]}
    assert len(_pupils(joined)) == 320


@pytest.fixture
def filled(trial: SmallTrial) -> SmallTrial:
    """Return the small trial with grades of 2020 that are partly missing, and a second file."""
    for row, grade in ((2, ""), (3, ""), (4, "4")):
        trial.set("roster_2020.csv", row, "grade", grade)
    trial.raw["ages.csv"] = b"id,grade\n0001,4\n0003,5\n"  # 0003 differs, 0002 is not there
    trial.reading("pupils")["join"] = [
        {
            "file": "ages.csv", "on": ["pupil"], "unmatched": "keep", "fill": ["grade"],
            "columns": {"pupil": {"column": "id"}, "grade": {"column": "grade", "type": "integer"}},
        }
    ]  # fmt: skip
    return trial


def test_a_variable_is_filled_from_a_joined_file_where_it_is_missing(filled: SmallTrial) -> None:
    found = _pupils(filled).set_index(["year", "pupil"])["grade"]
    assert found.loc[(2020, "0001")] == 4
    assert pd.isna(found.loc[(2020, "0002")])
    assert found.loc[(2020, "0003")] == 4
    log = pd.read_csv(filled.path("cleaning_log.csv"))
    told = log[log["file"] == "roster_2020.csv"].set_index("rule")["cells"]
    assert told["grade missing: filled from ages.csv"] == 1
    assert told["grade differs from ages.csv: the value of this file was kept"] == 1


def test_what_no_file_fills_is_refused_where_it_is_required(filled: SmallTrial) -> None:
    filled.reading("pupils")["columns"]["grade"]["required"] = True
    (fault,) = _faults(filled)
    assert (fault.file, fault.row, fault.column) == ("roster_2020.csv", 3, "grade")
    assert fault.found == "no 'grade', here or in a joined file"


def test_a_variable_of_both_files_is_a_fault_unless_it_is_filled(filled: SmallTrial) -> None:
    filled.reading("pupils")["join"][0]["fill"] = []
    filled.write()
    with pytest.raises(Refusal) as caught:
        filled.read()
    assert "`fill: [grade]`" in caught.value.faults[0].remedy


def test_files_of_each_year_are_joined_to_one_file_of_all_years(trial: SmallTrial) -> None:
    plain = _pupils(SmallTrial(trial.folder / "plain"))
    every = []
    for year in (2019, 2020):
        header, *rows = trial.files.pop(f"roster_{year}.csv")
        trial.raw[f"days_{year}.csv"] = "\n".join(
            ["id,days", *(f"{row[0]},{row[5]}" for row in rows), ""]
        ).encode()
        every += [[*row[:5], str(year)] for row in rows]
    trial.files["roster.csv"] = [[*header[:5], "year"], *every]
    reading = trial.reading("pupils")
    reading["file"] = "roster.csv"
    reading["columns"]["year"] = {"column": "year"}
    days = reading["columns"].pop("days_present")
    reading["join"] = [
        {"file": "days_{year}.csv", "on": ["pupil", "year"],
         "columns": {"pupil": {"column": "id"}, "days_present": {**days, "column": "days"}}}
    ]  # fmt: skip
    found = _pupils(trial)
    pd.testing.assert_frame_equal(found[plain.columns], plain)


def test_a_second_file_is_joined_by_a_variable_of_the_first(joined: SmallTrial) -> None:
    joined.raw["grades.csv"] = b"grade,stage\n3,primary\n4,primary\n5,middle\n"
    joined.reading("pupils")["join"].append(
        {
            "file": "grades.csv", "on": ["grade"],
            "columns": {
                "grade": {"column": "grade", "type": "integer"},
                "stage": {"column": "stage", "type": "category"},
            },
        }
    )  # fmt: skip
    found = _pupils(joined)
    assert found.groupby("grade", observed=True)["stage"].first().to_dict() == {
        3: "primary", 4: "primary", 5: "middle",
    }  # fmt: skip


@pytest.mark.parametrize("unmatched", ["refuse", "keep"])
def test_keys_that_lost_their_zeros_in_the_joined_file_are_refused_with_the_width(
    joined: SmallTrial, unmatched: str
) -> None:
    joined.reading("pupils")["join"][0]["unmatched"] = unmatched
    rows = joined.raw["more_2020.csv"].decode("cp1252").splitlines()
    joined.raw["more_2020.csv"] = "".join(f"{row.lstrip('0')}\n" for row in rows).encode("cp1252")
    fault = _faults(joined)[0]
    assert "would match if both files spelled identifiers alike" in fault.found
    assert "leading zeros ('" in fault.found
    assert "write for more_2020.csv, 'id': `width: 4, pad: true` after `column:`" in fault.remedy


def test_keys_that_the_protocol_calls_distinct_are_kept_without_a_match(joined: SmallTrial) -> None:
    joined.reading("pupils")["join"][0]["unmatched"] = "keep"
    joined.protocol.setdefault("cleaning", {})["alike_identifiers"] = "distinct"
    rows = joined.raw["more_2020.csv"].decode("cp1252").splitlines()
    joined.raw["more_2020.csv"] = "".join(f"{row.lstrip('0')}\n" for row in rows).encode("cp1252")
    found = _pupils(joined)
    assert found.loc[found["year"] == 2019, "grade"].notna().all()
    assert found.loc[found["year"] == 2020, "grade"].isna().all()
