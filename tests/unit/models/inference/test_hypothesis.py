"""Hypotheses as analysts write them."""

from __future__ import annotations

import numpy as np
import pytest

from schooltrial.models.inference.hypothesis import Hypothesis, read_hypothesis, read_weights

NAMES = ("(Intercept)", "a", "b", "grade=4", "a:grade=4", "treated[arm=x, year=2018]")


def position(term: str) -> int:
    if term not in NAMES:
        raise ValueError(f"no {term!r}")
    return NAMES.index(term)


def read(text: object) -> Hypothesis:
    return read_hypothesis(text, NAMES, position)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "rows", "values"),
    [
        ("a", [[0, 1, 0, 0, 0, 0]], [0]),
        ("a = b", [[0, 1, -1, 0, 0, 0]], [0]),
        ("a = 0.5", [[0, 1, 0, 0, 0, 0]], [0.5]),
        ("2*a - b = 1e-1", [[0, 2, -1, 0, 0, 0]], [0.1]),
        ("a + 1 = b", [[0, 1, -1, 0, 0, 0]], [-1]),
        ("a = b = 0", [[0, 1, -1, 0, 0, 0], [0, 0, 1, 0, 0, 0]], [0, 0]),
        ("a = 0, b = 1", [[0, 1, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0]], [0, 1]),
        ("-a + b", [[0, -1, 1, 0, 0, 0]], [0]),
        ("grade=4 = a:grade=4", [[0, 0, 0, 1, -1, 0]], [0]),
        ("treated[arm=x, year=2018] = a", [[0, -1, 0, 0, 0, 1]], [0]),
        ("(Intercept) = 0", [[1, 0, 0, 0, 0, 0]], [0]),
        (["a", "grade=4"], [[0, 1, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0]], [0, 0]),
        ([[0, 1, -1, 0, 0, 0]], [[0, 1, -1, 0, 0, 0]], [0]),
    ],
)
def test_names_equations_and_matrices_say_the_same_things(
    text: object, rows: list[list[float]], values: list[float]
) -> None:
    found = read(text)
    np.testing.assert_array_equal(found.matrix, rows)
    np.testing.assert_array_equal(found.values, values)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = c", "no 'c'"),
        ("a = a", "says that x = x"),
        ("0 = 1", "holds no coefficient"),
        ("2* = a", r"a \* without a coefficient"),
        ([[1, 2]], "needs 6 weights"),
    ],
)
def test_what_is_no_hypothesis_is_refused(text: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(text)


def test_weights_by_name_are_those_by_position() -> None:
    by_name = read_weights({"a": 1, "grade=4": -2}, NAMES, position)
    np.testing.assert_array_equal(by_name, read_weights([0, 1, 0, -2, 0, 0], NAMES, position))
    with pytest.raises(ValueError, match="got shape"):
        read_weights([[1.0]], NAMES, position)
