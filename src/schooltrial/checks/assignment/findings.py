"""What a check of the assignment found: one row of the table of tests, or a word on one unit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, field

import numpy as np
import pandas as pd

PASSED, NOTED, DOUBT, FAILED = "passed", "noted", "in doubt", "failed"


UNTESTED = "not tested"


ALL_ENTER = "no unit stays outside: cohorts are compared with those that enter later"
"""What is said where every unit of a staggered design enters the programme."""


ORDER = [FAILED, DOUBT, NOTED, PASSED, UNTESTED]


TEST_COLUMNS = ["check", "finding", "value", "threshold", "p_value", "verdict", "reason"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One check.

    Attributes
    ----------
    check : str
        What was asked.
    finding : str
        What was found, in words.
    value, threshold, p_value : float
        The number found, the one it is held to, and the p-value; NaN where there is none.
    verdict : str
        passed, noted (true, and no contradiction), in doubt (improbable under the lottery), failed
        (not what the design or the record says), not tested.
    reason : str
        Why the verdict is what it is, or what would be needed to reach one.
    """

    check: str
    finding: str
    verdict: str
    value: float = np.nan
    threshold: float = np.nan
    p_value: float = np.nan
    reason: str = ""


@dataclass(frozen=True)
class Findings:
    """Findings of the whole list, and of single units.

    Attributes
    ----------
    tests : list of Finding
    units : dict of str to list of (verdict, reason)
    """

    tests: list[Finding] = field(default_factory=list)
    units: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def about(self, units: Iterable[str], verdict: str, reason: str) -> None:
        """Say the same of several units."""
        for unit in units:
            self.units.setdefault(str(unit), []).append((verdict, reason))

    def add(self, other: Findings) -> None:
        """Take over what another check found."""
        self.tests.extend(other.tests)
        for unit, said in other.units.items():
            self.units.setdefault(unit, []).extend(said)

    def table(self) -> pd.DataFrame:
        """Return the table of tests."""
        rows = [dict(zip(_FIELDS, astuple(test), strict=True)) for test in self.tests]
        return pd.DataFrame(rows, columns=TEST_COLUMNS)

    def of_unit(self, unit: str) -> tuple[str, str]:
        """Return the worst verdict on a unit, and all findings on it."""
        said = self.units.get(unit, [])
        worst = min((verdict for verdict, _ in said), key=ORDER.index, default=PASSED)
        return worst, "; ".join(reason for _, reason in said)


_FIELDS = list(Finding.__dataclass_fields__)
