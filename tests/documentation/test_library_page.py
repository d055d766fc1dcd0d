"""The examples for analysts work as they are printed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from support.small_trial import ROOT

PAGE = ROOT / "docs" / "library.md"
BLOCK = re.compile(r"^```python(?P<kind>[^\n]*)\n(?P<code>.*?)^```", re.M | re.S)


def _blocks() -> list[str]:
    """Return the blocks that need no study; tests/unit/study runs the other."""
    text = PAGE.read_text("utf-8")
    return [found["code"] for found in BLOCK.finditer(text) if not found["kind"].strip()]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str, Path]:
    """Run the blocks in their order, as a reader would; return names, what is printed, folder."""
    folder = tmp_path_factory.mktemp("library")
    told: list[str] = []
    names: dict[str, Any] = {"print": lambda *values: told.append(" ".join(map(str, values)))}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for code in _blocks():
            exec(compile(code, PAGE.name, "exec"), names)
    return names, "\n".join(told), folder


def test_the_fits_of_the_page_agree(printed: tuple[dict[str, Any], str, Path]) -> None:
    names, told, _ = printed
    assert "MultilevelFit: maths ~ treated + maths_before" in told
    assert list(names["stacked"]["n_schools"]) == [40, 40, 40]
    assert names["stacked"]["estimate"].max() - names["stacked"]["estimate"].min() < 0.01
    assert names["low"] < names["reml"].params["treated"] < names["high"]


def test_what_the_page_says_is_printed_is_printed(
    printed: tuple[dict[str, Any], str, Path],
) -> None:
    _, told, _ = printed
    assert "10 of 1,000 rows are left out for missing values: maths_before 10" in told
    assert "the column 'sex' has the value 'unknown', which the fit has not seen;" in told


def test_the_files_of_the_page_are_written(printed: tuple[dict[str, Any], str, Path]) -> None:
    _, _, folder = printed
    assert {path.name for path in folder.iterdir()} == {"models.docx", "models.svg"}


def test_every_method_of_the_table_is_one_of_a_fit(
    printed: tuple[dict[str, Any], str, Path],
) -> None:
    names, _, _ = printed
    lines = PAGE.read_text("utf-8").split("## Categories")[0].splitlines()
    table = "".join(line for line in lines if line.startswith("|"))
    methods = set(re.findall(r"`(\w+)\(", table)) | {"params", "std_errors"}
    assert len(methods) >= 13
    assert [name for name in methods if not hasattr(names["reml"], name)] == []


def test_the_page_names_every_notebook_and_no_other() -> None:
    section = PAGE.read_text("utf-8").split("## Notebooks")[1]
    named = re.findall(r"^\| `(\w+)` \|", section, re.M)
    assert set(named) == {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
