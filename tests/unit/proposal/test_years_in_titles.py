"""A year that only a sheet, a title or the file itself says is found."""

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
