"""Lin's regression adjustment: covariates centred and fully interacted with treatment.

y on 1, z, x − x̄ and z(x − x̄): the coefficient of z estimates the average effect, is never less
precise than the difference in means in large samples, and needs no model to be right (Lin 2013,
Annals of Applied Statistics 7(1), 295-318). With weights x̄ is the weighted mean. With block
indicators as covariates it is the blocked difference in means, blocks counting by their size.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from schooltrial.models.cluster_robust.fit import fit_least_squares_columns
from schooltrial.models.cluster_robust.result import LeastSquaresFit
from schooltrial.models.least_squares.coefficients import as_column, as_weights


def fit_lin(
    y: ArrayLike,
    z: ArrayLike,
    covariates: Sequence[ArrayLike],
    *,
    names: Sequence[str],
    cluster: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    term: str = "z",
) -> LeastSquaresFit:
    """Fit Lin's regression: covariates interacted with treatment.

    Parameters
    ----------
    y, z : (N,) array_like
        Outcome and treatment (0 or 1).
    covariates : sequence of (N,) array_like
        Covariates measured before assignment; a factor as indicators of all levels but one.
    names : sequence of str
        Their names; coefficients are called ``name_c`` and ``z:name_c``.
    cluster, weights
        As for ``fit_least_squares_columns``; use HC2 without clusters, CR2 with.
    term : str
        Name of the treatment.

    Returns
    -------
    LeastSquaresFit
        With coefficients ``(Intercept)``, ``z``, centred covariates and interactions.

    Raises
    ------
    ValueError
        If the treatment is not 0 or 1 with both present, and as ``fit_least_squares_columns``.
    """
    outcome = as_column(y, "outcome", None)
    arm = as_column(z, term, len(outcome)).astype(np.float64)
    if not np.isin(arm, (0.0, 1.0)).all() or arm.min() == arm.max():
        raise ValueError(
            f"{term!r} must be 0 in some rows and 1 in the others, not "
            f"{', '.join(f'{value:g}' for value in np.unique(arm)[:5])}"
        )
    if len(names) != len(covariates):
        raise ValueError(f"{len(covariates)} covariates were given but {len(names)} names")
    scaled = as_weights(weights, len(outcome))
    centred = []
    for name, values in zip(names, covariates, strict=True):
        x = as_column(values, name, len(outcome)).astype(np.float64)
        centred.append(x - np.average(x, weights=scaled))
    return fit_least_squares_columns(
        outcome,
        [np.ones(len(outcome)), arm, *centred, *(arm * x for x in centred)],
        names=[
            "(Intercept)",
            term,
            *(f"{name}_c" for name in names),
            *(f"{term}:{name}_c" for name in names),
        ],
        cluster=cluster,
        weights=weights,
    )
