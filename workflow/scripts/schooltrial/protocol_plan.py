"""The plan within a protocol: what must not change once outcomes were read, as checksums."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PLAN = (
    "design", "years", "variables", "outcomes", "balance", "sample", "cleaning", "subgroups",
    "compliance", "implementation", "power", "checks", "models",
)  # fmt: skip
"""The sections that are the analysis plan. How raw files are read, words and notes are not."""
WORDS = frozenset({"label", "block_label", "unit", "title", "indicator", "source"})


@dataclass(frozen=True)
class PlanRecord:
    """The plan as it was when outcomes were first read, and as it is.

    Attributes
    ----------
    first, now : dict of str to str
        Section of the plan → SHA-256.
    """

    first: dict[str, str]
    now: dict[str, str]

    @property
    def changed(self) -> list[str]:
        """The sections that are not what they were when outcomes were first read."""
        return [name for name in PLAN if self.first.get(name) != self.now.get(name)]


def section_checksums(content: Mapping[str, Any]) -> dict[str, str]:
    """Return the SHA-256 of every section of the plan, defaults filled and words left out.

    The checksum is of the section as JSON with sorted keys, so that order, comments and spacing in
    the file do not matter, nor do labels.
    """
    return {name: _sha256(_without_words(content.get(name), name)) for name in PLAN}


def plan_sha256(checksums: Mapping[str, str]) -> str:
    """Return one checksum of the whole plan, from those of its sections."""
    return _sha256(dict(checksums))


def record(before: Mapping[str, Any] | None, content: Mapping[str, Any]) -> PlanRecord:
    """Return the record: the first one is kept, whatever the plan has become since.

    Parameters
    ----------
    before : mapping or None
        The record as it was stored, None where there is none yet.
    content : mapping
        The protocol.
    """
    now = section_checksums(content)
    return PlanRecord(dict(before["first"]) if before else now, now)


def plan_told(recorded: PlanRecord, registered: str | None) -> list[str]:
    """Return what a reader must know of the plan: registered or not, changed or not."""
    whole = plan_sha256(recorded.now)
    told = [f"The SHA-256 of the analysis plan is {whole}."]
    if registered is None:
        told.append("The protocol states no checksum of a registered plan.")
    elif registered == whole:
        told.append("It is the plan that was registered.")
    else:
        told.append(f"It is NOT the plan that was registered, whose checksum is {registered}.")
    if recorded.changed:
        sections = ", ".join(recorded.changed)
        told.append(f"The plan CHANGED after outcomes were first read, in: {sections}.")
    else:
        told.append("It has not changed since outcomes were first read here.")
    return told


def _without_words(value: Any, section: str) -> Any:
    if isinstance(value, Mapping):
        # `unit` is a word for outcomes, and what was assigned in the design.
        return {
            key: _without_words(item, section)
            for key, item in value.items()
            if key not in WORDS or (key == "unit" and section in ("design", "implementation"))
        }
    return [_without_words(item, section) for item in value] if isinstance(value, list) else value


def _sha256(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
