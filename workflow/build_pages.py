"""Build the pages of the project as a folder of HTML: ``make pages`` writes ``site/``.

Every page of text becomes a page of HTML in the style of the reports. Links between pages lead to
the HTML, links to code and data to a copy of the file, so that the folder needs no network and
can be put on any server. A link that leads nowhere stops the build.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import mistune
from markupsafe import Markup, escape

ROOT = Path(__file__).parents[1]
SITE = ROOT / "site"

PAGES = {
    "Start": (
        "README.md", "docs/index.md", "docs/tutorial.md", "docs/command.md",
        "examples/tutorial/README.md", "examples/minimal/README.md", "docs/pipeline.md", "docs/exhibits.md",
        "docs/columns.md",
    ),
    "How to": (
        "docs/how-to/my-files.md", "docs/how-to/draw-an-assignment.md",
        "docs/how-to/several-groups.md", "docs/how-to/pupils-in-schools.md",
        "docs/how-to/staggered-roll-out.md", "docs/how-to/published-rates.md",
        "docs/how-to/costs.md", "docs/how-to/blinding.md", "docs/how-to/secure-room.md",
        "docs/how-to/cluster.md",
    ),
    "Write a protocol": (
        "docs/reading-files.md", "docs/designs.md", "docs/variables-and-outcomes.md",
        "docs/models.md", "docs/panels.md", "config/README.md", "docs/migrating.md",
    ),
    "Run a trial": ("docs/randomisation.md", "docs/monitoring.md", "docs/refusals.md"),
    "Trust the numbers": (
        "docs/methods.md", "docs/reproducibility.md", "docs/standards.md", "benchmarks/COVERAGE.md",
        "benchmarks/README.md", "docs/glossary.md",
    ),
    "Build on it": ("docs/library.md", "CONTRIBUTING.md", "CHANGELOG.md"),
}  # fmt: skip
"""Heading in the list of pages → its pages; pages of ``docs`` that are not listed come last."""

OTHERS = "More"
API = Path("api/schooltrial.html")
"""The first of the pages that ``write_api.py`` puts into the site after these."""
PICTURES = (".png", ".svg", ".jpg")
SHOWN_BY_BROWSERS = (".html", ".pdf", ".txt", *PICTURES)
ELSEWHERE = re.compile(r"^(?:https?:|mailto:)")
COMMENT = re.compile(r"<!--.*?-->\n?", re.S)
CODE = re.compile(r"`([^`]*)`")
STYLE = """pre.message { white-space: pre-wrap; }
.pages { font-size: .92rem; border: solid var(--line); border-width: 1px 0; padding: .6rem 0; }
.pages summary { font-weight: bold; }
.pages div { columns: 16rem; } .pages section { break-inside: avoid; } .pages ul { border: 0; padding: 0 0 .4rem 1.2rem; columns: auto; margin: 0; }
.pages h2 { font-size: .95rem; border: 0; margin: .3rem 0; }
main img { max-width: 100%; height: auto; border: 1px solid var(--line); background: #ffffff; }
@media print { .pages { display: none; } }
"""


@dataclass(frozen=True)
class Page:
    """A page of text.

    Attributes
    ----------
    source : Path
        Its file, relative to the project's folder.
    title : str
        Its first heading.
    """

    source: Path
    title: str

    @property
    def html(self) -> Path:
        """Its file in the site; the README of the project is the first page."""
        if self.source == Path("README.md"):
            return Path("index.html")
        return self.source.with_suffix(".html")


def anchor(heading: str) -> str:
    """Return the anchor of a heading, as GitHub makes it from the text."""
    plain = re.sub(r"[^\w\- ]", "", CODE.sub(r"\1", heading).strip().lower())
    return plain.replace(" ", "-")


def all_pages(root: Path = ROOT) -> dict[str, list[Page]]:
    """Return heading → pages, in the order in which the list of pages shows them."""
    found = {head: [_page(root, Path(name)) for name in names] for head, names in PAGES.items()}
    listed = {page.source for pages in found.values() for page in pages}
    rest = sorted(path.relative_to(root) for path in (root / "docs").rglob("*.md"))
    others = [_page(root, path) for path in rest if path not in listed]
    return found | ({OTHERS: others} if others else {})


def _page(root: Path, source: Path) -> Page:
    head = re.search(r"^# (.+)$", (root / source).read_text("utf-8"), re.M)
    if head is None:
        raise ValueError(f"{source} has no heading")
    return Page(source, CODE.sub(r"\1", head.group(1)))


class Renderer(mistune.HTMLRenderer):
    """The text of one page as HTML.

    Parameters
    ----------
    page : Page
        The page.
    pages : dict
        Source → page, of all pages.
    """

    def __init__(self, page: Page, pages: dict[Path, Page], root: Path = ROOT) -> None:
        super().__init__(escape=True)
        self.page, self.pages, self.root = page, pages, root
        self.copied: set[Path] = set()
        self.heads: list[tuple[int, str, str]] = []
        self.n_tables = 0

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        """Return a heading with its anchor."""
        name = anchor(Markup(text).striptags())
        self.heads.append((level, name, text))
        return f'<h{level} id="{name}">{text}</h{level}>\n'

    def block_code(self, code: str, info: str | None = None) -> str:
        """Return a block of code, which a keyboard can scroll."""
        kind = ' class="message"' if info == "text" else ""
        return f'<pre tabindex="0"{kind}><code>{escape(code)}</code></pre>\n'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """Return a link, to the HTML of a page or the copy of a file."""
        return str(Markup('<a href="{}">{}</a>').format(self.address(url), Markup(text)))

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Return a picture, which is copied into the site."""
        return str(Markup('<img src="{}" alt="{}">').format(self.address(url), text))

    def table(self, text: str) -> str:
        """Return a table that scrolls by itself where the screen is narrow."""
        self.n_tables += 1
        name = escape(Markup(self.heads[-1][2]).striptags() if self.heads else self.page.title)
        return (
            f'<div class="wide" tabindex="0" role="region" aria-label="Table {self.n_tables}: {name}">\n'
            f'<table class="plain">\n{text}</table>\n</div>\n'
        )

    def table_cell(self, text: str, align: str | None = None, head: bool = False) -> str:
        """Return a cell; the head of an empty column is an empty cell."""
        kind = "th" if head and text.strip() else "td"
        scope = ' scope="col"' if kind == "th" else ""
        number = ' class="n"' if align == "right" else ""
        return f"<{kind}{scope}{number}>{text}</{kind}>\n"

    def address(self, url: str) -> str:
        """Return what a link of the page's text leads to in the site.

        Raises
        ------
        ValueError
            If it leads nowhere.
        """
        if ELSEWHERE.match(url) or url.startswith("#"):
            return url
        name, _, section = url.partition("#")
        target = Path(os.path.normpath(self.page.source.parent / name))
        if target in self.pages:
            found = self.pages[target].html
        elif (self.root / target).is_file():
            self.copied.add(target)
            found = copy_of(target)
        else:
            raise ValueError(f"{self.page.source} links to {url}, which is not there")
        way = Path(os.path.relpath(found, self.page.html.parent)).as_posix()
        return f"{way}#{section}" if section else way


def copy_of(target: Path) -> Path:
    """Return where a file lies in the site: as text, unless browsers show its kind."""
    shown = target.suffix in SHOWN_BY_BROWSERS
    return target if shown else target.with_name(f"{target.name}.txt")


def _list_of_pages(page: Page, groups: dict[str, list[Page]]) -> Iterator[Markup]:
    yield Markup(
        '<nav class="pages" aria-label="Pages">\n<details>\n<summary>All pages</summary>\n<div>\n'
    )
    for head, pages in groups.items():
        yield Markup("<section>\n<h2>{}</h2>\n<ul>\n").format(head)
        for other in pages:
            way = Path(os.path.relpath(other.html, page.html.parent)).as_posix()
            here = Markup(' aria-current="page"') if other == page else ""
            yield Markup('<li><a href="{}"{}>{}</a></li>\n').format(way, here, other.title)
        if head == "Build on it":
            way = Path(os.path.relpath(API, page.html.parent)).as_posix()
            yield Markup('<li><a href="{}">The library, name by name</a></li>\n').format(way)
        yield Markup("</ul>\n</section>\n")
    yield Markup("</div>\n</details>\n</nav>\n")


def page_of(page: Page, groups: dict[str, list[Page]], root: Path = ROOT) -> tuple[str, set[Path]]:
    """Return the HTML of a page, and the files that it links to."""
    renderer = Renderer(page, {one.source: one for pages in groups.values() for one in pages}, root)
    markdown = mistune.create_markdown(renderer=renderer, plugins=["table", "strikethrough"])
    text = COMMENT.sub("", (root / page.source).read_text("utf-8"))
    body = Markup(markdown(text))
    style = os.path.relpath("page.css", page.html.parent)
    sections = [(name, text) for level, name, text in renderer.heads if level == 2]
    contents = Markup("").join(
        Markup('<li><a href="#{}">{}</a></li>\n').format(name, Markup(text))
        for name, text in sections
    )
    inside = (
        Markup('<nav aria-label="On this page">\n<ul>\n{}</ul>\n</nav>\n').format(contents)
        if len(sections) > 3
        else ""
    )
    head, end, after = body.partition("</h1>\n")
    return str(
        Markup(
            '<!DOCTYPE html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<title>{}</title>\n<link rel="stylesheet" href="{}">\n</head>\n<body>\n'
            '<a class="skip" href="#content">Skip to the content</a>\n'
            '<header>\n<p class="kind">schooltrial</p>\n{}</header>\n'
            '<main id="content">\n{}{}{}</main>\n</body>\n</html>\n'
        ).format(
            f"{page.title}: schooltrial", style, Markup("").join(_list_of_pages(page, groups)),
            Markup(head + end), inside, Markup(after),
        )
    ), renderer.copied  # fmt: skip


def build(site: Path, root: Path = ROOT) -> list[Path]:
    """Write the site into a folder, in place of what it held, and return its pages."""
    if site.exists():
        shutil.rmtree(site)
    groups = all_pages(root)
    made = []
    for page in (one for pages in groups.values() for one in pages):
        text, linked = page_of(page, groups, root)
        path = site / page.html
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="\n")
        made.append(path)
        for target in sorted(linked):
            copy = site / copy_of(target)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / target, copy)
    style = files("schooltrial.document.formats").joinpath("page.css").read_text("utf-8")
    (site / "page.css").write_text(style + STYLE, "utf-8", newline="\n")
    return made


def main(arguments: list[str]) -> int:
    """Build the site; the folder is an argument, or ``site``."""
    site = Path(arguments[0]) if arguments else SITE
    print(f"{len(build(site))} pages: {site / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
