"""Where an arm's losses stop being low, counted person by person.

The boundary is What Works Clearinghouse's (Standards Handbook 4.1, table II.1), by overall
attrition in per cent, in percentage points: cautious, then optimistic.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.checks.attrition.analyses import Analysis
from schooltrial.checks.attrition.rates import COLUMNS, Counted, lost_rows

EACH = 2000
"""People of a group: one of them is a twentieth of a percentage point."""
ARMS: Any = [{"name": "control", "label": "Control"}, {"name": "programme", "label": "Programme"}]
PUBLISHED = {6: (6.2, 10.7), 10: (6.3, 10.9), 25: (4.8, 9.2), 40: (2.6, 6.0), 57: (0.0, 2.1)}


def _row(control: int, programme: int, boundary: Any) -> dict[str, Any]:
    """Return the row of two groups of which so many were lost."""
    arm = pd.Series(np.repeat(["control", "programme"], EACH))
    lost = np.concatenate([np.arange(EACH) < control, np.arange(EACH) < programme])
    counted = Counted(arm, pd.Series(lost))
    whole = Analysis("", "maths", {}, ("programme",), ~counted.counts)
    (found,) = lost_rows(whole, 2020, "pupils", counted, ARMS, boundary)
    return dict(zip(COLUMNS, found, strict=True))


@pytest.mark.parametrize(
    ("overall", "boundary", "points"),
    [(n, name, at[k]) for n, at in PUBLISHED.items()
     for k, name in enumerate(("cautious", "optimistic"))],
)  # fmt: skip
@pytest.mark.parametrize("more_lost", ["control", "programme"])
def test_losses_at_the_boundary_are_low_and_one_person_further_apart_they_are_high(
    overall: int, boundary: str, points: float, more_lost: str
) -> None:
    half = round(EACH * points / 200)
    fewer, more = EACH * overall // 100 - half, EACH * overall // 100 + half
    for further, verdict in ((0, "low"), (1, "high")):
        lost = {"control": fewer - further, "programme": fewer - further}
        lost[more_lost] = more + further
        found = _row(lost["control"], lost["programme"], boundary)
        sign = 1 if more_lost == "programme" else -1
        assert found["overall"] == pytest.approx(overall / 100)
        assert found["differential"] == pytest.approx(sign * (points + 0.1 * further) / 100)
        assert found[f"boundary_{boundary}"] == pytest.approx(points / 100)
        assert (found["verdict"], found[f"verdict_{boundary}"]) == (verdict, verdict)
