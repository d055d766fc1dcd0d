"""A drawing in SVG with as few bytes as show the same: pages hold a dozen of them."""

from __future__ import annotations

import re
from hashlib import sha256

DECIMALS = 2
"""Of coordinates in points: a hundredth is a thirtieth of a dot in print."""

OWN = b"font-family: 'DejaVu Sans'"
"""The font of the house, as every text names it."""

FAMILY = OWN + b", Verdana, sans-serif"
"""It, once for the whole drawing, with one of the same widths for machines that lack it."""

PROLOGUE = re.compile(rb"<!DOCTYPE.*?>\s*|<metadata>.*?</metadata>\s*|<!--.*?-->\s*", re.S)

TAG = re.compile(rb"<[^<>]+>")

NUMBER = re.compile(rb"(?<![#\w.])-?\d+\.\d+(?![\w.])")

COORDINATES = re.compile(rb'(?<= )(d|x|y|width|height|transform)="([^"]*)"')

NO_TURN = re.compile(rb' transform="rotate\(-?0 [^)]*\)"')

MARKS = re.compile(rb"<g((?: [^<>]*)?)>\s*((?:<use [^<>]*/>\s*){2,})</g>")

DEFINED = re.compile(rb'<(path|clipPath) id="(\w+)"([^<>]*/>|[^<>]*>.*?</clipPath>)', re.S)
"""Marks, and the frames at which drawings are cut."""

NAME = re.compile(rb'(<(?:path|clipPath) id="|xlink:href="#|url\(#)(\w+)')
"""Where they have their name, and where they are used."""

RECTANGLE = re.compile(rb"M(-?[\d.]+) (-?[\d.]+)L(-?[\d.]+) \2L\3 (-?[\d.]+)L\1 \4(?:L\1 \2)?z")
"""A rectangle by its corners, as rounded."""

STYLE = re.compile(rb' style="([^"]*)"')

OF_EACH = re.compile(rb"(?:^|; )opacity:")
"""What a group would have as one: where its marks cover one another, it would look otherwise."""


def compact(svg: bytes) -> bytes:
    """Return the same drawing with rounded coordinates, shared styles and no notes.

    Words stay as they are, to the letter: only what stands inside tags is changed.

    Parameters
    ----------
    svg : bytes
        As Matplotlib writes it, with words as words.
    """
    svg = PROLOGUE.sub(b"", svg)
    svg = TAG.sub(lambda tag: _shorter(tag[0]), svg)
    svg = MARKS.sub(_with_shared_style, svg)
    svg = _named_by_content(re.sub(rb">\s*\n\s*<", b">\n<", svg))
    return svg.replace(b"<svg ", b'<svg style="' + FAMILY + b'" ', 1)


def _named_by_content(svg: bytes) -> bytes:
    """Name what is defined once and used by its name after its content, as rounded.

    Matplotlib names it after coordinates that are not, and that differ in the last of their
    digits between machines, and where a figure is drawn again.
    """
    names: dict[bytes, bytes] = {}
    for kind, name, content in DEFINED.findall(svg):
        own = kind[:1] + sha256(content).hexdigest()[:10].encode()
        names[name] = own if own not in names.values() else name
    return NAME.sub(lambda found: found[1] + names.get(found[2], found[2]), svg)


def _shorter(tag: bytes) -> bytes:
    """Return a tag whose coordinates are rounded, without what it need not say."""
    if tag.startswith(b"<g id="):
        tag = re.sub(rb'^<g id="[^"]*"', b"<g", tag)
    tag = NO_TURN.sub(b"", COORDINATES.sub(_rounded, tag))
    return tag.replace(OWN + b"; ", b"").replace(b"; " + OWN, b"")


def _rounded(found: re.Match[bytes]) -> bytes:
    value = NUMBER.sub(lambda number: _short(number[0]), found[2])
    if found[1] == b"d":
        value = re.sub(rb"\s*([A-Za-z])\s*", rb"\1", value)
        value = RECTANGLE.sub(rb"M\1 \2H\3V\4H\1z", value)
    return b'%s="%s"' % (found[1], value)


def _short(number: bytes) -> bytes:
    text = f"{float(number):.{DECIMALS}f}".rstrip("0").rstrip(".")
    return (text if text not in ("-0", "") else "0").encode()


def _with_shared_style(found: re.Match[bytes]) -> bytes:
    """Return a group of marks that bears their style, where it is that of all."""
    styles = set(STYLE.findall(found[2]))
    if len(styles) != 1 or b"style=" in found[1]:
        return found[0]
    (style,) = styles
    if OF_EACH.search(style):
        return found[0]
    return b'<g%s style="%s">%s</g>' % (found[1], style, STYLE.sub(b"", found[2]))
