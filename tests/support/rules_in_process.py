"""The rules of the workflow, run on one study in this process: what a test asks for is made.

The rule files are read as they are: each rule calls the ``main`` of its script with the inputs,
outputs and parameters that it names. A rule that passes too little fails here as it would in a
run, and none of the scripts' arguments is written down a second time.
"""

from __future__ import annotations

import importlib
import inspect
import itertools
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import chdir, redirect_stdout
from dataclasses import dataclass, field
from functools import cached_property
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from schooltrial.pipeline.steps import page_step, trace_steps
from schooltrial.pipeline.wildcards import Wildcards
from schooltrial.protocol.content.sections import Protocol
from schooltrial.protocol.reading import read_protocol
from schooltrial.study.study import Study
from support.small_trial import ROOT, schema

SCRIPT = re.compile(r"\.\./scripts/(\w+)\.py")
WILDCARD = re.compile(r"\{(\w+)\}")
IMPORTS = re.compile(r"^from schooltrial\.(?!pipeline)[\w.]+ import (?:\([^)]*\)|[^\n]*)", re.M)
TRACES = re.compile(r"^def (?:page_)?provenance\(.*?(?=\n\n\n|\Z)", re.M | re.S)
"""The functions that return the steps behind a page."""
SECTION = re.compile(r"    (\w+):")
RULE = re.compile(r"(?:rule (\w+)|(localrules)):")
LINKED = ("Snakefile", "src", "workflow", "tests", "config", "profiles", "notebooks",
          "pyproject.toml", "requirements.lock")  # fmt: skip
"""What a run reads below its working folder."""


@dataclass(frozen=True)
class Given:
    """The arguments of one section of a rule."""

    positional: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Unpacked:
    """A function whose mapping gives named inputs."""

    function: Callable[[Any], Mapping[str, Any]]


@dataclass(frozen=True)
class Rule:
    """A rule as its file states it."""

    name: str
    sections: Mapping[str, Given]

    def __call__(self, section: str) -> Given:
        return self.sections.get(section, Given())

    @property
    def script(self) -> str | None:
        """Return the module of the script; None for a rule that only gathers."""
        found = [SCRIPT.fullmatch(str(path)) for path in self("script").positional]
        return found[0].group(1) if found and found[0] else None

    def wildcards(self, path: str) -> dict[str, str] | None:
        """Return the wildcards with which the rule writes a path; None where it does not."""
        constraints = self("wildcard_constraints").named
        output = self("output")
        for pattern in _flat([*output.positional, *output.named.values()]):
            parts = WILDCARD.split(str(pattern))
            expression = "".join(
                f"(?P<{part}>{constraints.get(part, '[^/]+')})" if at % 2 else re.escape(part)
                for at, part in enumerate(parts)
            )
            found = re.fullmatch(expression, path)
            if found:
                return found.groupdict()
        return None


def _as_python(text: str) -> str:
    """Return a rule file as Python: each rule a call, and the rest as it stands."""
    lines: list[str] = []
    in_rule = in_section = False

    def end(rule: bool) -> str:
        return ("), " if in_section else "") + (")\n" if rule and in_rule else "")

    for line in text.splitlines():
        begun = RULE.fullmatch(line)
        if begun:
            lines.append(f"{end(True)}_rule({begun.group(1) or ''!r},")
            in_rule, in_section = True, False
        elif in_rule and SECTION.fullmatch(line):
            lines.append(f"{end(False)}{line.strip()[:-1]}=_given(")
            in_section = True
        elif in_rule and not in_section:
            continue  # the docstring
        elif in_rule and line and not line.startswith((" ", "#")):
            lines += [end(True), line]
            in_rule = in_section = False
        else:
            lines.append(line)
    return "\n".join([*lines, end(True)])


def _expand(pattern: str, **values: str | Iterable[str]) -> list[str]:
    lists = {k: [v] if isinstance(v, str) else list(v) for k, v in values.items()}
    rows = itertools.product(*lists.values())
    return [pattern.format(**dict(zip(lists, row, strict=True))) for row in rows]


def _multiext(path: str, **ends: str) -> dict[str, str]:
    return {name: path + end for name, end in ends.items()}


def _given(*positional: Any, **named: Any) -> Given:
    several = [one for one in positional if isinstance(one, dict)]
    rest = tuple(one for one in positional if not isinstance(one, dict))
    return Given(rest, {key: v for one in several for key, v in one.items()} | named)


def _formatted(value: Any, wildcards: SimpleNamespace) -> Any:
    if isinstance(value, str):
        return WILDCARD.sub(lambda found: str(getattr(wildcards, found.group(1))), value)
    if isinstance(value, list):
        return [_formatted(one, wildcards) for one in value]
    return value


def _asked(value: Any, wildcards: SimpleNamespace, **more: Any) -> Any:
    """Return a value of a rule, asked of the wildcards where it is a function."""
    if callable(value):
        known = {name for name in inspect.signature(value).parameters if name in more}
        return value(wildcards, **{name: more[name] for name in known})
    return _formatted(value, wildcards)


def link_project(folder: Path) -> None:
    """Make a folder one in which studies can be run: all of the project is there but results."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in LINKED:
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)


def _flat(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _flat(one)
    else:
        yield from (str(one) for one in value)


class _Files(list[Any]):
    """Files of a rule as Snakemake holds them: a list, some of them named."""

    def __init__(self, named: Mapping[str, Any]) -> None:
        super().__init__(named.values())
        self.named = named

    def items(self) -> list[tuple[str, Any]]:
        return list(self.named.items())


@dataclass(frozen=True)
class _Traced:
    """Rules by their names, as far as what traces steps looks at them.

    Attributes
    ----------
    known : list of Rule
    """

    known: list[Rule]

    def __getattr__(self, name: str) -> SimpleNamespace:
        (rule,) = [one for one in self.known if one.name == name]
        return SimpleNamespace(
            input=_Files(rule("input").named), output=_Files(rule("output").named)
        )


@dataclass(frozen=True)
class StudyRun:
    """One study, whose files are made by the rules as they are asked for.

    Attributes
    ----------
    file : pathlib.Path
        The protocol; raw files lie where it says.
    folder : pathlib.Path
        The working folder, with ``results`` in it.
    mains : mapping
        Script → a function that is called in place of its ``main``.
    seconds : dict
        Rule → CPU seconds that its scripts took, those that make its inputs not counted.
    """

    file: Path
    folder: Path
    mains: Mapping[str, Callable[..., None]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @cached_property
    def protocol(self) -> Protocol:
        """The protocol as a run reads it."""
        return read_protocol(self.file, schema())

    @property
    def results(self) -> Path:
        """The study's folder of results."""
        return self.folder / "results" / self.protocol.name

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule of the workflow."""
        found: list[Rule] = []
        study = Study.of(self.protocol)
        look = Wildcards({study.name: study})
        there: dict[str, Any] = {
            "_rule": lambda name, **sections: found.append(Rule(name, sections)),
            "_given": _given, "multiext": _multiext,
            "LOOK": look, "section": look.section, "computed": look.computed,
            "from_content": look.from_content, "before_fitting": look.before_fitting,
            "models_of": look.models_of, "study_line": look(lambda study: study.line()),
            "modules": lambda script: [], "code_of": lambda steps: [],
            "figure": lambda path: {kind: f"{path}.{kind}" for kind in ("svg", "csv", "txt")},
            "unpack": Unpacked, "expand": _expand, "ancient": lambda path: path,
            "update": lambda path: path, "directory": lambda path: path, "rules": _Traced(found),
            "trace_steps": trace_steps, "page_step": page_step,
            "PROTOCOLS": {study.name: self.protocol}, "STUDIES": [study.name],
            "NOTEBOOKS": sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb")),
            "FIGURE_FORMATS": ["svg"], "SCHEMA": schema(), "re": re, "os": os, "Path": Path,
        }  # fmt: skip
        folder = ROOT / "workflow" / "rules"
        common = (folder / "common.smk").read_text("utf-8")
        imports, traces = IMPORTS.findall(common), TRACES.findall(common)
        assert imports
        assert len(traces) == 2
        for statement in imports:
            kept = dict(there)
            exec(statement, there)
            there.update(kept)
        for function in traces:
            exec(function, there)
        for path in sorted(folder.glob("*.smk")):
            if path.name != "common.smk":
                exec(compile(_as_python(path.read_text("utf-8")), str(path), "exec"), there)
        assert len(found) > 40
        return tuple(found)

    def make(self, *paths: str) -> None:
        """Make files of the results, such as ``estimates/estimates.csv``, and what they need."""
        link_project(self.folder)
        with chdir(self.folder):
            for path in paths:
                self._make(f"results/{self.protocol.name}/{path}")

    def _make(self, path: str) -> None:
        if Path(path).exists():
            return
        for rule in self.rules:
            values = rule.wildcards(path)
            if values is not None and rule.script:
                self._run(rule, SimpleNamespace(**{"study": self.protocol.name, **values}))
                return
        assert Path(path).is_file(), f"no rule makes {path}"

    def _run(self, rule: Rule, wildcards: SimpleNamespace) -> None:
        named: dict[str, Any] = {}
        needed: list[str] = []
        for value in rule("input").positional:
            if isinstance(value, Unpacked):
                named |= value.function(wildcards)
            else:
                needed += _flat(_asked(value, wildcards))
        named |= {name: _asked(value, wildcards) for name, value in rule("input").named.items()}
        for value in named.values():
            needed += _flat(value)
        for path in needed:
            self._make(path)
        outputs = {name: _asked(v, wildcards) for name, v in rule("output").named.items()}
        for path in _flat(list(outputs.values())):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        params = {
            name: _asked(value, wildcards, output=SimpleNamespace(**outputs))
            for name, value in rule("params").named.items()
        }
        script = str(rule.script)
        main = self.mains.get(script) or importlib.import_module(script).main
        started = time.process_time()
        with redirect_stdout(StringIO()):
            main(**named, **outputs, **params)
        spent = time.process_time() - started
        self.seconds[rule.name] = self.seconds.get(rule.name, 0.0) + spent
