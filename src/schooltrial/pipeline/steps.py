"""What each step of a study read, wrote and ran: the chain behind every number of its report."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from schooltrial.checkout import below_project
from schooltrial.provenance.code_inputs import modules

DATA = (".parquet", ".csv", ".json", ".svg", ".html")
"""Endings of files whose checksums are shown: those that exhibits are made of, and these."""

KEPT = "plan_first.json"
"""A file that outlives runs, and so depends on more than the inputs of its step."""


def trace_steps(
    rules: Any, traced: Mapping[str, Sequence[str | None]], study: str
) -> list[dict[str, Any]]:
    """Return every step from raw files to exhibits.

    Parameters
    ----------
    rules : object
        Snakemake's rules, as attributes.
    traced : mapping
        Name of a rule → the models that it fits, or ``[None]`` where it fits none.
    study : str
        Name of the study.

    Returns
    -------
    list of dict
        ``rule``, ``script``, ``code`` (modules), ``reads`` and ``writes`` (paths).
    """
    return [
        _step(name, getattr(rules, name), {"study": study, "model": model})
        for name, models in traced.items()
        for model in models
    ]


def page_step(rules: Any, rule: str, study: str, written: Sequence[str]) -> dict[str, Any]:
    """Return the step that writes a page, as `trace_steps` returns others, for the page itself.

    Parameters
    ----------
    rules : object
        Snakemake's rules, as attributes.
    rule : str
        The rule that writes the page.
    study : str
        Name of the study.
    written : sequence of str
        Those of its outputs that are there before the page is.
    """
    found = getattr(rules, rule)
    step = _step(rule, found, {"study": study, "model": None})
    outputs = dict(found.output.items())
    return {
        **step,
        "reads": [path for path in step["reads"] if path.startswith("results/")],
        "writes": [str(outputs[name]).format(study=study) for name in written],
    }


def code_of(traced: Iterable[str]) -> list[str]:
    """Return the modules that the scripts of some rules use."""
    return sorted({path for name in traced for path in modules(f"{name}.py")})


def _step(name: str, found: Any, wildcards: Mapping[str, str | None]) -> dict[str, Any]:
    looked_up = SimpleNamespace(**wildcards)
    named = [path(looked_up) if callable(path) else path for _, path in found.input.items()]
    model = wildcards["model"]
    return {
        "rule": name if model is None else f"{name}, {model}",
        "script": f"workflow/scripts/{name}.py",
        "code": modules(f"{name}.py"),
        "reads": [below_project(str(path).format(**wildcards)) for path in _flat(named)],
        "writes": [str(path).format(**wildcards) for path in found.output],
    }


def _flat(named: Iterable[Any]) -> Iterator[str]:
    """Yield paths, those of a list one by one."""
    for path in named:
        yield from ([path] if isinstance(path, str) else path)


def with_checksums(step: Mapping[str, Any]) -> dict[str, Any]:
    """Return a step with the checksum of its code and of the data that it wrote."""
    data = [path for path in step["writes"] if path.endswith(DATA) and not path.endswith(KEPT)]
    return {**step, "code": sha256(step["code"]), "wrote": [(p, sha256([p])) for p in data]}


def sha256(paths: Sequence[str]) -> str:
    """Return the checksum of files, one after another."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(Path(path).read_bytes())
    return digest.hexdigest()
