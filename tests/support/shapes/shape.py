"""What a shape of study is: a protocol, its raw files, and how it should end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from support.small_trial import as_yaml


@dataclass(frozen=True)
class Shape:
    """A study of one shape, small, and how it should end.

    Attributes
    ----------
    name : str
        In the test's words; also the name of the study.
    protocol : dict
        The protocol as data, without ``study.name``.
    tables : dict
        Name of a raw file → its rows; written as comma-separated values.
    refused : tuple of str
        Where a refusal is right: texts that it must contain. Empty: a report is right.
    right : callable, optional
        Fails unless the folder of results holds what is right for this shape.
    """

    name: str
    protocol: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    refused: tuple[str, ...] = ()
    right: Callable[[Path], None] | None = None

    def write(self, folder: Path) -> Path:
        """Write the protocol and the raw files, and return the path of the protocol."""
        folder.mkdir(parents=True, exist_ok=True)
        study = {"title": self.name.replace("_", " ").capitalize(), "seed": 7}
        content = {
            **self.protocol,
            "study": {"name": self.name, **study, **self.protocol.get("study", {})},
        }
        for file, table in self.tables.items():
            table.to_csv(folder / file, index=False)
        path = folder / "trial.yaml"
        path.write_text(as_yaml(content), encoding="utf-8")
        return path
