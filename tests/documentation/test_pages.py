"""The pages of the project as HTML: every link has an end, and nothing is fetched."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from support.small_trial import ROOT
from support.workflow_tool import workflow_tool

TOOL = workflow_tool("build_pages")


class _Links(HTMLParser):
    """The links, what the page itself loads, and the anchors of a page."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.heads: list[int] = []
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if "id" in named:
            assert named["id"] not in self.anchors, f"{named['id']} is there twice"
            self.anchors.add(str(named["id"]))
        if tag == "a":
            self.links.append(str(named["href"]))
        if tag in ("img", "script", "iframe"):
            self.loaded.append(str(named["src"]))
        if tag == "link":
            self.loaded.append(str(named["href"]))
        if re.fullmatch("h[1-6]", tag):
            self.heads.append(int(tag[1]))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages") / "site"
    TOOL.build(folder)
    return folder


def test_every_page_of_docs_is_there_once_and_the_readme_is_the_first(site: Path) -> None:
    groups = TOOL.all_pages()
    sources = [page.source.as_posix() for pages in groups.values() for page in pages]
    assert len(sources) == len(set(sources))
    written = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert written <= set(sources)
    assert "trial in 15 lines" in (site / "index.html").read_text("utf-8")


def test_every_link_of_every_page_has_an_end(site: Path) -> None:
    pages = {path: _Links(path) for path in sorted(site.rglob("*.html"))}
    assert len(pages) > 15
    lost = []
    for path, found in pages.items():
        for link in (*found.links, *found.loaded):
            if TOOL.ELSEWHERE.match(link):
                continue
            name, _, section = link.partition("#")
            end = (path.parent / name).resolve() if name else path
            known = not section or (end in pages and section in pages[end].anchors)
            if end == site.resolve() / TOOL.API:
                continue  # written after these, as the test below says
            if not end.is_file() or not known:
                lost.append(f"{path.name}: {link}")
    assert lost == []


def test_the_pages_of_the_library_are_put_where_the_list_of_pages_looks_for_them() -> None:
    made = (ROOT / "Makefile").read_text("utf-8").split("\npages:")[1].split("\n\n")[0]
    assert made.index("build_pages.py") < made.index("write_api.py")
    tool = (ROOT / "workflow" / "write_api.py").read_text("utf-8")
    assert f"site/{TOOL.API.parent}" in tool


def test_a_page_loads_nothing_from_elsewhere(site: Path) -> None:
    loaded = [link for path in site.rglob("*.html") for link in _Links(path).loaded]
    assert loaded
    assert [link for link in loaded if TOOL.ELSEWHERE.match(link)] == []
    assert "url(" not in (site / "page.css").read_text("utf-8")


def test_no_link_leads_to_a_page_before_it_became_html(site: Path) -> None:
    links = [link for path in site.rglob("*.html") for link in _Links(path).links]
    assert [link for link in links if link.partition("#")[0].endswith(".md")] == []


def test_a_page_has_one_title_and_all_of_its_table_cells(site: Path) -> None:
    for path in site.rglob("*.html"):
        assert _Links(path).heads.count(1) == 1, path
    page = (site / "docs" / "glossary.html").read_text("utf-8")
    source = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    rows = [line for line in source.splitlines() if re.match(r"\| (?!term )\w", line)]
    assert page.count("<tr>") == len(rows) + page.count("<thead>")


def test_the_same_pages_give_the_same_bytes(site: Path, tmp_path: Path) -> None:
    TOOL.build(tmp_path / "site")
    files = [path.relative_to(site) for path in sorted(site.rglob("*")) if path.is_file()]
    assert files
    for name in files:
        assert (site / name).read_bytes() == (tmp_path / "site" / name).read_bytes(), name


def _project(folder: Path, text: str) -> Path:
    for names in TOOL.PAGES.values():
        for name in names:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("# A page\n", "utf-8")
    (folder / "docs" / "new.md").write_text(text, "utf-8")
    return folder


def test_a_new_page_is_listed_and_its_html_is_shown_as_text(tmp_path: Path) -> None:
    root = _project(tmp_path / "project", "# New `page`\n\n<b>bold</b> and [start](../README.md)\n")
    TOOL.build(tmp_path / "site", root)
    page = (tmp_path / "site" / "docs" / "new.html").read_text("utf-8")
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert 'and <a href="../index.html">start</a>' in page
    assert "New page" in (tmp_path / "site" / "index.html").read_text("utf-8")


def test_a_link_that_leads_nowhere_stops_the_build(tmp_path: Path) -> None:
    root = _project(tmp_path / "project", "# New\n\n[gone](gone.md)\n")
    with pytest.raises(ValueError, match=r"new\.md links to gone\.md, which is not there"):
        TOOL.build(tmp_path / "site", root)
