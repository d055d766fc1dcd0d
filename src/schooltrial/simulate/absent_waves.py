"""Rows of tables whose files are not there yet, for a rehearsal: rosters and simulated outcomes.

Nothing is drawn from an effect: an outcome has the same distribution in every group.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from schooltrial.protocol.content.sections import Outcome

CORRELATION = 0.7
"""Of a simulated outcome with the test before, where there is one."""

ICC = 0.15
"""Share of the remaining variance of a simulated outcome that lies between schools."""

MEASURED = ("value", "value_low", "value_high")
"""What a row says of an outcome."""

SIZE = 60
"""Pupils tested in each school, where no file says of any how many there were."""

SPREAD = 6.0
"""Standard deviations that the range of an outcome spans where no score of it is known."""


def roster_of_year(roster: pd.DataFrame, identifier: str, year: int) -> pd.DataFrame:
    """Return the people that a year's lists lack: those of the nearest other year.

    Parameters
    ----------
    roster : DataFrame
        One row per person and year. Of the year there may be a part, such as that of one district.
    identifier : str
        Column: pupil or teacher.
    year : int
    """
    listed, others = roster[roster["year"] == year], roster[roster["year"] != year]
    years = sorted(set(others["year"]), key=lambda known: (abs(known - year), known))
    people = others[others["year"] == years[0]] if years else others
    return people[~people[identifier].isin(listed[identifier])].assign(year=year)


def outcome_of_year(
    people: pd.DataFrame,
    known: pd.DataFrame,
    identifier: str,
    year: int,
    name: str,
    outcome: Outcome | None,
    generator: np.random.Generator,
) -> pd.DataFrame:
    """Return a simulated outcome for each person, or school, of a year that has none.

    Scores correlate with the test before, by ``CORRELATION``, and within schools, by ``ICC``. They
    have the mean and standard deviation of the scores that are known, or else fit into the range.

    Parameters
    ----------
    people : DataFrame
        With the identifier, perhaps ``school``, and measures from before.
    known : DataFrame
        Scores of other years, and perhaps some of the year: identifier, ``year``, ``outcome``,
        ``value``, and what else a row has.
    identifier : str
        Column: pupil, teacher or school.
    year : int
    name : str
        Of the outcome.
    outcome : Outcome, optional
        How the protocol declares it; None of a part that only other outcomes are made of.
    generator : numpy.random.Generator

    Returns
    -------
    DataFrame
        Identifier, ``year``, ``outcome``, ``value``; and what else the last known row of each had,
        such as its number of pupils, but for dates.
    """
    known = known[known["outcome"].astype("str") == name]
    people = people[~people[identifier].isin(known.loc[known["year"] == year, identifier])]
    last = known.sort_values("year").drop_duplicates(identifier, keep="last")
    kept = last.set_index(identifier).drop(columns=["outcome", "year", *MEASURED], errors="ignore")
    kept = kept.select_dtypes(exclude="datetime").reindex(people[identifier]).reset_index(drop=True)
    known = known.dropna(subset=["value"])
    measures = list(outcome["baseline_measures"]) if outcome else []
    before = _before(people, known, identifier, measures)
    noise = generator.normal(size=len(people))
    if identifier != "school" and "school" in people:
        codes, schools = pd.factorize(people["school"].astype("str"))
        noise = np.sqrt(1 - ICC) * noise + np.sqrt(ICC) * generator.normal(size=len(schools))[codes]
    latent = np.where(
        np.isnan(before), noise,
        CORRELATION * np.nan_to_num(before) + np.sqrt(1 - CORRELATION**2) * noise,
    )  # fmt: skip
    if "n_pupils" in kept:
        sizes = known["n_pupils"].astype("Float64")
        usual = SIZE if sizes.isna().all() else round(float(sizes.mean()))
        kept["n_pupils"] = kept["n_pupils"].astype("Int64").fillna(usual)
    return kept.assign(
        **{identifier: people[identifier].to_numpy()},
        year=year, outcome=name, value=_on_the_scale(latent, known["value"], outcome),
    )  # fmt: skip


def _before(
    people: pd.DataFrame, known: pd.DataFrame, identifier: str, measures: Sequence[str]
) -> npt.NDArray[np.float64]:
    """Return the test before in standard deviations; NaN where there is none."""
    last = known.sort_values("year").drop_duplicates(identifier, keep="last")
    found = people[identifier].map(last.set_index(identifier)["value"])
    if found.isna().all() and measures and measures[0] in people:
        found = people[measures[0]]
    values = pd.to_numeric(found, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
    spread = np.nanstd(values) if np.isfinite(values).any() else 0.0
    return (values - np.nanmean(values)) / spread if spread > 0 else np.full(len(people), np.nan)


def _on_the_scale(
    latent: npt.NDArray[np.float64], known: pd.Series, outcome: Outcome | None
) -> npt.NDArray[np.float64]:
    limits = outcome["range"] if outcome else None
    if outcome and outcome["scale"] == "binary":
        share = float(known.mean()) if len(known) else 0.5
        return np.asarray(norm.cdf(latent) > 1 - share, dtype="float64")
    if len(known) > 1:
        mean, spread = float(known.mean()), float(known.std())
    elif limits:
        mean, spread = (limits[0] + limits[1]) / 2, (limits[1] - limits[0]) / SPREAD
    else:
        mean, spread = 0.0, 1.0
    values = mean + spread * latent
    return np.clip(values, limits[0], limits[1]) if limits else values
