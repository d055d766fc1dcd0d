"""Tests of the specification of a model with an instrument, by linearmodels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from schooltrial.arrays import FloatArray
from schooltrial.models.cluster_robust.linear_model import centred_columns
from schooltrial.models.complier_effect.two_stage_least_squares import InstrumentFit


def run_specification_tests(fit: InstrumentFit) -> Any:
    """Run the specification tests of two-stage least squares: Wu-Hausman, Sargan, first stage.

    Absorbed effects enter as columns centred on their groups, so linearmodels does not count them
    in its degrees of freedom.

    Parameters
    ----------
    fit : InstrumentFit
        From ``fit_instrument``.

    Returns
    -------
    linearmodels.iv.results.IVResults

    Raises
    ------
    ValueError
        If its point differs from ours, which would mean that one of the two lost its digits.
    """
    from linearmodels.iv import IV2SLS

    model, stage = fit.model, fit.second_stage
    columns = centred_columns(model)
    exogenous = [name for name in stage.names if name not in fit.endogenous]
    exogenous = [*model.names[: model.hidden], *exogenous]

    def matrix(names: Sequence[str]) -> FloatArray | None:
        return np.column_stack([columns[k] for k in model.positions(names)]) if names else None

    unfitted = IV2SLS(
        columns[-1],
        matrix(exogenous),
        matrix(fit.endogenous),
        matrix(fit.instruments),
        weights=model.weights,
    )
    result = unfitted.fit(cov_type="unadjusted", debiased=True)
    theirs = np.asarray(result.params)[-len(fit.endogenous) :]
    ours = stage.coefficients[[stage.position(name) for name in fit.endogenous]]
    if not np.allclose(theirs, ours, rtol=1e-6, atol=1e-9):
        raise ValueError(
            f"linearmodels has {theirs} for {', '.join(fit.endogenous)}, this package {ours}: the "
            "columns are close to collinear; rescale or drop some"
        )
    return result
