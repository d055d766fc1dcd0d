"""Whether a list meets the criterion of balance by which it was drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd

from schooltrial.checks.assignment.findings import DOUBT, FAILED, PASSED, UNTESTED, Finding
from schooltrial.randomisation.criterion import CriterionKnown

CHECK = "criterion of balance"


DRAWN, ACCEPTED, OWN_DISTANCE = "draw without the criterion", "largest accepted", "allocation"
"""What a distance is of."""

DISTANCES = ["what", "share", "distance"]

SHARES = tuple(at / 100 for at in range(101))
"""Shares of draws whose largest distance is stored."""


def tabulate_distances(known: CriterionKnown) -> pd.DataFrame:
    """Return the distances between groups among draws, the largest accepted, and that of the list.

    Parameters
    ----------
    known : CriterionKnown
        The criterion of the draw; without one the table has no rows.

    Returns
    -------
    DataFrame
        Columns ``DISTANCES``. ``share`` is the share of draws without the criterion that are as
        balanced as this, or better.
    """
    held = known.balance
    if held is None:
        return pd.DataFrame(columns=DISTANCES)
    found = np.quantile(held.drawn, SHARES, method="inverted_cdf")
    rows = [
        *((DRAWN, share, size) for share, size in zip(SHARES, found.tolist(), strict=True)),
        (ACCEPTED, held.acceptance, held.threshold),
        (OWN_DISTANCE, held.share, held.distance),
    ]
    return pd.DataFrame(rows, columns=DISTANCES)


def judge_criterion(known: CriterionKnown) -> Finding | None:
    """Return whether the list meets the criterion of its draw; None if there was none."""
    if known.not_known:
        return Finding(CHECK, known.not_known, UNTESTED)
    held = known.balance
    if held is None:
        return None
    told = f"Mahalanobis distance {held.distance:.4g}, at most {held.threshold:.4g} was acceptable"
    if held.meets:
        return Finding(CHECK, told, PASSED, held.distance, held.threshold)
    if not held.far:
        verdict, reason = UNTESTED, "the threshold is an estimate, and the list is near it"
    else:
        verdict = FAILED if held.recorded else DOUBT
        reason = "a draw like this list was to be drawn again: it is not the list that was drawn"
    return Finding(CHECK, told, verdict, held.distance, held.threshold, reason=reason)
