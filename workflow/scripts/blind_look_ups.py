"""What of a study is read, and what is told of it, while its outcomes are blinded."""

from __future__ import annotations

from datetime import date
from typing import Any

from look_ups import LookUps
from schooltrial.protocol_blinding import blinded_until, held_back, without_outcomes


class BlindLookUps(LookUps):
    """Looks up whether the study that the wildcards name is blind, and what it may then read."""

    def blinded(self, wildcards: Any) -> str:
        """Return the day until which no outcome of the study is read; empty where they may be."""
        return blinded_until(self.content(wildcards), date.today())

    def blind_refusal(self, wildcards: Any) -> dict[str, str] | None:
        """Return what a refusal to read outcomes tells; None where they may be read."""
        until = self.blinded(wildcards)
        protocol = self.protocols[wildcards.study]
        told = {"until": until, "protocol": str(protocol.path), "study": protocol.name}
        return told if until else None

    def held_back(self, wildcards: Any) -> list[tuple[str, str]]:
        """Return the raw files of which something is not read, and what; none in the open."""
        content = self.content(wildcards)
        if not self.blinded(wildcards):
            return []
        return held_back(content["tables"], content["outcomes"])

    def tables_read(self, wildcards: Any) -> dict[str, Any]:
        """Return how the standard tables are filled; without outcomes while the study is blind."""
        content = self.content(wildcards)
        tables: dict[str, Any] = content["tables"]
        blind = self.blinded(wildcards)
        return without_outcomes(tables, content["outcomes"]) if blind else tables
