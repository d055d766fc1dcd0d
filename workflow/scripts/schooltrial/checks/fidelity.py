r"""Was the programme carried out as planned? Fidelity by component and year, dosage, contrast.

Key components are fixed in the protocol, each with a threshold for the unit (a school, or a teacher
leader) and one for the sample: fidelity is met where at least that share of the units of the
programme meets theirs (the i3/EIR convention, as recalled). A school year is named by its spring.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from schooltrial.refusal import Fault, refuse

FIDELITY = [
    "component", "label", "indicator", "source", "year", "unit", "n_units", "unit_threshold",
    "n_met", "share_met", "sample_threshold", "met",
]  # fmt: skip
DOSAGE = ["component", "school", "arm", "period", "year", "n_leaders", "value"]
CONTRAST = [
    "component", "label", "year", "arm", "n_schools", "mean", "n_with_any", "n_at_threshold",
    "verdict",
]  # fmt: skip
PERIOD = r"(\d{4})-(\d{2})"


def school_year(period: pd.Series, starts_in: int) -> pd.Series:
    """Return the school year of periods ``YYYY-MM`` (or ``YYYY``), named by its spring.

    Raises
    ------
    Refusal
        Where a period is neither.
    """
    text = period.astype("str")
    parts = text.str.extract(r"^" + PERIOD + r"$")
    plain = text.str.fullmatch(r"\d{4}")
    odd = text[parts[0].isna() & ~plain]
    refuse(
        [
            Fault(
                "implementation table", f"the period {value!r}", "YYYY-MM, or a year as YYYY",
                "correct the cells, or the column that `period` is read from", column="period",
            )
            for value in sorted(odd.unique())[:5]
        ]
    )  # fmt: skip
    year = parts[0].where(~plain, text).astype("int64")
    later = parts[1].fillna("0").astype("int64") >= starts_in
    return year + (later & ~plain).astype("int64")


def dosage(log: pd.DataFrame, arms: Mapping[str, str], starts_in: int) -> pd.DataFrame:
    """Return what each school received of each component in each period, a mean over leaders.

    Parameters
    ----------
    log : DataFrame
        Implementation table: ``school, component, period, value`` and, where there are several,
        ``leader``.
    arms : mapping
        School → arm; schools that were not assigned are left out.
    starts_in : int
        Month in which a school year begins.
    """
    rows = log.assign(arm=log["school"].map(dict(arms)), year=school_year(log["period"], starts_in))
    rows = rows.dropna(subset=["arm", "value"]).astype({"component": "str"})
    if "leader" not in rows:
        rows = rows.assign(leader="")
    keys = ["component", "school", "arm", "period", "year"]
    found = rows.groupby(keys, as_index=False).agg(
        n_leaders=("leader", "nunique"), value=("value", "sum")
    )
    found["value"] = found["value"] / found["n_leaders"]
    return found[DOSAGE]


def fidelity(
    log: pd.DataFrame,
    components: Mapping[str, Mapping[str, Any]],
    arms: Mapping[str, str],
    control: str,
    starts_in: int,
) -> pd.DataFrame:
    """Return the fidelity matrix: each component and year, units that met it, and the verdict.

    Every school of a programme arm counts, with 0 where the log has no row of it; leaders count
    who have a row of any component in that year.

    Parameters
    ----------
    log : DataFrame
        Implementation table.
    components : mapping
        The protocol's section.
    arms : mapping
        School → arm.
    control : str
        Name of the control arm.
    starts_in : int
        Month in which a school year begins.
    """
    rows = log.assign(year=school_year(log["period"], starts_in)).astype({"component": "str"})
    programme = sorted(school for school, arm in arms.items() if arm != control)
    rows = rows[rows["school"].isin(programme)]
    found: list[list[object]] = []
    for name, part in components.items():
        for year in sorted(rows["year"].unique()):
            of_year = rows[rows["year"] == year]
            totals = _totals(of_year, name, part, programme)
            met = int((totals >= part["unit_threshold"]).sum())
            share = met / len(totals) if len(totals) else float("nan")
            found.append([
                name, part["label"], part["indicator"], part["source"], int(year), part["unit"],
                len(totals), part["unit_threshold"], met, share, part["sample_threshold"],
                "yes" if share >= part["sample_threshold"] else "no",
            ])  # fmt: skip
    return pd.DataFrame(found, columns=FIDELITY)


def _totals(
    of_year: pd.DataFrame, name: str, part: Mapping[str, Any], schools: Sequence[str]
) -> pd.Series:
    """Return the year's total (or mean over its periods) of every unit."""
    named = "leader" in of_year
    keys = ["school", "leader"] if named else ["school"]
    held = of_year[of_year["component"] == name]
    leaders = held.groupby(keys)["value"].agg("sum" if part["total"] == "sum" else "mean")
    everyone = of_year[keys].drop_duplicates().set_index(keys).index
    leaders = leaders.reindex(everyone, fill_value=0.0)
    if part["unit"] == "leader" and named:
        return leaders
    by_school = leaders.groupby(level=0).mean() if named else leaders
    by_school.index = [key[0] if isinstance(key, tuple) else key for key in by_school.index]
    return by_school.reindex(list(schools), fill_value=0.0)


def contrast(
    doses: pd.DataFrame,
    components: Mapping[str, Mapping[str, Any]],
    arms: Mapping[str, str],
    control: str,
) -> pd.DataFrame:
    """Return the dose of every component by year and arm, and control schools that received it.

    A control school with any of a component of which control schools should have none is named a
    crossover in the verdict.
    """
    found: list[list[object]] = []
    sizes = pd.Series(dict(arms)).value_counts()
    for name, part in components.items():
        held = doses[doses["component"] == name]
        for year in sorted(held["year"].unique()):
            of_year = held[held["year"] == year]
            totals = of_year.groupby(["arm", "school"])["value"].sum()
            for arm in sizes.index.sort_values():
                dose = totals.loc[arm] if arm in totals.index.levels[0] else totals.iloc[:0]
                received = int((dose > 0).sum())
                crossed = arm == control and part["contrast"] and received
                who = ", ".join(sorted(map(str, dose[dose > 0].index))) if crossed else ""
                found.append([
                    name, part["label"], int(year), arm, int(sizes[arm]), dose.sum() / sizes[arm],
                    received, int((dose >= part["unit_threshold"]).sum()),
                    f"crossover: {who}" if crossed else "",
                ])  # fmt: skip
    return pd.DataFrame(found, columns=CONTRAST)
