"""Dates are read as people write them, in the format declared, and in no other."""

from __future__ import annotations

import datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schooltrial.data.cells.dates import MONTHS, advice, parse_dates
from schooltrial.protocol.content.date_format import suggestion, why_not
from schooltrial.refusal import Fault, Refusal
from support.small_trial import SmallTrial

ROSTER = "roster_2020.csv"


def _read(text: str, shape: str, last_year: int = 2021) -> str:
    day = parse_dates(pd.Series([text], dtype="str"), shape, last_year).days[0]
    return "" if pd.isna(day) else f"{day:%Y-%m-%d}"


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("1/9/2019", "D/M/YYYY"), ("01/09/2019", "D/M/YYYY"), ("9/1/2019", "M/D/YYYY"),
        ("01/09/19", "DD/MM/YY"), ("1.9.19", "D.M.YY"), ("20190901", "YYYYMMDD"),
        ("1 September 2019", "D MMMM YYYY"), ("Sep 1, 2019", "MMM D, YYYY"),
        ("01-Sep-19", "DD-MMM-YY"), ("1 sept 2019", "D MMM YYYY"), ("01-SEP-2019", "DD-MMM-YYYY"),
        ("2019-09-01 00:00:00", "YYYY-MM-DD"), ("2019-09-01T13:30:00.000Z", "YYYY-MM-DD"),
        ("9/1/2019 1:30 PM", "M/D/YYYY"), ("2019-09-01T08:00:00+02:00", "YYYY-MM-DD"),
        ("1/9/2019, 13:30", "D/M/YYYY"),
    ],
)  # fmt: skip
def test_the_first_of_september_is_read_however_it_is_written(text: str, shape: str) -> None:
    assert _read(text, shape) == "2019-09-01"


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("1/9/2019", "DD/MM/YYYY"), ("2019-9-1", "YYYY-MM-DD"), ("31/9/2019", "D/M/YYYY"),
        ("1/13/2019", "D/M/YYYY"), ("29/2/2019", "D/M/YYYY"), ("1 Septober 2019", "D MMM YYYY"),
        ("1/9/19", "D/M/YYYY"), ("1/9/2019", "D/M/YY"), ("today", "YYYY-MM-DD"),
        ("2019-09-01 x", "YYYY-MM-DD"), ("43709", "YYYY-MM-DD"), ("", "YYYY-MM-DD"),
        ("2019-09-01\n", "YYYY-MM-DD"), ("٢٠١٩-09-01", "YYYY-MM-DD"),
    ],
)  # fmt: skip
def test_what_is_not_in_the_format_is_no_date(text: str, shape: str) -> None:
    assert _read(text, shape) == ""


SHAPES = {
    "D/M/YYYY": "{d.day}/{d.month}/{d.year}",
    "YYYY-MM-DD": "{d:%Y-%m-%d}",
    "MMMM D, YYYY": "{month} {d.day}, {d.year}",
    "DD-MMM-YY": "{d:%d}-{short}-{d:%y}",
    "YYYYMMDD": "{d:%Y%m%d}",
}


@given(
    st.dates(datetime.date(1922, 1, 1), datetime.date(2021, 12, 31)),
    st.sampled_from(sorted(SHAPES)),
    st.sampled_from(["", " 00:00", "T23:59:59"]),
)
def test_a_day_that_is_written_is_read_back(day: datetime.date, shape: str, time: str) -> None:
    month = MONTHS[day.month - 1].title()
    text = SHAPES[shape].format(d=day, month=month, short=month[:3]) + time
    assert _read(text, shape) == day.isoformat()


@given(st.integers(0, 99), st.integers(1990, 2040))
def test_two_digits_are_the_last_year_up_to_the_limit_that_ends_in_them(
    digits: int, limit: int
) -> None:
    year = int(_read(f"01/02/{digits:02d}", "DD/MM/YY", limit)[:4])
    assert year % 100 == digits
    assert limit - 100 < year <= limit


@pytest.mark.parametrize(
    ("shape", "reason", "remedy"),
    [
        ("YYYY-DD", "no month", "such as"),
        ("MM/DD", "no year", "such as"),
        ("DD/MM/DD/YYYY", "a day 2 times", "such as"),
        ("dd/mm/yyyy", "no year", "`format: DD/MM/YYYY`"),
        ("%d/%m/%Y", "no year", "`format: DD/MM/YYYY`"),
        ("%b %d, %Y %H:%M", "no year", "`format: MMM DD, YYYY`"),
        ("YYY-MM-DD", "YYY is no year", "such as"),
        ("DMYYYY", "is next to another", "such as"),
        ("YYYY-MM-DD HH:MM", "a month 2 times", "`format: YYYY-MM-DD`"),
    ],
)
def test_a_format_that_no_date_can_have_is_known_by_itself(
    shape: str, reason: str, remedy: str
) -> None:
    assert reason in str(why_not(shape))
    assert remedy in suggestion(shape)


def test_the_advice_names_a_format_that_reads_every_cell() -> None:
    text = pd.Series(["13/1/2019", "1/2/2019"], dtype="str")
    bad = pd.Series([True, True]).to_numpy()
    assert "`format: D/M/YYYY`" in advice(text, bad, ["YYYY-MM-DD"], 2021)


def test_the_advice_tells_the_number_that_a_spreadsheet_holds_for_a_day() -> None:
    text = pd.Series(["43831", "2020-01-02"], dtype="str")
    bad = pd.Series([True, False]).to_numpy()
    assert "2020-01-01" in advice(text, bad, ["YYYY-MM-DD"], 2021)


def _with_dates(trial: SmallTrial, shape: str, *texts: str) -> None:
    for year in (2019, 2020):
        for at, cells in enumerate(trial.files[f"roster_{year}.csv"]):
            cells.append(f'"{texts[at % len(texts)]}"' if at else "entered")
    trial.reading("pupils")["columns"]["entered"] = {
        "column": "entered", "type": "date", "format": shape,
    }  # fmt: skip


def _faults(trial: SmallTrial) -> list[Fault]:
    with pytest.raises(Refusal) as caught:
        trial.obtain()
    return list(caught.value.faults)


def test_the_log_tells_of_times_left_out_and_of_the_century_of_two_digits(
    trial: SmallTrial,
) -> None:
    _with_dates(trial, "D/M/YY", "1/9/18 8:30", "2/10/99")
    trial.obtain()
    pupils = pd.read_parquet(trial.path("pupils.parquet"))
    days = pupils["entered"].dt.strftime("%Y-%m-%d")
    assert set(days) == {"2018-09-01", "1999-10-02"}
    log = pd.read_csv(trial.path("cleaning_log.csv"), keep_default_na=False)
    told = set(log.loc[log["column"] == "entered", "rule"])
    assert told == {
        "time of day after the date left out", "two-digit years read as 1922 to 2021",
    }  # fmt: skip


def test_a_day_that_does_not_exist_is_refused_with_its_row(trial: SmallTrial) -> None:
    _with_dates(trial, "D/M/YYYY", "1/9/2018")
    trial.files[ROSTER][4][-1] = "31/9/2018"
    (fault,) = _faults(trial)
    assert (fault.file, fault.row, fault.column) == (ROSTER, 5, "entered")
    assert fault.expected == "a date as D/M/YYYY that exists in the calendar"


def test_a_format_that_no_date_can_have_is_refused_when_the_protocol_is_read(
    trial: SmallTrial,
) -> None:
    _with_dates(trial, "%d/%m/%Y", "1/9/2018")
    trial.write()
    with pytest.raises(Refusal) as caught:
        trial.read()
    (fault,) = caught.value.faults
    assert fault.column == "tables.pupils.0.columns.entered.format"
    assert fault.remedy == "write `format: DD/MM/YYYY`"


def test_a_column_of_two_formats_is_read_in_the_one_that_fits_each_cell(trial: SmallTrial) -> None:
    _with_dates(trial, "D/M/YYYY", "13/9/2018", "2018-10-02")
    (fault, *_) = _faults(trial)
    assert "`format: [D/M/YYYY, YYYY-MM-DD]`" in fault.remedy
    trial.reading("pupils")["columns"]["entered"]["format"] = ["D/M/YYYY", "YYYY-MM-DD"]
    trial.obtain()
    days = pd.read_parquet(trial.path("pupils.parquet"))["entered"].dt.strftime("%Y-%m-%d")
    assert set(days) == {"2018-09-13", "2018-10-02"}


def test_a_cell_that_is_another_day_in_each_of_two_formats_is_refused(trial: SmallTrial) -> None:
    _with_dates(trial, "D/M/YYYY", "13/9/2018")
    trial.reading("pupils")["columns"]["entered"]["format"] = ["D/M/YYYY", "M/D/YYYY"]
    trial.files[ROSTER][4][-1] = "2/3/2018"
    trial.files[ROSTER][5][-1] = "3/3/2018"
    (fault,) = _faults(trial)
    assert (fault.file, fault.row) == (ROSTER, 5)
    assert fault.expected.endswith("the same day in both formats")
