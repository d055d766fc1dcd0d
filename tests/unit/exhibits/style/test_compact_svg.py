"""Small drawings: fewer bytes that show the same, with every word as it was."""

from __future__ import annotations

import re

import numpy as np
from matplotlib.figure import Figure

from schooltrial.exhibits.style.compact_svg import compact
from schooltrial.exhibits.style.figures import new_figure, rendered, styled


@styled
def _dots(alpha: float = 1.0) -> Figure:
    figure, (panel,) = new_figure(2.0)
    x = np.linspace(0.1234567, 0.7654321, 300)
    panel.plot(x, x**2, "o", ms=3, mfc="none", alpha=alpha)
    panel.set_title("From 0.123456 to 0.765432 <b> & 'DejaVu Sans'")
    return figure


def test_coordinates_have_two_decimals_and_words_keep_all_of_theirs() -> None:
    svg = rendered(_dots(), ["svg"])["svg"].decode()
    places = [n for kind in ("x", "y", "d") for n in re.findall(rf' {kind}="([^"]*)"', svg)]
    assert not [place for place in places if re.search(r"\.\d{3}", place)]
    assert "From 0.123456 to 0.765432 &lt;b&gt; &amp; 'DejaVu Sans'</text>" in svg


def test_marks_of_one_look_share_a_style_unless_they_are_seen_through() -> None:
    def marks(svg: str) -> list[str]:
        (group,) = re.findall(r"<g[^<>]*>(?:<use [^<>]*/>\s*){300}</g>", svg)
        return re.findall(r"<use [^<>]*/>", group)

    shared = rendered(_dots(), ["svg"])["svg"].decode()
    assert not [mark for mark in marks(shared) if "style" in mark]
    assert len(shared) / 300 < 75  # bytes of a mark, and of all around it
    seen_through = compact(
        b'<svg ><g clip-path="url(#p)"><use x="1" style="opacity: 0.5"/>'
        b'<use x="2" style="opacity: 0.5"/></g></svg>'
    )
    assert seen_through.count(b"opacity") == 2


def test_the_font_and_one_for_machines_that_lack_it_are_named_once() -> None:
    svg = rendered(_dots(), ["svg"])["svg"]
    assert svg.count(b"font-family: 'DejaVu Sans', Verdana, sans-serif") == 1
    assert svg.count(b"font-family") == 1


def test_marks_and_frames_are_named_after_what_they_are_as_rounded() -> None:
    def drawing(name: str, x: str) -> bytes:
        svg = (
            f'<svg ><defs><path id="m{name}" d="M 0 {x} L 1 1"/>'
            f'<clipPath id="p{name}"><rect x="{x}" y="0" width="1" height="1"/></clipPath></defs>'
            f'<g clip-path="url(#p{name})"><use xlink:href="#m{name}" x="1" y="1"/></g></svg>'
        )
        return compact(svg.encode())

    first = drawing("0123456789", "2.0000001")
    assert drawing("abcdef0123", "1.9999999") == first
    assert drawing("abcdef0123", "2.5") != first
    for mark in (b"<path ", b"<clipPath "):
        name = first.split(mark + b'id="')[1].split(b'"')[0]
        assert first.count(name) == 2  # where it is defined, and where it is used


def test_marks_that_differ_in_style_keep_it_each() -> None:
    told = b'<svg ><g><use x="1" style="fill: red"/><use x="2" style="fill: blue"/></g></svg>'
    assert compact(told).count(b"<use") == compact(told).count(b'style="fill') == 2
