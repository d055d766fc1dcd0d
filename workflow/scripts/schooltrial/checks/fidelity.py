r"""Was the programme carried out as planned? Fidelity by component and year, dosage, contrast.

Key components are fixed in the protocol, each with a threshold for the unit (a school, or a teacher
leader) and one for the sample: fidelity is met where at least that share of the units of the
programme meets theirs (the i3/EIR convention, as recalled). A school year is named by its spring.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from schooltrial.data.crosswalk import Crosswalk, owners
from schooltrial.refusal import Fault, refuse

FIDELITY = [
    "component", "label", "indicator", "source", "arms", "year", "unit", "n_units", "n_recorded",
    "unit_threshold", "n_met", "share_met", "sample_threshold", "met", "note",
]  # fmt: skip
DOSAGE = ["component", "school", "arm", "period", "year", "n_leaders", "value"]
CONTRAST = [
    "component", "label", "year", "arm", "expected", "n_schools", "n_recorded", "mean",
    "n_with_any", "unit", "n_units", "n_at_threshold", "verdict",
]  # fmt: skip
NOT_RECORDED = "not recorded"
PERIOD = r"(\d{4})-(0[1-9]|1[0-2])"


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


def followed(
    log: pd.DataFrame, arms: Mapping[str, str], changes: Crosswalk, starts_in: int
) -> pd.DataFrame:
    """Return the log with rows of a school that changed as rows of the assigned school.

    Parameters
    ----------
    log, arms, starts_in
        As for `fidelity`.
    changes : Crosswalk
        Schools that were renamed, split or merged; a change holds from the school year of that
        name on. Rows of a school that had closed keep its name.
    """
    if not changes.changes or log.empty:
        return log
    dated = log.assign(year=school_year(log["period"], starts_in))
    owner = owners(dated, set(arms), changes)
    return log.assign(school=owner.fillna(log["school"]).astype("str"))


def dosage(log: pd.DataFrame, arms: Mapping[str, str], starts_in: int) -> pd.DataFrame:
    """Return what each school received of each component in each period.

    A mean over its leaders: all who have a row of any component in that school year, so that the
    periods of a year add up to the school's total in `fidelity`. A period of which nothing but
    missing values is recorded has no row.

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
    rows = rows.dropna(subset=["arm"]).astype({"component": "str"})
    if "leader" not in rows:
        rows = rows.assign(leader="")
    leaders = rows.groupby(["school", "year"])["leader"].nunique().rename("n_leaders")
    keys = ["component", "school", "arm", "period", "year"]
    found = rows.dropna(subset=["value"]).groupby(keys, as_index=False)["value"].sum()
    found = found.merge(leaders, left_on=["school", "year"], right_index=True)
    found["value"] = found["value"] / found["n_leaders"]
    return found.sort_values(keys, ignore_index=True)[DOSAGE]


def fidelity(
    log: pd.DataFrame,
    components: Mapping[str, Mapping[str, Any]],
    arms: Mapping[str, str],
    control: str,
    starts_in: int,
) -> pd.DataFrame:
    """Return the fidelity matrix: each component and year, units that met it, and the verdict.

    Every school of the arms that a component is meant for counts, with 0 where the log has no row
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
        Name of the control arm.
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
            told = [f"missing values, not counted: {missing}"] if missing else []
            told += [f"rows of schools not assigned, not counted: {strange}"] if strange else []
            found.append([
                name, part["label"], part["indicator"], part["source"], ", ".join(meant), int(year),
                part["unit"], len(totals), _recorded(of_year, name, part), part["unit_threshold"],
                met, share, part["sample_threshold"],
                "yes" if share >= part["sample_threshold"] else "no",
                "; ".join(told),
            ])  # fmt: skip
    return pd.DataFrame(found, columns=FIDELITY)


def arms_meant(part: Mapping[str, Any], arms: Mapping[str, str], control: str) -> list[str]:
    """Return the arms that are to have a component: those it names, else all but control."""
    return list(part["arms"]) or sorted(set(arms.values()) - {control})


def unit_totals(
    of_year: pd.DataFrame, name: str, part: Mapping[str, Any], schools: Sequence[str]
) -> pd.Series:
    """Return the year's total (or mean over its periods) of every unit.

    0 for a unit without a row of the component; NaN where its rows hold nothing but missing values.
    """
    return _by_school(_leaders(of_year, name, part), of_year, part, schools)


def _leaders(of_year: pd.DataFrame, name: str, part: Mapping[str, Any]) -> pd.Series:
    """Return the totals of leaders, or of schools where the log names no leaders."""
    keys = ["school", "leader"] if "leader" in of_year else ["school"]
    held = of_year[of_year["component"] == name].groupby(keys)["value"]
    totals = held.sum(min_count=1) if part["total"] == "sum" else held.mean()
    everyone = of_year[keys].drop_duplicates().set_index(keys).index
    return totals.reindex(everyone, fill_value=0.0)


def _by_school(
    leaders: pd.Series, of_year: pd.DataFrame, part: Mapping[str, Any], schools: Sequence[str]
) -> pd.Series:
    if part["unit"] == "leader" and "leader" in of_year:
        return leaders
    return leaders.groupby(level="school").mean().reindex(list(schools), fill_value=0.0)


def _recorded(of_year: pd.DataFrame, name: str, part: Mapping[str, Any]) -> int:
    """Return how many units have a value of the component in the log."""
    held = of_year[(of_year["component"] == name) & of_year["value"].notna()]
    by_leader = part["unit"] == "leader" and "leader" in of_year
    return len(held[["school", "leader"] if by_leader else ["school"]].drop_duplicates())


def contrast(
    log: pd.DataFrame,
    components: Mapping[str, Mapping[str, Any]],
    arms: Mapping[str, str],
    control: str,
    starts_in: int,
) -> pd.DataFrame:
    """Return the dose of every component by year and arm, and who received it against the plan.

    The doses are those of `fidelity`. A school with any of a component, in an arm that is to have
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
        return [nan, nan, part["unit"], nan, nan, NOT_RECORDED]
    doses = unit_totals(there, name, {**part, "unit": "school"}, schools)
    units = unit_totals(there, name, part, schools)
    received = doses[doses > 0]
    crossed = part["contrast"] and not meant and len(received)
    return [
        doses.mean(), len(received), part["unit"], len(units),
        int((units >= part["unit_threshold"]).sum()),
        f"crossover: {', '.join(sorted(map(str, received.index)))}" if crossed else "",
    ]  # fmt: skip
