"""School means made from pupils, compared with published ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from schooltrial.data.linking.school_crosswalk import Crosswalk
from schooltrial.data.rows.matching import positions, texts
from schooltrial.data.variables.composites import add_ratios
from schooltrial.protocol.content.sections import Outcome

AGGREGATES = [
    "school", "year", "outcome", "n_pupils", "mean_from_pupils", "published", "difference",
    "tolerance", "verdict",
]  # fmt: skip


def with_successors(
    published: pd.DataFrame, crosswalk: Crosswalk, years: Sequence[int]
) -> pd.DataFrame:
    """Return published means under the ids that schools have after the crosswalk."""
    moved = published.copy()
    for year in years if crosswalk.changes else ():
        schools = sorted({*published["school"].astype("str"), *crosswalk.schools()})
        place = crosswalk.of_year(schools, (), year).successor
        name = {school: schools[at] for school, at in zip(schools, place, strict=True) if at >= 0}
        rows = moved["year"] == year
        moved.loc[rows, "school"] = published.loc[rows, "school"].map(name)
    return moved


def aggregate_check(
    roster: pd.DataFrame,
    scores: pd.DataFrame,
    published: pd.DataFrame,
    outcomes: Mapping[str, Outcome],
    tolerance: float,
) -> pd.DataFrame:
    """Compare the means of one year's pupils with published ones.

    All pupils of the roster count, in or out of the trial, in the unit of the raw score: that is
    what is published.

    Parameters
    ----------
    roster : DataFrame
        Pupils of the year, with the school as the crosswalk has it.
    scores : DataFrame
        Scores of the year.
    published : DataFrame
        ``school, year, outcome, value`` of the year.
    outcomes : mapping
        Outcomes of the protocol.
    tolerance : float
        Largest difference that is agreement.

    Returns
    -------
    DataFrame
        Columns ``AGGREGATES``, a row per published mean; verdict: `agrees`, `differs`, `no pupil
        has a score`, or `not published` where the published value is suppressed.
    """
    named = {name for name in published["outcome"].unique() if name in outcomes}
    made = roster
    if len(scores):
        at = positions(texts(scores["pupil"]), texts(roster["pupil"]))
        for name in named:
            mine = (scores["outcome"] == name).to_numpy("bool") & (at >= 0)
            column = np.full(len(roster), np.nan)
            column[at[mine]] = scores["value"].to_numpy("float64")[mine]
            made = made.assign(**{name: column})
    made = add_ratios(made, {name: outcomes[name] for name in named})
    means = [
        made.groupby("school", observed=True)[name]
        .agg(mean_from_pupils="mean", n_pupils="count")
        .reset_index()
        .assign(outcome=name)
        for name in sorted(named)
    ]
    keys = ["school", "outcome"]
    plain = published[[*keys, "year", "value"]].astype({"school": "str", "outcome": "str"})
    if means:
        plain = plain.merge(pd.concat(means, ignore_index=True), on=keys, how="left")
    else:
        plain = plain.assign(mean_from_pupils=np.nan, n_pupils=0)
    plain["n_pupils"] = plain["n_pupils"].fillna(0).astype("int64")
    plain["published"], plain["tolerance"] = plain["value"], tolerance
    plain["difference"] = plain["mean_from_pupils"] - plain["published"]
    plain["verdict"] = np.select(
        [
            plain["published"].isna(),
            plain["n_pupils"] == 0,
            plain["difference"].abs() <= tolerance,
        ],
        ["not published", "no pupil has a score", "agrees"],
        "differs",
    )
    return plain[AGGREGATES].sort_values(["outcome", "school"], ignore_index=True)
