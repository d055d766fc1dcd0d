"""jsonschema, imported without the optional grammar that it would build first.

Where the package rfc3987_syntax is installed (Jupyter brings it), importing jsonschema compiles a
grammar of internationalised addresses, which takes seconds. No schema here has such a format, and
jsonschema does without the package where it is absent, so it is hidden during the import.
"""

from __future__ import annotations

import sys
from typing import Any


def _imported() -> Any:
    hidden = "rfc3987_syntax"
    known = sys.modules.get(hidden)
    sys.modules[hidden] = None  # type: ignore[assignment]
    try:
        from jsonschema import Draft202012Validator
    finally:
        del sys.modules[hidden]
        if known is not None:
            sys.modules[hidden] = known
    return Draft202012Validator


Validator: Any = _imported()
