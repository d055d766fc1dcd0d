"""Where the frame, the key, the record and the list of a study's draw are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from look_ups import LookUp
from raw_locations import RawLocations


class DrawLocations(RawLocations):
    """Looks up the files of the draw of the study that the wildcards name."""

    def draw_file(self, name: str) -> LookUp:
        """Return a function that looks up the ``record`` or ``frame`` of the draw, None if none.

        A simulated study writes both among its raw files.
        """

        def look_up(wildcards: Any) -> str | None:
            named = self.content(wildcards)["design"]["draw"][name]
            if not named:
                return None
            if wildcards.study in self.simulated:
                return str(Path(self.raw_folder(wildcards)) / str(named))
            return os.path.relpath(self.protocols[wildcards.study].folder / str(named))

        return look_up

    def draw_inputs(self, wildcards: Any) -> list[str]:
        """Return what must be there before the draw can be read: its files, or their folder."""
        paths = [path for name in ("record", "frame") if (path := self.draw_file(name)(wildcards))]
        simulated = wildcards.study in self.simulated
        return [self.raw_folder(wildcards)] if paths and simulated else paths

    def draw_paths(self, wildcards: Any) -> dict[str, str]:
        """Return the frame of a draw, and where its record and list are written."""
        draw = self.content(wildcards)["design"]["draw"]
        folder = self.protocols[wildcards.study].folder
        record = folder / (draw["record"] or f"{wildcards.study}_assignment.json")
        paths = {"frame": folder / (draw["frame"] or "design.draw.frame is not given")}
        paths |= {"record": record, "listing": record.with_suffix(".csv")}
        return {name: os.path.relpath(path) for name, path in paths.items()}

    def draw_key(self, wildcards: Any) -> str | None:
        """Return the path of the key that seals the record of the draw, where one is named."""
        key = self.content(wildcards)["design"]["draw"]["key"]
        if not key:
            return None
        return os.path.relpath(self.protocols[wildcards.study].folder / Path(key).expanduser())
