"""Where the raw files of a study are: next to its protocol, simulated, or fetched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from schooltrial.checkout import from_here
from schooltrial.data.files.file_names import KeySource, expand_years, raw_file_names
from schooltrial.data.linking.raw_places import RawPlace, RawPlaces
from schooltrial.protocol.content.column_map import KeyedFile, shown_source
from schooltrial.protocol.content.sections import Protocol, measured_years
from schooltrial.study.layout import Layout

DOWNLOADS = Path("data") / "downloads"


@dataclass(frozen=True)
class RawFiles:
    """The raw files of one study.

    Attributes
    ----------
    protocol : Protocol
    paths : Layout
        Where a simulated study has its raw files.
    """

    protocol: Protocol
    paths: Layout

    @property
    def simulated(self) -> bool:
        """Whether a rule makes the raw files."""
        return "simulation" in self.protocol.content

    def folder(self) -> str:
        """Return the folder of the raw files."""
        if self.simulated:
            return str(self.paths.raw)
        return from_here(self.protocol.folder / self.protocol.content["raw_folder"])

    def files(self) -> list[str]:
        """Return the raw files that are there; a missing one is refused when it is read."""
        folder = self.folder()
        if self.simulated:
            return [folder]
        content = self.protocol.content
        names = raw_file_names(content["tables"], measured_years(content["years"]))
        fetched = self.fetched()
        paths = [Path(folder) / name for name in names if name not in fetched]
        return [*fetched.values(), *(str(path) for path in paths if path.is_file())]

    def by_table(self) -> dict[str, str]:
        """Return how messages name a standard table → the raw files that fill it."""
        return {
            f"{table} table": ", ".join(dict.fromkeys(r["file"] for r in readings))
            for table, readings in self.protocol.content["tables"].items()
        }

    def key_sources(self) -> dict[str, list[KeySource]]:
        """Return standard table → the files that fill it, and their columns of identifiers."""
        content = self.protocol.content
        return {
            table: [
                KeySource(
                    file=file, year=year, outcomes=list(reading["outcomes"]),
                    columns={
                        name: shown_source(spec)
                        for name, spec in reading["columns"].items()
                        if spec["type"] == "identifier"
                    },
                )
                for reading in readings
                for file, year in expand_years(reading, measured_years(content["years"]))
            ]
            for table, readings in content["tables"].items()
        }  # fmt: skip

    def places(self) -> RawPlaces:
        """Return the same files, where they lie and how each is read.

        It is an object of ours, which Snakemake leaves out when it compares the params of a rule
        with those of the last run: it serves messages alone.
        """
        content, folder, fetched = self.protocol.content, Path(self.folder()), self.fetched()
        return RawPlaces(
            {
                table: [
                    RawPlace(file, fetched.get(file, str(folder / file)), year, reading)
                    for reading in readings
                    for file, year in expand_years(reading, measured_years(content["years"]))
                ]
                for table, readings in content["tables"].items()
            }
        )

    def fetched(self) -> dict[str, str]:
        """Return file → where it is kept, for the raw files that are fetched by their address."""
        return {reading["file"]: _kept(reading) for reading in self._with_address()}

    def to_fetch(self) -> dict[str, tuple[str, str]]:
        """Return path → address and checksum of the files that are not there yet.

        A file that is there was checked when it came, and is then a raw file like any other: no
        rule makes it, so that a study runs again without a network.
        """
        found = {
            _kept(reading): (str(reading["url"]), str(reading["sha256"]))
            for reading in self._with_address()
        }
        return {path: asked for path, asked in found.items() if not Path(path).is_file()}

    def _with_address(self) -> Iterator[KeyedFile]:
        for readings in self.protocol.content["tables"].values():
            for reading in readings:
                yield from (file for file in (reading, *reading["join"]) if file["url"])


def _kept(reading: KeyedFile) -> str:
    """Return where a fetched file is kept: under its checksum, so that another is another."""
    return str(DOWNLOADS / str(reading["sha256"]) / reading["file"])
