"""The tables of the check of parallel trends, for all primary panel models of a study."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isnan

import pandas as pd

from schooltrial.analysis.fitting import PlannedModel
from schooltrial.analysis.parallel_trends.leave_outs import leave_out_rows
from schooltrial.analysis.parallel_trends.placebos import (
    placebo_cohort_rows,
    placebo_outcome_rows,
    placebo_year_rows,
)
from schooltrial.analysis.parallel_trends.refits import CheckedModel
from schooltrial.analysis.parallel_trends.sensitivity import sensitivity_rows
from schooltrial.checks.parallel_trends.panel_models import COLUMNS, PLACEBO_COLUMNS
from schooltrial.protocol.content.sections import ParallelTrends, Years


@dataclass(frozen=True)
class ModelCells:
    """A primary panel model with its cells.

    Attributes
    ----------
    plan : PlannedModel
    cells, placebo : DataFrame
        Of its outcomes, and of the placebo outcomes.
    """

    plan: PlannedModel
    cells: pd.DataFrame
    placebo: pd.DataFrame


def parallel_trends_tables(
    models: Iterable[ModelCells], settings: ParallelTrends, years: Years, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return one row for each result, and one for each draw of placebo cohorts.

    Parameters
    ----------
    models : iterable of ModelCells
    settings : ParallelTrends
        The protocol's `checks.parallel_trends`.
    years : Years
    seed : int
        The study's.
    """
    rows: list[dict[str, object]] = []
    drawn = [pd.DataFrame(columns=PLACEBO_COLUMNS)]
    for one in models:
        for at, outcome in enumerate(one.plan.model["outcomes"]):
            inside = one.cells[(one.cells["outcome"] == outcome) & one.cells["mean"].notna()]
            whole = CheckedModel(one.plan, inside, years, settings, seed)
            # What is tried is the effect on all schools, not that on parts of them.
            checked = whole.with_model(outcomes=[outcome], effects_by=None, moderator=None)
            fitted = checked.effect("as fitted")
            if isnan(float(str(fitted["estimate"]))):
                rows.append(fitted)  # and nothing can be tried of a model that has no estimate
                continue
            others = [*sensitivity_rows(checked), *placebo_year_rows(checked)]
            own, draws = placebo_cohort_rows(checked)
            drawn += [draws] if len(draws) else []
            others += [*own, *leave_out_rows(checked, float(str(fitted["estimate"])))]
            if at == 0:
                others += placebo_outcome_rows(checked, one.placebo)
            rows += [fitted, *(_without_notes(row, str(fitted["note"])) for row in others)]
    placebos = drawn[1:] or drawn
    return pd.DataFrame(rows, columns=COLUMNS), pd.concat(placebos, ignore_index=True)


def _without_notes(row: dict[str, object], known: str) -> dict[str, object]:
    """Return a row without the notes of the effect as fitted, which are given once."""
    if isnan(float(str(row["estimate"]))):
        return row
    own = [note for note in str(row["note"]).split("; ") if note not in known.split("; ")]
    return {**row, "note": "; ".join(own)}
