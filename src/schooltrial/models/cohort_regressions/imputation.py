r"""Imputation estimator of Borusyak, Jaravel and Spiess (2024).

The untreated cells (schools that are never treated, and others before they are) are fitted by
school and year effects,

.. math:: y_{it} = \alpha_i + \lambda_t + \varepsilon_{it},

and the effect on a treated cell is :math:`y_{it}-\hat y_{it}(0)`. Averages weight every treated
cell alike. All untreated years serve as the comparison, not one base year: the standard error is
smaller where errors do not hang together over the years, and a difference in trend long before the
programme enters the effect.

The pre-trend is tested among untreated cells only: they are regressed on school and year effects
and on indicators of each cohort's last K years before the programme, earlier ones being the
reference. Their averages by years since the programme began are tested together.

References
----------
Borusyak, K., Jaravel, X. and Spiess, J. (2024). Revisiting event-study designs: robust and
efficient estimation. Review of Economic Studies 91, 3253-3285.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from schooltrial.arrays import FloatArray
from schooltrial.models.cohort_regressions.cohort_year_effects import CohortYearEffects
from schooltrial.models.cohort_regressions.nuisance_effects import (
    NuisanceEffects,
    connected_parts,
)
from schooltrial.models.cohort_regressions.school_patterns import Mask, SchoolPatterns
from schooltrial.models.group_time.cells import Cell
from schooltrial.wording import listed, plural

_TOLD_APART = 1e-9  # sum of squares that is left of a lead, and smallest eigenvalue of these


def impute_untreated(
    patterns: SchoolPatterns, years: NDArray[np.int64], *, anticipation: int = 0
) -> CohortYearEffects:
    """Estimate the mean effect on each cohort in each year by imputing untreated outcomes.

    Parameters
    ----------
    patterns : SchoolPatterns
    years : array (T,)
        In order.
    anticipation : int
        Years before its beginning in which a cohort may already respond, and counts as treated.

    Raises
    ------
    ValueError
        Where no treated cell can be imputed.
    """
    begun = _begun(patterns, years, anticipation)
    untreated = patterns.seen & ~begun
    of_school, of_year = connected_parts(untreated)
    imputable = patterns.seen & begun & (of_school[:, None] == of_year[None, :])
    notes = _left_out(patterns, years, begun, imputable)
    cells = [
        (int(g), at)
        for g in np.unique(patterns.cohort[patterns.cohort > 0])
        for at in np.flatnonzero(imputable[patterns.cohort == g].any(axis=0))
    ]
    if not cells:
        raise ValueError(
            "no treated cell can be imputed: " + ("; ".join(notes) or "no school is treated")
        )
    wanted = np.zeros((*patterns.seen.shape, len(cells)))
    size = np.zeros(len(cells))
    for k, (cohort, at) in enumerate(cells):
        rows = (patterns.cohort == cohort) & imputable[:, at]
        size[k] = patterns.count[rows].sum()
        wanted[rows, at, k] = 1 / size[k]
    effects = NuisanceEffects(untreated, patterns.count)
    loadings = wanted - effects.predicting(wanted)
    planned = tuple(
        Cell(
            cohort,
            int(years[at]),
            int(years[years < cohort - anticipation][-1]),
            tuple(int(g) for g in np.unique(patterns.cohort[untreated[:, at]])),
        )
        for cohort, at in cells
    )
    return CohortYearEffects(planned, size, loadings, notes)


def difference_before(
    patterns: SchoolPatterns,
    years: NDArray[np.int64],
    *,
    anticipation: int = 0,
    leads: int | None = None,
) -> CohortYearEffects | None:
    """Estimate each cohort's leads among untreated cells; None if none can be estimated.

    The base of their cells is the last year before the leads: the reference is all years until it.

    Parameters
    ----------
    patterns : SchoolPatterns
    years : array (T,)
    anticipation : int
        Years before its beginning in which a cohort may already respond: they are no leads.
    leads : int, optional
        The number K of years before the programme that are compared with earlier ones. By default
        as many as leave every cohort with two years or more an earlier one to compare with.
    """
    untreated = patterns.seen & ~_begun(patterns, years, anticipation)
    cohorts = [int(g) for g in np.unique(patterns.cohort[untreated.any(axis=1)]) if g]
    before = {g: int((years < g - anticipation).sum()) for g in cohorts if g <= years[-1]}
    most = leads or min((count - 1 for count in before.values() if count > 1), default=0)
    wanted = [
        (g, at)
        for g, count in before.items()
        for at in range(max(count - most, 1), count)
        if untreated[patterns.cohort == g, at].any()
    ]
    columns = np.zeros((*patterns.seen.shape, len(wanted)))
    for k, (cohort, at) in enumerate(wanted):
        columns[patterns.cohort == cohort, at, k] = 1.0
    left = NuisanceEffects(untreated, patterns.count).residual(columns)
    gram = np.einsum("u,utk,utl->kl", patterns.count, left, left, optimize=True)
    told = np.flatnonzero(np.diag(gram) > _TOLD_APART)
    gram, left = gram[np.ix_(told, told)], left[:, :, told]
    spread = np.sqrt(np.diag(gram))
    scaled = gram / np.outer(spread, spread)
    if not len(told) or np.linalg.eigvalsh(scaled)[0] < _TOLD_APART:
        return None
    chosen = [wanted[k] for k in told]
    cells = tuple(
        Cell(g, int(years[at]), int(years[max(before[g] - most, 1) - 1]),
             tuple(int(h) for h in np.unique(patterns.cohort[untreated[:, at]]) if h != g))
        for g, at in chosen
    )  # fmt: skip
    size = np.array([
        patterns.count[(patterns.cohort == g) & untreated[:, at]].sum() for g, at in chosen
    ])  # fmt: skip
    return CohortYearEffects(cells, size, left @ np.linalg.inv(gram))


def drift_before(
    patterns: SchoolPatterns, years: NDArray[np.int64], *, anticipation: int = 0
) -> FloatArray | None:
    """Return the loadings of the yearly drift of cohorts before their programme, (U, T).

    It is the coefficient of the year, for schools that are treated at some time, in a regression of
    untreated cells on it and on school and year effects. None where it cannot be told from the year
    effects, as where every school is treated at some time.
    """
    untreated = patterns.seen & ~_begun(patterns, years, anticipation)
    column = (patterns.cohort > 0)[:, None] * (years - years.mean())
    effects = NuisanceEffects(untreated, patterns.count)
    left = effects.residual(column[:, :, None])[:, :, 0]
    square = float(np.einsum("u,ut,ut->", patterns.count, left, left))
    return np.asarray(left / square) if square > _TOLD_APART else None


def _begun(patterns: SchoolPatterns, years: NDArray[np.int64], anticipation: int) -> Mask:
    """Return where a cohort may have responded, (U, T)."""
    cohort = patterns.cohort[:, None]
    return np.asarray((cohort > 0) & (years[None, :] >= cohort - anticipation))


def _left_out(
    patterns: SchoolPatterns, years: NDArray[np.int64], begun: Mask, imputable: Mask
) -> tuple[str, ...]:
    """Name cohorts, schools and years whose untreated outcomes nothing predicts."""
    notes = []
    treated = patterns.seen & begun
    never_before = treated.any(axis=1) & ~(patterns.seen & ~begun).any(axis=1)
    for cohort in np.unique(patterns.cohort[never_before]):
        own = patterns.cohort == cohort
        alone = int(patterns.count[own & never_before].sum())
        if (own & treated.any(axis=1) & ~never_before).any():
            notes.append(
                f"{plural(alone, 'school')} of cohort {cohort} not seen before treatment: what "
                "their outcomes would have been cannot be imputed"
            )
        else:
            notes.append(f"cohort {cohort} has no year before treatment and is left out")
    open_years = treated.any(axis=0) & ~(patterns.seen & ~begun).any(axis=0)
    if open_years.any():
        told = listed([str(year) for year in years[open_years]])
        notes.append(
            f"no school is untreated in {told}: effects in such years cannot be imputed and are "
            "left out"
        )
    apart = (treated & ~imputable)[~never_before][:, ~open_years]
    if apart.any():
        cells = int(patterns.count[~never_before] @ apart.sum(axis=1))
        notes.append(
            f"{plural(cells, 'cell')} cannot be imputed, since no chain of untreated schools links "
            "the years in question, and are left out"
        )
    return tuple(notes)
