"""What is read and reported of a study while its outcomes are embargoed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from schooltrial.protocol.blinding import (
    blinded_until,
    held_back,
    refuse_to_unblind,
    without_outcomes,
)
from schooltrial.protocol.content.column_map import Tables
from schooltrial.protocol.content.sections import Protocol


@dataclass(frozen=True)
class Blinding:
    """Whether a study is blind, and what it may then read.

    Attributes
    ----------
    protocol : Protocol
    today : datetime.date
        The day on which it is asked.
    """

    protocol: Protocol
    today: date

    def until(self) -> str:
        """Return the day until which no outcome of the study is read; empty if they may be."""
        return blinded_until(self.protocol.content, self.today)

    def refusal(self) -> dict[str, str] | None:
        """Return the refusal to read outcomes; None if they may be read."""
        until = self.until()
        told = {
            "until": until,
            "protocol": str(self.protocol.path),
            "study": self.protocol.name,
        }
        return told if until else None

    def refuse(self) -> None:
        """Refuse to read outcomes while the study is blind."""
        told = self.refusal()
        if told:
            refuse_to_unblind(**told)

    def held_back(self) -> list[tuple[str, str]]:
        """Return the raw files of which something is not read, and what; none in the open."""
        if not self.until():
            return []
        content = self.protocol.content
        return held_back(content["tables"], content["outcomes"], content["variables"])

    def tables_read(self) -> Tables:
        """Return how the standard tables are filled; without outcomes while the study is blind."""
        content = self.protocol.content
        tables = content["tables"]
        if not self.until():
            return tables
        return without_outcomes(tables, content["outcomes"], content["variables"])
