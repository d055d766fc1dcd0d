"""What rosters of one single year cannot show is not shown as none."""

from __future__ import annotations

import pandas as pd

from schooltrial.checks.assignment.crossovers import check_crossovers
from schooltrial.checks.assignment.findings import PASSED, UNTESTED
from schooltrial.report.tables.participants import GRADES, mobility_shown

ROSTERS = pd.DataFrame(
    {
        "pupil": ["p1", "p2", "p1", "p2"],
        "year": [2019, 2019, 2020, 2020],
        "cluster": ["s1", "s2", "s1", "s2"],
        "arm": ["control", "programme"] * 2,
    }
)


def test_pupils_who_changed_group_are_not_tested_where_there_is_one_roster() -> None:
    (both,), (one,) = (
        check_crossovers(rosters, "school")[0].tests for rosters in (ROSTERS, ROSTERS[:2])
    )
    assert (both.verdict, both.finding) == (PASSED, "0 of 2 pupils")
    assert one.verdict == UNTESTED
    assert "one roster" in one.finding


def test_grades_are_compared_only_where_there_are_two_years_of_them() -> None:
    counts = dict.fromkeys(["n_pupils", "n_elsewhere", "n_repeated_grade", "n_out_of_step"], 0)
    rows = pd.DataFrame({"year": [2019, 2020], "arm": "control", "where_at_baseline": "same"})
    shown = mobility_shown(rows.assign(**counts), [2020], "Year")
    assert set(GRADES) <= set(shown.cells.columns)
    single = mobility_shown(rows[1:].assign(**counts), [2020], "Year")
    assert not set(GRADES) & set(single.cells.columns)
    assert len(single.cells) == 1
