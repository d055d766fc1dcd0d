"""Effects where there can be none: years before the programme, schools and outcomes without it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from schooltrial.analysis.parallel_trends.refits import CheckedModel, reasons
from schooltrial.arrays import FloatArray, IntArray
from schooltrial.models.group_time.cells import Cell
from schooltrial.models.group_time.panel import NEVER, SchoolPanel, panel_of_rows
from schooltrial.models.panel.staggered_adoption import StaggeredFit
from schooltrial.models.parallel_trends.placebo_cohorts import (
    ComparedChange,
    draw_placebo_cohorts,
    placebo_estimates,
)
from schooltrial.random_streams import stream

Row = dict[str, object]

MOST_YEARS = 3
"""How many years earlier the programme is pretended to have begun, at most."""

_PLAIN: dict[str, Any] = {
    "method": "callaway_santanna", "covariates": [], "weights": None, "cluster": None,
    "comparison_on": [], "event_window": [],
}  # fmt: skip
"""Keys of a model in which schools count alike and nothing is adjusted for."""

TREATED = 1
"""Label of the treated where all begin together."""


def placebo_year_rows(checked: CheckedModel) -> Iterator[Row]:
    """Yield the effect had the programme begun k years earlier, in years before it began.

    The years from the true beginning on are left out (with anticipation, those of it too), so that
    an effect is a difference in trend.
    """
    shown = 0
    for k in range(1, MOST_YEARS + 1):
        earlier = _pretended_cohorts(checked, k) if checked.staggered else _pretended(checked, k)
        if earlier is None:
            break
        shown += 1
        row = earlier.effect("placebo year", k)
        # Years that are left out, and cohorts by their pretended beginning, are of no one's data.
        yield {**row, "note": row["note"] if pd.isna(row["p_value"]) else ""}
    if not shown:
        yield checked.row(
            "placebo year", "treated", note="one year before the programme: two are needed, one of "
            "them to begin in; add earlier years to `years.baseline`",
        )  # fmt: skip


def _pretended_cohorts(checked: CheckedModel, k: int) -> CheckedModel | None:
    """Return the model with cohorts that begin k years earlier; None if one has no base then."""
    cells = checked.cells
    years = np.sort(cells["year"].astype("int64").unique())
    anticipation = int(checked.plan.model.get("anticipation", 0))
    begins: dict[float, float] = {}
    for cohort in sorted(cells["cohort"].dropna().astype("int64").unique().tolist()):
        clean = years[years < cohort - anticipation]
        if len(clean) == 0:
            continue  # informs no effect in the model either
        if len(clean) <= k:
            return None
        begins[float(cohort)] = float(clean[-k])
    cohort = cells["cohort"].astype("float64")
    over = cells["year"].astype("float64") >= cohort - anticipation
    moved = cells.assign(cohort=cohort.map(begins).where(cohort.notna()))[~over]
    return replace(checked.with_model(anticipation=0), cells=moved) if begins else None


def _pretended(checked: CheckedModel, k: int) -> CheckedModel | None:
    """Return the model of the baseline years, the last k of them as those of the programme."""
    seen = set(checked.cells["year"].astype("int64"))
    baseline = [year for year in sorted(checked.years["baseline"]) if year in seen]
    if len(baseline) <= k:
        return None
    years = {
        **checked.years, "baseline": baseline[:-k], "programme": baseline[-k:], "follow_up": [],
        "reference": None,
    }  # fmt: skip
    inside = checked.cells[checked.cells["year"].isin(baseline)]
    model = checked.with_model(active_years=baseline[-k:])
    return replace(model, cells=inside, years=years)  # type: ignore[arg-type]


def placebo_outcome_rows(checked: CheckedModel, cells: pd.DataFrame) -> Iterator[Row]:
    """Yield the effect on each outcome on which none is expected.

    Parameters
    ----------
    checked : CheckedModel
        Of any outcome of the model.
    cells : DataFrame
        Cells of the placebo outcomes.
    """
    for outcome in checked.settings["placebo_outcomes"]:
        inside = cells[(cells["outcome"] == outcome) & cells["mean"].notna()]
        other = replace(checked.with_model(outcomes=[outcome]), cells=inside)
        yield other.effect("placebo outcome")


def placebo_cohort_rows(checked: CheckedModel) -> tuple[list[Row], pd.DataFrame]:
    """Return the effect among those of placebo cohorts, and every draw of them.

    Schools count alike and there are no covariates, whatever the model: what is drawn are the
    schools, and the real ones are compared by the same statistic.
    """
    why: list[str] = []
    found: tuple[float, FloatArray, str] | None = None
    with reasons(why):
        found = _drawn(checked)
    if found is None:
        row = checked.row("placebo cohort", "treated", note="; ".join(why))
        return [row], pd.DataFrame(columns=["model", "outcome", "replication", "estimate"])
    observed, drawn, within = found
    known = drawn[np.isfinite(drawn)]
    p = (1 + int((np.abs(known) >= abs(observed) - 1e-9).sum())) / (1 + len(known))
    low, high = np.quantile(known, [0.025, 0.975])
    row = checked.row(
        "placebo cohort", "treated", len(known), estimate=observed, std_error=float(known.std()),
        p_value=p, conf_low=float(low), conf_high=float(high),
        method=f"{len(known):,} draws of placebo cohorts among schools that are never treated"
        f"{within}, each school alike",
        note="standard error and interval are of the placebo effects, around 0; the p-value "
        "assumes that treated and other schools vary alike",
    )  # fmt: skip
    draws = pd.DataFrame(
        {
            "model": checked.plan.name, "outcome": checked.outcome,
            "replication": np.arange(len(drawn) + 1), "estimate": np.concatenate([[observed],
            drawn]),
        }
    )  # fmt: skip
    return [row], draws[draws["estimate"].notna()]


def _drawn(checked: CheckedModel) -> tuple[float, FloatArray, str]:
    """Return the effect, that of each draw, and within what was drawn."""
    panel, cells, weights = (
        _of_cohorts(checked) if checked.staggered else _of_one_beginning(checked)
    )
    never = panel.cohort == NEVER
    if not never.any():
        raise ValueError("no school is never treated, so none can be a placebo")
    block = _blocks(checked, panel)
    used = sorted({cell.cohort for cell in cells})
    draws = checked.settings["placebo_draws"]
    within = ""
    strata = np.zeros(len(panel.cohort), dtype=np.int64)
    if block is not None and _enough(block, panel.cohort, used):
        strata, within = block, ", as many of each block"
    sizes = [
        (int(s), g, int(n)) for s in np.unique(strata) for g in used
        if (n := ((strata == s) & (panel.cohort == g)).sum())
    ]  # fmt: skip
    random = stream(checked.seed, "placebo cohorts", checked.plan.name, checked.outcome)
    labels = draw_placebo_cohorts(sizes, strata[never], draws, random)
    changes = _changes(panel, cells, weights)
    observed = placebo_estimates(changes, panel.cohort[None])
    of_never = [replace(one, change=one.change[never]) for one in changes]
    return float(observed[0]), placebo_estimates(of_never, labels), within


def _of_cohorts(checked: CheckedModel) -> tuple[SchoolPanel, tuple[Cell, ...], FloatArray]:
    """Return the panel, and the cells of the overall effect with their weights."""
    plain = checked.with_model(**_PLAIN)
    fit: StaggeredFit = plain.fitted().results[checked.outcome]
    weights = fit.averages[0].weights
    kept = [at for at, weight in enumerate(weights) if weight]
    return fit.panel, tuple(fit.cells[at] for at in kept), weights[kept]


def _of_one_beginning(
    checked: CheckedModel,
) -> tuple[SchoolPanel, tuple[Cell, ...], FloatArray]:
    """Return schools with their means before and in the programme, as a panel of two years."""
    active = list(checked.plan.model["active_years"] or checked.years["programme"])
    cells = checked.cells
    near = cells[cells["year"].isin([*checked.years["baseline"], *active])]
    late = near["year"].isin(active).astype("int64").rename("late")
    means = near.groupby([near["school"].astype("str"), late])["mean"].mean().reset_index()
    treated = near.groupby(near["school"].astype("str"))["treated"].first()
    panel = panel_of_rows(
        means["mean"].to_numpy("float64"), school=means["school"].to_numpy(),
        year=means["late"].to_numpy("int64"),
        cohort=means["school"].map(treated).to_numpy("float64") * TREATED,
    )  # fmt: skip
    return panel, (Cell(TREATED, 1, 0, (NEVER,)),), np.ones(1)


def _changes(
    panel: SchoolPanel, cells: tuple[Cell, ...], weights: FloatArray
) -> list[ComparedChange]:
    at = {int(year): column for column, year in enumerate(panel.years)}
    return [
        ComparedChange(
            panel.outcome[:, at[cell.year]] - panel.outcome[:, at[cell.base]],
            cell.cohort, cell.compared, float(weight),
        )
        for cell, weight in zip(cells, weights, strict=True)
    ]  # fmt: skip


def _blocks(checked: CheckedModel, panel: SchoolPanel) -> IntArray | None:
    """Return the number of each school's block; None if schools are in none."""
    cells = checked.cells
    if "block" not in cells or cells["block"].isna().any():
        return None
    first = cells.groupby(cells["school"].astype("str"))["block"].first().astype("str")
    names = first.reindex([str(name) for name in panel.schools])
    return np.unique(names.to_numpy(), return_inverse=True)[1].astype(np.int64)


def _enough(block: IntArray, cohort: IntArray, used: list[int]) -> bool:
    """Return whether each block has more schools never treated than would be drawn of it."""
    return all(
        (inside & (cohort == NEVER)).sum() > (inside & np.isin(cohort, used)).sum()
        for inside in (block == one for one in np.unique(block))
        if (inside & np.isin(cohort, used)).any()
    )
