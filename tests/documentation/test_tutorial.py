"""The tutorial works as it is written: its commands are run, in order, on the files it names.

A block ```` ```sh ```` holds commands that succeed (```` ```sh fails ````: that end with 1), a
block ```` ```diff ```` a change of the protocol, and a block ```` ```text ```` lines of what the
commands before it print, in their order (```` ```text report ````: sentences of the report).
"""

from __future__ import annotations

import csv
import html
import os
import re
import runpy
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.small_trial import ROOT

PAGE = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
EXAMPLE = ROOT / "examples" / "tutorial"
FILES = ("reading_2024.csv", "reading_2025.csv", "schools.csv")
BLOCK = re.compile(r"^```(?P<kind>[a-z ]+)\n(?P<text>.*?)^```$", re.M | re.S)
KINDS = {"sh", "sh fails", "diff", "text", "text report"}
LEFT_OUT = "…"


@dataclass(frozen=True)
class Walked:
    """What walking through the tutorial gave: what did not happen as it says, and the folder."""

    wrong: tuple[str, ...]
    folder: Path


def _lacking(said: str, output: str) -> list[str]:
    """Return the lines that an output does not have, in their order; blanks do not count."""
    lines = iter([line.strip() for line in output.splitlines()])
    wanted = [line.strip() for line in said.splitlines() if line.strip() != LEFT_OUT]
    return [line for line in wanted if not any(got.startswith(line) for got in lines)]


def _changed(text: str, diff: str) -> str:
    """Return a protocol with a change made; each line that it names must be there."""
    lines = diff.splitlines()
    before = "".join(f"{line[1:]}\n" for line in lines if line[0] in " -")
    after = "".join(f"{line[1:]}\n" for line in lines if line[0] in " +")
    assert text.count(before) == 1, f"the protocol has {text.count(before)} times:\n{before}"
    return text.replace(before, after)


def _words(page: Path) -> str:
    """Return the words of a page of HTML, with one blank between them."""
    shown = re.sub(r"<(style|script|svg)\b.*?</\1>", " ", page.read_text("utf-8"), flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", shown)).split())


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Walked:
    """Return what the tutorial gave: it is walked through once, a whole run included."""
    home = tmp_path_factory.mktemp("tutorial")
    programs = home / "bin"
    programs.mkdir()
    command = programs / "schooltrial"
    command.write_text(
        f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m schooltrial.cli.main "$@"\n', "utf-8"
    )
    command.chmod(0o755)
    env = {
        **os.environ, "HOME": str(home), "BROWSER": "true", "PYTHONPATH": str(ROOT / "src"),
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip
    here, output, wrong = ROOT, "", []
    protocol = home / "reading" / "reading_boost.yaml"
    for kind, text in ((found["kind"], found["text"]) for found in BLOCK.finditer(PAGE)):
        if kind.startswith("sh"):
            where = home / "where"
            done = subprocess.run(
                ["bash", "-c", f'trap "pwd >{where}" EXIT\nset -e\n{text}'],
                cwd=here, env=env, capture_output=True, text=True, check=False,
            )  # fmt: skip
            output = done.stdout + done.stderr
            if done.returncode != (1 if kind == "sh fails" else 0):
                wrong.append(f"ended with {done.returncode}: {text}{output}")
            here = Path(where.read_text("utf-8").strip())
        elif kind == "diff":
            protocol.write_text(_changed(protocol.read_text("utf-8"), text), "utf-8")
        elif kind == "text":
            wrong += [f"not printed: {line}\n{output}" for line in _lacking(text, output)]
        else:
            report = _words(home / "reading/results/reading_boost/report/report.html")
            wrong += [f"not in the report: {s}" for s in text.splitlines() if s not in report]
    return Walked(tuple(wrong), home / "reading")


def test_every_command_of_the_tutorial_does_what_the_tutorial_says(walked: Walked) -> None:
    assert walked.wrong == ()


def test_the_sections_that_the_tutorial_sends_the_reader_to_are_in_the_report(
    walked: Walked,
) -> None:
    report = _words(walked.folder / "results/reading_boost/report/report.html")
    sections = re.findall(r"^\| ([A-Z][^|]+) \|", PAGE, re.M)
    assert len(sections) > 3
    assert [name for name in sections if name not in report] == []


def _rows(name: str) -> list[dict[str, str]]:
    with (EXAMPLE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_losses_that_the_tutorial_counts_are_those_of_the_files() -> None:
    group = {row["school_id"]: row["group"] for row in _rows("schools.csv")}
    after = {row["student_id"]: row["reading_score"] for row in _rows("reading_2025.csv")}
    first = _rows("reading_2024.csv")
    left = [group[row["school_id"]] for row in first if row["student_id"] not in after]
    absent = list(after.values()).count("abs")
    counted = re.search(r"(\d+) control and (\d+) intervention pupils left, and (\d+) were", PAGE)
    assert counted is not None
    assert [int(number) for number in counted.groups()] == [
        left.count("control"), left.count("intervention"), absent,
    ]  # fmt: skip


def test_the_protocol_that_the_reader_ends_with_is_the_one_that_is_shipped(walked: Walked) -> None:
    written = (walked.folder / "reading_boost.yaml").read_text("utf-8")
    assert written == (EXAMPLE / "reading_boost.yaml").read_text("utf-8")


def test_the_folder_of_the_project_stays_as_it_is(walked: Walked) -> None:
    assert {path.name for path in walked.folder.iterdir() if not path.name.startswith(".")} == {
        *FILES, "reading_boost.yaml", "results",
    }  # fmt: skip
    assert not (EXAMPLE / "results").exists()


def test_every_block_of_the_tutorial_is_of_a_kind_that_is_run_or_compared() -> None:
    kinds = [found["kind"] for found in BLOCK.finditer(PAGE)]
    assert set(kinds) == KINDS
    assert PAGE.count("```") == 2 * len(kinds)


def test_the_files_of_the_tutorial_are_those_of_the_seeded_script(tmp_path: Path) -> None:
    runpy.run_path(str(EXAMPLE / "make_files.py"))["write_files"](tmp_path)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (EXAMPLE / name).read_bytes(), name


def test_a_line_that_is_not_printed_or_out_of_order_would_be_found() -> None:
    assert _lacking("a\n…\nb\n", "  a 1\nx\nb\n") == []
    assert _lacking("b\na\n", "a\nb\n") == ["a"]


def test_a_change_of_lines_that_are_not_in_the_protocol_would_be_found() -> None:
    assert _changed("x: 1\ny: 2\n", " x: 1\n-y: 2\n+y: 3\n") == "x: 1\ny: 3\n"
    with pytest.raises(AssertionError, match="0 times"):
        _changed("x: 1\n", "-z: 1\n+z: 2\n")
