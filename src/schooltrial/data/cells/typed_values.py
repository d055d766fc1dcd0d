"""The text of cells held as numbers, dates or something else; files that cannot be read."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from schooltrial.refusal import Fault, Refusal

WHOLE_BELOW = 2.0**53
"""A double holds every whole number below this."""


EXACT_BELOW = {"float16": 2**11, "float32": 2**24, "float64": 2**53}
"""Type → number below which every whole number is exact."""


def shown(value: Any) -> str:
    """Return the text of a value: a whole number without a point, a date as YYYY-MM-DD."""
    if type(value) is str:
        return value
    if type(value) is float and value.is_integer() and abs(value) < WHOLE_BELOW:
        return str(int(value))
    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, bool | np.bool_):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT_BELOW["float64"]:
        return str(int(value))
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    return str(value)


def no_rows(file: str) -> Fault:
    """Return the fault of a file that holds nothing below its header."""
    return Fault(
        file,
        "the file has no data rows",
        "a header and data rows",
        "export the file again, with all rows",
    )


PANIC = "PanicException"
"""How a reader that is written in Rust breaks down; no exception, so that it is not caught."""


@contextmanager
def readable(path: Path, what: str) -> Iterator[None]:
    """Turn whatever a library raises on a broken file into a refusal."""
    try:
        yield
    except Refusal:
        raise
    except ImportError as error:
        found = f"a Python package is missing: {error}"
        raise Refusal([Fault(path.name, found, what, "install it, or save as CSV")]) from error
    except BaseException as error:  # the libraries raise errors of many kinds, of their own too
        if not isinstance(error, Exception) and type(error).__name__ != PANIC:
            raise
        reason = str(error).strip().splitlines() or [type(error).__name__]
        found = f"not readable as {what} ({reason[0][:120]})"
        remedy = "export or download the file again; if it is text, rename it to .csv"
        raise Refusal([Fault(path.name, found, what, remedy)]) from error
