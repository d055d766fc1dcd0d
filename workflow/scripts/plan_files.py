"""The record of the plan as it was when outcomes were first read; once written it stays."""

from __future__ import annotations

import json
from pathlib import Path

from schooltrial.protocol import read_protocol
from schooltrial.protocol_plan import section_checksums
from schooltrial.protocol_yaml import parse_yaml


def keep_first(protocol: str, schema: str, first: str, blinded: str) -> None:
    """Write the checksums of the plan, unless they were written when outcomes were read before.

    Parameters
    ----------
    protocol, schema : str
        The protocol's file, as it is now, and its schema.
    first : str
        The record.
    blinded : str
        The day until which no outcome is read: the record is then empty, and can be replaced.
    """
    if first_plan(first):
        return
    read = read_protocol(Path(protocol), parse_yaml(Path(schema).read_text("utf-8")))
    checksums = {} if blinded else section_checksums(read.content)
    Path(first).write_text(json.dumps(checksums, indent=1) + "\n", encoding="utf-8")


def first_plan(first: str) -> dict[str, str]:
    """Return section → checksum of the plan as it was first; empty where no outcome was read."""
    file = Path(first)
    found: dict[str, str] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    return found
