"""Where the frame, the key, the record and the list of a study's draw are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from raw_locations import RawLocations


class DrawLocations(RawLocations):
    """Looks up the files of the draw of the study that the wildcards name."""

    def draw_files(self, wildcards: Any) -> dict[str, str]:
        """Return the record of the draw and its frame, where the protocol names them."""
        draw = self.content(wildcards)["design"]["draw"]
        folder = self.protocols[wildcards.study].folder
        return {
            name: os.path.relpath(folder / draw[name]) for name in ("record", "frame") if draw[name]
        }

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
