"""How much of the variance at each level the regressors explain.

R²_level = 1 − σ²_level / σ²_level of the empty model (an intercept and the same random intercepts;
Raudenbush & Bryk 2002, Hierarchical Linear Models, 2nd ed., p. 74). At the school level it can be
negative: a pupil-level covariate that is spread unevenly over schools may add to the differences
between them. It is given as it is.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ExplainedVariance:
    """R² of one level.

    Attributes
    ----------
    level : str
        ``"school"``, the name of the groups, ``"residual"`` (pupils), or ``"total"``.
    empty, conditional : float
        Variance in the empty model and in this one.
    r_squared : float
        1 − conditional/empty; NaN when the empty model has no variance at this level.
    """

    level: str
    empty: float
    conditional: float
    r_squared: float


def explained_variance(
    empty: dict[str, float], conditional: dict[str, float]
) -> tuple[ExplainedVariance, ...]:
    """Compare the variances of the empty model with those of a fitted one, level by level.

    Parameters
    ----------
    empty, conditional : dict of str to float
        Variance of each level.
    """
    before = {**empty, "total": sum(empty.values())}
    after = {**conditional, "total": sum(conditional.values())}
    return tuple(
        ExplainedVariance(
            name, before[name], after[name],
            1.0 - after[name] / before[name] if before[name] > 0 else float("nan"),
        )
        for name in before
    )  # fmt: skip
