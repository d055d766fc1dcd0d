"""Sizes of the two-way model with CR2: one cohort of a few treated schools."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.coverage_report import _line, _share
from benchmarks.panel_trials import YEARS, Design, Scenario, Spread, panel_stream, simulate_panels

from schooltrial.models.panel.difference_in_differences import two_way_effects
from schooltrial.models.panel.treatment_terms import event_indicators, programme_indicator

DESIGNS = (Design(59, (2,)), Design(128, (7,)), Design(182, (10,)), Design(20, (20,)))
SPREADS: tuple[Spread, ...] = ("equal", "double", "half", "small schools")
BEGINS, REFERENCE = 2016, 2015
PART = 100


def run_two_way(part: tuple[Scenario, int, int]) -> list[tuple[float, float, float, float]]:
    """Return p-values of the effect and of the joint pre-trend, and their df, panel by panel."""
    scenario, number, draws = part
    outcome = simulate_panels(scenario, draws, panel_stream(scenario, number, "two-way")).outcome
    schools, years = outcome.shape[1:]
    school, year = np.repeat(np.arange(schools), years), np.tile(np.array(YEARS), schools)
    treated = np.repeat((scenario.design.cohort() > 0).astype(float), years)
    effect, name = programme_indicator(treated, year, [t for t in YEARS if t >= BEGINS])
    events, names = event_indicators(treated, year, REFERENCE)
    before = [f"treated[year={t}]" for t in YEARS if t < REFERENCE]
    found = []
    for panel in outcome:
        y = panel.ravel()
        one = two_way_effects(y, effect, names=name, school=school, year=year).estimates()[0]
        study = two_way_effects(y, events, names=names, school=school, year=year)
        joint = study.test(before)
        found.append((one.p_value, one.df, joint.p_value, joint.df))
    return found


def two_way_sizes(draws: int, processes: int) -> pd.DataFrame:
    """Return rejections at 5% of the effect and of the joint pre-trend, by design and spread."""
    scenarios = [Scenario(design, spread=spread) for design in DESIGNS for spread in SPREADS]
    counts = [min(PART, draws - k * PART) for k in range(-(-draws // PART))]
    work = [(one, k, n) for one in scenarios for k, n in enumerate(counts)]
    by_scenario: dict[Scenario, list[Any]] = {one: [] for one in scenarios}
    with ProcessPoolExecutor(processes) as pool:
        for (scenario, _, _), found in zip(work, pool.map(run_two_way, work), strict=True):
            by_scenario[scenario] += found
    rows = []
    for scenario, told in by_scenario.items():
        p, df, joint, joint_df = np.array(told).T
        for kind, of, free in (("effect", p, df), ("joint pre-trend", joint, joint_df)):
            known = ~np.isnan(of)
            share = float((of[known] < 0.05).mean()) if known.any() else np.nan
            rows.append({
                "design": scenario.design.name, "spread": scenario.spread, "kind": kind,
                "panels": len(of), "answered": float(known.mean()), "rejected": share,
                "mc_error": float(np.sqrt(0.0475 / max(known.sum(), 1))),
                "df": float(np.median(free[known])) if known.any() else np.nan,
            })  # fmt: skip
    return pd.DataFrame(rows)


def two_way_table(table: pd.DataFrame) -> str:
    """Return the sizes as Markdown, bold outside .03 to .07."""
    heads = [f"{kind}: {spread}" for kind in ("effect", "joint pre-trend") for spread in SPREADS]
    lines = [_line(["never + treated", *heads, "df: effect", "joint"]), "|---" * 11 + "|"]
    for design, rows in table.groupby("design", sort=False):
        cells, free = [], []
        for kind in ("effect", "joint pre-trend"):
            of = rows[rows["kind"] == kind].set_index("spread")
            for spread in SPREADS:
                share = float(of.loc[spread, "rejected"])
                if np.isnan(share):
                    cells.append("none")
                    continue
                text = _share(share)
                cells.append(text if 0.03 <= share <= 0.07 else f"**{text}**")
            df = float(of.loc["equal", "df"])
            free.append("" if np.isnan(df) else f"{df:.1f}")
        lines.append(_line([str(design), *cells, *free]))
    return "\n".join(lines)
