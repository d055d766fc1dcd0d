r"""Was the programme carried out as planned? Fidelity by component and year, dosage, contrast.

Key components are fixed in the protocol, each with a threshold for the unit (a school, or a teacher
leader) and one for the sample: fidelity is met where at least that share of the units of the
programme meets theirs (the i3/EIR convention, as recalled). A school year is named by its spring.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from schooltrial.checks.implementation.contrast import arms_meant
from schooltrial.checks.implementation.dosage import unit_totals
from schooltrial.checks.implementation.log import school_year

FIDELITY = [
    "component", "label", "indicator", "source", "arms", "year", "unit_kind", "n_units",
    "n_recorded",
    "unit_threshold", "n_met", "share_met", "share_required", "met", "note",
]  # fmt: skip


def measure_fidelity(
    log: pd.DataFrame,
    components: Mapping[str, Mapping[str, Any]],
    arms: Mapping[str, str],
    control: str,
    starts_in: int,
) -> pd.DataFrame:
    """Return the fidelity matrix: each component and year, units that met it, and the verdict.

    Every school of the groups that a component is meant for counts, with 0 where the log has no row
    of it; leaders count who have a row of any component in that year. A missing value is left out
    of the total, and counted in ``note``; a unit of which nothing else is known has not met it.

    Parameters
    ----------
    log : DataFrame
        Implementation table.
    components : mapping
        The protocol's section.
    arms : mapping
        School → arm.
    control : str
        Name of the control group.
    starts_in : int
        Month in which a school year begins.
    """
    rows = log.assign(year=school_year(log["period"], starts_in)).astype({"component": "str"})
    found: list[list[object]] = []
    for name, part in components.items():
        meant = arms_meant(part, arms, control)
        schools = sorted(school for school, arm in arms.items() if arm in meant)
        mine = rows[rows["school"].isin(schools)]
        for year in sorted(mine["year"].unique()):
            of_year = mine[mine["year"] == year]
            totals = unit_totals(of_year, name, part, schools)
            met = int((totals >= part["unit_threshold"]).sum())
            share = met / len(totals) if len(totals) else float("nan")
            own = (rows["component"] == name) & (rows["year"] == year)
            missing = int(of_year.loc[of_year["component"] == name, "value"].isna().sum())
            strange = int((own & ~rows["school"].isin(list(arms))).sum())
            told = [f"missing values, not counted: {missing:,}"] if missing else []
            told += [f"rows of schools not assigned, not counted: {strange:,}"] if strange else []
            found.append([
                name, part["label"], part["indicator"], part["source"], ", ".join(meant), int(year),
                part["measured_on"], len(totals), _recorded(of_year, name, part),
                part["unit_threshold"], met, share, part["share_required"],
                "yes" if share >= part["share_required"] else "no",
                "; ".join(told),
            ])  # fmt: skip
    return pd.DataFrame(found, columns=FIDELITY)


def _recorded(of_year: pd.DataFrame, name: str, part: Mapping[str, Any]) -> int:
    """Return how many units have a value of the component in the log."""
    held = of_year[(of_year["component"] == name) & of_year["value"].notna()]
    by_leader = part["measured_on"] == "leader" and "leader" in of_year
    return len(held[["school", "leader"] if by_leader else ["school"]].drop_duplicates())
