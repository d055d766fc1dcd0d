"""The recorded assignment, held against the design."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd


def assignment_check(assignment: pd.DataFrame, arms: Sequence[str], kind: str) -> pd.DataFrame:
    """Count the schools of each arm in each block, and say whether the design allows it.

    Parameters
    ----------
    assignment : DataFrame
        One row per school: ``school``, ``arm`` and, unless the design is complete, ``block``.
    arms : sequence of str
        Names of the arms, control first.
    kind : {"complete", "blocked", "paired"}
        The design.

    Returns
    -------
    DataFrame
        Columns ``block, n_schools, n_<arm>…, share_treated, verdict``. A block that lacks an arm
        cannot inform the effect; in a paired design a set of another size than two is named.
    """
    blocks = (
        assignment["block"] if "block" in assignment else pd.Series("all schools", assignment.index)
    )
    counts = pd.crosstab(blocks, assignment["arm"]).reindex(columns=list(arms), fill_value=0)
    table = counts.add_prefix("n_").reset_index(names="block")
    table.insert(1, "n_schools", counts.sum(axis=1).to_numpy())
    table["share_treated"] = (counts[arms[1]] / counts.sum(axis=1)).to_numpy()
    table["verdict"] = [_verdict(row, kind) for row in counts.to_numpy()]
    table["_order"] = pd.to_numeric(table["block"], errors="coerce")
    return table.sort_values(["_order", "block"], ignore_index=True).drop(columns="_order")


def _verdict(counts: Sequence[int], kind: str) -> str:
    if min(counts) == 0:
        return "one arm only: the block does not inform the effect"
    if kind == "paired" and sum(counts) != 2:
        return f"a set of {sum(counts)} schools, not a pair"
    return "both arms present"
