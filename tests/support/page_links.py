"""The links of pages, followed as a browser would that opened them from a folder."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LINKS = ("href", "src", "data", "poster", "xlink:href")


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
