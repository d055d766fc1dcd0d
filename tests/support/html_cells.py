"""The cells of a table in HTML, row by row, as a reader sees them."""

from __future__ import annotations

import re
from html import unescape


def rows(page: str, part: str = "tbody") -> list[list[str]]:
    """Return the cells of every row of a part of the page's one table, of all groups of rows."""
    assert page.count("<table") == 1
    inside = "".join(re.findall(rf"<{part}>(.*?)</{part}>", page, re.DOTALL))
    return [
        [_plain(cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)]
        for row in re.findall(r"<tr.*?>(.*?)</tr>", inside, re.DOTALL)
    ]


def caption(page: str) -> str:
    """Return the title of the page's one table."""
    (title,) = re.findall(r"<caption[^>]*>(.*?)</caption>", page, re.DOTALL)
    return _plain(title)


def notes(page: str) -> list[str]:
    """Return the notes below the page's one table, the study's line last."""
    below = page.split("</table>")[1]
    return [_plain(note) for note in re.findall(r"<p>(.*?)</p>", below, re.DOTALL)]


def aligned_right(page: str) -> list[str]:
    """Return the column names whose headings stand to the right."""
    return [
        _plain(name)
        for name in re.findall(r'<th class="n" scope="col">(.*?)</th>', page, re.DOTALL)
    ]


def _plain(cell: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", cell)).replace("\u00a0", " ").strip()
