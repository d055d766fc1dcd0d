"""What a run is of: its studies, whose protocols are read before any rule, and its formats."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from schooltrial.protocol.content.sections import Protocol
from schooltrial.protocol.reading import read_protocol
from schooltrial.refusal import Fault, Refusal
from schooltrial.study.absent_files import rehearsed

FORMATS = ("svg", "pdf", "png")


def read_protocols(
    config: Mapping[str, Any], project: Path, schema: Mapping[str, Any]
) -> dict[str, Protocol]:
    """Read the protocols given by path, else the studies of the configuration.

    Every fault of every protocol is told, and the run ends with exit code 1 before it begins.
    """
    found: dict[str, Protocol] = {}
    refusals = []
    for shown, path in _paths(config, project):
        try:
            protocol = read_protocol(path, schema, shown)
        except Refusal as refusal:
            refusals.append(str(refusal))
            continue
        if config.get("rehearse"):
            protocol = rehearsed(protocol)
        if protocol.name in found:
            refusals.append(
                f"Refused: two protocols have the same study name, {protocol.name!r}; rename one."
            )
        shipped = project / "config" / "studies" / f"{protocol.name}.yaml"
        here = Path.cwd() == project.resolve()  # elsewhere results are those of no other study
        if here and shipped.is_file() and shipped.resolve() != path.resolve():
            refusals.append(
                f"Refused: {shown} names its study {protocol.name!r}, as a study of the project "
                "does; it would overwrite that study's results. Rename yours."
            )
        found[protocol.name] = protocol
    if refusals:
        print("\n" + "\n".join(refusals) + "\n", file=sys.stderr)
        sys.exit(1)
    return found


def figure_formats(config: Mapping[str, Any]) -> list[str]:
    """Return what figures are written as: SVG, which pages hold, and what the configuration adds.

    A format that is not known is told, and the run ends with exit code 1 before it begins.
    """
    wanted = _listed(config.get("figure_formats", ["pdf"]) or [])
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown:
        fault = Fault(
            "config/config.yaml", f"figures cannot be written as {', '.join(unknown)}",
            f"some of {', '.join(FORMATS)}", "correct `figure_formats`", column="figure_formats",
        )  # fmt: skip
        print(f"\n{Refusal([fault])}\n", file=sys.stderr)
        sys.exit(1)
    return [name for name in FORMATS if name == "svg" or name in wanted]


def _paths(config: Mapping[str, Any], project: Path) -> list[tuple[str, Path]]:
    if "protocols" in config:
        return [(path, Path(path)) for path in _listed(config["protocols"])]
    folder = Path("config") / "studies"
    names = [folder / f"{name}.yaml" for name in _listed(config["studies"])]
    return [(name.as_posix(), project / name) for name in names]


def _listed(value: str | Sequence[str]) -> list[str]:
    """Return a list from a list, or from text with commas as the command line gives it."""
    return [part for part in value.split(",") if part] if isinstance(value, str) else list(value)
