"""What docstrings and pages name of the code is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from schooltrial import EXPORTS
from support.parsed_modules import tree_of
from support.small_trial import ROOT, schema

LIBRARY = ROOT / "src" / "schooltrial"
PAGES = ("README.md", "CONTRIBUTING.md", "benchmarks/README.md", "docs/**/*.md")
QUOTED = re.compile(r"(?<!`)(``?)(?!`)([^`\n]+)\1(?!`)")
DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
BARE = re.compile(r"[a-z]\w+_\w{2,}")
PYTHON_FILE = re.compile(r"[\w./-]+\.py")
FILE_ENDS = re.compile(r"\.(csv|json|yaml|md|parquet|txt|tsv|svg|html|pdf|in|lock|toml|smk)$")
PLACEHOLDER = re.compile(r"\b[A-Z]\b|_[A-Z]\b|\b[ab]/|_b\b")
"""``fit_X``, ``exhibits/figures/X.py``, ``tests/unit/a/test_b.py``: of a name yet to be chosen."""

OBJECTS = {"study", "draw", "workflow", "column", "trial", *schema()["properties"]}
"""Beside modules and classes, what names begin with: sections of a protocol, objects at hand."""


def _docstrings(tree: ast.Module) -> Iterator[ast.Constant]:
    """Yield each string that stands for itself: of modules, classes, functions and constants."""
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str()) as told):
                yield told


def _names(text: str) -> Iterator[str]:
    """Yield what stands between back-quotes, without the arguments of a call."""
    for _, name in QUOTED.findall(text):
        yield re.sub(r"\(.*\)$", "", name)


def _words(tree: ast.Module) -> Iterator[str]:
    """Yield the names and the strings of a tree, its docstrings left out."""
    told = {id(one) for one in _docstrings(tree)}
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.Name(id=name):
                yield name
            case ast.Attribute(attr=name) | ast.arg(arg=name) | ast.keyword(arg=str() as name):
                yield name
            case ast.Constant(value=str() as text) if id(node) not in told:
                yield from re.findall(r"\w+", text)


@cache
def _modules() -> dict[tuple[str, ...], frozenset[str]]:
    """Return the words of each module, by its path in the library."""
    found = {}
    for path in LIBRARY.rglob("*.py"):
        parts = path.relative_to(LIBRARY).with_suffix("").parts
        found[tuple(part for part in parts if part != "__init__")] = frozenset(
            _words(tree_of(path))
        )
    return found


@cache
def _classes() -> frozenset[str]:
    found = re.compile(r"^class (\w+)", re.M)
    return frozenset(
        name for path in LIBRARY.rglob("*.py") for name in found.findall(path.read_text("utf-8"))
    )


@cache
def _all_words() -> frozenset[str]:
    """Return what the library, the workflow and the protocols name, docstrings left out."""
    found = {word for words in _modules().values() for word in words}
    found |= {part for parts in _modules() for part in parts}
    for folder in ("workflow", "config", "src", "benchmarks", "tests/reference"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix == ".py" and not path.is_relative_to(LIBRARY):
                found |= {path.stem, *_words(ast.parse(path.read_text("utf-8")))}
            elif path.suffix in (".smk", ".yaml"):
                found |= set(re.findall(r"\w+", path.read_text("utf-8")))
    found |= {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    plain = (ROOT / "Makefile", ROOT / "Snakefile", ROOT / "pyproject.toml")
    return frozenset(found.union(*(re.findall(r"\w+", path.read_text("utf-8")) for path in plain)))


@cache
def _python_files() -> tuple[Path, ...]:
    folders = ("src", "workflow", "tests", "benchmarks")
    return tuple(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@cache
def _is_there(name: str) -> bool:
    if PLACEHOLDER.search(name) or FILE_ENDS.search(name):
        return True
    if PYTHON_FILE.fullmatch(name):
        return any(f"/{path.as_posix()}".endswith(f"/{name}") for path in _python_files())
    if DOTTED.fullmatch(name):
        return _is_of_the_library(name.split(".")) or _is_of_another_package(name)
    return not BARE.fullmatch(name) or name in _all_words()


def _is_of_the_library(parts: list[str]) -> bool:
    """Return whether a dotted name is of a module, at any depth, or of one of its objects."""
    if parts[0] in ("schooltrial", "st"):
        parts = parts[1:]
    if parts[0] in EXPORTS and len(parts) == 1:
        return True
    if parts[0] in OBJECTS | _classes() and all(one in _all_words() for one in parts[1:]):
        return True
    for module, words in _modules().items():
        for at, part in enumerate(module):
            rest = module[at:]
            inside = tuple(parts[: len(rest)]) == rest
            if inside and all(one in words for one in parts[len(rest) :]):
                return True
            if part == parts[0] and tuple(parts) == rest[: len(parts)]:
                return True
    return False


def _is_of_another_package(name: str) -> bool:
    first = name.split(".")[0]
    ours = any(first in parts for parts in _modules())
    return not ours and find_spec(first) is not None


def _untrue(text: str) -> list[str]:
    return [name for name in _names(text) if not _is_there(name)]


@pytest.mark.parametrize("package", sorted(path.name for path in LIBRARY.iterdir()))
def test_every_name_of_the_code_in_a_docstring_or_comment_exists(package: str) -> None:
    folder = LIBRARY / package
    for path in [folder] if folder.suffix == ".py" else sorted(folder.rglob("*.py")):
        text = path.read_text("utf-8")
        told = [str(one.value) for one in _docstrings(tree_of(path))]
        told += re.findall(r"# [^\n]*`[^\n]*", text)
        assert [name for one in told for name in _untrue(one)] == [], path


@pytest.mark.parametrize("page", [p for pattern in PAGES for p in sorted(ROOT.glob(pattern))])
def test_every_name_of_the_code_in_a_page_exists(page: Path) -> None:
    assert _untrue(page.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "stale",
    ["power_panel.year_covariance", "power_allocation", "fixed_effects.check_identified",
     "models/attrition_model.py", "centred_regressors.check_identity", "checks.flow_diagram.boxes"],
)  # fmt: skip
def test_a_name_of_a_module_that_is_gone_is_found(stale: str) -> None:
    assert _untrue(f"As in `{stale}`, and in ``{stale}(x)``.") == [stale, stale]
