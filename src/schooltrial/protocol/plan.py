"""The plan within a protocol: what must not change once outcomes were read, as checksums.

All of a protocol is the plan, but for registration, deviations, notes, labels and the folder of the
raw files.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schooltrial.protocol.content.sections import Content, Model
from schooltrial.refusal import Fault, Refusal

PLAN = (
    "study", "design", "years", "simulation", "tables", "cleaning", "variables", "outcomes",
    "subgroups", "take_up", "implementation", "costs", "power", "checks", "blinding", "balance",
    "sample", "models",
)  # fmt: skip
"""The sections that are the plan; the others are words, or say where files lie."""


WORDS = (
    "study.name", "study.title", "study.summary", "study.recruitment",
    "study.funding", "study.conflicts_of_interest", "study.sources", "design.block_label",
    "design.arms.*.label", "years.label", "simulation.parameters.*.source",
    "tables.*.*.columns.*.label", "tables.*.*.outcomes.*.label",
    "tables.*.*.join.*.columns.*.label", "years.to_come",
    "variables.*.label", "outcomes.*.label", "outcomes.*.units_label",
    "outcomes.*.months_of_progress", "outcomes.*.reliability", "subgroups.*.label",
    "take_up.label", "costs.usual_practice", "implementation.components.*.label",
    "implementation.components.*.indicator", "implementation.components.*.source",
    "models.*.label", "models.*.where_label",
)  # fmt: skip
"""Keys of the plan that only exhibits need, or that say which data are there; ``*`` is any name, or
place in a list."""


REASONS = ("checks.joiners_justification",)
"""Keys whose text is for readers, while whether there is one is of the plan: ratings turn on it."""


_WORDS, _REASONS = (tuple(tuple(path.split(".")) for path in paths) for paths in (WORDS, REASONS))


@dataclass(frozen=True)
class PlanRecord:
    """The plan as it was when outcomes were first read, and as it is.

    Attributes
    ----------
    first, now : dict of str to str
        Section of the plan → SHA-256; ``first`` is empty as long as no outcome was read.
    """

    first: dict[str, str]
    now: dict[str, str]

    @property
    def changed(self) -> list[str]:
        """The sections that are not what they were when outcomes were first read."""
        then = self.first or self.now
        return [name for name in PLAN if then.get(name) != self.now.get(name)]


@dataclass(frozen=True)
class PlanToRecord:
    """The plan that a run began with, to be recorded by its first estimate.

    Each model calls ``keep`` when it was fitted and before it is written, so that no estimate is
    there without the plan, even if the run is killed. A run that was refused before all models
    were fitted has shown nobody an effect: `plan_record.withdraw` deletes what it estimated, and
    the record.

    Attributes
    ----------
    file : str
        The record.
    checksums : dict of str to str
        Section of the plan → SHA-256; empty in a rehearsal, whose groups are re-randomised.
    """

    file: str
    checksums: dict[str, str]

    def keep(self) -> None:
        """Write the checksums, unless those of an earlier plan were written with its estimates."""
        record = Path(self.file)
        if first_plan(self.file) or (record.is_file() and not self.checksums):
            return
        record.parent.mkdir(parents=True, exist_ok=True)
        unfinished = record.with_suffix(f".{os.getpid()}")  # several models may be at it
        unfinished.write_text(json.dumps(self.checksums, indent=1) + "\n", encoding="utf-8")
        unfinished.replace(record)


def section_checksums(
    content: Content, models_to_come: Mapping[str, Model] | None = None
) -> dict[str, str]:
    """Return the SHA-256 of every section of the plan, defaults filled and words left out.

    The checksum is of the section as JSON with sorted keys, so that order, comments and spacing in
    the file do not matter, nor do labels, nor how a reason is worded. Keys that say nothing (null,
    false, an empty text or list) are left out: a later version may know more of them, and the plan
    is the same. Models of years to come are of the plan too.
    """
    whole = {**content, "models": {**content["models"], **(models_to_come or {})}}
    return {name: _sha256(_said(_without_words(whole.get(name), name))) for name in PLAN}


def plan_sha256(checksums: Mapping[str, str]) -> str:
    """Return one checksum of the whole plan, from those of its sections."""
    return _sha256(dict(checksums))


def plan_told(recorded: PlanRecord, registered: str | None) -> list[str]:
    """Return what a reader must know of the plan: registered or not, changed or not."""
    whole = plan_sha256(recorded.now)
    told = [f"The SHA-256 of the analysis plan is {whole}."]
    if registered is None:
        told.append(
            "No checksum of a registered plan is stated, so the plan cannot be checked against one."
        )
    elif registered == whole:
        told.append("It is the registered plan.")
    else:
        told.append(f"Warning: it is NOT the registered plan, whose checksum is {registered}.")
    if not recorded.first:
        told.append("No outcome has been read so far.")
    elif recorded.changed:
        sections = ", ".join(recorded.changed)
        told.append(
            f"Warning: the plan was changed after outcomes were read (sections: {sections})."
        )
    else:
        told.append("The plan has not changed since outcomes were first read.")
    return told


def _without_words(value: Any, *path: str) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _without_words(item, *path, str(key))
            for key, item in value.items()
            if not _is_one_of(_WORDS, (*path, str(key)))
        }
    if isinstance(value, list):
        return [_without_words(item, *path, str(at)) for at, item in enumerate(value)]
    return bool(value) if _is_one_of(_REASONS, path) else value


def _said(value: Any) -> Any:
    """Return a section without the keys that say nothing; the places of a list are kept."""
    if isinstance(value, Mapping):
        said = {key: _said(item) for key, item in value.items()}
        return {key: item for key, item in said.items() if not _is_nothing(item)}
    return [_said(item) for item in value] if isinstance(value, list) else value


def _is_nothing(value: Any) -> bool:
    return value is None or value is False or (isinstance(value, str | list | dict) and not value)


def _is_one_of(keys: Sequence[tuple[str, ...]], path: tuple[str, ...]) -> bool:
    return any(
        len(parts) == len(path)
        and all(part in ("*", name) for part, name in zip(parts, path, strict=True))
        for parts in keys
    )


def _sha256(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def first_plan(first: str) -> dict[str, str]:
    """Return section → checksum of the plan as it was first; empty if no outcome was read.

    Raises
    ------
    Refusal
        The record is empty or damaged. It is not replaced: what the plan was would be lost.
    """
    file = Path(first)
    if not first or not file.is_file():
        return {}
    try:
        found = json.loads(file.read_text("utf-8"))
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        fault = Fault(
            first,
            "the record of the plan is damaged",
            "the checksums of the plan when outcomes were first read",
            "restore this file from a backup or from version control. If there is none, delete "
            "it: the plan of the next run is then recorded as the first, so report that as a "
            "deviation (`deviations`)",
        )
        raise Refusal([fault])
    return found
