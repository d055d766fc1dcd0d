"""Fits by formula: the estimators of the protocol for an analyst with a data frame.

Each takes the columns of the data by name, leaves out the rows that lack one (and says how many),
and hands arrays to the estimator in ``models``, whose numbers are the same to the last bit. The
rows are kept with the result, for predictions, residuals and effect sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from schooltrial.analysis.design_matrix import Array, without_determined
from schooltrial.analysis.formulas.model_formula import (
    INTERCEPT,
    FormulaRows,
    parse_formula,
    read_rows,
    side_columns,
)
from schooltrial.models.assignment.design import AssignmentDesign
from schooltrial.models.cluster_robust.fit import fit_least_squares_columns
from schooltrial.models.cluster_robust.result import LeastSquaresFit
from schooltrial.models.complier_effect.two_stage_least_squares import (
    InstrumentFit,
    fit_instrument,
)
from schooltrial.models.moments.school_moments import compute_school_moments
from schooltrial.models.multilevel.result import MultilevelFit
from schooltrial.models.multilevel.three_level import fit_three_level
from schooltrial.models.multilevel.two_level import fit_two_level_moments
from schooltrial.models.randomisation_inference.inference import randomisation_inference
from schooltrial.models.randomisation_inference.result import RandomisationTest
from schooltrial.models.randomisation_inference.statistics import Statistic
from schooltrial.models.wild_bootstrap.bootstrap import wild_cluster_bootstrap
from schooltrial.models.wild_bootstrap.result import WildBootstrap

SATTERTHWAITE = ("CR2", "CR3")
"""Variances that go with Satterthwaite df; the others are judged by clusters − 1."""


def fit_multilevel(
    formula: str,
    data: Any,
    *,
    school: str,
    blocks: str | None = None,
    block_effects: Literal["fixed", "random"] = "fixed",
    reml: bool = True,
    weights: str | None = None,
) -> MultilevelFit:
    """Fit a two-level or three-level model of pupils in schools, by REML.

    Parameters
    ----------
    formula : str
        ``"maths ~ treated + maths_before + male"``. A category is an indicator of each of its
        levels but the first.
    data : frame or mapping of str to array
        A row for each pupil.
    school : str
        The column of what was assigned: schools, or teachers.
    blocks : str, optional
        The column of the blocks within which schools were drawn.
    block_effects : {"fixed", "random"}
        An indicator for each block, or a third level.
    reml : bool
        Restricted likelihood, or likelihood.
    weights : str, optional
        Column of weights w: Var(e) = σ²/w.

    Returns
    -------
    MultilevelFit
    """
    if block_effects not in ("fixed", "random"):
        raise ValueError(f"block_effects must be 'fixed' or 'random', not {block_effects!r}")
    rows = read_rows(
        _without_absorbed(formula, "give blocks by `blocks`"), data, cluster=school,
        weights=weights, blocks=blocks, fixed_blocks=block_effects == "fixed",
    )  # fmt: skip
    constant = INTERCEPT in rows.columns
    columns, rows = _independent(rows, intercept=constant)
    random = blocks is not None and block_effects == "random"
    moments = compute_school_moments(
        [*columns.values(), rows.outcome],
        rows.values(school),
        names=[*columns, rows.outcome_name],
        weights=rows.numbers(weights),
        group=rows.values(blocks) if random else None,
        intercept=constant,
    )
    nesting = "pupils in schools" if school == "school" else f"rows in {school}"
    if random:
        fitted = fit_three_level(moments, level=str(blocks), reml=reml, nesting=nesting)
    else:
        fitted = fit_two_level_moments(moments, reml=reml, nesting=nesting)
    groups = {"school": school, **({str(blocks): str(blocks)} if random else {})}
    return replace(fitted, rows=replace(rows, group_columns=groups))


def fit_cluster_robust(
    formula: str,
    data: Any,
    *,
    cluster: str | None = None,
    vcov: str | None = None,
    weights: str | None = None,
) -> LeastSquaresFit:
    """Fit least squares with standard errors that are robust to clusters.

    Parameters
    ----------
    formula : str
        ``"maths ~ treated + maths_before | block"``: what stands after the bar is absorbed.
    data : frame or mapping of str to array
        A row for each pupil.
    cluster : str, optional
        The column of what was assigned; without it every row is its own.
    vcov : str, optional
        CR0, CR1, CR1S, CR2 (the default) or CR3; HC2 and its kin without clusters. CR2 and CR3
        go with Satterthwaite df, the others with clusters − 1; ``estimates`` takes any other pair.
    weights : str, optional
        Column of sampling weights.

    Returns
    -------
    LeastSquaresFit
    """
    rows = read_rows(formula, data, cluster=cluster, weights=weights)
    if rows.model.endogenous:
        raise ValueError(
            f"the formula {formula!r} has an instrument; fit it by fit_complier_effect"
        )
    fitted = fit_least_squares_columns(
        rows.outcome,
        list(rows.columns.values()),
        names=list(rows.columns),
        cluster=rows.values(cluster),
        weights=rows.numbers(weights),
        absorb=_absorbed(rows),
    )
    return replace(_with_defaults(fitted, vcov), rows=rows)


def fit_complier_effect(
    formula: str,
    data: Any,
    *,
    cluster: str | None = None,
    vcov: str | None = None,
    weights: str | None = None,
) -> InstrumentFit:
    """Estimate the effect on compliers by two-stage least squares (CACE).

    Parameters
    ----------
    formula : str
        ``"maths ~ male | block | took_up ~ treated"``: covariates, absorbed effects (may be left
        out), and participation ~ assignment.
    data, cluster, vcov, weights
        As for ``fit_cluster_robust``.

    Returns
    -------
    InstrumentFit
    """
    rows = read_rows(formula, data, cluster=cluster, weights=weights, estimand="CACE")
    if not rows.model.endogenous:
        raise ValueError(
            f"the formula {formula!r} has no instrument; write it as "
            "'maths ~ male | block | took_up ~ treated', or fit it by fit_cluster_robust"
        )
    endogenous = side_columns(rows.model.endogenous, rows)
    fitted = fit_instrument(
        rows.outcome,
        endogenous=endogenous,
        instruments=side_columns(rows.model.instruments, rows),
        exogenous=rows.columns,
        cluster=rows.values(cluster),
        weights=rows.numbers(weights),
        absorb=_absorbed(rows),
    )
    kept = replace(
        rows, columns={**endogenous, **rows.columns}, treatment_terms=tuple(endogenous),
        added=tuple(endogenous),
    )  # fmt: skip
    return replace(
        fitted,
        second_stage=_with_defaults(fitted.second_stage, vcov),
        first_stages=tuple(_with_defaults(stage, vcov) for stage in fitted.first_stages),
        reduced_form=_with_defaults(fitted.reduced_form, vcov),
        rows=kept,
    )


def fit_randomisation_inference(
    formula: str,
    data: Any,
    *,
    unit: str,
    design: AssignmentDesign | None = None,
    draws: int = 10_000,
    seed: int = 0,
    statistic: Statistic = "studentised",
    weights: str | None = None,
) -> RandomisationTest:
    """Test an effect by re-randomisation, with the design by which units were drawn.

    Parameters
    ----------
    formula : str
        ``"maths ~ treated + maths_before | block"``; units were drawn within the blocks, whose
        effects are taken out.
    data : frame or mapping of str to array
        A row for each pupil.
    unit : str
        The column of what was assigned.
    design : AssignmentDesign, optional
        How units were drawn; by default the numbers by group (of each block) are taken as fixed.
    draws, seed : int
        Draws where there are too many assignments to take all.
    statistic : {"studentised", "coefficient", "HC2", "classical"}
        What is compared.
    weights : str, optional
        Column of weights.

    Returns
    -------
    RandomisationTest
    """
    rows = read_rows(formula, data, cluster=unit, weights=weights)
    block = _one_block(rows)
    columns, rows = _within_blocks(rows, block)
    treated = rows.treated
    if treated is None or rows.treatment_terms != (rows.treatment,):
        raise ValueError(
            f"{rows.treatment!r} must be 0 in some rows and 1 in the others, without "
            "interactions: a randomisation test compares two groups"
        )
    covariates = [name for name in columns if name != rows.treatment]
    found = randomisation_inference(
        rows.outcome,
        treated,
        rows.frame[unit].to_numpy(),
        covariates=_side_by_side(columns, covariates),
        block=rows.values(block),
        design=design,
        weights=rows.numbers(weights),
        statistic=statistic,
        draws=draws,
        seed=seed,
        covariate_names=covariates,
        term=rows.treatment,
    )
    return replace(found, rows=rows)


def fit_wild_bootstrap(
    formula: str,
    data: Any,
    *,
    cluster: str,
    test: str | Sequence[str] = "treated",
    draws: int = 9_999,
    seed: int = 0,
    weights: str | None = None,
) -> WildBootstrap:
    """Test a coefficient, or several at once, by the restricted wild cluster bootstrap.

    Parameters
    ----------
    formula : str
        ``"maths ~ treated + maths_before | block"``.
    data : frame or mapping of str to array
        A row for each pupil.
    cluster : str
        The column of what was assigned.
    test : str or sequence of str
        Coefficient, or those that are all zero under the hypothesis.
    draws, seed : int
        Bootstrap samples, and the seed of their weights.
    weights : str, optional
        Column of weights.

    Returns
    -------
    WildBootstrap
    """
    rows = read_rows(formula, data, cluster=cluster, weights=weights)
    block = _one_block(rows)
    columns, rows = _within_blocks(rows, block)
    names = list(columns)
    tested = [test] if isinstance(test, str) else list(test)
    for name in tested:
        if name not in names:
            raise ValueError(f"there is no coefficient {name!r} to test; there are {names}")
    matrix = np.array([[float(name == term) for name in names] for term in tested])
    regressors = np.column_stack(list(columns.values()))
    found = wild_cluster_bootstrap(
        rows.outcome,
        regressors,
        rows.frame[cluster].to_numpy(),
        test=tested[0] if len(tested) == 1 else matrix,
        absorb=rows.values(block),
        weights=rows.numbers(weights),
        draws=draws,
        seed=seed,
        outcome_names=[rows.outcome_name],
        regressor_names=names,
    )
    return replace(found, rows=rows)


def _without_absorbed(formula: str, instead: str) -> str:
    model = parse_formula(formula)
    if model.absorbed or model.endogenous:
        raise ValueError(f"the formula {formula!r} has a part after a bar; {instead}")
    return formula


def _independent(
    rows: FormulaRows, *, intercept: bool = True
) -> tuple[dict[str, Array], FormulaRows]:
    """Return the columns without the intercept, determined ones left out and noted."""
    given = {name: column for name, column in rows.columns.items() if name != INTERCEPT}
    if not given:
        return given, rows
    columns, dropped = without_determined(given, rows.treatment_terms, intercept=intercept)
    note = f"left out, since other columns determine them: {', '.join(dropped)}"
    return columns, replace(rows, notes=(*rows.notes, note)) if dropped else rows


def _within_blocks(rows: FormulaRows, block: str | None) -> tuple[dict[str, Array], FormulaRows]:
    """Return the columns that blocks and those before them do not determine."""
    if block is None:
        return _independent(rows)
    spelled = read_rows(
        replace(rows.model, absorbed=()), rows.frame, blocks=block, fixed_blocks=True
    )
    columns, noted = _independent(spelled)
    kept = {name: column for name, column in columns.items() if name in rows.columns}
    gone = tuple(note for note in noted.notes if note not in rows.notes)
    return kept, replace(rows, notes=(*rows.notes, *gone))


def _one_block(rows: FormulaRows) -> str | None:
    absorbed = rows.model.absorbed
    if len(absorbed) > 1 or rows.model.endogenous:
        raise ValueError(
            f"the formula {rows.formula!r} must have one column of blocks after the bar, or none"
        )
    return absorbed[0] if absorbed else None


def _side_by_side(columns: dict[str, Array], names: Sequence[str]) -> Array | None:
    return np.column_stack([columns[name] for name in names]) if names else None


def _absorbed(rows: FormulaRows) -> list[Any] | None:
    return [rows.values(name) for name in rows.model.absorbed] or None


def _with_defaults(fitted: LeastSquaresFit, vcov: str | None) -> LeastSquaresFit:
    """Return a fit that uses a variance, and its default reference distribution."""
    if vcov is None:
        return fitted
    fitted.small_sample_factor(vcov)
    df = "clusters-1" if fitted.clustered and vcov not in SATTERTHWAITE else ""
    return replace(fitted, default_vcov=vcov, default_df=df)
