"""Names of the protocol in running text, which the library writes between backticks, as code."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

BETWEEN_BACKTICKS = re.compile(r"`([^`\n]+)`")


def with_code(text: object) -> Markup:
    """Return a text for a page: what is between backticks as code; markup stays what it is."""
    if hasattr(text, "__html__"):
        return escape(text)
    return Markup(BETWEEN_BACKTICKS.sub(r"<code>\1</code>", str(escape(text))))
