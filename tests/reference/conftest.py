"""Compare with R's digits, and print the table of agreement for ``make reference``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

_largest: dict[tuple[str, str], tuple[float, float]] = {}

Agreement = Callable[..., None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--agreement", action="store_true", help="print the agreement with R")


@pytest.fixture
def agreement() -> Agreement:
    """Assert that our value agrees with the stored one, and keep the largest difference."""

    def compare(
        entry_id: str, quantity: str, ours: Any, theirs: Any, *, rel: float = 0.0, abs: float = 0.0
    ) -> None:
        a = np.asarray(ours, dtype=float)
        b = np.asarray(theirs, dtype=float)
        assert a.shape == b.shape, f"{entry_id} {quantity}: shape {a.shape}, R has {b.shape}"
        assert np.array_equal(np.isnan(a), np.isnan(b)), f"{entry_id} {quantity}: {a} v {b}"
        known = ~np.isnan(b)
        difference = np.abs(a - b)[known]
        scale = np.abs(b)[known]
        relative = np.divide(difference, scale, out=difference.copy(), where=scale > 0)
        worst = float(relative.max(initial=0.0))
        before = _largest.get((entry_id, quantity), (0.0, 0.0))
        _largest[entry_id, quantity] = (max(before[0], worst), max(before[1], rel, abs))
        allowed = np.maximum(rel * scale, abs)
        assert np.all(difference <= allowed), (
            f"{entry_id} {quantity}: ours {a}, R's {b}, largest relative difference {worst:.2e}"
        )

    return compare


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if not config.getoption("--agreement", default=False) or not _largest:
        return
    write = terminalreporter.write_line
    write(f"\n{'entry':<50} {'quantity':<34} {'largest difference':>18} {'allowed':>9}")
    for (name, quantity), (worst, allowed) in sorted(_largest.items()):
        write(f"{name:<50} {quantity:<34} {worst:>18.1e} {allowed:>9.0e}")
