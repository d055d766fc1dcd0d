"""Which cohorts of a staggered panel inform an effect, and why others do not.

The effect of cohort g in year t compares the change since the last year before g of its schools
with that of others; it needs a school of each that was seen in both years.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from schooltrial.models.group_time.labels import numbered
from schooltrial.wording import listed, plural

Whole = npt.NDArray[np.int64]

NEVER = 0
"""The cohort of schools that are never treated."""

GAPS = "some schools lack years: each ATT(g, t) uses schools observed in both its years"


@dataclass(frozen=True)
class InformedPanel:
    """The rows of a panel that group-time effects are estimated from.

    Attributes
    ----------
    kept : array of bool
        The rows but for those of cohorts that inform nothing.
    cohort : array of int
        The cohort of every row, 0 for those who serve as never treated.
    notes : tuple of str
        Cohorts that inform no effect, and what else a reader must know.
    """

    kept: npt.NDArray[np.bool_]
    cohort: Whole
    notes: tuple[str, ...]


@dataclass
class _Panel:
    """Who was seen when: a row for each school, a column for each year."""

    seen: npt.NDArray[np.bool_]
    years: Whole
    cohort: Whole
    not_yet: bool
    anticipation: int
    used: npt.NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        self.used = np.zeros(len(self.cohort), dtype=bool)

    def compared_with(self, year: int) -> npt.NDArray[np.bool_]:
        """Return the schools that cohorts treated by a year can be compared with in it."""
        later = self.not_yet & (self.cohort > year + self.anticipation)
        return np.asarray((self.cohort == NEVER) | later)

    def why_uninformed(self, cohort: int) -> str:
        """Return why a cohort informs no effect; empty if it does, its schools being marked."""
        own = self.cohort == cohort
        base = int(self.years[self.years < cohort - self.anticipation][-1])
        at_base = self.seen[:, self.years == base][:, 0]
        if not (own & at_base).any():
            return f"has no school seen in {base}, the last year before {_began(self.anticipation)}"
        followed = informs = False
        for at in np.flatnonzero(self.years >= cohort):
            both = at_base & self.seen[:, at]
            treated, others = own & both, self.compared_with(int(self.years[at])) & both
            followed |= bool(treated.any())
            if treated.any() and others.any():
                informs, self.used = True, self.used | treated | others
        if informs:
            return ""
        if not followed:
            return f"has no school seen both in {base} and from {cohort} on"
        return f"has no school to compare with that was seen in {base} and from {cohort} on"


def informed_panel(
    school: Whole, year: Whole, cohort: Whole, *, not_yet: bool, anticipation: int = 0
) -> InformedPanel:
    """Return which rows effects are estimated from, and name the cohorts that inform none.

    Parameters
    ----------
    school, year, cohort : array (n,)
        Of each row: the number of its school, its year and its cohort, 0 for never.
    not_yet : bool
        Whether schools that are not yet treated are compared with too.
    anticipation : int
        Years before its first treated one in which a cohort may already change.

    Raises
    ------
    ValueError
        Where no school is treated, none can be compared with, or no cohort informs an effect.
    """
    cohorts = [int(g) for g in numbered(cohort)[0] if g != NEVER]
    first, last = int(year.min(initial=9999)), int(year.max(initial=0))
    if anticipation < 0:
        raise ValueError(
            f"`anticipation` is {anticipation}; give a number of years, 0 without anticipation"
        )
    if not cohorts:
        raise ValueError(
            "no school has a first treated year; give `cohort` in the assignment table"
        )
    if not not_yet and not (cohort == NEVER).any():
        raise ValueError(
            "every school is treated at some time, so none is never treated; set "
            "`comparison_group: not_yet_treated`, or take the subgroup in which it is so out of "
            "the model's `subgroups`"
        )
    late = [g for g in cohorts if g - anticipation <= first]
    if len(late) == len(cohorts):
        if max(cohorts) > first:
            raise ValueError(
                f"the panel begins in {first}, and no cohort has a year before "
                f"{_began(anticipation)}; add years before, or lower `anticipation`"
            )
        raise ValueError(
            f"the panel begins in {first}, and every cohort is treated by then; add years before"
        )
    before = {g: "treatment" if g <= first else _began(anticipation) for g in late}
    notes = {g: f"has no year before {what} and is left out" for g, what in before.items()}
    if not_yet:
        # Not treated in any year of the panel: they are comparisons, as in the package did of R.
        cohort = np.where(cohort <= last + anticipation, cohort, NEVER)
    years, column = numbered(year)
    numbers, row = numbered(school)
    seen = np.zeros((len(numbers), len(years)), dtype=bool)
    seen[row, column] = True
    own = np.zeros(len(numbers), dtype=np.int64)
    own[row] = cohort
    found = _Panel(seen, years, own, not_yet, anticipation)
    why = {g: found.why_uninformed(g) for g in cohorts if g not in late and g <= last}
    notes |= {g: f"{reason}, and informs no effect" for g, reason in why.items() if reason}
    notes |= {g: _beyond(last, not_yet) for g in cohorts if g > last}
    if all(why.values()):
        told = "; ".join(_named(notes))
        raise ValueError(
            f"no cohort informs an effect: {told}. Add the years or schools that are missing, or "
            "correct `cohort` in the assignment table"
        )
    dropped = late if not_yet else list(notes)
    gaps = [] if seen.all() else [GAPS]
    texts = (*_named(notes), *_alone(found), *gaps)
    return InformedPanel(~np.isin(cohort, dropped), cohort, texts)


def _named(notes: dict[int, str]) -> Iterator[str]:
    yield from (f"cohort {g} {notes[g]}" for g in sorted(notes))


def _began(anticipation: int) -> str:
    """Return what a cohort's base year is before."""
    return (
        f"it began less {plural(anticipation, 'year')} of anticipation"
        if anticipation
        else ("it began")
    )


def _beyond(last: int, not_yet: bool) -> str:
    """Say what becomes of a cohort that begins after the panel."""
    if not_yet:
        return f"begins after {last}, the last year, and is compared with as not yet treated"
    return f"begins after {last}, the last year, and informs no effect"


def _alone(panel: _Panel) -> Iterator[str]:
    """Yield a note where one school is all that cohorts, or those compared with, consist of."""
    alone = [
        int(g)
        for g in sorted(set(panel.cohort[panel.used]))
        if (panel.used & (panel.cohort == g)).sum() == 1 and not (g == NEVER and panel.not_yet)
    ]
    if NEVER in alone:
        yield "one school is never treated: how such schools vary is not known from it"
    cohorts = [str(g) for g in alone if g != NEVER]
    if len(cohorts) == 1:
        yield f"cohort {cohorts[0]} is one school: how such schools vary is not known from it"
    elif cohorts:
        yield (
            f"cohorts {listed(cohorts)} are one school each: how such schools vary is not known "
            "from them"
        )
