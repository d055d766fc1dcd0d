"""What the pages of the repository point to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "config/README.md"),
    *("benchmarks/README.md", "benchmarks/COVERAGE.md"),
    *sorted(
        path.relative_to(ROOT).as_posix()
        for folder in ("docs", "examples")
        for path in (ROOT / folder).rglob("*.md")
    ),
]
ANCHOR = re.compile(r"\]\(([^)#:]*)#([^)]+)\)")


def _anchors(page: Path) -> set[str]:
    """Return the anchors that a page's headings have on GitHub."""
    heads = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.M)
    plain = (re.sub(r"[^\w\- ]", "", head.strip().lower()) for head in heads)
    return {head.replace(" ", "-") for head in plain}


@pytest.mark.parametrize("page", PAGES)
def test_every_relative_link_of_a_page_leads_to_a_file(page: str) -> None:
    path = ROOT / page
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text("utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_link_to_a_section_leads_to_a_heading(page: str) -> None:
    path = ROOT / page
    links = ANCHOR.findall(path.read_text("utf-8"))
    lost = [
        f"{name}#{anchor}"
        for name, anchor in links
        if anchor not in _anchors(path.parent / name if name else path)
    ]
    assert lost == []
