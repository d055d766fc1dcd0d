"""The rows behind a model of a study, for predictions and residuals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from schooltrial.analysis.confounding import absorbed_groups
from schooltrial.analysis.design_matrix import build_design_matrix, with_block_effects
from schooltrial.analysis.fitting import PlannedModel
from schooltrial.analysis.formulas.model_formula import INTERCEPT, FormulaRows, ModelFormula
from schooltrial.data.rows.school_rows import rows_of_outcome
from schooltrial.refusal import UserError

WITH_ROWS = ("multilevel", "cluster_robust")
"""Estimators whose fits say what they expect of each row."""


def rows_of_fit(sample: pd.DataFrame, plan: PlannedModel, outcome: str) -> FormulaRows:
    """Return the rows that a model of the protocol was fitted to, and their columns.

    Parameters
    ----------
    sample : DataFrame
        The analysed sample.
    plan : PlannedModel
        The model.
    outcome : str
        One of its outcomes.

    Raises
    ------
    UserError
        Where the estimator says nothing of single rows.
    """
    (model,) = [one for _, one, name in plan.fits() if name == outcome]
    if model["estimator"] not in WITH_ROWS:
        raise UserError(
            f"{plan.name} has no prediction of rows: {model['estimator']} keeps the effect alone; "
            f"refit it with estimator={WITH_ROWS[1]!r}"
        )
    rows = sample
    if plan.sampled == "school":
        rows = rows_of_outcome(sample, outcome, model["bounded_cells"])
    design = build_design_matrix(rows, model, outcome)
    constant = {INTERCEPT: np.ones(len(design.outcome))}
    absorbed: list[str] = []
    if model["estimator"] == "multilevel":
        columns, _ = with_block_effects(design, fixed=model["blocks"] == "fixed")
        columns = {**constant, **columns}
    else:
        absorbed = list(absorbed_groups(model))
        columns = {**({} if absorbed else constant), **design.columns}
    levels = {} if model["random_levels"] else {"school": "cluster", "block": "block"}
    written = f"{outcome} ~ {' + '.join(design.columns)}"
    return FormulaRows(
        ModelFormula(written, outcome, written.split(" ~ ")[1], tuple(absorbed)),
        design.rows.reset_index(drop=True), design.outcome, columns, "treated",
        design.treatment_terms, (), None, group_columns=levels, weights=design.weighted_by,
        cluster=design.clustered_on or "cluster",
    )  # fmt: skip


def refuse_new_rows(data: Any) -> None:
    """Raise where new rows are given: a model of the protocol reads those of its study."""
    if data is not None:
        raise UserError(
            "a model of a study predicts the rows of its study; for other rows fit a formula, as "
            "in fit_multilevel('maths ~ treated', rows, school='school')"
        )
