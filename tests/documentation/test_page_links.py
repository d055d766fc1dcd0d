"""Claims about how tests follow the links of pages."""

from __future__ import annotations

from pathlib import Path

from support.page_links import broken_links, links


def test_links_to_no_file_and_to_no_place_are_found_and_no_others(tmp_path: Path) -> None:
    page, other = tmp_path / "page.html", tmp_path / "other.html"
    other.write_text('<p id="here">x</p>', encoding="utf-8")
    page.write_text(
        '<a href="other.html">1</a><a href="other.html#here">2</a><a href="#top">3</a>'
        '<a href="https://example.org/gone">4</a><img src="data:image/png;base64,AA==">'
        '<h1 id="top">5</h1><a href="other.html#gone">6</a><img src="gone.png"><a href="#no">7</a>',
        encoding="utf-8",
    )
    assert len(links(page)) == 6
    assert list(broken_links([page, other])) == [
        "page.html: 'other.html#gone' is no place of other.html",
        "page.html: 'gone.png' is no file",
        "page.html: '#no' is no place of page.html",
    ]
