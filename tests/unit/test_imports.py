"""A name is imported from the module that defines it, so that a rule waits for no other module."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from support.small_trial import ROOT

ROOTS = (ROOT / "src", ROOT / "workflow" / "scripts", ROOT / "tests")
FILES = sorted(path for folder in (*ROOTS, ROOT / "benchmarks") for path in folder.rglob("*.py"))


def _module(name: str, roots: Sequence[Path]) -> Path | None:
    """Return the file of a module of this project; None of any other, and of a package."""
    files = [root.joinpath(*name.split(".")).with_suffix(".py") for root in roots]
    return next((file for file in files if file.is_file()), None)


def _borrowed(path: Path) -> set[str]:
    """Return the names that a module has from others."""
    return {
        alias.asname or alias.name
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _at_second_hand(path: Path, roots: Sequence[Path] = ROOTS) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not node.module:
            continue
        if (there := _module(node.module, roots)) is not None:
            for name in sorted({alias.name for alias in node.names} & _borrowed(there)):
                yield f"{path.name}, line {node.lineno}: {node.module}.{name}"


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
    assert list(_at_second_hand(tmp_path / "second.py", [tmp_path])) == []
    found = list(_at_second_hand(tmp_path / "third.py", [tmp_path]))
    assert found == ["third.py, line 2: second.KEY"]
