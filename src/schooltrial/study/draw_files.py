"""Where the frame, the key, the record and the list of a study's draw are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from schooltrial.protocol.content.sections import Draw, Protocol
from schooltrial.study.raw_files import RawFiles


@dataclass(frozen=True)
class DrawFiles:
    """The files of one study's draw.

    Attributes
    ----------
    protocol : Protocol
    raw : RawFiles
        A simulated study writes frame and record among them.
    """

    protocol: Protocol
    raw: RawFiles

    def file(self, name: Literal["record", "eligible_list"]) -> str | None:
        """Return the record or the frame that the protocol names, None if it names none."""
        named = self._draw[name]
        if not named:
            return None
        if self.raw.simulated:
            return str(Path(self.raw.folder()) / named)
        return os.path.relpath(self.protocol.folder / named)

    def inputs(self) -> list[str]:
        """Return the files of the draw that are there, or their folder.

        A missing one is refused when it is read.
        """
        paths = [path for path in (self.file("record"), self.file("eligible_list")) if path]
        if paths and self.raw.simulated:
            return [self.raw.folder()]
        return [path for path in paths if Path(path).is_file()]

    def frame(self) -> str:
        """Return the frame that units are drawn from."""
        return self._beside(
            self._draw["eligible_list"] or "design.randomisation.eligible_list is not given"
        )

    def record(self) -> str:
        """Return where the randomisation record is written."""
        return self._beside(self._draw["record"] or f"{self.protocol.name}_assignment.json")

    def listing(self) -> str:
        """Return the path of the allocation list: next to its record."""
        return str(Path(self.record()).with_suffix(".csv"))

    def key(self) -> str | None:
        """Return the path of the key that signs the record, if one is named."""
        key = self._draw["signing_key"]
        return self._beside(Path(key).expanduser()) if key else None

    @property
    def _draw(self) -> Draw:
        return self.protocol.design["randomisation"]

    def _beside(self, named: str | Path) -> str:
        return os.path.relpath(self.protocol.folder / named)
