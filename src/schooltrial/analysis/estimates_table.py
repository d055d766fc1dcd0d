"""The long estimates table: the same columns whatever the estimator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite, isinf, nan

import numpy as np
import pandas as pd

from schooltrial.analysis.design_matrix import DesignMatrix
from schooltrial.models.effect_size.pupil_level import (
    EffectSize,
    cox_effect_size,
    hedges_effect_size,
    pooled_pupil_sd,
)
from schooltrial.models.inference.estimate import Estimate
from schooltrial.models.inference.result import ROW_COLUMNS
from schooltrial.protocol.content.levels import NO_SCHOOL
from schooltrial.protocol.content.sections import Model, Outcome

COLUMNS = list(ROW_COLUMNS)


NO_EFFECT_SIZE = EffectSize(nan, nan, nan, nan, nan, "")


@dataclass(frozen=True)
class Labels:
    """What identifies a row's study, model and outcome, and what its rows come from.

    Attributes
    ----------
    study, model, outcome, subgroup : str
    n_units, n_treated_units : float
        Units of assignment, and those of them in an intervention group; NaN if cells of schools
        hide which units they are made of.
    n_schools : float
        Schools; 0 in a trial without schools.
    n_treated_schools : float
        Those of them in an intervention group; NaN where a school was not assigned as a whole.
    """

    study: str
    model: str
    outcome: str
    subgroup: str
    n_units: float
    n_treated_units: float
    n_schools: float
    n_treated_schools: float


def row(
    labels: Labels, estimate: Estimate, estimand: str, effect: EffectSize = NO_EFFECT_SIZE
) -> dict[str, object]:
    """Return one row of the table."""
    values = [
        labels.study, labels.model, labels.outcome, estimand, labels.subgroup, estimate.term,
        estimate.estimate, estimate.std_error, estimate.df, estimate.statistic, estimate.p_value,
        estimate.conf_low, estimate.conf_high, estimate.band_low, estimate.band_high,
        effect.effect_size, effect.conf_low, effect.conf_high,
        estimate.n_individuals, labels.n_units, labels.n_treated_units, labels.n_schools,
        labels.n_treated_schools, estimate.method, estimate.converged,
        "; ".join(filter(None, [estimate.note, effect.rule])),
    ]  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


def table(rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    """Return rows as the long table."""
    return pd.DataFrame(list(rows), columns=COLUMNS)


def pupil_effect_size(estimate: Estimate, design: DesignMatrix, outcome: Outcome) -> EffectSize:
    """Return the effect in pupil SDs (Hedges g), or the Cox index of a binary outcome.

    The SD is the pooled one of the pupils analysed, before adjustment. A binary outcome whose
    shares leave no logit has no index, and the note says so.
    """
    inside = in_comparison(design.rows, estimate.term).to_numpy()
    treated = design.rows["treated"].to_numpy()
    if outcome["scale"] == "continuous":
        count = int(treated[inside].sum()), int((treated[inside] == 0).sum())
        if min(count) < 2:
            return replace(NO_EFFECT_SIZE, rule="no effect size: a group with fewer than two rows")
        sd = pooled_pupil_sd(design.outcome[inside], treated[inside])
        if not sd > CONSTANT * float(np.abs(design.outcome[inside]).max()):
            return replace(
                NO_EFFECT_SIZE, rule="no effect size: the outcome is constant in a group"
            )
        return hedges_effect_size(estimate, sd)
    share = float(np.mean(design.outcome[treated == 0]))
    if not (0 < share < 1 and 0 < share + estimate.estimate < 1):
        return EffectSize(nan, nan, nan, nan, nan, "no Cox index: a share of 0 or 1")
    effect = cox_effect_size(estimate, share)
    without = [
        end for end, value in (("lower", effect.conf_low), ("upper", effect.conf_high))
        if isinf(value)
    ]  # fmt: skip
    if without and isfinite(estimate.conf_low) and isfinite(estimate.conf_high):
        ends = " and no ".join(without)
        rule = f"{effect.rule}, with no {ends} end: the interval reaches a share of 0 or 1"
        return replace(effect, rule=rule)
    return effect


CONSTANT = 1e-13
"""A standard deviation below this share of the outcome's size is rounding of zero."""

ARM = "treated[arm="


def in_comparison(rows: pd.DataFrame, term: str) -> pd.Series:
    """Return which rows a treatment term compares: all, or control and the group that it names."""
    if not term.startswith(ARM):
        return pd.Series(True, index=rows.index)
    return (rows["treated"] == 0) | (rows["arm"] == term.removeprefix(ARM).removesuffix("]"))


def labels_of(study: str, name: str, model: Model, outcome: str, rows: pd.DataFrame) -> Labels:
    """Return the labels of a model's rows, with the units of assignment and the schools analysed.

    Rows of people and of schools name their unit of assignment (``cluster``). Cells of schools do
    not: it is the school, unless a school has cells of two groups in one year.
    """
    named = [column for column in ("cluster", "school", "year", "treated") if column in rows]
    known = rows[named].drop_duplicates()
    schools = known["school"].astype("str")
    if "cluster" in known:
        units = known["cluster"].astype("str")
        whole = bool((units == schools).all())
    else:
        units = schools
        whole = not known.duplicated([one for one in named if one != "treated"]).any()
    treated, unseen = known["treated"] == 1, "cluster" not in known and not whole
    inside = schools != NO_SCHOOL
    return Labels(
        study, name, outcome, model["where_label"],
        nan if unseen else units.nunique(), nan if unseen else units[treated].nunique(),
        schools[inside].nunique(), schools[inside & treated].nunique() if whole else nan,
    )  # fmt: skip
