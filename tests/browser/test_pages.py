"""Pages as people see them: accessible, in light and dark, on a phone, and printed whole.

Every page of every study that was built is opened in a real Chromium; run by `make test-browser`.
"""

from __future__ import annotations

import unicodedata
from io import BytesIO
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from pypdf import PdfReader

from browser.conftest import KINDS, Show

PHONE = 390
PAPER = {"A4": 210, "Letter": 216}
"""Name of a sheet → its width, in millimetres."""

MARGIN = 14
PIXELS = 96 / 25.4

OVERRUNNING = """() => [...document.querySelectorAll('body *')].filter(one => {
  const boxed = ['auto', 'scroll', 'hidden', 'clip'];
  for (let box = one.parentElement; box; box = box.parentElement)
    if (boxed.includes(getComputedStyle(box).overflowX)) return false;
  return one.getBoundingClientRect().right > document.documentElement.clientWidth + 1;
}).map(one => one.tagName + '.' + one.className + ': ' + one.textContent.slice(0, 60))"""
"""What runs over the right edge of the page and is in no box that scrolls."""

CUT = """() => [...document.querySelectorAll('.wide, pre')].filter(
  one => one.scrollWidth > one.clientWidth + 1).map(one => one.textContent.trim().slice(0, 60))"""
"""Boxes that do not show all that is in them."""

WORDS = """() => {
  document.querySelectorAll('details').forEach(one => one.open = true);
  const unseen = [...document.querySelectorAll('.skip, nav, .unseen, details.screen')];
  unseen.forEach(one => one.remove());
  return document.body.innerText;
}"""
"""Every word of a page but what is of no use on paper, and what captions or figures say again."""


def failures(violations: list[dict[str, Any]]) -> list[str]:
    return [
        f"{one['id']}: {one['help']}: {[node['html'][:160] for node in one['nodes'][:3]]}"
        for one in violations
    ]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_no_violation(show: Show, kind: str, *, dark: bool) -> None:
    found = {}
    for shown in show(kind, dark=dark):
        shown.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        told = failures(Axe().run(shown.page).response["violations"])
        if told:
            found[shown.name] = told
    assert not found


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_asks_for_nothing_but_itself(show: Show, kind: str) -> None:
    for shown in show(kind):
        others = [url for url in shown.asked[1:] if not url.startswith(("data:", "blob:"))]
        assert not others, shown.name
        assert not shown.page.evaluate("document.scripts.length"), f"{shown.name} runs scripts"


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_fits_a_phone(show: Show, kind: str) -> None:
    for shown in show(kind, width=PHONE):
        shown.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert shown.page.evaluate(OVERRUNNING) == [], shown.name
        assert shown.page.evaluate("document.documentElement.scrollWidth") <= PHONE, shown.name


def test_the_primary_outcomes_are_all_in_sight_on_a_phone(show: Show) -> None:
    for shown in show("report", width=PHONE):
        boxes = shown.page.locator(".wide:has(table.stacked)").all()
        cut = [box for box in boxes if box.evaluate("it => it.scrollWidth > it.clientWidth")]
        seen = shown.page.locator("table.stacked td[data-label]").all()
        assert boxes, shown.name
        assert seen, shown.name
        assert not cut, shown.name
        assert all(cell.is_visible() for cell in seen), shown.name


@pytest.mark.parametrize("paper", PAPER)
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_cut_at_the_edge_of_a_sheet(show: Show, kind: str, paper: str) -> None:
    width = int((PAPER[paper] - 2 * MARGIN) * PIXELS)
    for shown in show(kind, width=width):
        shown.page.emulate_media(media="print")
        assert shown.page.evaluate(OVERRUNNING) == [], shown.name
        assert shown.page.evaluate(CUT) == [], shown.name


@pytest.mark.parametrize("paper", PAPER)
@pytest.mark.parametrize("kind", KINDS)
def test_print_holds_every_word_of_the_page_also_of_closed_sections(
    show: Show, kind: str, paper: str
) -> None:
    for shown in show(kind):
        printed = shown.page.pdf(format=paper, prefer_css_page_size=False)
        sheets = PdfReader(BytesIO(printed)).pages
        paper_text = squeezed("".join(sheet.extract_text() for sheet in sheets))
        words = shown.page.evaluate(WORDS)
        missing = [
            word for word in dict.fromkeys(words.split()) if squeezed(word) not in paper_text
        ]
        assert missing == [], shown.name
        assert len(paper_text) >= 0.99 * len(squeezed(words)), shown.name
        if kind == "summary":
            assert len(sheets) == 1, f"{shown.name} takes {len(sheets)} sheets of {paper}"


def squeezed(text: str) -> str:
    """Return a text without spaces and accents, ligatures being letters.

    Some fonts name no letter for an accent: what is read of it is a null.
    """
    letters = unicodedata.normalize("NFKD", text)
    return "".join(
        letter for letter in letters if letter.isprintable() and not letter.isspace()
        and not unicodedata.combining(letter)
    )  # fmt: skip
