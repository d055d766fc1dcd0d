"""A code for *not observed* is compared as a number in columns of numbers, as a text elsewhere."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schooltrial.data.cells.missing_codes import Notation, alike_as_numbers, find_absent
from schooltrial.refusal import Refusal
from support.small_trial import SmallTrial

ROSTER = "roster_2020.csv"


def _texts(*texts: str) -> pd.Series:
    return pd.Series(list(texts), dtype="str")


@pytest.mark.parametrize("code", ["-9", "-9.0", "-9.00", "\u22129", "-9e0"])
def test_one_code_is_found_however_the_number_is_written(code: str) -> None:
    text = _texts("-9", "-9.0", "-9.00", "\u22129", "9", "-90", "", "x")
    found = find_absent(text, [code], Notation())
    assert found.absent.tolist() == [True] * 4 + [False] * 4
    assert found.as_numbers.sum() == found.absent.sum() - (text == code).sum()


def test_the_code_may_be_written_in_the_notation_of_the_file_or_in_plain_notation() -> None:
    comma = Notation(decimal=",", thousands=".")
    text = _texts("-9,00", "-9", "-9.00", "9.999", "9999,0")
    for codes in (["-9,0", "9999"], ["-9.0", "9.999"]):
        assert find_absent(text, codes, comma).absent.tolist() == [True, True, False, True, True]


def test_a_number_that_a_file_holds_as_such_is_in_plain_notation() -> None:
    text = _texts("1.000", "1.000")
    held = pd.Series([True, False]).to_numpy()
    found = find_absent(text, ["1000"], Notation(decimal=",", thousands="."), held)
    assert found.absent.tolist() == [False, True]


def test_texts_are_compared_as_texts() -> None:
    text = _texts("-9", "-9.0", "09", "9")
    assert find_absent(text, ["-9", "9"], None).absent.tolist() == [True, False, False, True]


@given(st.lists(st.floats(-1e6, 1e6).map(repr) | st.sampled_from(["NA", ".", "-9.0"])), st.data())
def test_what_is_found_is_equal_to_a_code_as_a_text_or_as_a_number(
    texts: list[str], data: st.DataObject
) -> None:
    codes = data.draw(st.lists(st.sampled_from([*texts, "-9", "99"]), max_size=3))
    found = find_absent(_texts(*texts), codes, Notation())

    def _same(text: str, code: str) -> bool:
        try:
            return text == code or float(text) == float(code)
        except ValueError:
            return False

    expected = [any(_same(text, code) for code in codes) for text in texts]
    assert found.absent.tolist() == expected


def test_the_log_says_which_codes_were_compared_as_numbers(trial: SmallTrial) -> None:
    trial.reading("pupils")["columns"]["days_present"]["missing"] = ["-9"]
    trial.set(ROSTER, 2, "days_present", "-9.00")
    trial.set(ROSTER, 3, "days_present", "-9")
    trial.obtain()
    pupils = pd.read_parquet(trial.path("pupils.parquet"))
    there = pupils[(pupils["year"] == 2020) & pupils["days_present"].isna()]
    assert there["pupil"].tolist() == ["0001", "0002"]
    log = pd.read_csv(trial.path("cleaning_log.csv"), dtype=str, keep_default_na=False)
    told = log[log["column"] == "days_present"].set_index("rule")["before"]
    assert told.to_dict() == {
        "code for not observed set to missing": "-9",
        "code for not observed, compared as a number, set to missing": "-9.00",
    }


def test_an_identifier_keeps_a_text_that_is_a_code_only_as_a_number(trial: SmallTrial) -> None:
    reading = trial.reading("schools")
    reading["missing"] = ["", "9"]
    reading["columns"]["number"] = {"column": "number"}
    rows = trial.files["schools.csv"]
    rows[0].append("number")
    for at, cells in enumerate(rows[1:]):
        cells.append(["9", "09", "9.0"][at % 3])
    trial.obtain()
    found = pd.read_parquet(trial.path("schools.parquet"))["number"].astype("object").tolist()
    assert found[1:3] == ["09", "9.0"]
    assert pd.isna(found[0])


def test_a_key_that_is_missing_by_its_number_is_refused_with_its_row(trial: SmallTrial) -> None:
    for year in (2019, 2020):
        rows = trial.files[f"roster_{year}.csv"]
        for at, cells in enumerate(rows):
            cells.append(str(year) if at else "year")
    rows[4][-1] = "-9.0"
    reading = trial.reading("pupils")
    reading["columns"]["year"] = {"column": "year", "missing": ["-9"]}
    trial.write()
    with pytest.raises(Refusal) as caught:
        trial.obtain()
    (fault,) = caught.value.faults
    assert (fault.file, fault.row, fault.column) == ("roster_2020.csv", 5, "year")


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["1", "2"], ["1", "1", "2", None, None]),
        (["1", "01"], [None] * 5),
        (["1", "two"], [None] * 5),
    ],
)
def test_codes_are_compared_as_numbers_where_all_are_numbers_and_differ(
    codes: list[str], expected: list[str | None]
) -> None:
    found = alike_as_numbers(_texts("1", "1.0", "2.00", "3", "x"), codes, Notation())
    assert found.astype("object").where(found.notna(), None).tolist() == expected


def test_codes_that_a_file_writes_as_decimals_are_read_and_logged(trial: SmallTrial) -> None:
    rows = trial.files["assignment.csv"]
    for cells in rows[1:]:
        cells[2] = {"C": "0.0", "T": "1.0"}[cells[2]]
    rows[1][2] = "0"
    spec = trial.reading("assignment")["columns"]["arm"]
    spec |= {"codes": {"0": "control", "1": "programme"}}
    trial.obtain()
    arms = pd.read_parquet(trial.path("assignment.parquet"))["arm"].astype("str")
    assert arms.value_counts().to_dict() == {"control": 4, "programme": 4}
    log = pd.read_csv(trial.path("cleaning_log.csv"), keep_default_na=False)
    assert log.loc[log["rule"] == "code compared as a number", "cells"].sum() == 7


def test_a_missing_code_is_found_as_a_number_beside_codes_that_are_numbers(
    trial: SmallTrial,
) -> None:
    spec = trial.reading("pupils")["columns"]["sex"]
    spec |= {"codes": {"1": "girl", "2": "boy"}, "missing": ["-9"]}
    for year in (2019, 2020):
        for cells in trial.files[f"roster_{year}.csv"][1:]:
            cells[3] = {"F": "1.0", "M": "2.0"}[cells[3]]
    trial.set(ROSTER, 2, "sex", "-9.0")
    trial.obtain()
    pupils = pd.read_parquet(trial.path("pupils.parquet"))
    assert pupils.loc[pupils["sex"].isna(), ["pupil", "year"]].to_numpy().tolist() == [
        ["0001", 2020]
    ]


def test_an_empty_cell_is_missing_whatever_other_codes_are_listed(trial: SmallTrial) -> None:
    trial.reading("pupils")["missing"] = [-9]
    trial.set(ROSTER, 2, "days_present", "")
    trial.set(ROSTER, 3, "days_present", "-9")
    trial.set(ROSTER, 4, "sex", "")
    trial.obtain()
    pupils = pd.read_parquet(trial.path("pupils.parquet"))
    assert pupils.loc[pupils["days_present"].isna(), "pupil"].tolist() == ["0001", "0002"]
    assert pupils.loc[pupils["sex"].isna(), "pupil"].tolist() == ["0003"]


@pytest.mark.parametrize("missing", [["-9"], [""], None])
def test_an_empty_cell_that_has_a_code_is_not_missing(
    trial: SmallTrial, missing: list[str] | None
) -> None:
    reading = trial.reading("pupils")
    if missing is not None:
        reading["missing"] = missing
    reading["columns"]["sex"]["codes"] = {"F": "girl", "M": "boy", "": "unknown"}
    trial.set(ROSTER, 4, "sex", "")
    trial.obtain()
    pupils = pd.read_parquet(trial.path("pupils.parquet"))
    there = pupils[(pupils["pupil"] == "0003") & (pupils["year"] == 2020)]
    assert there["sex"].tolist() == ["unknown"]


def test_an_empty_first_year_may_be_the_code_of_the_arm_without_the_programme(
    trial: SmallTrial,
) -> None:
    for cells in trial.files["assignment.csv"][1:]:
        cells[2] = {"C": "", "T": "2019"}[cells[2]]
    spec = trial.reading("assignment")["columns"]["arm"]
    spec |= {"codes": {"": "control", "2019": "programme"}}
    trial.obtain()
    arms = pd.read_parquet(trial.path("assignment.parquet"))["arm"].astype("str")
    assert arms.value_counts().to_dict() == {"control": 4, "programme": 4}
