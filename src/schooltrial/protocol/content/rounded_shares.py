"""Shares that are rounded fractions: .33 is a third."""

from __future__ import annotations

from collections.abc import Sequence

SUM_TOLERANCE = 1e-6
"""What shares may lack of 1."""


GREATEST_DENOMINATOR = 12
"""Of the fractions that shares may be rounded from."""


def fractions_meant(given: Sequence[float | None], shares: Sequence[float]) -> tuple[float, ...]:
    """Return the fractions of one small denominator that shares are rounded from.

    A third is written .33 or .34, .333 or .334: it differs by less than a unit of the last decimal.

    Parameters
    ----------
    given : sequence of float or None
        Shares as the protocol has them.
    shares : sequence of float
        The same, those without one filled.

    Returns
    -------
    tuple of float
        Empty where there are none, or where the shares are such fractions exactly.
    """
    decimals = [len(repr(float(share)).partition(".")[2]) for share in given if share is not None]
    if not decimals:
        return ()
    within = 10.0 ** -max(2, *decimals) * (1 - 1e-9)
    for denominator in range(2, GREATEST_DENOMINATOR + 1):
        parts = [round(share * denominator) for share in shares]
        found = tuple(part / denominator for part in parts)
        off = [abs(share - part) for share, part in zip(shares, found, strict=True)]
        if sum(parts) == denominator and min(parts) > 0 and max(off) <= within:
            return found if max(off) > SUM_TOLERANCE else ()
    return ()
