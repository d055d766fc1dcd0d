"""The treatment contrast: what control and intervention units received."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from schooltrial.checks.implementation.dosage import unit_totals
from schooltrial.checks.implementation.log import school_year
from schooltrial.wording import named

CONTRAST = [
    "component", "label", "year", "arm", "intended", "n_schools", "n_recorded", "mean",
    "n_with_any", "unit_kind", "n_units", "n_at_threshold", "verdict",
]  # fmt: skip


NOT_RECORDED = "not recorded"


def arms_meant(part: Mapping[str, Any], arms: Mapping[str, str], control: str) -> list[str]:
    """Return the groups that are to have a component: those it names, else all but control."""
    return list(part["arms"]) or sorted(set(arms.values()) - {control})


def contrast_arms(
    log: pd.DataFrame,
    components: Mapping[str, Mapping[str, Any]],
    arms: Mapping[str, str],
    control: str,
    starts_in: int,
) -> pd.DataFrame:
    """Return the dose of every component by year and group, and who received it against the plan.

    The doses are those of `fidelity`. A school with any of a component, in a group that is to have
    none of it, is named as a crossover in the verdict. Where the log has no row of any school of an
    arm in that year, its dose is not recorded: NaN, and not 0.

    Parameters
    ----------
    log, components, arms, control, starts_in
        As for `fidelity`.
    """
    found: list[list[object]] = []
    rows = log.assign(year=school_year(log["period"], starts_in)).astype({"component": "str"})
    rows = rows[rows["school"].isin(list(arms))]
    for name, part in components.items():
        meant = arms_meant(part, arms, control)
        for year in sorted(rows.loc[rows["component"] == name, "year"].unique()):
            of_year = rows[rows["year"] == year]
            for arm in sorted(set(arms.values())):
                schools = sorted(school for school, own in arms.items() if own == arm)
                there = of_year[of_year["school"].isin(schools)]
                found.append([
                    name, part["label"], int(year), arm, "yes" if arm in meant else "no",
                    len(schools), there["school"].nunique(),
                    *_dose(there, name, part, schools, arm in meant),
                ])  # fmt: skip
    return pd.DataFrame(found, columns=CONTRAST)


def _dose(
    there: pd.DataFrame, name: str, part: Mapping[str, Any], schools: Sequence[str], meant: bool
) -> list[object]:
    """Return mean, schools with any, unit, units, units at the threshold, and the verdict."""
    nan = float("nan")
    if there.empty:
        return [nan, nan, part["measured_on"], nan, nan, NOT_RECORDED]
    doses = unit_totals(there, name, {**part, "measured_on": "school"}, schools)
    units = unit_totals(there, name, part, schools)
    received = doses[doses > 0]
    crossed = part["contrast"] and not meant and len(received)
    return [
        doses.mean(), len(received), part["measured_on"], len(units),
        int((units >= part["unit_threshold"]).sum()),
        f"crossover: {named(sorted(map(str, received.index)))}" if crossed else "",
    ]  # fmt: skip
