"""Sufficient statistics of a school trial: school sizes, school means, within-school products.

For school j with pupils i, weights w_ij (1 without weights) and z_ij = (x_ij, y_ij):

    w_j = Σ_i w_ij,   z̄_j = Σ_i w_ij z_ij / w_j,   A_j = Σ_i w_ij (z_ij − z̄_j)(z_ij − z̄_j)',

and A_w = Σ_j A_j. Linear models with school effects depend on the pupils through these alone, so
that whatever follows costs by schools and not by pupils. Everything is centred; raw sums of squares
are never formed, because they lose digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schooltrial.arrays import FloatArray
from schooltrial.models.moments.columns import (
    check_names,
    group_of_school,
    named_column,
    numeric_values,
    one_group_each,
    plain_column,
    positive_weights,
)
from schooltrial.models.moments.one_pass import (
    SLAB_ROWS,
    PartialSums,
    centred_cross_products,
    merge_by_school,
)
from schooltrial.models.moments.school_runs import IntArray, find_school_runs

INTERCEPT = "(Intercept)"


CONSTANT_WITHIN = 1e-24  # share of a column's sum of squares that is rounding of school means


@dataclass(frozen=True)
class SchoolMoments:
    """School sizes, means and within-school cross-products of [X y].

    Attributes
    ----------
    names : tuple of str, length q
        Columns: the regressors, then the outcome.
    schools : array, shape (J,)
        School labels, sorted.
    n_individuals : integer array, shape (J,)
        Pupils of each school.
    weight : array, shape (J,)
        Sum of the pupils' weights (equal to ``n_individuals`` without weights).
    mean : array, shape (J, q)
        (Weighted) school means.
    within : array, shape (q, q)
        Pooled cross-products about the school means, A_w.
    within_by_school : array, shape (J, q, q), or None
        Cross-products of each school, where asked for.
    sum_log_weight : float
        Σ log w_ij, a constant of the likelihood.
    groups : array, shape (J,), or None
        Label of the block, district or site that each school belongs to.
    """

    names: tuple[str, ...]
    schools: NDArray[np.generic]
    n_individuals: IntArray
    weight: FloatArray
    mean: FloatArray
    within: FloatArray
    within_by_school: FloatArray | None = None
    sum_log_weight: float = 0.0
    groups: NDArray[np.generic] | None = None

    @property
    def n_schools(self) -> int:
        """Return J."""
        return len(self.weight)

    @property
    def n_rows(self) -> int:
        """Return N, the pupils of all schools."""
        return int(self.n_individuals.sum())

    @property
    def outcome(self) -> str:
        """Return the name of the outcome."""
        return self.names[-1]

    @property
    def fixed(self) -> tuple[str, ...]:
        """Return the names of the regressors."""
        return self.names[:-1]

    @property
    def school_level(self) -> NDArray[np.bool_]:
        """Return which columns do not vary within any school, shape (q,)."""
        return np.asarray(np.diagonal(self.within) == 0.0)

    def position(self, name: str) -> int:
        """Return the position of a column.

        Raises
        ------
        ValueError
            When there is no such column; the message lists those there are.
        """
        try:
            return self.names.index(name)
        except ValueError:
            raise ValueError(
                f"no column {name!r} among the moments; there are {', '.join(self.names)}: name "
                "one of these, or take the moments again with the column in"
            ) from None

    def select(self, fixed: Sequence[str], outcome: str | None = None) -> SchoolMoments:
        """Return the moments of some regressors and one outcome, from the same pass.

        Parameters
        ----------
        fixed : sequence of str
            Regressors, in the order wanted.
        outcome : str, optional
            Outcome; the present one by default.
        """
        names = (*fixed, self.outcome if outcome is None else outcome)
        at = np.array([self.position(name) for name in names])
        by_school = self.within_by_school
        return replace(
            self,
            names=names,
            mean=self.mean[:, at],
            within=self.within[np.ix_(at, at)],
            within_by_school=None if by_school is None else by_school[:, at[:, None], at],
        )


def compute_school_moments(
    columns: Sequence[Any],
    school: Any,
    *,
    names: Sequence[str],
    weights: Any = None,
    group: Any = None,
    intercept: bool = False,
    by_school: bool = False,
    slab_rows: int = SLAB_ROWS,
    threads: int | None = None,
    compiled: bool | None = None,
) -> SchoolMoments:
    """Take the moments of columns in one pass.

    Parameters
    ----------
    columns : sequence of q arrays, each of shape (N,)
        Regressors, then the outcome; any real numeric type, without missing values.
    school : array, shape (N,)
        School of each pupil, in any order.
    names : sequence of str, length q
        Names of the columns.
    weights : array, shape (N,), optional
        Positive weights: Var(e_ij) = σ²_e / w_ij.
    group : array, shape (N,), optional
        Block, district or site, the same for all pupils of a school.
    intercept : bool
        Put a column of ones, ``(Intercept)``, in front.
    by_school : bool
        Keep the cross-products of each school (memory J q²).
    slab_rows, threads : int
        How the pass is cut up; the result is the same to rounding, and the same to the bit
        whatever the number of threads.
    compiled : bool, optional
        Whether to use compiled loops; by default where the data are large.

    Raises
    ------
    ValueError
        On columns of unequal length, missing or infinite values (the column and a school are
        named), text where numbers are expected, weights that are not positive, or a school that
        lies in two groups.
    """
    check_names(names, len(columns))
    runs = find_school_runs(school)
    arrays = [numeric_values(c, name, runs.n_rows) for c, name in zip(columns, names, strict=True)]
    pupil_weights = None if weights is None else positive_weights(weights, runs)
    sums = centred_cross_products(
        arrays,
        runs,
        pupil_weights,
        by_school=by_school,
        slab_rows=slab_rows,
        threads=threads,
        compiled=compiled,
    )
    moments = SchoolMoments(
        names=tuple(names),
        schools=runs.labels,
        n_individuals=sums.count,
        weight=sums.weight,
        mean=sums.mean,
        within=sums.within,
        within_by_school=sums.within_by_school,
        sum_log_weight=0.0 if pupil_weights is None else float(np.log(pupil_weights).sum()),
        groups=None if group is None else group_of_school(group, runs),
    )
    _refuse_not_finite(moments)
    moments = _exact_zeros(moments)
    return _with_intercept(moments) if intercept else moments


def from_frame(
    frame: Mapping[str, Any] | Any,
    *,
    outcome: str,
    fixed: Sequence[str],
    school: str,
    weights: str | None = None,
    group: str | None = None,
    intercept: bool = True,
    by_school: bool = False,
) -> SchoolMoments:
    """Take the moments of the columns of a frame, or of any mapping of columns.

    Parameters
    ----------
    frame : mapping of str to columns
        A data frame, or a dict of arrays.
    outcome, school : str
        Columns of the outcome and of the school labels.
    fixed : sequence of str
        Numeric regressors. ``"(Intercept)"`` among them is the column of ones, wherever it stands.
    weights, group : str, optional
        Columns of the weights, and of the block, district or site.
    intercept : bool
        Put ``(Intercept)`` in front, unless ``fixed`` has it.
    by_school : bool
        Keep the cross-products of each school.
    """
    regressors = [name for name in fixed if name != INTERCEPT]
    moments = compute_school_moments(
        [plain_column(frame, name) for name in (*regressors, outcome)],
        named_column(frame, school),
        names=(*regressors, outcome),
        weights=None if weights is None else plain_column(frame, weights),
        group=None if group is None else named_column(frame, group),
        intercept=intercept or INTERCEPT in fixed,
        by_school=by_school,
    )
    return moments.select(fixed) if INTERCEPT in fixed and fixed[0] != INTERCEPT else moments


def merge(left: SchoolMoments, right: SchoolMoments) -> SchoolMoments:
    """Combine the moments of two sets of pupils, exactly.

    Schools may be in one of them or in both; the columns must be the same.

    Raises
    ------
    ValueError
        When the columns differ, or a school lies in different groups.
    """
    if left.names != right.names:
        raise ValueError(
            f"moments of {', '.join(left.names)} and of {', '.join(right.names)} cannot be merged: "
            "take both passes over the same columns in the same order"
        )
    if (left.groups is None) != (right.groups is None) or (
        (left.within_by_school is None) != (right.within_by_school is None)
    ):
        raise ValueError(
            "one of the two passes kept groups or products by school and the other did not: "
            "take both with the same options"
        )
    stacked = np.concatenate((left.schools, right.schools))
    schools, codes = np.unique(stacked, return_inverse=True)
    by_school = None
    if left.within_by_school is not None and right.within_by_school is not None:
        by_school = np.concatenate((left.within_by_school, right.within_by_school))
    parts = PartialSums(
        count=np.concatenate((left.n_individuals, right.n_individuals)),
        weight=np.concatenate((left.weight, right.weight)),
        mean=np.concatenate((left.mean, right.mean)),
        within=left.within + right.within,
        within_by_school=by_school,
    )
    sums = merge_by_school(parts, codes.astype(np.int64, copy=False), len(schools))
    groups = None
    if left.groups is not None and right.groups is not None:
        groups = one_group_each(np.concatenate((left.groups, right.groups)), codes, schools)
    return _exact_zeros(
        SchoolMoments(
            names=left.names,
            schools=schools,
            n_individuals=sums.count,
            weight=sums.weight,
            mean=sums.mean,
            within=sums.within,
            within_by_school=sums.within_by_school,
            sum_log_weight=left.sum_log_weight + right.sum_log_weight,
            groups=groups,
        )
    )


def _refuse_not_finite(moments: SchoolMoments) -> None:
    bad_schools, bad_columns = np.nonzero(~np.isfinite(moments.mean))
    if len(bad_schools):
        names = ", ".join(repr(moments.names[k]) for k in np.unique(bad_columns))
        raise ValueError(
            f"missing or infinite values in {names}, for example in column "
            f"{moments.names[bad_columns[0]]!r} of school {moments.schools[bad_schools[0]]}; "
            "expected complete columns: decide how missing values are handled and drop or fill "
            "them before the moments are taken"
        )


def _exact_zeros(moments: SchoolMoments) -> SchoolMoments:
    """Set to zero the within-school products of columns that are constant in each school."""
    size = np.sum(moments.weight[:, None] * moments.mean**2, axis=0)
    constant = np.diagonal(moments.within) <= CONSTANT_WITHIN * size
    if constant.any():
        moments.within[constant, :] = 0.0
        moments.within[:, constant] = 0.0
        if moments.within_by_school is not None:
            moments.within_by_school[:, constant, :] = 0.0
            moments.within_by_school[:, :, constant] = 0.0
    return moments


def _with_intercept(moments: SchoolMoments) -> SchoolMoments:
    n_schools, q = moments.mean.shape
    within = np.zeros((q + 1, q + 1))
    within[1:, 1:] = moments.within
    by_school = None
    if moments.within_by_school is not None:
        by_school = np.zeros((n_schools, q + 1, q + 1))
        by_school[:, 1:, 1:] = moments.within_by_school
    return replace(
        moments,
        names=(INTERCEPT, *moments.names),
        mean=np.column_stack((np.ones(n_schools), moments.mean)),
        within=within,
        within_by_school=by_school,
    )
