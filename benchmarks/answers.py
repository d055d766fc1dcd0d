"""What a timed computation answers, and to how many digits two of them agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, log10

from schooltrial.models.inference.estimate import Estimate

MOST_DIGITS = 15.0


@dataclass(frozen=True)
class Answer:
    """Coefficients by name, with what was said of them.

    Attributes
    ----------
    terms : tuple of str
    estimate, std_error, df, p_value : tuple of float
        Empty where a program does not say.
    """

    terms: tuple[str, ...]
    estimate: tuple[float, ...]
    std_error: tuple[float, ...] = ()
    df: tuple[float, ...] = ()
    p_value: tuple[float, ...] = ()


Answers = Mapping[str, Answer]


def answer(rows: Sequence[Estimate]) -> Answer:
    """Return rows of the estimates table as an answer."""
    return Answer(
        tuple(row.term for row in rows),
        tuple(row.estimate for row in rows),
        tuple(row.std_error for row in rows),
        tuple(row.df for row in rows),
        tuple(row.p_value for row in rows),
    )


@dataclass(frozen=True)
class Agreement:
    """Significant digits of the worst coefficient; None where there is nothing to compare.

    A difference of estimates is relative to the estimate or to its standard error, whichever is
    larger: a coefficient near zero has no digits of its own.
    """

    estimate: float | None
    std_error: float | None
    df: float | None
    p_difference: float | None


def agreement(ours: Answer, theirs: Answer) -> Agreement:
    """Compare two answers over the coefficients that both have."""
    shared = [term for term in theirs.terms if term in ours.terms]
    a = [ours.terms.index(term) for term in shared]
    b = [theirs.terms.index(term) for term in shared]
    scale = _scales(ours, a)
    return Agreement(
        _digits(_pairs(ours.estimate, a, theirs.estimate, b), scale),
        _digits(_pairs(ours.std_error, a, theirs.std_error, b)),
        _digits(_pairs(ours.df, a, theirs.df, b)),
        max((abs(x - y) for x, y in _pairs(ours.p_value, a, theirs.p_value, b)), default=None),
    )


def _scales(ours: Answer, at: Iterable[int]) -> list[float]:
    if not ours.std_error:
        return [abs(ours.estimate[i]) for i in at]
    return [max(abs(ours.estimate[i]), ours.std_error[i]) for i in at]


def _pairs(
    x: Sequence[float], a: Sequence[int], y: Sequence[float], b: Sequence[int]
) -> list[tuple[float, float]]:
    return [(x[i], y[j]) for i, j in zip(a, b, strict=True)] if x and y else []


def _digits(
    pairs: Sequence[tuple[float, float]], scales: Sequence[float] | None = None
) -> float | None:
    if not pairs:
        return None
    sizes = [abs(x) for x, _ in pairs] if scales is None else scales
    differences = [abs(x - y) / size for (x, y), size in zip(pairs, sizes, strict=True)]
    if not all(isfinite(d) for d in differences):
        return None
    worst = max(differences)
    return MOST_DIGITS if worst == 0 else min(MOST_DIGITS, -log10(worst))
