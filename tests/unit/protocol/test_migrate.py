"""Claims about protocols in old words, rewritten in place."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from schooltrial.protocol.form.renamed_keys import Renaming, read_renamings, reword
from schooltrial.protocol.form.strict_yaml import parse_yaml
from schooltrial.protocol.migrate import apply_edits, find_edits, main
from support.small_trial import schema

VALUED = [one for one in read_renamings() if one.of_value]
KEYS = [one for one in read_renamings() if not one.of_value]
NAMES = st.sampled_from(
    ["maths", "level", "draw", "draws", "before", "unit", "key", "a_b", "rows_with"]
)
WORDS = st.sampled_from(
    ["year", "before", "level: 1", "# draw", "draws", "it's", 'a "b"', "é", "", "planned"]
)
VALUES = st.recursive(
    WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)


def migrated(text: str) -> str:
    return apply_edits(text, find_edits(text))


def _put(tree: Any, path: list[str | int], value: Any) -> None:
    """Put a value at a place of a tree, where nothing is there yet."""
    for at, part in enumerate(path[:-1]):
        below: Any = [] if isinstance(path[at + 1], int) else {}
        if isinstance(part, int):
            while len(tree) <= part:
                tree.append(type(below)())
            tree = tree[part]
        else:
            tree = tree.setdefault(part, below)
    tree.setdefault(path[-1], value)


def _old(path: list[str | int]) -> list[str | int]:
    """Return a place in old words, by the list of renamings alone."""
    found: list[str | int] = []
    for at, part in enumerate(path):
        above = ["#" if isinstance(one, int) else one for one in path[:at]]
        olds = [
            one.old for one in KEYS
            if one.new == part and len(one.section) == at
            and all(p in ("*", a) for p, a in zip(one.section, above, strict=True))
        ]  # fmt: skip
        found.append(olds[0] if olds else part)
    return found


@st.composite
def protocols(draw: st.DrawFn) -> tuple[Any, Any]:
    """Draw a protocol in old words, and the same in new ones."""
    old: dict[str, Any] = {}
    new: dict[str, Any] = {}
    for one in draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=6)):
        path: list[str | int] = [
            draw(NAMES) if part == "*" else draw(st.integers(0, 1)) if part == "#" else part
            for part in one.section
        ]
        is_section = any((*one.section, one.new) == other.section for other in KEYS)
        value: Any = {} if is_section else draw(WORDS)
        renamed = {v.old: v.new for v in VALUED if v.section == (*one.section, one.new)}
        _put(new, [*path, one.new], renamed.get(value, value) if renamed else value)
        _put(old, _old([*path, one.new]), {} if is_section else value)
    for name, value in draw(
        st.dictionaries(st.sampled_from(["notes", "study", "x"]), VALUES)
    ).items():
        _put(old, [name], value)
        _put(new, [name], value)
    return old, new


class _Plain(yaml.SafeDumper):  # type: ignore[misc]
    def ignore_aliases(self, data: Any) -> bool:
        return True


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, Any]:
    """Draw the text of a protocol in old words in some style, and its content in new ones."""
    old, new = draw(protocols())
    flow = draw(st.sampled_from([True, False, None]))
    text = yaml.dump(
        old, Dumper=_Plain, sort_keys=False, width=10**6, allow_unicode=True,
        default_flow_style=flow, default_style=draw(st.sampled_from([None, '"', "'"])),
        indent=draw(st.integers(2, 6)),
    )  # fmt: skip
    lines = text.splitlines()
    if not flow:
        lines = [
            line + draw(st.sampled_from(["", "  # draw: level", " # before"])) for line in lines
        ]
    lines = ["# years: {before: [2019]}", *lines, "", "# draws"]
    end = draw(st.sampled_from(["\n", "\r\n"]))
    return draw(st.sampled_from(["", "\ufeff"])) + end.join(lines) + end, new


@given(texts())
def test_only_the_old_words_of_any_protocol_change(drawn: tuple[str, Any]) -> None:
    text, new = drawn
    after = migrated(text)
    assert parse_yaml(after) == new
    assert re.split(r"\w+", after) == re.split(r"\w+", text)
    known = {(one.old, one.new) for one in read_renamings()}
    words = zip(re.findall(r"\w+", text), re.findall(r"\w+", after), strict=True)
    assert {pair for pair in words if pair[0] != pair[1]} <= known
    assert find_edits(after) == []


@given(protocols())
def test_a_protocol_is_read_in_the_words_in_which_it_is_rewritten(drawn: tuple[Any, Any]) -> None:
    old, new = drawn
    assert reword(old).content == new


def test_words_that_mean_something_else_elsewhere_stay() -> None:
    text = (
        "design: {kind: complete, unit: school}\n"
        "cleaning: {merged_schools: before}\n"
        "tables:\n  costs: [{file: c.csv, columns: {unit: {column: unit}, "
        "level: {column: draws}}}]\n"
        "variables: {level: {from: before, equals: draw}}\n"
        "power: {planned: {schools: 9}}\n"
        "models:\n  level: {where: {level: [draws], year: [2020]}, covariates: [unit]}\n"
        "outcomes: {unit: {label: draws, norms: [{year: 2019}]}}\n"
        "notes: [years.before]\n"
    )
    assert migrated(text) == text


def test_a_value_that_has_a_new_word_is_rewritten_in_its_quotes() -> None:
    text = "cleaning: {school_of_pupil: 'baseline', joiners: keep}  # baseline\n"
    assert (
        migrated(text) == "cleaning: {analyse_in: 'baseline_school', joiners: keep}  # baseline\n"
    )
    half = "cleaning:\n  analyse_in: year\n"
    assert migrated(half) == "cleaning:\n  analyse_in: current_school\n"


def test_the_file_is_rewritten_and_each_change_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "trial.yaml"
    raw = b"# plan\r\nyears:\r\n  before: [2019]   # one\r\n  during: [2020]\r\n\r\n"
    file.write_bytes(raw)
    os.chmod(file, 0o640)
    assert main([str(file)]) == 0
    assert file.read_bytes() == raw.replace(b"before", b"baseline").replace(b"during", b"programme")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert capsys.readouterr().out == (
        f"{file}: 2 words renamed\n"
        "  line 3: years.before → baseline\n  line 4: years.during → programme\n"
    )
    assert main([str(file)]) == 0
    assert capsys.readouterr().out == f"{file}: no old words\n"
    assert [path.name for path in tmp_path.iterdir()] == ["trial.yaml"]


def test_check_prints_what_would_change_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "trial.yaml"
    file.write_text("compliance: {}\n", "utf-8")
    assert main(["--check", str(file)]) == 1
    assert file.read_text("utf-8") == "compliance: {}\n"
    assert capsys.readouterr().out == f"{file}: 1 word to rename\n  line 1: compliance → take_up\n"
    file.write_text("take_up: {}\n", "utf-8")
    assert main(["--check", str(file)]) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("years: {before: [2019], baseline: [2019]}\n",
         r"line 1, key 'years.before': `before` and `baseline` are both given"),
        ("years: {before: [2019]\nmodels: {}\n", r"line \d: not readable as YAML"),
        ("years: {before: [2019], before: [2018]}\n", "line 1: not readable as YAML: the key '"),
        ("- before\n", "the file holds no keys"),
        ("", "the file holds no keys"),
    ],
)  # fmt: skip
def test_where_one_file_cannot_be_rewritten_none_is(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("compliance: {}\n", "utf-8")
    bad.write_text(text, "utf-8")
    assert main([str(good), str(bad)]) == 1
    assert re.search(message, capsys.readouterr().err)
    assert (good.read_text("utf-8"), bad.read_text("utf-8")) == ("compliance: {}\n", text)


def test_a_file_that_is_not_there_or_not_text_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "latin.yaml").write_bytes("notes: [é]\n".encode("latin-1"))
    files = [str(tmp_path / "latin.yaml"), str(tmp_path / "none.yaml"), str(tmp_path)]
    assert main(files) == 1
    told = capsys.readouterr().err
    assert "3 errors were found" in told
    assert "no such file" in told
    assert "YAML in UTF-8" in told


def test_a_link_goes_on_pointing_at_the_file_that_is_rewritten(tmp_path: Path) -> None:
    file, link = tmp_path / "trial.yaml", tmp_path / "link.yaml"
    file.write_text("compliance: {}\n", "utf-8")
    link.symlink_to(file)
    assert main([str(link)]) == 0
    assert link.is_symlink()
    assert file.read_text("utf-8") == "take_up: {}\n"


def test_it_is_a_command_of_python(tmp_path: Path) -> None:
    file = tmp_path / "trial.yaml"
    file.write_text("compliance: {}\n", "utf-8")
    command = [sys.executable, "-W", "error", "-m", "schooltrial.protocol.migrate", str(file)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert file.read_text("utf-8") == "take_up: {}\n"


def _node(one: Renaming) -> Any:
    """Return the part of the schema that describes the section of a renaming."""
    node: Any = schema()
    for part in one.section:
        if part == "#":
            node = node["items"]
        elif part == "*":
            node = node.get("additionalProperties") or {"oneOf": list(node["properties"].values())}
        else:
            node = node["properties"][part]
        node = node["oneOf"][0] if "oneOf" in node and "properties" not in node else node
        if "$ref" in node:
            node = {**schema()["$defs"][node["$ref"].rsplit("/", 1)[1]], **node}
    return node


@pytest.mark.parametrize(
    "one", read_renamings(), ids=lambda one: f"{'.'.join(one.section)}:{one.old}"
)
def test_every_new_word_is_in_the_schema_and_no_old_one_is(one: Renaming) -> None:
    node = _node(one)
    known = node["enum"] if one.of_value else node["properties"]
    assert one.new in known
    assert one.old not in known
