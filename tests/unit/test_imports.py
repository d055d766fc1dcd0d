"""A name is imported from the module that defines it, so that a rule waits for no other module."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from support.small_trial import ROOT

ROOTS = (ROOT / "src", ROOT / "workflow" / "scripts", ROOT / "tests")
FILES = sorted(path for folder in (*ROOTS, ROOT / "benchmarks") for path in folder.rglob("*.py"))
STATEMENT = re.compile(
    r"^(?P<indent>[ \t]*)(?P<import>from [\w.]+ import (?:\([^)]*\)|[^(\n]+))[ \t]*(?:#.*)?$", re.M
)


@cache
def _module(name: str, roots: tuple[Path, ...]) -> Path | None:
    """Return the file of a module of this project; None of any other, and of a package."""
    files = [root.joinpath(*name.split(".")).with_suffix(".py") for root in roots]
    return next((file for file in files if file.is_file()), None)


@dataclass(frozen=True)
class Import:
    """A statement that has names from a module: where it is, and the names there and here."""

    line: int
    module: str
    names: frozenset[str]
    own_names: frozenset[str]
    at_top: bool


@cache
def _imports(path: Path) -> tuple[Import, ...]:
    """Return the statements of a file that have names from modules.

    Only these are parsed: to parse all that is written takes ten times as long.
    """
    text = path.read_text("utf-8")
    found = []
    for statement in STATEMENT.finditer(text):
        (node,) = ast.parse(statement["import"]).body
        assert isinstance(node, ast.ImportFrom)
        found.append(
            Import(
                text.count("\n", 0, statement.start("import")) + 1,
                node.module or "",
                frozenset(alias.name for alias in node.names),
                frozenset(alias.asname or alias.name for alias in node.names),
                not statement["indent"],
            )
        )
    return tuple(found)


def _borrowed(path: Path) -> frozenset[str]:
    """Return the names that a module has from others."""
    return frozenset().union(*(one.own_names for one in _imports(path) if one.at_top))


def _at_second_hand(path: Path, roots: tuple[Path, ...] = ROOTS) -> Iterator[str]:
    for one in _imports(path):
        if one.module and (there := _module(one.module, roots)) is not None:
            for name in sorted(one.names & _borrowed(there)):
                yield f"{path.name}, line {one.line}: {one.module}.{name}"


def test_every_name_is_imported_from_the_module_that_defines_it() -> None:
    assert len(FILES) > 500
    assert [told for path in FILES for told in _at_second_hand(path)] == []


def test_a_name_at_second_hand_is_seen(tmp_path: Path) -> None:
    sources = {
        "first.py": "KEY = 1\n",
        "second.py": "from first import KEY\nOWN = 2\n",
        "third.py": "def f():\n    from second import KEY, OWN\n",
    }
    for name, text in sources.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert list(_at_second_hand(tmp_path / "second.py", (tmp_path,))) == []
    found = list(_at_second_hand(tmp_path / "third.py", (tmp_path,)))
    assert found == ["third.py, line 2: second.KEY"]
