"""jsonschema as protocols need it: strict about whole numbers, days and the end of a text.

Where the package rfc3987_syntax is installed (Jupyter brings it), importing jsonschema compiles a
grammar of internationalised addresses, which takes seconds. No schema here has such a format, and
jsonschema does without the package where it is absent, so it is hidden during the import.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import date
from typing import Any

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _imported() -> Any:
    hidden = "rfc3987_syntax"
    known = sys.modules.get(hidden)
    sys.modules[hidden] = None  # type: ignore[assignment]
    try:
        import jsonschema
    finally:
        del sys.modules[hidden]
        if known is not None:
            sys.modules[hidden] = known
    return jsonschema


def is_day(value: Any) -> bool:
    """Return whether a text is a day that exists, as YYYY-MM-DD; another type is no matter here."""
    if not isinstance(value, str):
        return True
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return DAY.fullmatch(value) is not None  # there are other ISO forms


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[Any]:
    """Yield an error where a text does not match; `$` is its very end, as ECMA has it.

    Python lets `$` match before a newline that ends a text.
    """
    if isinstance(instance, str) and not re.search(pattern.replace("$", r"\Z"), instance):
        yield _LIBRARY.ValidationError(f"{instance!r} does not match {pattern!r}")


def _strict() -> Any:
    drafted = _LIBRARY.Draft202012Validator
    whole = drafted.TYPE_CHECKER.redefine(
        "integer", lambda checker, value: isinstance(value, int) and not isinstance(value, bool)
    )
    formats = _LIBRARY.FormatChecker(())
    formats.checks("date")(is_day)
    formats.checks("date-or-empty")(lambda value: value == "" or is_day(value))
    extended = _LIBRARY.validators.extend(drafted, {"pattern": _pattern}, type_checker=whole)
    return lambda schema: extended(schema, format_checker=formats)


_LIBRARY = _imported()


Validator: Any = _strict()
