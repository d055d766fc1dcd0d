"""The checks of a study, as its rules wrote them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schooltrial.checks.written_tables import read_check
from schooltrial.refusal import unknown
from schooltrial.study.blinding import Blinding
from schooltrial.study.layout import Layout

WITHOUT_OUTCOMES = ("plan", "raw_files", "fidelity", "dosage", "contrast")
"""Checks that may be read while a study is blind."""


@dataclass(frozen=True)
class WrittenChecks:
    """The files of ``checks/``, by their names without the ending.

    Attributes
    ----------
    paths : Layout
    blinding : Blinding
    """

    paths: Layout
    blinding: Blinding

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(path.stem for path in self._files()))

    def __len__(self) -> int:
        return len(self._files())

    def __contains__(self, name: object) -> bool:
        return name in list(self)

    def __getitem__(self, name: str) -> Any:
        """Return a check: a table as a DataFrame, a record as a dict, a text as a str."""
        found = {path.stem: path for path in self._files()}
        if name not in found:
            raise unknown("check", name, sorted(found))
        if name not in WITHOUT_OUTCOMES:
            self.blinding.refuse()
        path = found[name]
        if path.suffix == ".csv":
            return read_check(path)
        text = path.read_text("utf-8")
        return json.loads(text) if path.suffix == ".json" else text

    def _files(self) -> list[Path]:
        return [path for path in self.paths.root.glob("checks/*") if path.is_file()]
