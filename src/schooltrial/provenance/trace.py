"""From a file of the results to what made it."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path, PurePosixPath

from schooltrial.provenance.code_inputs import distances, imported_names
from schooltrial.provenance.rule_files import Rule, read_rules
from schooltrial.refusal import UserError

ADAPTER = "pipeline/rule_adapter.py"
"""It calls every script; no number is made in it."""

SHOWN_MODELS = 15
"""So many modules of ``models/`` are named beside those that bear the rule's name."""

ESTIMATORS = ("linearmodels",)
"""Packages of others that compute a number for a module."""


@dataclass(frozen=True)
class Trace:
    """What made one file.

    Attributes
    ----------
    path : str
        The file, as it stands below a checkout.
    rule, rule_file, line : str, str, int
        The rule, and where it is written.
    script : str
    modules : tuple of str
        Those that the script rests on, the nearest to the number first.
    near : int
        How many of them are near: those that bear the rule's name, the nearest of ``models/``, and
        those that the script imports.
    entries : mapping of str to str
        Near module → the functions that its importer takes, with their lines, and the package that
        computes for it, if one does.
    tests : tuple of str
        Tests of the rule and of the near modules, by what they import.
    inputs : tuple of str
        The files that the rule reads.
    exists : bool
        Whether the file is there.
    sha256 : str
        Checksum of the file as it lies; empty where it is none.
    """

    path: str
    rule: str
    rule_file: str
    line: int
    script: str
    modules: tuple[str, ...]
    near: int
    entries: Mapping[str, str]
    tests: tuple[str, ...]
    inputs: tuple[str, ...]
    exists: bool
    sha256: str

    def __str__(self) -> str:
        return self.told()

    def told(self, every_module: bool = False) -> str:
        """Return the trace as text: the near modules and how many others, or every module."""
        named = self.modules if every_module else self.modules[: self.near]
        further = self.modules[len(named) :]
        return "\n".join([
            self.path,
            f"  rule     {self.rule}",
            f"  in       {self.rule_file}:{self.line}",
            f"  script   {self.script}",
            *_column("modules", [self.entries.get(one, one) for one in named]
                     or ["none of the library"]),
            *([f"{' ' * 11}further modules: {_counted(further)}"] if further else []),
            *_column("tests", self.tests or ("no test found",)),
            *_column("reads", self.inputs),
            *([f"  sha256   {self.sha256}"] if self.sha256 else []),
            *([] if self.exists else ["  file     no such file yet: run make"]),
        ])  # fmt: skip


def trace_file(
    path: str,
    checkout: Path,
    estimator_of: Callable[[str, str], str | None],
    lies: Path,
    asked: Callable[[str, Mapping[str, str]], Sequence[str]] = lambda text, _: [text],
) -> Trace:
    """Return what makes a file of the results.

    Parameters
    ----------
    path : str
        The file below a checkout, such as ``results/x/checks/flow.csv``.
    checkout : pathlib.Path
        Whose rules are read.
    estimator_of : callable
        Takes study and model, returns the estimator: seven rules write rows of models.
    lies : pathlib.Path
        Where the file really is.
    asked : callable, optional
        Takes an input as the rule states it and the wildcards, returns the paths that it is.

    Raises
    ------
    UserError
        Where no rule writes it, with the nearest file that one does.
    """
    rules = read_rules(checkout)
    matching = [(rule, found) for rule in rules if (found := rule.wildcards(path)) is not None]
    if len(matching) > 1:
        found = matching[0][1]
        estimator = estimator_of(found["study"], found["model"])
        chosen = [one for one in matching if one[0].name == f"fit_{estimator}"]
        if not chosen:
            raise UserError(f"{path}: the study {found['study']} has no model {found['model']!r}")
        matching = chosen
    if not matching:
        raise _not_written(path, rules)
    rule, wildcards = matching[0]
    modules, near, own = _modules(rule, checkout)
    entries = _entries(rule, modules, checkout)
    asking = (_filled(pattern, wildcards) for pattern in rule.inputs)
    return Trace(
        path, rule.name, rule.file, rule.line, rule.script, modules, near,
        {one: entries[one] for one in modules[:near]},
        (
            *_tests(rule, modules[:near], own, checkout),
            *_published(rule, wildcards, checkout),
        ),
        tuple(one for text in asking for one in asked(text, wildcards) if "/" in one),
        lies.exists(),
        hashlib.sha256(lies.read_bytes()).hexdigest() if lies.is_file() else "",
    )  # fmt: skip


def _not_written(path: str, rules: Sequence[Rule]) -> UserError:
    """Return the error of a file that no rule writes, with the nearest that one does, if any is."""
    results, study, *parts = (*PurePosixPath(path).parts, "", "")
    folder, below = f"results/{study}", "/".join(part for part in parts if part)
    if results != "results" or not below:
        return UserError(f"no rule writes {path}; give a file below results/<study>/")
    written = [_filled(p, {"study": study}) for rule in rules for p in rule.outputs]
    files = [one.removeprefix(f"{folder}/") for one in written]
    close = get_close_matches(below, files, n=1, cutoff=0.6)
    remedy = (
        f"the nearest that one writes is {folder}/{close[0]}"
        if close
        else f"give a file below {folder}/ that one does"
    )
    return UserError(f"no rule writes {path}; {remedy}")


def _filled(pattern: str, wildcards: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda m: wildcards.get(m.group(1), m.group()), pattern)


def _modules(rule: Rule, checkout: Path) -> tuple[tuple[str, ...], int, tuple[str, ...]]:
    """Return the modules behind a rule, how many of them are near, and those of the rule's name.

    Those of its name come first, then the nearest of ``models/``, then what the script imports;
    after these near ones stand all others by distance.
    """
    if not rule.script:
        return (), 0, ()
    name = rule.name.split("_", 1)[-1]
    found = {
        path.relative_to(checkout).as_posix(): steps
        for path, steps in distances(checkout / rule.script, ADAPTER).items()
        if path.name != "__init__.py"
    }
    nearest = sorted(found, key=lambda path: (found[path], path))
    own = [one for one in nearest if name in (*PurePosixPath(one).parts, PurePosixPath(one).stem)]
    models = [one for one in nearest if "/models/" in one and one not in own][:SHOWN_MODELS]
    imported = [one for one in nearest if found[one] == 1]
    near = list(dict.fromkeys([*own, *models, *imported]))
    return (*near, *(one for one in nearest if one not in near)), len(near), tuple(own)


def _entries(rule: Rule, modules: Sequence[str], checkout: Path) -> dict[str, str]:
    """Return each module with the functions that the nearest module that imports it takes."""
    taken: dict[str, tuple[str, ...]] = {}
    if rule.script:
        for path in (checkout / rule.script, *distances(checkout / rule.script, ADAPTER)):
            for module, names in _imports(path.read_text("utf-8")):
                taken.setdefault(module, names)
    return {
        one: _entry(one, taken.get(_dotted(one), ()), (checkout / one).read_text("utf-8"))
        for one in modules
    }


@cache
def _imports(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return each module from which a module imports functions, with their names."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = tuple(one.name for one in node.names if one.name.islower())
            if names:
                found.append((node.module, names))
    return tuple(found)


def _entry(module: str, names: Sequence[str], text: str) -> str:
    """Return a module with the lines of its functions of these names, and who computes for it."""
    lines = {
        match["name"]: text[: match.start()].count("\n") + 1
        for match in re.finditer(r"^def (?P<name>\w+)\(", text, re.M)
    }
    functions = [f"{name}:{lines[name]}" for name in names if name in lines]
    first = next((name for name in names if name in lines), "")
    told = f"{module}:{lines[first]} {first}" if first else module
    others = f" ({', '.join(functions[1:])})" if functions[1:] else ""
    tops = {name.split(".")[0] for name in imported_names(text)}
    by = [f", computed by {package}" for package in ESTIMATORS if package in tops]
    return told + others + "".join(by)


def _dotted(module: str) -> str:
    return ".".join(PurePosixPath(module).relative_to("src").with_suffix("").parts)


def _tests(rule: Rule, near: Sequence[str], own: Sequence[str], checkout: Path) -> tuple[str, ...]:
    """Return the tests of a rule and of near modules, by their place and by what they import."""
    inner = [PurePosixPath(module).relative_to("src/schooltrial") for module in near]
    placed = [PurePosixPath("tests/unit") / path.parent / f"test_{path.name}" for path in inner]
    named = [f"tests/rules/test_{rule.name}.py", *map(str, placed)]
    asked = {_dotted(module) for module in own} | {PurePosixPath(rule.script).stem}
    computing = {
        module
        for one in own
        if "/models/" not in one
        for module, _ in _imports((checkout / one).read_text("utf-8"))
        if module.startswith("schooltrial.models.")
    }
    importing = [
        path.relative_to(checkout).as_posix()
        for folder, wanted in (
            ("tests/rules", asked), ("tests/unit", asked),
            ("tests/reference", asked | computing), ("tests/published", asked | computing),
        )
        for path in sorted((checkout / folder).rglob("test_*.py"))
        if not wanted.isdisjoint(imported_names(path.read_text("utf-8")))
    ]  # fmt: skip
    found = [path for path in named if (checkout / path).is_file()]
    return tuple(dict.fromkeys([*found, *importing]))


def _published(rule: Rule, wildcards: Mapping[str, str], checkout: Path) -> Iterator[str]:
    """Yield the test that compares a study's estimates, or those of a model, with print."""
    test = f"tests/published/test_{wildcards.get('study')}.py"
    fits = rule.name == "gather_estimates" or rule.name.startswith("fit_")
    if fits and (checkout / test).is_file():
        text = (checkout / test).read_text("utf-8")
        if "model" not in wildcards or f'"{wildcards["model"]}"' in text:
            yield test


def _counted(modules: Sequence[str]) -> str:
    """Return how many modules there are of each package."""
    packages = [str(PurePosixPath(path).relative_to("src").parent) for path in modules]
    short = [name.removeprefix("schooltrial/") for name in packages]
    return ", ".join(f"{name} {short.count(name)}" for name in dict.fromkeys(short))


def _column(head: str, lines: Sequence[str]) -> list[str]:
    return [f"  {head if at == 0 else '':<9}{line}" for at, line in enumerate(lines)]
