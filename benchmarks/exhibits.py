"""The results as a CSV file, a figure, and the table of the README."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import Machine
from benchmarks.measurement import LIMIT, Row

NAME = "results"
"""Of the table in the README."""

MET, MISSED, NOT_ASKED = "#2a6f97", "#c1543c", "#a8b5bf"


def table(rows: Sequence[Row], machine: Machine) -> str:
    """Return the rows as Markdown."""
    head = ("task", "trial", "ours", "peer", "its time", "ratio", "asked", "digits", "note")
    lines = [
        f"Measured on {machine.machine}; Python {machine.python}, numpy {machine.numpy}"
        + (f", R {machine.r}." if machine.r else "."),
        "",
        f"| {' | '.join(head)} |",
        "|---|---|--:|---|--:|--:|--:|---|---|",
    ]
    for row in rows:
        digits = (row.digits_estimate, row.digits_se, row.digits_df)
        agreed = " / ".join("–" if d is None else f"{d:.0f}" for d in digits)
        cells = (
            row.task,
            row.trial,
            _seconds(row.ours_seconds),
            f"{row.peer} {row.peer_version}".strip(),
            _seconds(row.peer_seconds),
            "" if row.ratio is None else f"{_ratio(row.ratio)}×",
            _asked(row),
            "" if agreed == "– / – / –" else agreed,
            row.note,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _seconds(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value * 1e3:.3g} ms" if value < 1 else f"{value:,.3g} s" if value < 100 else (
        f"{value:,.0f} s"
    )  # fmt: skip


def _ratio(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def _asked(row: Row) -> str:
    verdict = {True: "met", False: "**missed**", None: ""}[row.met]
    asked = "" if row.required_ratio is None else f"{row.required_ratio:,.0f}×"
    return " ".join(filter(None, (asked, verdict)))


def draw(rows: Sequence[Row], folder: Path) -> None:
    """Draw ratios on a log scale, with what was asked, as ``speed.svg`` and ``speed.png``."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    shown = [row for row in rows if row.ratio is not None and not row.trial.startswith("small")]
    if not shown:
        return
    settings: dict[Any, Any] = {"svg.hashsalt": "speed", "font.size": 9, "svg.fonttype": "none"}
    with plt.rc_context(settings):
        figure, axes = plt.subplots(figsize=(9, 0.42 * len(shown) + 1.2), layout="constrained")
        for at, row in enumerate(shown):
            _bar(axes, at, row)
        axes.set_yticks(range(len(shown)), [f"{row.task}\n{row.peer}" for row in shown])
        axes.tick_params(axis="y", length=0, labelsize=7.5)
        axes.invert_yaxis()
        axes.set_xscale("log")
        axes.set_xlim(1, max(row.ratio or 1 for row in shown) * 4)
        axes.set_xlabel("times as fast as the peer (log scale); | marks the ratio asked for")
        axes.spines[["top", "right", "left"]].set_visible(False)
        figure.savefig(folder / "speed.svg", metadata={"Date": None})
        figure.savefig(folder / "speed.png", dpi=150, metadata={"Software": None})
        plt.close(figure)


def _bar(axes: Any, at: int, row: Row) -> None:
    colour = {True: MET, False: MISSED, None: NOT_ASKED}[row.met]
    ratio = row.ratio or 1.0
    axes.barh(at, ratio, color=colour, height=0.62)
    axes.text(
        max(ratio, row.required_ratio or 1.0) * 1.08,
        at,
        f"{_ratio(ratio)}×",
        va="center",
        fontsize=8,
    )
    if row.required_ratio is not None:
        axes.plot([row.required_ratio] * 2, [at - 0.42, at + 0.42], color="black", lw=1.6)


def printed(row: Row) -> str:
    """Return a row for the terminal."""
    ours = f"{row.task} [{row.trial}]: {_seconds(row.ours_seconds)}"
    if row.peer in ("", LIMIT):
        return f"{ours}  {_asked(row)} ({row.note})"
    ratio = "" if row.ratio is None else f"{_ratio(row.ratio)}×"
    return f"{ours} v {row.peer} {_seconds(row.peer_seconds)}  {ratio} {_asked(row)} ({row.note})"
