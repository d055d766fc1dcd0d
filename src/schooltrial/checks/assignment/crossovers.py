"""Who crossed over: pupils who changed group, control units that took the programme up."""

from __future__ import annotations

import pandas as pd

from schooltrial.checks.assignment.findings import NOTED, PASSED, UNTESTED, Finding, Findings
from schooltrial.protocol.content.levels import control_name
from schooltrial.wording import named, plural


def changed_arm(pupils: pd.DataFrame) -> pd.Series:
    """Return by unit of first sight the number of pupils who were seen in another group later.

    Parameters
    ----------
    pupils : DataFrame
        ``pupil, year, cluster, arm``, one row per pupil and year.
    """
    seen = pupils.sort_values(["pupil", "year"], kind="stable")
    by_pupil = seen.groupby("pupil", sort=False)
    first = by_pupil["cluster"].first().astype("str")
    crossed = by_pupil["arm"].nunique() > 1
    return crossed.astype("int64").groupby(first.rename("unit")).sum()


def check_crossovers(pupils: pd.DataFrame | None, noun: str) -> tuple[Findings, pd.Series]:
    """Name the units whose pupils moved to a unit of another group.

    Returns
    -------
    findings : Findings
    by_unit : Series
        `changed_arm`; empty where there are no pupils.
    """
    check = "pupils who changed group"
    if pupils is None or pupils.empty or noun == "pupil":
        return Findings([Finding(check, "no pupils by year", UNTESTED)]), pd.Series(dtype="float64")
    if pupils["year"].nunique() == 1:
        told = "the files hold one roster, which cannot show who changed group"
        return Findings([Finding(check, told, UNTESTED)]), pd.Series(dtype="float64")
    by_unit = changed_arm(pupils)
    found, total = Findings(), int(by_unit.sum())
    for unit, count in by_unit[by_unit > 0].items():
        found.about(
            [str(unit)], NOTED, f"{plural(int(count), 'pupil')} later seen in another group"
        )
    of = pupils["pupil"].nunique()
    reason = "of all pupils seen in any year of the files" if total else ""
    found.tests.append(
        Finding(
            check, f"{total:,} of {of:,} pupils", NOTED if total else PASSED, total / max(of, 1),
            reason=reason,
        )
    )  # fmt: skip
    return found, by_unit


def share_crossed(units: pd.DataFrame, control: str) -> pd.Series:
    """Return group → share of its units with a record that crossed over.

    Units of the control group that took the programme up, of the others those that did not.

    Parameters
    ----------
    units : DataFrame
        ``unit, arm, taken_up``, the last from 0 to 1.
    control : str
        Name of the control group.
    """
    known = units.drop_duplicates("unit").dropna(subset=["arm", "taken_up"])
    took = known["taken_up"] > 0
    crossed = took.where(known["arm"] == control, ~took)
    return crossed.groupby(known["arm"].astype("str")).mean()


def check_take_up(
    units: pd.DataFrame, taken_up: pd.Series | None, control: str, *, randomised: bool
) -> Findings:
    """Name the control units that took the programme up, and the programme's that did not.

    Parameters
    ----------
    units : DataFrame
        ``unit, arm``.
    taken_up : Series, optional
        Unit → share that took it up, 0 to 1.
    control : str
        Name of the control group.
    randomised : bool
        Whether groups were randomised; otherwise the control group is called comparison group.
    """
    word = control_name(randomised=randomised)
    checks = (f"take-up in the {word} group", "no take-up in an intervention group")
    if taken_up is None:
        return Findings([Finding(check, "no take-up is recorded", UNTESTED) for check in checks])
    share = units["unit"].map(taken_up)
    is_control = units["arm"] == control
    crossed, never = units[is_control & (share > 0)], units[~is_control & (share == 0)]
    found = Findings()
    found.about(crossed["unit"], NOTED, f"{word}, and took the programme up")
    found.about(never["unit"], NOTED, "assigned to a programme, and did not take it up")
    for check, rows, of in ((checks[0], crossed, is_control), (checks[1], never, ~is_control)):
        known = int((of & share.notna()).sum())
        found.tests.append(
            Finding(
                check, f"{len(rows)} of {known} units with a record",
                NOTED if len(rows) else PASSED, len(rows) / max(known, 1),
                reason=named(rows["unit"]),
            )
        )  # fmt: skip
    return found
