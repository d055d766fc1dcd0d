"""Whether a roll-out has the power that is stated of it: an effect of the size seen in 80%."""

from __future__ import annotations

import numpy as np
import pandas as pd
from benchmarks.coverage_report import _line, _share
from benchmarks.panel_batch import Rows, moments_of, t_rejects
from benchmarks.panel_runs import by_rule, rows_of_design
from benchmarks.panel_trials import DESIGNS, YEARS, Scenario, panel_stream, simulate_panels

from schooltrial.models.power.staggered import staggered_precision

STATED = 0.8
PART = 500


def power_rows(panels: int) -> pd.DataFrame:
    """Return the stated and the simulated power of the overall effect, by design.

    A row moves with a homogeneous effect by just that effect, which is added to the estimate.
    """
    rows = []
    for scenario in (Scenario(d, correlation=c) for d in DESIGNS[:5] for c in (0.0, 0.5)):
        design = scenario.design
        precision = staggered_precision(
            dict(zip(design.first_years, design.cohorts, strict=True)), design.never, YEARS,
            year_variance=1.0, correlation=scenario.correlation,
        )  # fmt: skip
        effect = precision.mdes(power=STATED)
        seen, error = [], []
        for part in range(-(-panels // PART)):
            outcome = simulate_panels(scenario, PART, panel_stream(scenario, part, "power")).outcome
            group = np.unique(design.cohort(), return_inverse=True)[1].astype(np.int64)
            told, _ = by_rule(moments_of(outcome, group), design, rows_of_design(design))["rule"]
            overall = Rows(told.point[:, :1] + effect, told.std_error[:, :1], told.df[:, :1])
            seen.append(t_rejects(overall, 0.0)[:, 0])
            error.append(told.point[:, 0])
        found = np.concatenate(seen)
        share = float(found.mean())
        rows.append({
            "design": design.name, "correlation": scenario.correlation, "panels": len(found),
            "std_error": precision.std_error,
            "simulated_sd": float(np.concatenate(error).std(ddof=1)),
            "df": precision.df, "effect": effect, "stated": STATED, "simulated": share,
            "mc_error": float(np.sqrt(share * (1 - share) / len(found))),
        })  # fmt: skip
    return pd.DataFrame(rows)


def power_table(table: pd.DataFrame) -> str:
    """Return stated beside simulated power as Markdown."""
    lines = [
        _line(["never + cohorts", "AR", "standard error: stated", "simulated", "df", "effect",
               "power: stated", "simulated (MC error)"]),
        "|---" * 8 + "|",
    ]  # fmt: skip
    for row in table.to_dict("records"):
        lines.append(_line([
            row["design"], f"{row['correlation']:g}", f"{row['std_error']:.3f}",
            f"{row['simulated_sd']:.3f}", f"{row['df']:.1f}", f"{row['effect']:.2f}",
            _share(row["stated"], 2), f"{_share(row['simulated'])} ({_share(row['mc_error'])})",
        ]))  # fmt: skip
    return "\n".join(lines)
