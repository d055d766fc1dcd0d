"""The rules of the workflow, as their files state them: read without Snakemake."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from schooltrial.protocol.content.variables import IDENTIFYING

RULE = re.compile(r"^rule (\w+):\n(.*?)(?=^\S|\Z)", re.M | re.S)
SECTION = re.compile(r"^    (\w+):\n", re.M)
WILDCARD = re.compile(r"\{(\w+)\}")
KNOWN = {"IDENTIFYING": IDENTIFYING}
"""Names of the library over which a dictionary of a rule file runs."""

FIGURE_FILES = ("svg", "pdf", "png", "csv")
"""Files of a figure: its formats, asked for or not, and what it draws."""


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes
    ----------
    name : str
    file : str
        The rule file, below the checkout.
    line : int
        Where the rule begins in it.
    script : str
        Below the checkout; empty where it has none.
    inputs : tuple of str
        Patterns of paths; what the rule asks of the study stands as it is written, such as
        ``study.raw.files()``. Modules are left out.
    outputs : tuple of str
        Patterns of paths, such as ``results/{study}/checks/flow.csv``.
    """

    name: str
    file: str
    line: int
    script: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def wildcards(self, path: str) -> dict[str, str] | None:
        """Return the values of the wildcards with which the rule writes a path; None: it does not.

        What a rule writes into a folder that is its output, it writes too.
        """
        for pattern in self.outputs:
            found = re.fullmatch(_expression(pattern), path)
            if found:
                return found.groupdict()
        return None


def read_rules(checkout: Path) -> tuple[Rule, ...]:
    """Return the rules of a checkout, file by file in the order of the Snakefile."""
    names = re.findall(r'^include: "(\S+)"', (checkout / "Snakefile").read_text("utf-8"), re.M)
    texts = {name: (checkout / name).read_text("utf-8") for name in names}
    named = {key: node for text in texts.values() for key, node in _dictionaries(text)}
    return tuple(rule for name, text in texts.items() for rule in _rules_of(text, name, named))


def _rules_of(text: str, shown: str, named: Mapping[str, ast.DictComp]) -> Iterator[Rule]:
    for match in RULE.finditer(text):
        parts = SECTION.split(match.group(2))
        sections = dict(zip(parts[1::2], parts[2::2], strict=True))
        script = re.search(r'"\.\./(scripts/\w+\.py)"', sections.get("script", ""))
        yield Rule(
            match.group(1),
            shown,
            text[: match.start()].count("\n") + 1,
            f"workflow/{script.group(1)}" if script else "",
            tuple(_paths(sections.get("input", ""), named)),
            tuple(_paths(sections.get("output", ""), named)),
        )


def _expression(pattern: str) -> str:
    """Return a pattern of Snakemake as a regular expression."""
    parts = WILDCARD.split(pattern)
    made = re.escape(parts[0])
    for name, after in zip(parts[1::2], parts[2::2], strict=True):
        inside = "[^/]+" if name in ("study", "model") else ".+"
        made += f"(?P<{name}>{inside}){re.escape(after)}"
    return made + ("" if Path(pattern).suffix else "(?:/.+)?")


def _dictionaries(text: str) -> Iterator[tuple[str, ast.DictComp]]:
    """Yield the dictionaries of paths that a rule file names before its rules."""
    for match in re.finditer(r"^(\w+) = (\{.*\})$", text, re.M):
        node = ast.parse(match.group(2), mode="eval").body
        if isinstance(node, ast.DictComp):
            yield match.group(1), node


def _paths(section: str, named: Mapping[str, ast.DictComp]) -> Iterator[str]:
    call = ast.parse(f"f(\n{section}\n)", mode="eval").body
    if isinstance(call, ast.Call):
        for node in [*call.args, *(keyword.value for keyword in call.keywords)]:
            yield from _patterns(node, named)


def _patterns(node: ast.expr, named: Mapping[str, ast.DictComp]) -> Iterator[str]:
    """Yield the paths of one entry of a section, or what is asked where they are not stated."""
    match node:
        case ast.Constant(value=str() as path):
            yield path.replace("{{", "{").replace("}}", "}")
        case ast.List(elts=several) | ast.Tuple(elts=several):
            for one in several:
                yield from _patterns(one, named)
        case ast.Name(id=name) if name in named:
            made = eval(compile(ast.Expression(named[name]), name, "eval"), dict(KNOWN))
            yield from made.values()
        case ast.Call(func=ast.Name(id="modules")):
            return
        case ast.Call(func=ast.Name(id="figure"), args=[base]):
            for kind in FIGURE_FILES:
                yield f"{ast.literal_eval(base)}.{kind}"
        case ast.Call(func=ast.Name(id="multiext"), args=[base, *ends], keywords=others):
            for end in [*ends, *(keyword.value for keyword in others)]:
                yield f"{ast.literal_eval(base)}{ast.literal_eval(end)}"
        case ast.Lambda(body=body):
            yield from _patterns(body, named)
        case ast.Call(func=ast.Name() | ast.Attribute(value=ast.Name(id="LOOK")), args=[first, *_]):
            yield from _patterns(first, named)
        case _:
            yield ast.unparse(node)
