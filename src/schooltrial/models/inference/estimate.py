"""One row of the long estimates table, as every estimator returns it.

Whatever the estimator, the statistical content of a result is the same: a point, its standard
error, the degrees of freedom of its reference distribution, and what follows from them. The labels
of a study (model, outcome, subgroup …) are added where the rows are stacked into a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, nan

from scipy import special

from schooltrial.models.inference.student_t import t_quantile, t_tail
from schooltrial.wording import degrees


@dataclass(frozen=True, slots=True)
class Estimate:
    """A coefficient, contrast or joint test.

    Attributes
    ----------
    term : str
        Name of the coefficient, contrast or hypothesis.
    estimate, std_error : float
        In units of the outcome; NaN for a joint test.
    df : float
        Degrees of freedom of the reference t (or denominator of F); ``inf`` for a normal.
    statistic, p_value : float
        t or F, and its two-sided (upper, for F) p-value.
    conf_low, conf_high : float
        Ends of the confidence interval; NaN for a joint test.
    n_individuals, n_schools : int
        Rows and clusters that the estimate rests on.
    method : str
        What was computed, in words: ``"REML, Kenward-Roger"``.
    converged : bool
        False when an iteration stopped short; such an estimate must not be reported as a finding.
    note : str
        What a reader must know beside the number, such as ``singular``.
    band_low, band_high : float
        Ends of the simultaneous band over the rows of an event study; NaN for others.
    n_treated_schools : int, optional
        Treated schools that the estimate rests on, where it knows them better than its model.
    """

    term: str
    estimate: float
    std_error: float
    df: float
    statistic: float
    p_value: float
    conf_low: float
    conf_high: float
    n_individuals: int
    n_schools: int
    method: str
    converged: bool = True
    note: str = ""
    band_low: float = nan
    band_high: float = nan
    n_treated_schools: int | None = None


def t_estimate(
    term: str,
    estimate: float,
    std_error: float,
    df: float,
    *,
    n_individuals: int,
    n_schools: int,
    method: str,
    level: float = 0.95,
    converged: bool = True,
    note: str = "",
) -> Estimate:
    """Return the row of a coefficient judged against Student's t.

    The statistic is ``estimate / std_error``, the interval ``estimate ± t(df)·std_error``.
    A standard error of zero or NaN leaves statistic, p and interval undefined.
    """
    if not std_error > 0 or not df > 0:
        undefined = (nan, nan, nan, nan)
        statistic, p_value, low, high = undefined
    else:
        statistic = estimate / std_error
        p_value = 2 * t_tail(abs(statistic), df)
        half_width = t_quantile((1 + level) / 2, df) * std_error
        low, high = estimate - half_width, estimate + half_width
    return Estimate(
        term, float(estimate), float(std_error), float(df), float(statistic), p_value,
        float(low), float(high), n_individuals, n_schools, method, converged, note,
    )  # fmt: skip


def f_estimate(
    term: str,
    statistic: float,
    df_num: int,
    df_denom: float,
    *,
    n_individuals: int,
    n_schools: int,
    method: str,
    converged: bool = True,
    note: str = "",
) -> Estimate:
    """Return the row of a joint test; the note opens with ``F(numerator, denominator)``.

    Without a limit to the denominator the statistic is a chi-square over its degrees of freedom,
    and the note says that.
    """
    if df_denom == inf:
        p_value = float(special.chdtrc(df_num, df_num * statistic))
    else:
        p_value = float(special.fdtrc(df_num, df_denom, statistic)) if df_denom > 0 else nan
    label = f"F({df_num}, {degrees(df_denom)})" if df_denom > 0 else f"F of {df_num} hypotheses"
    df = float(df_denom) if df_denom > 0 else nan  # too few clusters may make it negative
    if df_denom == inf:
        label = f"chi-square({df_num})" + (f"/{df_num}" if df_num > 1 else "")
    return Estimate(
        term, nan, nan, df, float(statistic), p_value, nan, nan,
        n_individuals, n_schools, method, converged, f"{label}; {note}" if note else label,
    )  # fmt: skip


def noted(rows: Sequence[Estimate], note: str) -> list[Estimate]:
    """Return estimates that carry one more note."""
    return [replace(row, note="; ".join(filter(None, [row.note, note]))) for row in rows]


def without_test(rows: Sequence[Estimate], method: str, note: str) -> list[Estimate]:
    """Return estimates whose p-value and interval cannot be had, with the reason as their note."""
    return [
        replace(row, p_value=nan, conf_low=nan, conf_high=nan, method=method, note=note)
        for row in rows
    ]
