"""Fits side by side: what each says of the same terms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import pandas as pd

from schooltrial.models.inference.estimate import Estimate
from schooltrial.refusal import unknown
from schooltrial.study.refit import Refit

ROWS = ("estimate", "std_error", "p_value", "conf_low", "conf_high", "n_individuals", "n_schools",
        "method")  # fmt: skip


class Fitted(Protocol):
    """Whatever gives rows of estimates: a result of any estimator, or a refit."""

    def estimates(self) -> Iterable[Estimate]:
        """Return its estimates."""


def compare(fits: Mapping[str, Fitted], terms: Sequence[str] | None = None) -> pd.DataFrame:
    """Return what several fits estimate, one column a fit.

    Parameters
    ----------
    fits : mapping
        Heading → fit: a result of any estimator, or what ``Study.refit`` returns.
    terms : sequence of str, optional
        The terms compared; by default all, in the order in which they are met.

    Returns
    -------
    DataFrame
        Rows by term and by what is told of it: estimate, standard error, p-value, interval, pupils,
        schools, method. Empty where a fit has no such term. Where any fit was not planned, a last
        row says which.

    Raises
    ------
    UserError
        Where no fit has a term that is asked for.
    """
    found = {head: {row.term: row for row in fit.estimates()} for head, fit in fits.items()}
    known = list(dict.fromkeys(term for rows in found.values() for term in rows))
    for term in terms or ():
        if term not in known:
            raise unknown("term", term, known)
    index = [(term, what) for term in (terms or known) for what in ROWS]
    columns: dict[str, list[Any]] = {
        head: [getattr(rows[term], what) if term in rows else "" for term, what in index]
        for head, rows in found.items()
    }
    told = {head: fit.status for head, fit in fits.items() if isinstance(fit, Refit)}
    if any(isinstance(fit, Refit) and not fit.planned for fit in fits.values()):
        index.append(("", "status"))
        for head, column in columns.items():
            column.append(told.get(head, ""))
    rows = pd.MultiIndex.from_tuples(index, names=["term", ""])
    return pd.DataFrame(columns, index=rows, dtype=object)
