"""Where the raw files of a study are: beside its protocol, simulated, or fetched."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blind_look_ups import BlindLookUps
from schooltrial.data.reading import raw_file_names
from schooltrial.exhibits.exhibit_list import figures_of
from schooltrial.protocol import all_years

DOWNLOADS = Path("data") / "downloads"


class RawLocations(BlindLookUps):
    """Looks up the raw files of the study that the wildcards name."""

    def raw_folder(self, wildcards: Any) -> str:
        """Return the folder of a study's raw files."""
        if wildcards.study in self.simulated:
            return f"results/{wildcards.study}/data/raw"
        protocol = self.protocols[wildcards.study]
        folder = protocol.folder / str(protocol.section("raw_folder"))
        return os.path.relpath(folder)

    def raw_files(self, wildcards: Any) -> list[str]:
        """Return the raw files that are there; a missing one is refused when it is read."""
        folder = self.raw_folder(wildcards)
        if wildcards.study in self.simulated:
            return [folder]
        content = self.content(wildcards)
        names = raw_file_names(content["tables"], all_years(content["years"]))
        fetched = self.fetched(wildcards)
        paths = [Path(folder) / name for name in names if name not in fetched]
        return [*fetched.values(), *(str(path) for path in paths if path.is_file())]

    def table_files(self, wildcards: Any) -> dict[str, str]:
        """Return how messages name a standard table → the raw files that fill it."""
        return {
            f"{table} table": ", ".join(dict.fromkeys(str(r["file"]) for r in readings))
            for table, readings in self.content(wildcards)["tables"].items()
        }

    def fetched(self, wildcards: Any) -> dict[str, str]:
        """Return file → where it is kept, for the raw files that are fetched by their address."""
        return {
            reading["file"]: _kept(reading)
            for readings in self.content(wildcards)["tables"].values()
            for reading in readings
            if reading["url"]
        }

    def implementation_files(self, wildcards: Any) -> dict[str, Any]:
        """Return what the monitoring page shows of the implementation, where a study has it."""
        content, results = self.content(wildcards), f"results/{wildcards.study}"
        if "implementation" not in content["tables"]:
            return {}
        shown = [name for name in ("fidelity", "dosage") if name in figures_of(content)]
        return {
            "fidelity": f"{results}/checks/fidelity.csv",
            "contrasts": f"{results}/checks/contrast.csv",
            "figures": [f"{results}/figures/{name}.svg" for name in shown],
        }

    def to_fetch(self) -> dict[str, tuple[str, str]]:
        """Return path → address and checksum of the files that are not there yet.

        A file that is there was checked when it came, and is then a raw file like any other: no
        rule makes it, so that a study runs again without a network.
        """
        found = {
            _kept(reading): (str(reading["url"]), str(reading["sha256"]))
            for protocol in self.protocols.values()
            for readings in protocol.section("tables").values()
            for reading in readings
            if reading["url"]
        }
        return {path: asked for path, asked in found.items() if not Path(path).is_file()}


def _kept(reading: Mapping[str, Any]) -> str:
    """Return where a fetched file is kept: under its checksum, so that another is another."""
    return str(DOWNLOADS / str(reading["sha256"]) / str(reading["file"]))
