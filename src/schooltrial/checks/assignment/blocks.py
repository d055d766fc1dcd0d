"""The recorded allocation, compared with the design block by block."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from schooltrial.checks.assignment.findings import ALL_ENTER, FAILED
from schooltrial.data.rows.ordering import places
from schooltrial.randomisation.plan import ALL
from schooltrial.wording import named


def assignment_check(
    assignment: pd.DataFrame, arms: Sequence[str], kind: str, units: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Count the units of each group in each block, and say whether the design allows it.

    Parameters
    ----------
    assignment : DataFrame
        One row per unit: ``arm`` and, unless the design is complete, ``block``.
    arms : sequence of str
        Names of the groups, control first; two or more.
    kind : {"complete", "blocked", "paired", "staggered"}
        The design.
    units : DataFrame, optional
        ``unit, block, verdict`` of every unit, from `verdict.verify_assignment`: a block
        with units that are not as they were drawn says so first.

    Returns
    -------
    DataFrame
        Columns ``block, n_units, n_<arm>…, treated_share, verdict``. ``n_units`` counts the units
        that were assigned, whatever they are, and ``treated_share`` those in any group but
        control. A block with a single group cannot inform an effect; one that lacks some arm
        informs those it has; in a paired design a set of another size than one unit per group is
        named. Where every unit of a staggered design enters, no block has a control group, and none
        is at fault.
    """
    blocks = assignment["block"] if "block" in assignment else pd.Series(ALL, assignment.index)
    counts = pd.crosstab(blocks, assignment["arm"]).reindex(columns=list(arms), fill_value=0)
    table = counts.add_prefix("n_").reset_index(names="block")
    table.insert(1, "n_units", counts.sum(axis=1).to_numpy())
    table["treated_share"] = (counts[list(arms[1:])].sum(axis=1) / counts.sum(axis=1)).to_numpy()
    if kind == "staggered" and not counts[arms[0]].any():
        table["verdict"] = ALL_ENTER
    else:
        table["verdict"] = [_verdict(row, arms, kind) for row in counts.to_numpy()]
    failed = {} if units is None else _failed(units)
    table["verdict"] = [
        f"not as drawn: {named(failed[str(block)])}; {told}" if str(block) in failed else told
        for block, told in zip(table["block"], table["verdict"], strict=True)
    ]
    table["_order"] = table["block"].astype("str").map(places(table["block"]))
    return table.sort_values("_order", ignore_index=True).drop(columns="_order")


def _failed(units: pd.DataFrame) -> dict[str, list[str]]:
    """Return the units of each block that are not as the design or the record says."""
    failed = units[(units["verdict"] == FAILED) & units["block"].notna()]
    return {str(name): list(rows["unit"].unique()) for name, rows in failed.groupby("block")}


def _verdict(counts: Sequence[int], arms: Sequence[str], kind: str) -> str:
    if sum(count > 0 for count in counts) < 2:
        return "one group only: does not contribute to the estimate"
    absent = [arm for arm, count in zip(arms, counts, strict=True) if count == 0]
    if absent:
        return f"no unit in {' and '.join(absent)}: contributes to the other comparisons only"
    if kind == "paired" and sum(counts) != len(arms):
        what = "a pair" if len(arms) == 2 else f"one of {len(arms)}"
        return f"a set of {sum(counts)} schools, not {what}"
    return "both groups present" if len(arms) == 2 else "all groups present"
