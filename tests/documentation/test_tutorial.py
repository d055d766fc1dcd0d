"""The tutorial works as it is written: its commands are run, in order, on the files it names.

A block ```` ```sh ```` holds commands that succeed (```` ```sh fails ````: that end with 1), a
block ```` ```diff ```` a change of the protocol, and a block ```` ```text ```` lines of what the
commands before it print, in their order (```` ```text report ````: sentences of the report).
"""

from __future__ import annotations

import csv
import html
import re
import runpy
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest

from schooltrial.cli.main import main
from support.small_trial import ROOT
from support.warm_snakemake import let_commands_fork

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


@dataclass
class Shell:
    """Runs blocks of the tutorial as a shell does, but the command `schooltrial` in this process.

    Attributes
    ----------
    here : pathlib.Path
        The working folder, as the blocks before left it.
    """

    here: Path

    def run(self, block: str) -> tuple[int, str]:
        """Run a block up to the line that fails; return its exit code and what it printed."""
        lines = block.splitlines()
        if not all(line.startswith("schooltrial ") for line in lines):
            return self._in_bash(block)
        told, code = StringIO(), 0
        with chdir(self.here), redirect_stdout(told), redirect_stderr(told):
            for line in lines:
                code = code or _called(shlex.split(line)[1:])
        return code, told.getvalue()

    def _in_bash(self, block: str) -> tuple[int, str]:
        with NamedTemporaryFile("r", encoding="utf-8") as where:
            done = subprocess.run(
                ["bash", "-c", f'trap "pwd >{where.name}" EXIT\nset -e\n{block}'],
                cwd=self.here, capture_output=True, text=True, check=False,
            )  # fmt: skip
            self.here = Path(where.read().strip())
        return done.returncode, done.stdout + done.stderr


def _called(words: list[str]) -> int:
    try:
        return main(words)
    except SystemExit as ended:  # of `--help`
        return int(ended.code or 0)


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    """Return what the tutorial gave: it is walked through once, a whole run included."""
    home = tmp_path_factory.mktemp("tutorial")
    with pytest.MonkeyPatch.context() as patch:
        let_commands_fork(patch)
        patch.setenv("HOME", str(home))
        patch.setattr("webbrowser.open", lambda _: True)
        yield Walked(_wrong(home), home / "reading")


def _wrong(home: Path) -> tuple[str, ...]:
    """Walk through the tutorial; return what did not happen as it says."""
    shell, output, wrong = Shell(ROOT), "", []
    protocol = home / "reading" / "reading_boost.yaml"
    for kind, text in ((found["kind"], found["text"]) for found in BLOCK.finditer(PAGE)):
        if kind.startswith("sh"):
            code, output = shell.run(text)
            if code != (1 if kind == "sh fails" else 0):
                wrong.append(f"ended with {code}: {text}{output}")
        elif kind == "diff":
            protocol.write_text(_changed(protocol.read_text("utf-8"), text), "utf-8")
        elif kind == "text":
            wrong += [f"not printed: {line}\n{output}" for line in _lacking(text, output)]
        else:
            report = _words(home / "reading/results/reading_boost/report/report.html")
            wrong += [f"not in the report: {s}" for s in text.splitlines() if s not in report]
    return tuple(wrong)


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
