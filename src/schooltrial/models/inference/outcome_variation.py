"""What an outcome must vary by, for an effect to be judged: never of one value, nor fitted exactly.

Where nothing is left after the model, a standard error is made of rounding, and so is every p-value
that rests on it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from schooltrial.arrays import FloatArray

FITTED_EXACTLY = 1e-13
"""Share of the outcome's sum of squares left by a model at which it fits exactly."""

ROUNDING = 1e-18
"""Share of the classical variance of a coefficient that is rounding of zero."""

NO_VARIATION = (
    "no standard error: the outcome does not vary, once the model is taken out, among the rows "
    "that this compares"
)
"""Why an effect has no standard error, where its rows leave none to estimate."""

_ONE_VALUE = 64 * np.finfo(np.float64).eps
"""Range of a column, over its largest size, that is rounding of one value."""

_SMALLEST, _LARGEST = 1e-40, 1e40
"""Range of an outcome for which the sixth power of its SD is still a number."""

_SHOWN = 8


def is_constant(values: FloatArray) -> bool:
    """Return whether a column without missing values has one value, rounding apart."""
    if len(values) == 0:
        return True
    low, high = float(values.min()), float(values.max())
    return bool(high - low <= _ONE_VALUE * max(abs(low), abs(high)))


def refuse_unvarying(outcome: FloatArray, name: str, rows: str = "rows") -> None:
    """Raise where an outcome has values that are no numbers, one value, or no usable size.

    Parameters
    ----------
    outcome : array (n,)
        Without missing values.
    name : str
        What the outcome is called.
    rows : str
        What its rows are.

    Raises
    ------
    ValueError
        With what to look at.
    """
    infinite = int((~np.isfinite(outcome)).sum())
    if infinite:
        raise ValueError(
            f"the outcome {name!r} is infinite in {infinite:,} of {len(outcome):,} {rows}. Correct "
            "these cells, or list their text under `missing` if they mean 'not observed'"
        )
    if len(outcome) and is_constant(outcome):
        raise ValueError(
            f"the outcome {name!r} does not vary: it has the same value, {outcome[0]:.6g}, in all "
            f"{len(outcome):,} {rows} analysed, so that no effect can be estimated. Check the "
            "column in its file (one that was filled down, a score at its ceiling) and the model's "
            f"`where`; or take {name!r} out of the model's `outcomes`"
        )
    size = float(np.ptp(outcome)) if len(outcome) else 1.0
    if not _SMALLEST < size < _LARGEST:
        raise ValueError(
            f"the outcome {name!r} has a range of {size:.3g}, which is too "
            f"{'small' if size < 1 else 'large'} to compute with. Check the column in its file, or "
            "put the outcome on another scale (`times: 1000` where it is made)"
        )


def refuse_exact_fit(
    left: float, total: float, name: str, regressors: Sequence[str], *, effects: str = ""
) -> None:
    """Raise where a model leaves nothing of an outcome.

    Parameters
    ----------
    left, total : float
        Sums of squares: that the model leaves, and of the outcome about its mean.
    name : str
        What the outcome is called.
    regressors : sequence of str
        What the model has beside a constant.
    effects : str
        Which effects it has beside these, in words: ``the blocks``.
    """
    if left > FITTED_EXACTLY * total:
        return
    if not total > 0:
        raise ValueError(
            f"the outcome {name!r} has no variation: it has the same value in all rows, so that no "
            "effect can be estimated. Check its column"
        )
    shown = [*regressors[:_SHOWN], *(["…"] if len(regressors) > _SHOWN else [])]
    what = " and ".join(filter(None, [", ".join(shown), effects]))
    raise ValueError(
        f"the outcome {name!r} has no variation left: {what} determine it exactly, so that no "
        "standard error can be computed. Take a covariate that is a copy of the outcome, or made "
        "from it, out of `covariates`; if there is none, check whether the column of "
        f"{name!r} was filled in from the group, the blocks or the schools"
    )


def refuse_copies(outcome: FloatArray, name: str, covariates: dict[str, FloatArray]) -> None:
    """Raise where a covariate is the outcome itself, on the same or another scale.

    Parameters
    ----------
    outcome : array (n,)
    name : str
        What the outcome is called.
    covariates : dict of str to array (n,)
    """
    y = outcome - outcome.mean()
    size = float(y @ y)
    copies = []
    for covariate, values in covariates.items():
        x = values - values.mean()
        own = float(x @ x)
        if len(outcome) > 2 and own > 0 and float(x @ y) ** 2 >= (1 - FITTED_EXACTLY) * own * size:
            copies.append(covariate)
    if copies:
        raise ValueError(
            f"the covariate{'s' if len(copies) > 1 else ''} {', '.join(map(repr, copies))} "
            f"{'are copies' if len(copies) > 1 else 'is a copy'} of the outcome {name!r} (or a "
            "linear function of it), which leaves nothing to estimate. Take "
            f"{'them' if len(copies) > 1 else 'it'} out of `covariates`"
        )
