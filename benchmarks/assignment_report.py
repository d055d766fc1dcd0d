"""How often checks of the assignment err, as COVERAGE.md shows it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from benchmarks.coverage_table import rate

HONEST_LISTS, FORGED_LISTS = "honest lists", "forged lists"


AT_MOST = 0.05
"""Share of honest lists of a design that may be in doubt."""


def honest_table(table: pd.DataFrame) -> str:
    """Return by design the share of honest lists in doubt, and contradicted."""
    return _table(table[table["kind"] == "honest"], "design of the draw", by_order=True)


def forged_table(table: pd.DataFrame) -> str:
    """Return by kind of forgery the share of lists that are caught."""
    return _table(table[table["kind"] == "forged"], "what was done", by_order=False)


def doubted_designs(table: pd.DataFrame) -> pd.DataFrame:
    """Return the designs of which more honest lists are doubted, or any is contradicted.

    A design counts where even the lower end of the interval of its share lies above 5%.
    """
    honest = table[table["kind"] == "honest"].groupby("list")[["lists", "in_doubt", "contradicted"]]
    sums = honest.sum()
    low = [rate(_events(row["in_doubt"], row["lists"])).low for _, row in sums.iterrows()]
    return sums[(np.array(low) > AT_MOST) | (sums["contradicted"] > 0).to_numpy()]


def _table(rows: pd.DataFrame, head: str, *, by_order: bool) -> str:
    end = "in doubt, by order of the rows" if by_order else "missed"
    lines = [f"| {head} | lists | in doubt | contradicted | {end} |", "|---|---|---|---|---|"]
    for name, own in rows.groupby("list", sort=False):
        n, doubted = int(own["lists"].sum()), int(own["in_doubt"].sum())
        contradicted = int(own["contradicted"].sum())
        if by_order:
            last = ", ".join(
                f"{row.order} {row.in_doubt}" for row in own.itertuples() if row.in_doubt
            )
        else:
            last = _share(n - doubted - contradicted, n)
        cells = [str(name), f"{n:,}", _share(doubted, n), _share(contradicted, n), last]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _share(count: int, n: int) -> str:
    found = rate(_events(count, n))
    ends = [f"{max(end, 0.0):.3f}".removeprefix("0") for end in (found.low, found.high)]
    share = f"{found.share:.3f}"
    return f"{share.removeprefix('0') if count < n else '1'} ({ends[0]} to {ends[1]})"


def _events(count: int, n: int) -> np.ndarray:
    return np.repeat([1.0, 0.0], [int(count), int(n) - int(count)])
