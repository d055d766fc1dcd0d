"""Every example of a protocol on the pages of ``docs`` is one that the library reads.

A block ```` ```yaml ```` gives whole sections. It is laid over a small good trial and read: names
that it uses are in the trial or in the block. A block ```` ```yaml part ```` is a piece of a
section, whose keys and values some place of the schema allows. One that is marked
```` ```yaml refused ```` is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from schooltrial.protocol.form.json_schema import Validator
from schooltrial.protocol.form.strict_yaml import parse_yaml
from schooltrial.protocol.reading import read_protocol
from schooltrial.refusal import Refusal
from support.small_trial import PROTOCOL, ROOT, as_yaml, schema

BLOCK = re.compile(r"^(?P<indent> *)```yaml(?P<kind>[^\n]*)\n(?P<text>.*?)^ *```$", re.M | re.S)
KINDS = ("", "part", "refused")
MORE = """
tables:
  schools:
    - columns:
        size: {column: size, type: number}
        urban: {column: urban, type: flag, codes: {Y: 1, N: 0}}
        enrolled: {column: enrolled, type: number}
        teachers: {column: teachers, type: number}
        region: {column: region, type: category, codes: {N: north, E: east}}
  pupils:
    - columns:
        age: {column: age, type: number}
        born: {column: born, type: date}
        prior_score: {column: prior, type: number}
        free_meals: {column: fsm, type: flag, codes: {Y: 1, N: 0}}
        ethnicity: {column: ethnicity, type: category, codes: {A: a, B: b}}
        teacher: {column: teacher_id}
        class: {column: class_id}
outcomes:
  engagement: {label: Engagement, family: behaviour}
  incidents: {label: Incidents, family: behaviour}
"""
STAGGERED = """
design: {kind: staggered, randomised: false}
tables: {assignment: [{columns: {cohort: {column: cohort, type: integer}}}]}
"""


@dataclass(frozen=True)
class Example:
    """A block of a page."""

    page: str
    line: int
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def _examples() -> Iterator[Example]:
    for page in sorted((ROOT / "docs").rglob("*.md")):
        text = page.read_text("utf-8")
        for found in BLOCK.finditer(text):
            line = text[: found.start()].count("\n") + 1
            plain = re.sub(f"^{found['indent']}", "", found["text"], flags=re.M)
            yield Example(page.name, line, found["kind"].strip(), plain)


EXAMPLES = list(_examples())


def laid_over(base: Any, block: Any, place: tuple[str, ...] = ()) -> Any:
    """Return a protocol with the sections of a block laid over it.

    Sections are joined key by key, and so are the readings of a table, one by one; other lists
    are replaced. A reading in another form (scores in several columns) replaces the reading.
    """
    if isinstance(base, dict) and isinstance(block, dict):
        found = dict(base)
        for key, value in block.items():
            known = key in base
            found[key] = laid_over(base[key], value, (*place, key)) if known else value
        return found
    if place[:1] == ("tables",) and len(place) == 2:
        first = block[0]
        other_form = "outcomes" in first or "year" in first or len(block) > 1
        return [first if other_form else laid_over(base[0], first, (*place, "#")), *block[1:]]
    return block


def _bases() -> list[Any]:
    """Return the trial under the examples: paired, and as a staggered design."""
    paired = laid_over(parse_yaml(PROTOCOL), parse_yaml(MORE))
    return [paired, laid_over(paired, parse_yaml(STAGGERED))]


def _places() -> Iterator[Any]:
    """Yield the parts of the schema that describe a section, at any depth."""
    waiting = [schema()]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if "properties" in node:
                yield {key: value for key, value in node.items() if key != "required"}
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def _fits(block: Any, place: Any) -> bool:
    """Return whether a place of the schema allows a block; what the block leaves out may lack."""
    whole = {**place, "$defs": schema()["$defs"]}
    errors = Validator(whole).iter_errors(block)
    return all(error.validator in ("required", "oneOf") for error in errors)


def _read(content: Any, folder: Path) -> str:
    (folder / "trial.yaml").write_text(as_yaml(content), "utf-8")
    try:
        read_protocol(folder / "trial.yaml", schema())
    except Refusal as refusal:
        return str(refusal)
    return ""


INLINE = [
    (page.name, text)
    for page in sorted((ROOT / "docs" / "how-to").glob("*.md"))
    for text in re.findall(r"(?<!`)`(\w+: [^`]+)`(?!`)", page.read_text("utf-8"))
]


@pytest.mark.parametrize(("page", "text"), INLINE)
def test_a_line_of_a_how_to_page_is_one_that_some_section_allows(page: str, text: str) -> None:
    assert any(_fits(parse_yaml(text), place) for place in _columns_or_places()), f"{page}: {text}"


def _columns_or_places() -> Iterator[Any]:
    yield from _places()
    yield {"additionalProperties": {"$ref": "#/$defs/column"}}  # a column that is read


def test_the_trials_under_the_examples_are_good(tmp_path: Path) -> None:
    assert [_read(base, tmp_path) for base in _bases()] == ["", ""]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_example_of_a_protocol_is_one_that_is_read(example: Example, tmp_path: Path) -> None:
    assert example.kind in KINDS, f"a block is one of {KINDS}"
    block = parse_yaml(example.text)
    assert isinstance(block, dict)
    if example.kind == "part":
        assert any(_fits(block, place) for place in _places()), example.text
        return
    assert set(block) <= set(schema()["properties"]), "give whole sections, or mark it `yaml part`"
    told = [_read(laid_over(base, block), tmp_path) for base in _bases()]
    if example.kind == "refused":
        assert all(told)
    else:
        assert not all(told), f"{example}\n{told[0]}\n{example.text}"


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"models": {"itt": {"covariates": ["nowhere"]}}}, "nowhere"),
        ({"outcomes": {"maths": {"labels": "Maths"}}}, "Did you mean 'label'"),
        ({"tables": {"pupils": [{"columns": {"sex": {"typ": "flag"}}}]}}, "Did you mean 'type'"),
    ],
)
def test_a_wrong_example_would_be_found(block: Any, message: str, tmp_path: Path) -> None:
    assert message in _read(laid_over(_bases()[0], block), tmp_path)


@pytest.mark.parametrize(
    "block",
    [{"columns": {"age": {"colum": "age"}}}, {"where": {"grade": {"atleast": 3}}}, {"x": 1}],
)
def test_a_wrong_part_would_be_found(block: Any) -> None:
    assert not any(_fits(block, place) for place in _places())
