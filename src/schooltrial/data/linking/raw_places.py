"""Where the raw files behind the standard tables lie, without reading any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from schooltrial.protocol.content.column_map import RawFile


@dataclass(frozen=True)
class RawPlace:
    """A raw file, where it lies and how it is read.

    Attributes
    ----------
    file, path : str
    year : int or None
        Of its rows; None where its cells say it.
    reading : RawFile
    """

    file: str
    path: str
    year: int | None
    reading: RawFile


@dataclass(frozen=True)
class RawPlaces:
    """The raw files behind the standard tables, which are read again when identifiers do not match.

    Attributes
    ----------
    of : mapping
        Standard table → its files.
    """

    of: Mapping[str, Sequence[RawPlace]] = field(default_factory=dict)
