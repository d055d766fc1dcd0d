"""Names that look the same and are written with other characters."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

_LATIN = str.maketrans(
    # Cyrillic, then Greek letters that a reader cannot tell from Latin ones
    "\u0410\u0412\u0415\u0405\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0408\u0423"
    "\u0430\u0435\u0455\u043e\u0440\u0441\u0445\u0456\u0458\u0443"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf",
    "ABESKMHOPCTXIJYaesopcxijyABEZHIKMNOPTYXo",
)


def skeleton(name: str) -> str:
    """Return what a name looks like: without regard to how its characters are written.

    Compatible and composed forms are made one (normal form KC of Unicode), blanks are dropped, and
    Cyrillic and Greek capitals and letters of the form of Latin ones become these.
    """
    return "".join(unicodedata.normalize("NFKC", name).translate(_LATIN).split())


def look_alike(name: str, known: Iterable[str]) -> str | None:
    """Return the first of other names that looks the same as this one; None where there is none."""
    shape = skeleton(name)
    return next((other for other in known if other != name and skeleton(other) == shape), None)
