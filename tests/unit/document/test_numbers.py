"""How numbers are written beside limits."""

from __future__ import annotations

import pytest

from schooltrial.document.numbers import size_beside_limits


@pytest.mark.parametrize(
    ("size", "written"),
    [(0.05, "0.050"), (0.0504, "0.0504"), (-0.05004, "−0.05004"), (0.0496, "0.050"),
     (0.2, "0.200"), (float("nan"), "not known")],
)  # fmt: skip
def test_a_size_just_above_a_limit_does_not_read_as_the_limit(size: float, written: str) -> None:
    assert size_beside_limits(size, (0.05, 0.25)) == written
