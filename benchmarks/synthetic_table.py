"""Bias and coverage of the studies of the generators over seeds, and how their runs ended."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from benchmarks.coverage_report import _line, _share
from benchmarks.coverage_table import rate
from benchmarks.synthetic_runs import SeedRun

ESTIMATES, ENDS = "synthetic estimates", "synthetic runs"
EFFECT = ["study", "model", "outcome", "estimand", "term"]


def ends_of(runs: Iterable[SeedRun]) -> pd.DataFrame:
    """Return a row for each study and verdict on its assignment: how many runs had it.

    ``refused`` counts those that a step refused, ``first`` is the message of the first of them.
    """
    rows = [
        {"study": run.study, "verdict": run.verdict or "not reached", "refused": bool(run.refused),
         "message": " ".join(run.refused.split())}
        for run in runs
    ]  # fmt: skip
    grouped = pd.DataFrame(rows).groupby(["study", "verdict"], sort=True)
    return grouped.agg(
        runs=("refused", "size"), refused=("refused", "sum"),
        first=("message", lambda texts: next((text for text in texts if text), "")),
    ).reset_index()  # fmt: skip


def coverage_of(runs: Iterable[SeedRun]) -> pd.DataFrame:
    """Return a row for each effect of each study: how its estimates lie about the truth.

    Columns
    -------
    runs : runs with an estimate and a finite interval.
    truth : mean of the truths.
    bias, bias_error : mean of estimate less truth, and its Monte Carlo standard error.
    coverage, coverage_error, coverage_low, coverage_high : share of the 95% intervals that hold
        the truth of their run, its Monte Carlo standard error, and Wilson's 95% interval.
    se_over_sd : root mean squared standard error over the SD of estimate less truth.
    excludes_zero : share of the intervals that do not hold nought.
    """
    told = [{"study": run.study, **effect._asdict()} for run in runs for effect in run.effects]
    rows = []
    for key, found in pd.DataFrame(told).groupby(EFFECT, sort=False):
        error = (found["estimate"] - found["truth"]).to_numpy()
        missed = (found["conf_low"] > found["truth"]) | (found["conf_high"] < found["truth"])
        out = rate(missed.to_numpy(dtype=float))
        n, spread = len(found), float(np.std(error, ddof=1))
        zero = (found["conf_low"] > 0) | (found["conf_high"] < 0)
        rows.append({
            **dict(zip(EFFECT, key, strict=True)),
            "runs": n,
            "truth": float(found["truth"].mean()),
            "bias": float(error.mean()),
            "bias_error": spread / n**0.5,
            "coverage": 1 - out.share,
            "coverage_error": (out.share * (1 - out.share) / n) ** 0.5,
            "coverage_low": 1 - out.high,
            "coverage_high": 1 - out.low,
            "se_over_sd": float(np.sqrt((found["std_error"] ** 2).mean())) / spread,
            "excludes_zero": float(zero.mean()),
        })  # fmt: skip
    return pd.DataFrame(rows).sort_values("study", kind="stable", ignore_index=True)


def ends_table(ends: pd.DataFrame) -> str:
    """Return how the runs ended, as Markdown."""
    lines = ["| study | runs | to the estimates | refused | verdict on the assignment |",
             "|---|--:|--:|--:|---|"]  # fmt: skip
    for study, rows in ends.groupby("study", sort=True):
        total, refused = int(rows["runs"].sum()), int(rows["refused"].sum())
        verdicts = [f"{row['verdict']}: {row['runs']}" for row in rows.to_dict("records")]
        cells = [str(study), str(total), str(total - refused), str(refused), "; ".join(verdicts)]
        lines.append(_line(cells))
    return "\n".join(lines)


def estimates_table(table: pd.DataFrame) -> str:
    """Return bias and coverage as Markdown.

    Bold: a bias of more than three Monte Carlo errors, or a coverage whose interval lacks .95.
    """
    lines = [
        "| study | model | outcome | effect | runs | mean truth | mean bias (MC error) "
        "| coverage of 95% interval | SE / SD | excludes 0 |",
        "|---|---|---|---|--:|--:|--:|---|--:|--:|",
    ]
    for row in table.to_dict("records"):
        part = row["term"].removeprefix("treated")
        named = row["estimand"] if "=" not in part else part.strip("[]").replace("=", " ")
        biased = abs(row["bias"]) > 3 * row["bias_error"]
        bias = f"{row['bias']:+.3f} ({row['bias_error']:.3f})"
        ends = f"{_share(row['coverage_low'])} to {_share(row['coverage_high'])}"
        coverage = f"{_share(row['coverage'])} ({ends})"
        off = not row["coverage_low"] <= 0.95 <= row["coverage_high"]
        lines.append(
            _line([
                row["study"], row["model"], row["outcome"], named, str(row["runs"]),
                f"{row['truth']:.3f}", f"**{bias}**" if biased else bias,
                f"**{coverage}**" if off else coverage, f"{row['se_over_sd']:.2f}",
                _share(row["excludes_zero"], 2),
            ])
        )  # fmt: skip
    return "\n".join(lines)
