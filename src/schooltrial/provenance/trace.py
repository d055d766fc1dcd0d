"""From a file of the results to what made it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path, PurePosixPath

from schooltrial.provenance.code_inputs import distances
from schooltrial.provenance.rule_files import Rule, read_rules
from schooltrial.refusal import UserError

ADAPTER = "pipeline/rule_adapter.py"
"""It calls every script; no number is made in it."""


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
        How many of them are near: those that bear the rule's name, or that the script imports.
    tests : tuple of str
        Tests of the near modules and of the rule.
    inputs : tuple of str
        What the rule reads; what it asks of the study stands as it is written.
    sha256 : str
        Checksum of the file as it lies; empty where it is not there.
    """

    path: str
    rule: str
    rule_file: str
    line: int
    script: str
    modules: tuple[str, ...]
    near: int
    tests: tuple[str, ...]
    inputs: tuple[str, ...]
    sha256: str

    def __str__(self) -> str:
        below = self.modules[self.near :]
        lines = [
            self.path,
            f"  rule     {self.rule}",
            f"  in       {self.rule_file}:{self.line}",
            f"  script   {self.script}",
            *_column("modules", self.modules[: self.near] or ("none of the library",)),
            *([f"{' ' * 11}and {len(below)} below: {_counted(below)}"] if below else []),
            *_column("tests", self.tests or ("none of these names",)),
            *_column("reads", self.inputs),
        ]
        return "\n".join([*lines, *([f"  sha256   {self.sha256}"] if self.sha256 else [])])


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
    modules, near = _modules(rule, checkout)
    return Trace(
        path, rule.name, rule.file, rule.line, rule.script, modules, near,
        _tests(rule, modules[:near], checkout),
        tuple(path for p in rule.inputs for path in asked(_filled(p, wildcards), wildcards)),
        hashlib.sha256(lies.read_bytes()).hexdigest() if lies.is_file() else "",
    )  # fmt: skip


def _not_written(path: str, rules: Sequence[Rule]) -> UserError:
    parts = PurePosixPath(path).parts
    study = parts[1] if len(parts) > 2 and parts[0] == "results" else "<study>"
    written = [_filled(p, {"study": study}) for rule in rules for p in rule.outputs]
    close = get_close_matches(path, written, n=1, cutoff=0.0)
    return UserError(f"no rule writes {path}; the nearest that one writes is {close[0]}")


def _filled(pattern: str, wildcards: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda m: wildcards.get(m.group(1), m.group()), pattern)


def _modules(rule: Rule, checkout: Path) -> tuple[tuple[str, ...], int]:
    """Return the modules behind a rule, those of its own name first, and how many are near.

    Below the near ones stand those of the same name's package, then all others by distance.
    """
    if not rule.script:
        return (), 0
    name = rule.name.split("_", 1)[-1]
    found = {
        path.relative_to(checkout).as_posix(): steps
        for path, steps in distances(checkout / rule.script, ADAPTER).items()
        if path.name != "__init__.py"
    }
    own = [path for path in found if name in (*PurePosixPath(path).parts, PurePosixPath(path).stem)]
    near = sorted(own, key=lambda path: (found[path], path))
    near += sorted(path for path, steps in found.items() if steps == 1 and path not in own)
    rest = sorted(set(found) - set(near), key=lambda path: (found[path], path))
    return (*near, *rest), len(near)


def _tests(rule: Rule, modules: Sequence[str], checkout: Path) -> tuple[str, ...]:
    """Return the tests of a rule and of some modules, with those against R of their packages."""
    inner = [PurePosixPath(module).relative_to("src/schooltrial") for module in modules]
    own = [PurePosixPath("tests/unit") / path.parent / f"test_{path.name}" for path in inner]
    named = [f"tests/rules/test_{rule.name}.py", *map(str, own)]
    folders = [
        checkout / "tests" / "reference" / path.parent.name
        for path in inner
        if path.parts[0] in ("models", "checks")
    ]
    against = [path for folder in dict.fromkeys(folders) for path in folder.glob("test_*.py")]
    reference = sorted(path.relative_to(checkout).as_posix() for path in against)
    return (*(path for path in dict.fromkeys(named) if (checkout / path).is_file()), *reference)


def _counted(modules: Sequence[str]) -> str:
    """Return how many modules there are of each package."""
    packages = [str(PurePosixPath(path).relative_to("src/schooltrial").parent) for path in modules]
    counts = {name: packages.count(name) for name in dict.fromkeys(packages)}
    return ", ".join(f"{name.replace('.', 'root')} {count}" for name, count in counts.items())


def _column(head: str, lines: Sequence[str]) -> list[str]:
    return [f"  {head if at == 0 else '':<9}{line}" for at, line in enumerate(lines)]
