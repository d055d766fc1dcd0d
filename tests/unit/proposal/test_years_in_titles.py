"""Years: of a sheet, a title or the file itself, and of a column, which goes before them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyreadstat

from schooltrial.proposal.proposing import propose
from schooltrial.proposal.seen import see
from schooltrial.proposal.writing import protocol_text
from schooltrial.protocol.reading import read_protocol
from support.small_trial import schema

LIST = [["school", "arm"], *([f"{at:03d}", "CT"[at % 2]] for at in range(1, 13))]
PUPILS = [["pupil", "school", "reading"]] + [
    [f"{at:03d}-{n}", f"{at:03d}", 100 + 7 * n + at] for at in range(1, 13) for n in range(8)
]


def _proposed(folder: Path, *files: str) -> Any:
    seen = [one for file in files for one in see(folder / file)]
    found = propose("t", seen, folder, lambda question, possible, likely: likely, 1999)
    (folder / "t.yaml").write_text(protocol_text(found), encoding="utf-8")
    return read_protocol(folder / "t.yaml", schema()).content


def _schools(folder: Path) -> str:
    (folder / "schools.csv").write_text("\n".join(map(",".join, LIST)) + "\n", "utf-8")
    return "schools.csv"


def test_sheets_whose_names_say_years_are_before_and_after(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in (("Schools", LIST), ("Tests 2023/24", PUPILS), ("Tests 2024/25", PUPILS)):
        sheet = book.create_sheet(name.replace("/", "-"))
        for row in rows:
            sheet.append(row)
    book.save(tmp_path / "trial.xlsx")
    content = _proposed(tmp_path, "trial.xlsx")
    assert (content["years"]["baseline"], content["years"]["programme"]) == ([2024], [2025])
    read = [(one["sheet"], one["year"]) for one in content["tables"]["scores"]]
    assert read == [("Tests 2023-24", 2024), ("Tests 2024-25", 2025)]


def test_a_title_above_the_names_of_columns_says_the_year(tmp_path: Path) -> None:
    lines = ["Results of the reading test, 2024/25", "", *(",".join(map(str, r)) for r in PUPILS)]
    (tmp_path / "pupils.csv").write_text("\n".join(lines) + "\n", "utf-8")
    content = _proposed(tmp_path, _schools(tmp_path), "pupils.csv")
    assert content["years"]["programme"] == [2025]
    assert content["years"]["baseline"] == []


def test_a_stata_file_that_says_of_which_year_it_is_says_the_year(tmp_path: Path) -> None:
    frame = pd.DataFrame(PUPILS[1:], columns=PUPILS[0])
    pyreadstat.write_dta(frame, tmp_path / "pupils.dta", file_label="Reading survey, spring 2023")
    content = _proposed(tmp_path, _schools(tmp_path), "pupils.dta")
    assert content["years"]["programme"] == [2023]


def test_a_column_of_years_goes_before_the_year_in_the_name_of_the_file(tmp_path: Path) -> None:
    rows = [",".join(map(str, [*row, year])) for row in PUPILS[1:] for year in (2022, 2023)]
    header = ",".join([*PUPILS[0], "test_year"])
    for name in ("results_2023_24.csv", "results_2025.csv"):
        (tmp_path / name).write_text("\n".join([header, *rows]) + "\n", "utf-8")
        content = _proposed(tmp_path, _schools(tmp_path), name)
        assert (content["years"]["baseline"], content["years"]["programme"]) == ([2022], [2023])
        for table in ("pupils", "scores"):
            (reading,) = content["tables"][table]
            assert (reading["file"], reading["year"]) == (name, None)
            assert reading["columns"]["year"]["column"] == "test_year"


def test_a_file_without_the_column_of_years_is_of_the_year_in_its_name(tmp_path: Path) -> None:
    for year, more in ((2022, False), (2023, True)):
        rows = [[*PUPILS[0], *["test_year"] * more]]
        rows += [[*row, *[year] * more] for row in PUPILS[1:]]
        lines = [",".join(map(str, row)) for row in rows]
        (tmp_path / f"results_{year}.csv").write_text("\n".join(lines) + "\n", "utf-8")
    content = _proposed(tmp_path, _schools(tmp_path), "results_2022.csv", "results_2023.csv")
    assert (content["years"]["baseline"], content["years"]["programme"]) == ([2022], [2023])
