"""Which arms a row of the estimates compares."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

ARM = "treated[arm="


def lines_compared(lines: pd.DataFrame, term: str, terms: Iterable[str]) -> pd.DataFrame:
    """Return the lines without the arms whose effects are other terms of the model."""
    others = {other[len(ARM) : -1] for other in terms if other.startswith(ARM)}
    if term.startswith(ARM):
        return lines[~lines["arm"].isin(others - {term[len(ARM) : -1]})]
    return lines
