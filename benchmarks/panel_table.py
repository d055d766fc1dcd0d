"""The stored table of a panel's sizes, and which of them leave .03 to .07."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.panel_runs import Tally
from benchmarks.panel_trials import Scenario

LOW, HIGH = 0.03, 0.07
SINGLE_PANELS = 1_000  # from which single rows are held against the band
SCENARIO = ["design", "controls", "errors", "spread", "correlation", "effects", "setting",
            "method"]  # fmt: skip


def size_rows(scenario: Scenario, tallies: Sequence[Tally]) -> list[dict[str, Any]]:
    """Return a line for each rule, truth and kind of row.

    Columns
    -------
    rows, panels : rows of the kind; panels simulated.
    answered : share of panels in which the rows have a test.
    rejected, lowest, highest : share rejected among those, mean and extremes of the rows.
    lowest_row, highest_row : which these are.
    mc_error : Monte Carlo standard error of one row's share, at its mean.
    df : mean over rows of the median degrees of freedom.
    """
    rows = []
    told = pd.DataFrame(tallies)
    for (rule, truth, kind), same in told.groupby(["rule", "truth", "kind"], sort=False):
        answered = same[same["panels"] > 0]
        share = (answered["rejected"] / answered["panels"]).to_numpy(dtype=float)
        asked = int(same["asked"].max())
        line = {
            "design": scenario.design.name,
            "controls": scenario.design.comparison_group,
            "errors": scenario.errors,
            "spread": scenario.spread,
            "correlation": scenario.correlation,
            "effects": scenario.effects,
            "setting": scenario.setting,
            "method": scenario.method,
            "rule": rule,
            "truth": truth,
            "kind": kind,
            "rows": len(same),
            "panels": asked,
            "answered": float(same["panels"].mean()) / max(asked, 1),
        }
        if len(share):
            p, n = float(share.mean()), float(answered["panels"].mean())
            low, high = int(share.argmin()), int(share.argmax())
            line |= {
                "rejected": p,
                "lowest": float(share[low]),
                "lowest_row": answered["term"].iloc[low],
                "highest": float(share[high]),
                "highest_row": answered["term"].iloc[high],
                "mc_error": float(np.sqrt(max(p * (1 - p), 0.0475 * 0.05) / n)),
                "df": float(answered["df"].mean()),
            }
        rows.append(line)
    return rows


def size_table(runs: Iterable[tuple[Scenario, Sequence[Tally]]]) -> pd.DataFrame:
    """Return the lines of all scenarios."""
    return pd.DataFrame([row for run in runs for row in size_rows(*run)])


def leaves_band(row: pd.Series) -> bool:
    """Return whether a line leaves .03 to .07: by a single row, or by its mean with few panels.

    With a few hundred panels some single rows of thirty leave the band by chance.
    """
    if row["answered"] == 0:
        return False
    alone = row["panels"] >= SINGLE_PANELS
    low, high = (row["lowest"], row["highest"]) if alone else (row["rejected"], row["rejected"])
    return bool(low < LOW or high > HIGH)


def outside(table: pd.DataFrame) -> pd.DataFrame:
    """Return the lines that are told to users (``rule``) and leave .03 to .07.

    Two are left out: the effect of the schools at hand, since where effects differ the interval is
    meant for the schools that these could be, and is too wide; and districts that are ignored.
    """
    told = table[(table["rule"] == "rule") & (table["truth"] != "effect of these schools")]
    told = told[told["setting"] != "districts ignored"]
    return told[[leaves_band(row) for _, row in told.iterrows()]]
