"""Linear hypotheses about coefficients, as an analyst writes them: names, equations or a matrix."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from schooltrial.arrays import FloatArray

_NUMBER = r"\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+"


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """Lβ = r.

    Attributes
    ----------
    matrix : (q, p) array
        L, a row for each restriction.
    values : (q,) array
        r.
    label : str
        The hypothesis in words.
    """

    matrix: FloatArray
    values: FloatArray
    label: str


def read_hypothesis(
    hypothesis: Sequence[str] | ArrayLike,
    names: Sequence[str],
    position: Callable[[str], int],
) -> Hypothesis:
    """Read names of coefficients that are all zero, an equation, or a matrix of contrasts.

    Parameters
    ----------
    hypothesis : str, sequence of str or (q, p) array_like
        ``"a"``, ``"a = b"``, ``"a + 2*b = 0.5, c = 0"``, ``["a", "b"]`` or a matrix.
    names : sequence of str
        The coefficients.
    position : callable
        Gives the position of a name, or says why there is none.
    """
    if isinstance(hypothesis, str) and hypothesis not in names:
        return _read_equations(hypothesis, names, position)
    listed = [hypothesis] if isinstance(hypothesis, str) else hypothesis
    if isinstance(listed, list | tuple) and listed and all(isinstance(t, str) for t in listed):
        terms = [str(term) for term in listed]
        matrix = select_rows(terms, names, position)
        return Hypothesis(matrix, np.zeros(len(matrix)), " = ".join(terms) + " = 0")
    matrix = np.atleast_2d(np.asarray(listed, dtype=np.float64))
    check_weights(matrix, names)
    return Hypothesis(matrix, np.zeros(len(matrix)), f"{len(matrix)} contrasts = 0")


def select_rows(
    terms: Sequence[str], names: Sequence[str], position: Callable[[str], int]
) -> FloatArray:
    """Return the matrix that picks coefficients, a row for each term."""
    matrix = np.zeros((len(terms), len(names)))
    for line, term in enumerate(terms):
        matrix[line, position(str(term))] = 1.0
    return matrix


def read_weights(
    weights: Mapping[str, float] | ArrayLike, names: Sequence[str], position: Callable[[str], int]
) -> FloatArray:
    """Return the weights (p,) of a linear combination, given by name or for all coefficients."""
    if isinstance(weights, Mapping):
        row = np.zeros(len(names))
        for term, weight in weights.items():
            row[position(str(term))] += float(weight)
        return row
    row = np.asarray(weights, dtype=np.float64)
    if row.ndim != 1:
        raise ValueError(
            f"a contrast needs {len(names)} weights ({', '.join(names)}), got shape {row.shape}"
        )
    check_weights(row[None, :], names)
    return row


def check_weights(matrix: FloatArray, names: Sequence[str]) -> None:
    """Raise where contrasts do not have one weight for each coefficient."""
    if matrix.ndim != 2 or matrix.shape[1] != len(names):
        raise ValueError(
            f"each contrast needs {len(names)} weights ({', '.join(names)}); got a matrix of "
            f"shape {matrix.shape}"
        )


def _read_equations(text: str, names: Sequence[str], position: Callable[[str], int]) -> Hypothesis:
    """Read ``a = b``, ``a + 2*b = 1`` or several with commas; ``a`` alone is ``a = 0``."""
    rows, values = [], []
    for sides in _sides(text, names):
        if len(sides) == 1:
            sides.append([])
        for left, right in pairwise(sides):
            row, constant = _side(left, text, names, position)
            other, against = _side(right, text, names, position)
            rows.append(row - other)
            values.append(against - constant)
    if not all(row.any() for row in rows):
        raise ValueError(f"the hypothesis {text!r} holds no coefficient, or says that x = x")
    return Hypothesis(np.array(rows), np.array(values), text)


def _sides(text: str, names: Sequence[str]) -> list[list[list[str]]]:
    """Return equations → sides → tokens; a name may itself hold ``=`` or a comma."""
    known = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    pattern = re.compile(rf"\s*(?:({known})(?![\w.])|({_NUMBER})|([-+*=,])|([^\s+*=,-]+))")
    equations: list[list[list[str]]] = [[[]]]
    for match in pattern.finditer(text.strip()):
        token = match.group(match.lastindex or 0)
        if match.lastindex == 3 and token == ",":
            equations.append([[]])
        elif match.lastindex == 3 and token == "=":
            equations[-1].append([])
        else:
            equations[-1][-1].append(token)
    return equations


def _side(
    tokens: Sequence[str], text: str, names: Sequence[str], position: Callable[[str], int]
) -> tuple[FloatArray, float]:
    """Return the weights of the coefficients and the constant of one side."""
    row, constant = np.zeros(len(names)), 0.0
    sign, factor, waiting = 1.0, None, False
    for token in [*tokens, "+"]:
        if token in ("+", "-"):
            if factor is not None:
                if waiting:
                    raise ValueError(f"the hypothesis {text!r} has a * without a coefficient")
                constant += sign * factor
                sign, factor = 1.0, None
            sign = -sign if token == "-" else sign
        elif token == "*":
            waiting = True
        elif re.fullmatch(_NUMBER, token) and token not in names:
            factor = float(token)
        else:
            row[position(token)] += sign * (1.0 if factor is None else factor)
            sign, factor, waiting = 1.0, None, False
    return row, constant
