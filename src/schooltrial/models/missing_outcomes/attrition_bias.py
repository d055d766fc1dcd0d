"""How much bias attrition may bring: the What Works Clearinghouse's boundary and its model.

The model (Deke & Chiang 2017, Evaluation Review 41(2), doi 10.1177/0193841X16670047): each pupil
has a latent z ~ N(0, 1), and is observed where z exceeds Φ⁻¹(a), a being the attrition of the
group. The outcome, in SD, is α·z plus noise. Then E[z | observed] = m(a) = φ(Φ⁻¹(a))/(1 − a), and
the bias of the difference in means is α_T·m(a_T) − α_C·m(a_C). The cautious assumption is for
programmes that may themselves drive pupils away, the optimistic one for those that hardly can.

The boundary is the published table (``attrition_boundary.csv``); the model is what the
table is tested against, and gives the bias that an observed pair of rates implies.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import floor, isnan, nan
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special

from schooltrial.arrays import FloatArray

Assumption = Literal["cautious", "optimistic"]


BIAS_LIMIT = 0.055
"""Bias, in SD, at which the model reproduces the table (how closely: ``docs/standards.md``)."""


_TIE = 1e-9  # a rate made by a division may lie a hair beside the boundary that it stands for


@dataclass(frozen=True)
class Selection:
    """How strongly being observed goes with the outcome.

    Attributes
    ----------
    treated, control : float
        α_T, α_C: the correlation of the outcome with the latent wish to stay.
    """

    treated: float
    control: float


ASSUMPTIONS: Mapping[str, Selection] = MappingProxyType(
    {"cautious": Selection(0.45, 0.39), "optimistic": Selection(0.27, 0.22)}
)


def respondent_mean(attrition: ArrayLike) -> FloatArray:
    """Return m(a) = φ(Φ⁻¹(a))/(1 − a), the mean of z among those who are observed.

    Parameters
    ----------
    attrition : array_like
        Share lost, in [0, 1); 0 where nobody is, NaN where everybody is.
    """
    a = np.asarray(attrition, dtype=np.float64)
    if np.any((a < 0) | (a > 1)):
        raise ValueError(f"attrition is a share from 0 to 1, not {a[(a < 0) | (a > 1)].flat[0]}")
    with np.errstate(divide="ignore", invalid="ignore"):
        density = np.exp(-(special.ndtri(a) ** 2) / 2) / np.sqrt(2 * np.pi)
        return np.asarray(np.where(a < 1, density / (1 - a), nan))


def expected_bias(treated: float, control: float, assumption: Assumption) -> float:
    """Return the bias α_T·m(a_T) − α_C·m(a_C), in SD, of two rates of attrition."""
    selection = ASSUMPTIONS[assumption]
    m_treated, m_control = respondent_mean([treated, control])
    return float(selection.treated * m_treated - selection.control * m_control)


def implied_bias(overall: float, differential: float, assumption: Assumption) -> float:
    """Return the size of the bias, in SD, that overall and differential attrition imply.

    The rates of the groups are taken as overall ± differential/2, whichever arm lost more, and the
    worse of the two is returned: the boundary does not ask which group lost more.

    Parameters
    ----------
    overall, differential : float
        Shares, not per cent; the sign of ``differential`` does not matter.
    assumption : {"cautious", "optimistic"}

    Returns
    -------
    float
        NaN where a rate is NaN or everybody of a group is lost.
    """
    if isnan(overall) or isnan(differential):
        return nan
    more = min(overall + abs(differential) / 2, 1.0)
    less = max(overall - abs(differential) / 2, 0.0)
    pairs = ((more, less), (less, more))
    return max(abs(expected_bias(*pair, assumption)) for pair in pairs)


def model_boundary(overall: float, assumption: Assumption, limit: float = BIAS_LIMIT) -> float:
    """Return the largest differential attrition whose bias, by the model, is within the limit.

    Parameters
    ----------
    overall : float
        Share lost, in [0, 1).
    assumption : {"cautious", "optimistic"}
    limit : float
        Largest bias that is tolerated, in SD.

    Returns
    -------
    float
        A share, at most 2·overall (a group cannot lose fewer than nobody); NaN where even equal
        rates exceed the limit.
    """
    if implied_bias(overall, 0.0, assumption) > limit:
        return nan
    widest = 2 * min(overall, 1 - _TIE - overall)  # nobody left has no mean
    if implied_bias(overall, widest, assumption) <= limit:
        return widest
    return float(
        optimize.brentq(
            lambda d: implied_bias(overall, d, assumption) - limit, 0.0, widest, xtol=1e-12
        )
    )


@cache
def boundary_table() -> Mapping[str, tuple[float, ...]]:
    """Return the published table: ``overall``, ``cautious`` and ``optimistic``, as shares.

    Notes
    -----
    What Works Clearinghouse, Standards Handbook 4.1, table II.1; see ``docs/standards.md``.
    """
    file = resources.files("schooltrial.models.missing_outcomes").joinpath("attrition_boundary.csv")
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    return MappingProxyType(
        {
            name: tuple(float(row[name]) / 100 if row[name] else nan for row in rows)
            for name in ("overall", "cautious", "optimistic")
        }
    )


def attrition_boundary(overall: float, assumption: Assumption) -> float:
    """Return the largest differential attrition that is still low, from the published table.

    Parameters
    ----------
    overall : float
        Share lost; it is rounded to the nearest per cent, halves up.
    assumption : {"cautious", "optimistic"}

    Returns
    -------
    float
        A share; NaN where attrition is high whatever the difference (58 % and over by the cautious
        boundary, over 65 % by the optimistic one).
    """
    if isnan(overall):
        return nan
    if not 0 <= overall <= 1:
        raise ValueError(f"overall attrition is a share from 0 to 1, not {overall}")
    limits = boundary_table()[assumption]
    percent = floor(100 * overall + 0.5 + _TIE)
    return limits[percent] if percent < len(limits) else nan


def attrition_verdict(
    overall: float, differential: float, assumption: Assumption
) -> Literal["low", "high", "not defined"]:
    """Return whether attrition is low; the boundary itself is.

    The differential attrition is compared as it is, not rounded. Parameters as for
    ``implied_bias``; ``not defined`` where a rate is NaN.
    """
    if isnan(overall) or isnan(differential):
        return "not defined"
    limit = attrition_boundary(overall, assumption)
    return "low" if abs(differential) <= limit + _TIE else "high"
