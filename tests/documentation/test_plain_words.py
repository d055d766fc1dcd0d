"""Texts that people see are in plain English: one term for each thing, no phrase of a translator.

Strings are collected by what they are, not by a list of messages: each string of the library and
of the workflow that has words in it, each text of the YAML files, each page and each notebook.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from support.parsed_modules import tree_of
from support.small_trial import ROOT, schema

BANNED = {
    r"told": "reported, said, named",
    r"tells": "shows, gives, names",
    r"stands?|stood": "is",
    r"h(?:o|e)ld\w*\b[^.;:]{0,60}?\bagainst": "compared with",
    r"by lot|the lot|lots": "at random",
    r"whom": "name them: pupils, schools",
    r"beside": "alongside, next to, with",
    r"anew": "again",
    r"mend(?:s|ed|ing)?": "fix",
    r"otherwise than": "differently from",
    r"as recalled": "say what was not checked",
    r"of which there is|of which nothing|of which no": "with, without",
    r"rests? (?:up)?on": "depends on",
    r"said of|is said|are said": "reported",
    r"came to (?:their|its) arm": "were assigned",
    r"re-?drawn|re-draws?": "re-randomised",
    r"seal(?:s|ed|ing)?": "signature, sign",
    r"least detectable": "minimum detectable effect size",
    r"in no file": "no data received",
    r"(?<!row )per pupil and year": "per pupil per year",
    r"all of it together": "joint test",
    r"for none": "if there are none",
    r"speaks? of": "mentions",
}
"""Phrase → what to say in its place."""

FOUND = re.compile("|".join(rf"\b(?:{phrase})\b" for phrase in BANNED), re.IGNORECASE)
SENTENCE = re.compile(r"[A-Za-z]{2,}[,;:]? +[\w`{(]")
"""Two words, with a blank between them: a text rather than a name."""


def _text(node: ast.expr) -> str:
    """Return a string with ``{…}`` where a value is put in."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part) for part in parts)
        case ast.FormattedValue():
            return "{…}"
    return ""


def _strings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the strings of a module with their lines, docstrings left out."""
    apart = set()
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant() as docstring):
                apart.add(id(docstring))
            case ast.JoinedStr(values=parts):
                apart.update(map(id, parts))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in apart:
            text = _text(node)
            if SENTENCE.search(text):
                yield node.lineno, text


def _first_lines(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the first line of each docstring: what an index of the library shows."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            first = (ast.get_docstring(node) or "").partition("\n")[0]
            yield getattr(node, "lineno", 1), first


@cache
def _in_code(path: Path) -> tuple[tuple[int, str], ...]:
    return tuple(_strings(tree_of(path)))


@cache
def _in_docstrings(path: Path) -> tuple[tuple[int, str], ...]:
    return tuple(_first_lines(tree_of(path)))


def _in_claims(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the names of tests of results as the report lists them."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.lineno, node.name.removeprefix("test_").replace("_", " ")


def _in_lines(path: Path) -> Iterator[tuple[int, str]]:
    yield from enumerate(path.read_text("utf-8").splitlines(), 1)


def _in_notebook(path: Path) -> Iterator[tuple[int, str]]:
    for at, cell in enumerate(json.loads(path.read_text("utf-8"))["cells"], 1):
        yield at, "".join(cell["source"])


KINDS: dict[str, Callable[[Path], Iterable[tuple[int, str]]]] = {
    "src/schooltrial/**/*.py": _in_code,
    "docstrings: src/schooltrial/**/*.py": _in_docstrings,
    "docstrings: workflow/**/*.py": _in_docstrings,
    "claims: tests/results/*.py": _in_claims,
    "src/schooltrial/**/*.yaml": _in_lines,
    "src/schooltrial/**/*.typ": _in_lines,
    "src/schooltrial/**/*.csv": _in_lines,
    "workflow/**/*.py": _in_code,
    "workflow/rules/*.smk": _in_lines,
    "Snakefile": _in_lines,
    "Makefile": _in_lines,
    "config/**/*.yaml": _in_lines,
    "**/*.md": _in_lines,
    "notebooks/*.ipynb": _in_notebook,
}
"""Files that people see → how their texts are found."""

NOT_OURS = re.compile(
    r"^(?:\.|results/|data/|tests/|build/)|^CHANGELOG\.md$|^docs/migrating\.md$|renamed_keys\.yaml$"
)
"""Data and results, tests, and pages that quote what was: changes, and keys in the old words."""


@cache
def _files(kind: str) -> tuple[str, ...]:
    """Return the files of a kind, by their path in the repository."""
    names = [p.relative_to(ROOT).as_posix() for p in sorted(ROOT.glob(kind.split(": ")[-1]))]
    return tuple(name for name in names if kind.startswith("claims") or not NOT_OURS.search(name))


def _banned(kind: str, name: str) -> list[str]:
    """Return the banned phrases of a file, with the words around them."""
    return [
        f"{name}:{at}: {found.group()!r} in {text[max(0, found.start() - 60) : found.end() + 40]!r}"
        for at, text in KINDS[kind](ROOT / name)
        for found in FOUND.finditer(text)
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_no_text_that_people_see_has_a_banned_phrase(kind: str) -> None:
    assert [fault for name in _files(kind) for fault in _banned(kind, name)] == []


def test_texts_of_every_kind_are_found() -> None:
    assert [kind for kind in KINDS if not _files(kind)] == []


def test_strings_of_code_are_found_with_their_values_and_docstrings_by_their_first_line() -> None:
    code = '"""First line.\n\nMore of it."""\nx = f"two {x} words"\ny = "name_of_it"\n'
    tree = ast.parse(code)
    assert list(_strings(tree)) == [(4, "two {…} words")]
    assert list(_first_lines(tree)) == [(1, "First line.")]


def test_a_phrase_is_found_in_whatever_form_it_has() -> None:
    seen = (
        "Numbers are held, as they were, against the plan. Fix it beside the lot; besides, mended."
    )
    assert [found.group() for found in FOUND.finditer(seen)] == [
        "held, as they were, against", "beside", "the lot", "mended",
    ]  # fmt: skip


GROUP_WORDS = re.compile(
    r"(?<![,`'\"\w.\[{=/:-])(?:arms?(?![`'\"=\w\]{}]|:(?! [a-z]+ ))"
    r"|(?:programme|treatment|treated|experimental|exposed) (?:groups?|arms?|units)"
    r"|(?:control|treatment|programme) conditions?)\b",
    re.IGNORECASE,
)
"""Words for groups that the glossary does not have. `arm` is the name of a key and of a column."""

CODE = re.compile(r"```.*?```|``[^`]*``|`[^`]*`", re.DOTALL)

SHOWN_AS_WRITTEN = ("config/", "benchmarks/", "workflow/rules/", "Snakefile", "Makefile")
"""Protocols with their keys, code of rules, and the labels of stored benchmarks."""


def _in_prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the text of a page without its code."""
    yield 1, CODE.sub(" ", path.read_text("utf-8"))


def _in_cells(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the text cells of a notebook without code."""
    for at, cell in enumerate(json.loads(path.read_text("utf-8"))["cells"], 1):
        if cell["cell_type"] == "markdown":
            yield at, CODE.sub(" ", "".join(cell["source"]))


PROSE = {**KINDS, "**/*.md": _in_prose, "notebooks/*.ipynb": _in_cells}
"""Files that people see → how their texts are found, without code."""


def _groups_misnamed(kind: str, name: str) -> list[str]:
    """Return what a file calls a group in words that the glossary does not have."""
    texts = ((at, CODE.sub(" ", text)) for at, text in PROSE[kind](ROOT / name))
    return [
        f"{name}:{at}: {found.group()!r} in {text[max(0, found.start() - 60) : found.end() + 40]!r}"
        for at, text in texts
        for found in GROUP_WORDS.finditer(text)
    ]


@pytest.mark.parametrize("kind", PROSE)
def test_a_group_has_one_name_in_every_text(kind: str) -> None:
    names = [name for name in _files(kind) if not name.startswith(SHOWN_AS_WRITTEN)]
    assert [fault for name in names for fault in _groups_misnamed(kind, name)] == []


def test_a_word_for_a_group_is_found_and_a_key_or_column_is_none() -> None:
    seen = "Each arm, both arms: the programme group and treated units. The control group of `arm`."
    assert [found.group() for found in GROUP_WORDS.finditer(CODE.sub(" ", seen))] == [
        "arm", "arms", "programme group", "treated units",
    ]  # fmt: skip
    assert GROUP_WORDS.search("treated[arm=tutoring], n_treated, 'arm'") is None


NO_NOUN = re.compile(r"^(?:Of|What|Who|Whom|Whose|How|When|Where|Which|As|True|False)\b")
"""Words that a description of a key does not begin with: it begins with a noun phrase."""


def _described(node: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Any, str]]:
    """Yield each described part of the schema: its place, type and description."""
    if isinstance(node.get("description"), str):
        yield place, node.get("type"), node["description"]
    for section in ("properties", "$defs", "patternProperties"):
        for key, child in node.get(section, {}).items():
            yield from _described(child, f"{place}.{key}".strip("."))
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            yield from _described(node[key], f"{place}.*")


def test_a_description_of_a_key_is_a_noun_phrase_with_a_full_stop() -> None:
    assert [
        (place, said)
        for place, _, said in _described(schema())
        if NO_NOUN.match(said) or not said.endswith(".")
    ] == []


def test_a_description_of_a_key_that_is_true_or_false_begins_with_whether() -> None:
    assert [
        (place, said)
        for place, kind, said in _described(schema())
        if "boolean" in (kind if isinstance(kind, list) else [kind])
        and not said.startswith("Whether")
    ] == []
