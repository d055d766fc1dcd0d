"""The exhibits of a page: figures and tables with their words and the rule that made them."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from schooltrial.protocol.strict_yaml import parse_yaml

VERBS = {"figure": "draw", "table": "tabulate"}


def read_exhibits(
    captions: str,
    figures: Sequence[str],
    tables: Sequence[str],
    *,
    in_schools: bool = True,
    staggered: bool = False,
    more: Mapping[str, str] | None = None,
) -> list[Exhibit]:
    """Return the exhibits that are there, in the order of the captions.

    Parameters
    ----------
    captions : str
        File of their words.
    figures, tables : sequence of str
        SVG files, which are put into the page, and HTML fragments.
    in_schools : bool
        Whether the trial has schools; without, a caption that speaks of them has another text.
    staggered : bool
        Whether cohorts begin in different years; a caption that speaks of one start has another.
    more : mapping, optional
        Exhibit → what the caption of this study's adds, such as whom it compares.
    """
    contents = {Path(path).stem: _figure(path) for path in figures}
    contents |= {Path(path).stem: Path(path).read_text("utf-8") for path in tables}
    words = parse_yaml(Path(captions).read_text("utf-8"))
    others = [*([] if in_schools else ["without_schools"]), *(["staggered"] if staggered else [])]
    return [
        Exhibit(
            name, said["kind"], said["title"],
            _caption(said, others, (more or {}).get(name, "")),
            said["alt"], contents[name], rule=f"{VERBS[said['kind']]}_{name}",
        )
        for name, said in words.items()
        if name in contents
    ]  # fmt: skip


def _caption(said: Mapping[str, str], others: Sequence[str], more: str) -> str:
    """Return the words of an exhibit: the first of its other captions that fits, if it has any."""
    fitting = [said[other] for other in others if other in said]
    return " ".join(filter(None, [next(iter(fitting), said["caption"]), more]))


def _figure(path: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(Path(path).read_bytes()).decode()


@dataclass(frozen=True)
class Exhibit:
    """A figure or table as the report shows it.

    Attributes
    ----------
    name, kind, title, caption, alt : str
        Name of the files; ``figure`` or ``table``; words.
    content : str
        The figure as a data address, or the table as HTML.
    rule : str
        What made it; the appendix tells from what.
    """

    name: str
    kind: str
    title: str
    caption: str
    alt: str
    content: str
    rule: str
