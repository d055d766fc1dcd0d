"""What the two-way effects of a staggered programme average, as the report shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

import pandas as pd

from schooltrial.checks.goodman_bacon.comparisons_table import NOT_AVAILABLE
from schooltrial.document.numbers import decimals_of, number
from schooltrial.document.tables import Column, Table, tabulate
from schooltrial.models.cohort_regressions.goodman_bacon import FORBIDDEN
from schooltrial.wording import listed, percent

COMPARISONS = [
    Column("Model", optional=True, key="model"),
    Column("Outcome", key="label"),
    Column("Cohort", "told", key="treated_cohort"),
    Column("Compared with", key="others"),
    Column("Difference in differences", "told", key="difference"),
    Column("Weight", "told", key="share"),
]

KEYS = ["outcome", "kind", "treated_cohort", "compared_cohort", "estimate", "weight"]


def comparisons_shown(found: pd.DataFrame, labels: Mapping[str, str]) -> Table | None:
    """Return every comparison of two cohorts once, the heaviest first; None if there is none."""
    rows = _once(found[found["kind"] != NOT_AVAILABLE])
    if rows.empty:
        return None
    order = rows.groupby(["model", "outcome"], sort=False).ngroup()
    rows = rows.assign(order=order).sort_values(["order", "weight"], ascending=[True, False])
    others = [
        kind if cohort == 0 else f"cohort {cohort:.0f}, {kind}"
        for kind, cohort in zip(rows["kind"], rows["compared_cohort"], strict=True)
    ]
    effects = (rows["weight"] * rows["estimate"]).groupby(rows["order"]).sum().map(decimals_of)
    told = rows.assign(
        difference=[
            number(value, effects[at])
            for value, at in zip(rows["estimate"], rows["order"], strict=True)
        ],
        label=rows["outcome"].map(lambda name: labels.get(name, name)),
        treated_cohort=rows["treated_cohort"].map("{:.0f}".format),
        others=others,
        share=rows["weight"].map(percent),
    )
    if rows["model"].nunique() == 1:
        told = told.drop(columns="model")
    return tabulate("Comparisons that two-way effects average", told, COMPARISONS)


def forbidden_sentences(found: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Return how much of each two-way effect compares with schools that are already treated."""
    rows = _once(found)
    several = rows["model"].nunique() > 1
    return [
        f"{labels.get(str(outcome), str(outcome))}{f' (model {model})' if several else ''}: {said}"
        for (model, outcome), part in rows.groupby(["model", "outcome"], sort=False)
        for said in _said(part)
    ]


@dataclass(frozen=True)
class TwoWayReasons:
    """Why two-way effects differ from the effect of a primary staggered model.

    Attributes
    ----------
    outcomes : tuple of str
        The numbers of each outcome.
    reasons : tuple of str
        What is true of all of them.
    """

    outcomes: tuple[str, ...]
    reasons: tuple[str, ...]


def explain_two_way(
    found: pd.DataFrame,
    estimates: pd.DataFrame,
    protocol: Mapping[str, Any],
    labels: Mapping[str, str],
) -> TwoWayReasons:
    """Return why two-way effects differ from the effect of a primary staggered model.

    Parameters
    ----------
    found : DataFrame
        ``goodman_bacon.csv``.
    estimates : DataFrame
        The long table of estimates.
    protocol : mapping
        The protocol's sections.
    labels : mapping
        Variable → its name in exhibits.
    """
    models = protocol["models"]
    told, reasons = [], dict[str, None]()
    for (model, outcome), rows in found.groupby(["model", "outcome"], sort=False):
        planned = models[model]
        primary = planned["estimator"] == "staggered_adoption" and planned["role"] == "primary"
        mine = _effects(estimates, str(model), str(outcome))
        if not primary or OVERALL not in mine or rows["kind"].iloc[0] == NOT_AVAILABLE:
            continue
        weights = _school_years(estimates, (str(model), str(outcome)))
        said = [*_by_cohort(rows, mine, weights)]
        if said and planned["method"] == "callaway_santanna":
            reasons[BASES] = None
        for size, reason in _one_start(models, str(outcome), estimates, protocol["years"], rows):
            said.append(size)
            reasons[reason] = None
        if said:
            told.append(f"{labels.get(str(outcome), str(outcome))}: {' '.join(said)}")
    return TwoWayReasons(tuple(told), tuple(reasons))


BASES = (
    "A two-way effect takes the mean of all years before as its base, and only schools seen in "
    "every year; the primary analysis takes the last year before, and every school seen in the two "
    "years compared. Where the last year before was unusual, the two differ."
)
"""Why effects on one cohort differ."""

OVERALL = "treated"

_CLOSE = 0.005
"""How near a weighted mean must be to the effect that it explains, as a share of this."""


def _effects(estimates: pd.DataFrame, model: str, outcome: str) -> dict[str, float]:
    """Return term → estimate, the first of each term: as planned, before any check of it."""
    rows = estimates[(estimates["model"] == model) & (estimates["outcome"] == outcome)]
    rows = rows[rows["estimate"].notna()].drop_duplicates("term")
    return dict(zip(rows["term"].astype("str"), rows["estimate"].astype("float64"), strict=True))


def _by_cohort(
    rows: pd.DataFrame,
    primary: Mapping[str, float],
    weights: Mapping[int, float],
) -> Iterator[str]:
    """Yield how the two effects compare cohort by cohort, and what weights have to do with it."""
    own = rows[~rows["kind"].isin(FORBIDDEN)]
    sums = (own["weight"] * own["estimate"]).groupby(own["treated_cohort"]).sum()
    two_way = (sums / own["weight"].groupby(own["treated_cohort"]).sum()).to_dict()
    cohorts = [int(one) for one in two_way if f"treated[cohort={one:.0f}]" in primary]
    if len(cohorts) < len(two_way):
        return
    effect = float((rows["weight"] * rows["estimate"]).sum())
    digits = decimals_of(effect)

    def each(values: Iterable[float]) -> str:
        return listed([f"{value:+.{digits}f}".replace("-", "−") for value in values])

    of_primary = [primary[f"treated[cohort={one}]"] for one in cohorts]
    yield (
        f"the primary analysis gives {each([primary[OVERALL]])}, the two-way effect is "
        f"{each([effect])}. For the {cohorts_named(cohorts)} in turn, the two-way effect is "
        f"{each(two_way[one] for one in cohorts)}, the primary one {each(of_primary)}."
    )
    mean = fsum(weights.get(one, 0.0) * primary[f"treated[cohort={one}]"] for one in cohorts)
    if abs(mean - primary[OVERALL]) < _CLOSE * abs(primary[OVERALL]):
        again = fsum(weights.get(one, 0.0) * two_way[one] for one in cohorts)
        yield (
            "With the primary analysis’s weights of the cohorts (their schools and years) the "
            f"two-way effects would average {each([again])}: weights account for "
            f"{each([again - effect])} of the difference of {each([primary[OVERALL] - effect])}."
        )


def cohorts_named(cohorts: Sequence[int]) -> str:
    """Return cohorts by their years: ``cohorts 2016 and 2017``."""
    return f"cohort{'s' if len(cohorts) > 1 else ''} {listed([str(one) for one in cohorts])}"


def _school_years(estimates: pd.DataFrame, key: tuple[str, str]) -> dict[int, float]:
    """Return cohort → its share of the school-years since the programme began."""
    rows = estimates[(estimates["model"] == key[0]) & (estimates["outcome"] == key[1])]
    cells = rows["term"].astype("str").str.extract(r"treated\[cohort=(\d+), year=(\d+)\]")
    cells = cells.astype("float64").assign(n=rows["n_treated_schools"])
    cells = cells[cells[1] >= cells[0]].drop_duplicates([0, 1])
    sums = cells.groupby(0)["n"].sum()
    return {int(cohort): float(n / sums.sum()) for cohort, n in sums.items()}


def _one_start(
    models: Mapping[str, Any],
    outcome: str,
    estimates: pd.DataFrame,
    years: Mapping[str, Any],
    rows: pd.DataFrame,
) -> Iterator[tuple[str, str]]:
    """Yield the effect of a model that lets all cohorts begin together, and why it differs."""
    first = min(years["programme"], default=0)
    later = sorted({int(one) for one in rows["treated_cohort"]} - {first})
    for name, model in models.items():
        effects = _effects(estimates, name, outcome)
        together = model["estimator"] == "difference_in_differences" and not model["active_from"]
        if together and OVERALL in effects and later:
            size = f"{effects[OVERALL]:+.{decimals_of(effects[OVERALL])}f}".replace("-", "−")
            yield (
                f"The model “{model['label']}” gives {size}.",
                f"“{model['label']}” takes every cohort as treated from {first} on, so that years "
                f"of {cohorts_named(later)} before its own start count as years of the programme; "
                "it also keeps schools that are seen in some years only.",
            )


def _said(rows: pd.DataFrame) -> Iterator[str]:
    note = str(rows["note"].astype("object").fillna("").iloc[0])
    if rows["kind"].iloc[0] == NOT_AVAILABLE:
        yield f"no decomposition. {note}."
        return
    effect = float((rows["weight"] * rows["estimate"]).sum())
    share = float(rows.loc[rows["kind"].isin(FORBIDDEN), "weight"].sum())
    schools = f"{int(rows['n_schools'].iloc[0]):,} schools{f'; {note}' if note else ''}"
    if share == 0:
        yield f"no cohort is compared with schools that are already treated ({schools})."
        return
    own = rows[~rows["kind"].isin(FORBIDDEN)]
    without = float((own["weight"] * own["estimate"]).sum() / own["weight"].sum())
    digits = decimals_of(effect)
    yield (
        f"comparisons with schools that are already treated have {percent(share)} of the weight. "
        f"The two-way effect is {effect:+.{digits}f}; without these comparisons it would be "
        f"{without:+.{digits}f} ({schools})."
    )


def _once(found: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of each model whose comparisons no earlier model has."""
    kept: list[pd.DataFrame] = []
    for _, part in found.groupby(["model", "outcome"], sort=False):
        same = part[KEYS].reset_index(drop=True)
        if not any(same.equals(other[KEYS].reset_index(drop=True)) for other in kept):
            kept.append(part)
    return pd.concat(kept, ignore_index=True) if kept else found
