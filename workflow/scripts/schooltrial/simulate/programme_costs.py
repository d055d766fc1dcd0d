"""What a programme is made of, as its office adds it up."""

from __future__ import annotations

import pandas as pd

from schooltrial.simulate.parameters import Parameters

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
