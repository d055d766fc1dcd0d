r"""Averages of group-time effects by years since the programme ended.

The programme of cohort g runs for :math:`L_g` years, from g to :math:`e_g = g + L_g - 1`. With
:math:`n_{gt}` the treated schools of a cell,

.. math:: \text{during} = \frac{\sum_g\sum_{g \le t \le e_g} n_{gt}\,ATT(g,t)}
                               {\sum_g\sum_{g \le t \le e_g} n_{gt}}, \qquad
          \text{after}_k = \frac{\sum_{g\in G_k} n_{g,e_g+k}\,ATT(g, e_g+k)}
                                {\sum_{g\in G_k} n_{g,e_g+k}}

with :math:`G_k` the cohorts that were measured k years after the end. Cohorts that began late are
seen for fewer years, so that the effects after one year and after two are of different schools.
What is held against an effect after is therefore the effect during of the same cohorts, each with
the weight that it has after.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from schooltrial.arrays import FloatArray
from schooltrial.models.group_time.averages import Average
from schooltrial.models.group_time.cells import Cell

PERSISTENCE = "persistence"
"""What these averages are of, as in the long table."""

DURING = "treated[during]"

Lasts = int | Mapping[int, int]
"""For how many years the programme of a cohort lasts, its first treated year counted."""


@dataclass(frozen=True)
class YearAfter:
    """One year after the end: its terms, and the cohorts that carry it.

    Attributes
    ----------
    years : int
        Since the last year of the programme.
    cohorts : tuple of int
    compared : bool
        Whether these cohorts were measured during the programme too.
    """

    years: int
    cohorts: tuple[int, ...]
    compared: bool

    @property
    def term(self) -> str:
        """The effect so many years after."""
        return f"treated[after={self.years}]"

    @property
    def change(self) -> str:
        """That effect less the one on the same schools during the programme."""
        return f"{self.term} - {DURING}"

    @property
    def ratio(self) -> str:
        """That effect as a share of the one on the same schools during the programme."""
        return f"{self.term} / {DURING}"


def years_after(cells: Sequence[Cell], lasts: Lasts) -> tuple[YearAfter, ...]:
    """Return the years after the end that some cohort was measured in, and which cohorts.

    Raises
    ------
    ValueError
        Where it is not said how long the programme of a cohort lasts.
    """
    of = _lengths(cells, lasts)
    measured = {cell.cohort for cell in cells if 0 <= cell.since < of[cell.cohort]}
    later = sorted({
        cell.since - of[cell.cohort] + 1 for cell in cells if cell.since >= of[cell.cohort]
    })  # fmt: skip
    found = []
    for k in later:
        cohorts = tuple(cell.cohort for cell in cells if cell.since == of[cell.cohort] - 1 + k)
        found.append(YearAfter(k, cohorts, set(cohorts) <= measured))
    return tuple(found)


def persistence_averages(
    cells: Sequence[Cell], schools: Sequence[float] | FloatArray, lasts: Lasts
) -> tuple[Average, ...]:
    """Return the effect during the programme, and for each year after the end two averages.

    Parameters
    ----------
    cells : sequence of Cell
        K cells.
    schools : array (K,)
        Treated schools of each cell, or what else cells count by.
    lasts : int or mapping of int to int
        For how many years the programme lasts, or that of each cohort.

    Returns
    -------
    tuple of Average
        ``treated[during]``; then ``treated[after=k]``, and ``treated[after=k] - treated[during]``
        of the same cohorts where they were measured during the programme.
    """
    of = _lengths(cells, lasts)
    size = np.asarray(schools, dtype=np.float64)
    cohort = np.array([cell.cohort for cell in cells])
    since = np.array([cell.since for cell in cells])
    length = np.array([of[cell.cohort] for cell in cells])
    during = np.where((since >= 0) & (since < length), size, 0.0)
    rows = [Average(DURING, PERSISTENCE, during / during.sum())] if during.any() else []
    for year in years_after(cells, lasts):
        after = np.where(since == length - 1 + year.years, size, 0.0)
        after = after / after.sum()
        rows.append(Average(year.term, PERSISTENCE, after))
        if year.compared:
            before = np.zeros(len(cells))
            for g in year.cohorts:
                own = np.where(cohort == g, during, 0.0)
                before += after[cohort == g].sum() * own / own.sum()
            rows.append(Average(year.change, PERSISTENCE, after - before))
    return tuple(rows)


def _lengths(cells: Sequence[Cell], lasts: Lasts) -> dict[int, int]:
    cohorts = sorted({cell.cohort for cell in cells})
    if isinstance(lasts, int):
        return dict.fromkeys(cohorts, lasts)
    unknown = [g for g in cohorts if g not in lasts]
    if unknown:
        told = ", ".join(f"{g}: …" for g in unknown)
        raise ValueError(
            f"`lasts` does not say for how many years the programme of "
            f"{'cohort' if len(unknown) == 1 else 'cohorts'} {', '.join(map(str, unknown))} "
            f"lasted; add it, as in `years: {{lasts: {{{told}}}}}`, or give one number for all"
        )
    return {g: lasts[g] for g in cohorts}
