"""Joint balance of all covariates, compared with its randomisation distribution.

By re-randomisation of a Mahalanobis statistic of the units' means, which is exact for any number
of units, blocks and covariates; and beside it the F test of a regression of the group on covariates
and blocks, with CR2 and the approximate Hotelling reference, which needs many units.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from schooltrial.checks.balance.adjusted_differences import EVERY_ARM, Arms, Redrawing
from schooltrial.checks.balance.compared_columns import filled_matrix
from schooltrial.checks.balance.standardised_differences import BalanceRows, two_arms
from schooltrial.data.rows.coding import Covariate, code_columns
from schooltrial.models.assignment.design import AssignmentError
from schooltrial.models.cluster_robust.fit import fit_least_squares_columns
from schooltrial.models.randomisation_inference.covariate_differences import numbers_as_drawn
from schooltrial.models.randomisation_inference.mahalanobis import omnibus_balance
from schooltrial.random_streams import stream
from schooltrial.refusal import words_of

OMNIBUS_COLUMNS = [
    "sample", "level", "arm", "scope", "variable", "label", "n_covariates", "rank", "n_units",
    "n_blocks",
    "filled", "statistic", "expected", "rerandomisation_p_value", "replications", "exact",
    "chi_squared_p_value",
    "f_statistic", "df_num", "df_denom", "f_p_value", "distance", "note",
]  # fmt: skip


EXACT_FIT = 1e-10


FEW_DF = 4  # below this the Hotelling reference is not near (Pustejovsky & Tipton 2018, section 4)


class JointF(NamedTuple):
    """The F test of a regression of the group on covariates and blocks."""

    statistic: float = np.nan
    df_num: float = np.nan
    df_denom: float = np.nan
    p_value: float = np.nan
    note: str = ""


def balance_omnibus(
    rows: BalanceRows,
    settings: Mapping[str, Any],
    labels: Mapping[str, str],
    *,
    arms: Sequence[str] | None = None,
    redrawing: Redrawing | None = None,
) -> pd.DataFrame:
    """Test all covariates of each level at once, and each category as a whole.

    Parameters are those of `standardised_differences.balance_table`.

    Returns
    -------
    DataFrame
        ``scope`` is ``all`` (the level's covariates together) or ``category`` (the levels of one).
        ``rank`` is that of the covariates inside blocks: the expectation of ``statistic``.
        ``filled`` counts means of units that were not known and took that of their block.
        ``distance``, for a category, is half the sum of the absolute differences of shares: 0 where
        the groups are alike, 1 where they have no level in common. With several groups, each is
        compared with control, and all with each other (``arm`` is ``all arms``).
    """
    redrawing = redrawing or Redrawing()
    found = [
        row
        for level, frame, variables in rows.levels(settings)
        if len(frame) and variables
        for arm, inside, codes in comparisons(frame, arms)
        for row in _tests(
            rows.sample, level, arm, frame[inside], codes[inside],
            code_columns(frame[inside], variables, levels="all", labels=labels), labels, redrawing,
        )
    ]  # fmt: skip
    return pd.DataFrame(found, columns=OMNIBUS_COLUMNS)


def comparisons(
    frame: pd.DataFrame, arms: Sequence[str] | None
) -> Iterator[tuple[str, pd.Series, pd.Series]]:
    """Yield the group, its rows and those of control, and its number (0 is control)."""
    if arms is None or "arm" not in frame:
        yield "", frame["treated"].notna(), frame["treated"].astype("float64")
        return
    codes = frame["arm"].astype("str").map({arm: float(k) for k, arm in enumerate(arms)})
    for k, arm in enumerate(arms[1:], start=1):
        yield arm, codes.isin([0, k]), (codes == k).astype("float64")
    if len(arms) > 2:
        yield EVERY_ARM, codes.notna(), codes


def _tests(
    sample: str,
    level: str,
    arm: str,
    frame: pd.DataFrame,
    codes: pd.Series,
    columns: Sequence[Covariate],
    labels: Mapping[str, str],
    redrawing: Redrawing,
) -> Iterator[list[Any]]:
    arms = two_arms(frame, codes)
    yield [
        sample, level, arm, "all", "", "all together",
        *omnibus_row(columns, arms, redrawing, [sample, level, arm, "all"], arm),
    ]  # fmt: skip
    names = dict.fromkeys(column.name for column in columns if column.kind == "level")
    for name in names:
        own = [column for column in columns if column.name == name]
        row = omnibus_row(own, arms, redrawing, [sample, level, arm, name], arm)
        row[-2] = _total_variation(own, codes) if arm != EVERY_ARM else np.nan
        yield [sample, level, arm, "category", name, labels.get(name, name), *row]


def omnibus_row(
    columns: Sequence[Covariate], arms: Arms, redrawing: Redrawing, names: Sequence[str], arm: str
) -> list[Any]:
    """Return the columns of the table from ``covariates`` on, for one set of covariates.

    ``names`` are those of the stream of random numbers.
    """
    units = arms.of_units()
    blocks = int(units["block"].nunique())
    empty = [len(columns), 0, len(units), blocks, 0, *[np.nan] * 3, 0, False, *[np.nan] * 6]
    if units["treated"].nunique() < 2:
        return [*empty, "a single group"]
    _, matrix, filled = filled_matrix(columns, pd.Series(arms.unit), pd.Series(arms.block))
    present = tuple(sorted(units["treated"].unique()))
    design = numbers_as_drawn(
        units["unit"], units["treated"], units["block"], present,
        redrawing.rule(list(units["unit"]), arm, present),
    )  # fmt: skip
    joint = _joint_f(matrix, units) if len(present) == 2 else JointF()
    if redrawing.impossible:
        said = "; ".join(told for told in (redrawing.impossible, joint.note) if told)
        return [*empty[:4], filled, *empty[5:11], *joint[:4], np.nan, said]
    if design.possible < 2:
        return [*empty, "no other assignment has the same numbers by group in each block"]
    try:
        test = omnibus_balance(
            design, units["treated"].to_numpy(), matrix,
            seed=stream(redrawing.seed, "omnibus", *names), **redrawing.options(len(units)),
        )  # fmt: skip
    except AssignmentError as error:  # the criterion accepts too few of the re-draws
        return [*empty, str(error)]
    notes = [joint.note] if joint.note else []
    if test.rank == 0:
        notes = [NO_VARIATION]
    notes += _lacking(columns, arms)
    p, limit = (np.nan, np.nan) if test.rank == 0 else (test.p_value, test.chi_squared_p_value)
    return [
        test.n_covariates, test.rank, len(units), blocks, filled, test.statistic, float(test.rank),
        p, test.draws, test.exact, limit, *joint[:4], np.nan, "; ".join(notes),
    ]  # fmt: skip


def _lacking(columns: Sequence[Covariate], arms: Arms) -> Iterator[str]:
    """Yield the covariates that nobody of a group has: filled means show no difference in them."""
    for column in columns:
        known = column.values.notna().to_numpy()
        if any(not known[arms.treated == arm].any() for arm in np.unique(arms.treated)):
            yield f"{column.label}: not known for anyone in a group, so its balance is not known"


NO_VARIATION = "no covariate varies within blocks"


NOISE = 1e-10
"""Rounding in a scaled covariate about the mean of its block."""


def _joint_f(matrix: np.ndarray[Any, np.dtype[np.float64]], units: pd.DataFrame) -> JointF:
    """Return the AHT test that no covariate predicts the group, blocks being held fixed."""
    names = [f"x{k}" for k in range(matrix.shape[1])]
    size = np.abs(matrix - matrix.mean(axis=0)).max(axis=0)
    scaled = (matrix - matrix.mean(axis=0)) / np.where(size > 0, size, 1.0)
    has_blocks = units["block"].nunique() > 1
    means = pd.DataFrame(scaled).groupby(units["block"].to_numpy()).transform("mean")
    if np.allclose(scaled, means.to_numpy(), rtol=0.0, atol=NOISE):
        return JointF(note=f"F: {NO_VARIATION}")
    columns = list(scaled.T) if has_blocks else [np.ones(len(units)), *scaled.T]
    try:
        fit = fit_least_squares_columns(
            units["treated"].to_numpy(dtype="float64"), columns,
            names=names if has_blocks else ["(Intercept)", *names],
            cluster=units["unit"].to_numpy(),
            absorb=units["block"].to_numpy() if has_blocks else None,
        )  # fmt: skip
        kept = [name for name in fit.names if name != "(Intercept)"]
        if not kept:
            return JointF()
        test = fit.joint_test(kept)
    except ValueError as error:
        return JointF(note=f"F: {words_of(error)}")
    if fit.r_squared > 1 - EXACT_FIT:
        told = "F: the covariates predict the group without error"
        return JointF(df_num=test.df_num, note=told)
    few = f"F: {test.df_denom:.1f} df are too few to rely on"
    note = "" if test.df_denom > FEW_DF else few
    return JointF(test.statistic, test.df_num, test.df_denom, test.p_value, note)


def _total_variation(columns: Sequence[Covariate], treated: pd.Series) -> float:
    gaps = [
        column.values[treated == 1].mean() - column.values[treated == 0].mean()
        for column in columns
    ]
    return float(np.abs(gaps).sum() / 2)
