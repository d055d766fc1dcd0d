"""The log of what teacher leaders attended and held, as a programme's office keeps it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from schooltrial.random_streams import stream
from schooltrial.simulate.school_randomised.parameters import Parameters

LOW_FIDELITY = 0.4
"""Share of the programme that a school of low fidelity carries out."""


def programme_log(parameters: Parameters, schools: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return one row per teacher leader, component and month, for treated schools only.

    Columns, all text: ``school_code``, ``leader_id``, ``component`` (``institute_hours``,
    ``coaching_hours``, ``peer_sessions``), ``month`` (``YYYY-MM``) and ``value`` (hours to the half
    hour, or a count of sessions). The effect on pupils does not depend on the dose.
    """
    codes = np.sort(schools.loc[schools["treated"], "school_code"].to_numpy(dtype=object))
    rng = stream(seed, "leaders")
    fewest, most = parameters.leaders_per_school
    leaders = pd.DataFrame(
        {"school_code": np.repeat(codes, rng.integers(fewest, most + 1, len(codes)))}
    )
    leaders["place"] = np.arange(len(leaders)) + 1
    weak = rng.choice(codes, min(parameters.low_fidelity_schools, len(codes)), replace=False)
    leaders["dose"] = np.where(leaders["school_code"].isin(weak), LOW_FIDELITY, 1.0)
    leaders["holder"] = 1
    years = []
    for year in parameters.years_during:
        rng = stream(seed, "programme", year)
        if year != parameters.years_during[0]:
            leaders["holder"] += rng.random(len(leaders)) >= parameters.leader_retention
        years.append(_year(parameters, leaders, year, rng))
    log = pd.concat(years, ignore_index=True)
    return log.sort_values(["month", "school_code", "leader_id", "component"], ignore_index=True)


def _year(
    parameters: Parameters, leaders: pd.DataFrame, year: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the rows of one school year: a summer institute, then nine months from September."""
    months = [f"{year - 1}-{month:02d}" for month in range(9, 13)]
    months += [f"{year}-{month:02d}" for month in range(1, 6)]
    plan = pd.concat([
        pd.DataFrame({"component": "institute_hours", "month": [f"{year - 1}-07"]}),
        pd.DataFrame({"component": "coaching_hours", "month": months}),
        pd.DataFrame({"component": "peer_sessions", "month": months}),
    ])  # fmt: skip
    rows = leaders.merge(plan, how="cross")
    asked = rows["component"].map({
        "institute_hours": parameters.institute_hours,
        "coaching_hours": parameters.coaching_hours,
        "peer_sessions": parameters.peer_sessions,
    }).astype(float)  # fmt: skip
    done = asked * rows["dose"]
    is_institute = rows["component"] == "institute_hours"
    present = rng.beta(18, 1.5, len(rows))
    hours = np.where(is_institute, done * present, done * rng.gamma(12, 1 / 12, len(rows)))
    sessions = rng.poisson(done)
    value = np.where(rows["component"] == "peer_sessions", sessions, np.round(hours * 2) / 2)
    leader = [
        f"L{place:03d}-{holder}"
        for place, holder in zip(rows["place"], rows["holder"], strict=True)
    ]
    return pd.DataFrame({
        "school_code": rows["school_code"],
        "leader_id": leader,
        "component": rows["component"],
        "month": rows["month"],
        "value": [f"{number:g}" for number in value],
    })  # fmt: skip


COLUMNS = ["item", "quantity", "unit", "unit_price", "each_year", "source"]


def programme_costs(parameters: Parameters, log: pd.DataFrame) -> pd.DataFrame:
    """Return one row per ingredient, with the programme's leaders and schools of its first year.

    All columns are text.

    Parameters
    ----------
    parameters : Parameters
        ``ingredients``.
    log : DataFrame
        The programme's log: ``school_code, leader_id, month``.

    Raises
    ------
    ValueError
        Where an ingredient is not of a leader, a school or the programme.
    """
    first = log[log["month"] == log["month"].min()]
    times = {
        "leader": first["leader_id"].nunique(), "school": first["school_code"].nunique(),
        "programme": 1,
    }  # fmt: skip
    rows = []
    for item, of, quantity, unit, price, each_year, source in parameters.ingredients:
        if of not in times:
            raise ValueError(
                f"The ingredient '{item}' is of each '{of}'; expected {', '.join(times)}."
            )
        counted = [f"{quantity * times[of]:g}", unit, f"{price:g}"]
        rows.append([item, *counted, "Y" if each_year else "N", source])
    return pd.DataFrame(rows, columns=COLUMNS, dtype=object)
