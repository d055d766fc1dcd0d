"""How much of the variance at each level the regressors explain.

R²_level = 1 − σ²_level / σ²_level of the empty model (an intercept and the same random intercepts;
Raudenbush & Bryk 2002, Hierarchical Linear Models, 2nd ed., p. 74). At the school level it can be
negative: a pupil-level covariate that is spread unevenly over schools may add to the differences
between them. It is given as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum

from schooltrial.models.moments.school_moments import INTERCEPT
from schooltrial.models.multilevel.result import MultilevelFit
from schooltrial.models.multilevel.three_level import fit_three_level
from schooltrial.models.multilevel.two_level import fit_two_level_moments


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
    before = {**empty, "total": fsum(empty.values())}
    after = {**conditional, "total": fsum(conditional.values())}
    return tuple(
        ExplainedVariance(
            name, before[name], after[name],
            1.0 - after[name] / before[name] if before[name] > 0 else float("nan"),
        )
        for name in before
    )  # fmt: skip


def estimate_r_squared(fitted: MultilevelFit) -> tuple[ExplainedVariance, ...]:
    """Return R² by level against the empty model, which is fitted here.

    Raises
    ------
    ValueError
        When the model has a random slope, or no intercept to keep.
    """
    if INTERCEPT not in fitted.names:
        raise ValueError(
            f"the model has no {INTERCEPT} and so no empty model; expected one: add the intercept"
        )
    empty = empty_model(fitted)
    levels = [*dict.fromkeys(term.level for term in fitted.terms), "residual"]
    return explained_variance(
        {name: empty.variance(name) for name in levels},
        {name: fitted.variance(name) for name in levels},
    )


def empty_model(fitted: MultilevelFit) -> MultilevelFit:
    """Fit an intercept alone with the same random intercepts, to the same pupils."""
    if any(term.first != INTERCEPT for term in fitted.terms):
        raise ValueError(
            "the empty model is that of random intercepts; expected a fit without random slope"
        )
    moments = fitted.moments.select((INTERCEPT,))
    if len(fitted.terms) == 1:
        return fit_two_level_moments(moments, reml=fitted.reml, level=fitted.terms[0].level)
    inner, level = (term.level for term in fitted.terms)
    return fit_three_level(moments, level=level, reml=fitted.reml, inner=inner)
