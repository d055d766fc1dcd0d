"""The links of pages, followed as a browser would that opened them from a folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LINKS = ("href", "src", "data", "poster", "xlink:href")
EXHIBIT = re.compile(r'<figure id="([^"]+)"(.*?)</figure>', re.S)
WAY = re.compile(r'<a href="([^"]+)">(Data|Source)</a>')
STEPS = "_steps.csv"
"""How the file of a page's steps ends, which cannot hold its own checksum."""


class _Reader(HTMLParser):
    """Collects what a page links to, and the places in it that can be linked to."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for key, value in attrs:
            if key in LINKS and value is not None:
                self.links.append(value)
            elif key == "id" or (key == "name" and tag == "a"):
                self.places.add(value or "")


@cache
def _read(page: Path) -> _Reader:
    reader = _Reader()
    reader.feed(page.read_text("utf-8"))
    reader.close()
    return reader


def links(page: Path) -> list[str]:
    """Return the links of a page to files and to places in pages, not those to other hosts."""
    return [link for link in _read(page).links if not urlsplit(link).scheme]


def broken_links(pages: list[Path]) -> Iterator[str]:
    """Yield each link of the pages that leads to no file, or to no place in a page."""
    for page in pages:
        for link in links(page):
            told = urlsplit(link)
            target = (page.parent / unquote(told.path)).resolve() if told.path else page
            if not target.is_file():
                yield f"{page.name}: {link!r} is no file"
            elif target.suffix == ".html" and not _has_place(target, unquote(told.fragment)):
                yield f"{page.name}: {link!r} is no place of {target.name}"


def _has_place(page: Path, place: str) -> bool:
    """Return whether a page has a place; without a name it is the page itself."""
    return not place or place in _read(page).places


def exhibits_without_ways(page: Path) -> Iterator[str]:
    """Yield each exhibit without a link to data or source, or whose source wrote no such data.

    The source is a row of a table of steps, of this page or another, whose last cell lists what the
    step wrote.
    """
    for name, exhibit in EXHIBIT.findall(page.read_text("utf-8")):
        ways = dict(reversed(way) for way in WAY.findall(exhibit))
        lacking = {"Data", "Source"} - ways.keys()
        if lacking:
            yield f"{page.name}: {name} has no {', no '.join(sorted(lacking))}"
            continue
        told = urlsplit(unescape(ways["Source"]))
        steps = (page.parent / unquote(told.path)).resolve() if told.path else page
        row = re.search(
            rf'<tr id="{re.escape(unquote(told.fragment))}".*?</tr>', steps.read_text("utf-8"), re.S
        )
        data = (page.parent / unquote(ways["Data"])).resolve()
        wrote = row[0].rpartition("<td")[2] if row else ""
        if not data.name.endswith(STEPS) and f"/{data.parent.name}/{data.name}" not in wrote:
            yield f"{page.name}: {name} comes from {told.fragment}, which did not write {data.name}"
