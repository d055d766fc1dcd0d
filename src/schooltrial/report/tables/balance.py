"""The checks of balance as the report shows them: joint, by year, and of those analysed."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from schooltrial.document.numbers import difference_text, number, size_beside_limits
from schooltrial.document.tables import Column, Table, naming_control, tabulate
from schooltrial.wording import plural_of

OMNIBUS = [
    Column("Sample", key="sample"),
    Column("Level", key="of"),
    Column("Group", optional=True, key="arm"),
    Column("Quantity", key="what"),
    Column("Covariates tested", "quantity", key="n_covariates"),
    Column("Units", "quantity", key="n_units"),
    Column("Mahalanobis distance", "quantity", key="statistic"),
    Column("Distance expected by chance", "quantity", key="expected"),
    Column("Randomisation p", "p", key="rerandomisation_p_value"),
    Column("F", "quantity", key="f_statistic"),
    Column("F-test p", "p", key="f_p_value"),
    Column("Note", optional=True, key="note"),
]


TRENDS = [
    Column("Year, or slope", "told", key="year"),
    Column("Of", key="of"),
    Column("Group", optional=True, key="arm"),
    Column("Outcome", key="label"),
    Column("n, control", "quantity", key="n_control"),
    Column("n, intervention", "quantity", key="n_treated"),
    Column("Mean, control", "quantity", key="mean_control"),
    Column("Mean, intervention", "quantity", key="mean_treated"),
    Column("Difference", "quantity", key="difference"),
    Column("Standardised difference", "told", key="standardised_difference"),
    Column("Adjusted difference", "quantity", key="adjusted_difference"),
    Column("Adjusted p", "p", key="adjusted_p_value"),
    Column("Randomisation p", "p", key="rerandomisation_p_value"),
    Column("Note", optional=True, key="note"),
]


EQUIVALENCE = [
    Column("Level", key="of"),
    Column("Group", optional=True, key="arm"),
    Column("Variable", key="label"),
    Column("Baseline known", "told", key="baseline known"),
    Column("Effect size", "told", key="wwc_effect_size"),
    Column("Measure", key="wwc_measure"),
    Column("WWC band", key="wwc_band"),
    Column("Note", optional=True, key="note"),
]


OF = {
    "pupil": "unit means of pupils", "teacher": "unit means of teachers", "school": "schools",
    "unit": "unit means by year",
}  # fmt: skip


SCOPE = {"all": "all together", "category": "category: {}", "pre-trend": "years before: {}"}


def omnibus_shown(omnibus: pd.DataFrame) -> Table:
    """Return the joint tests, each with what is tested and of what the means are."""
    rows = omnibus.copy()
    rows["of"] = rows["level"].map(OF)
    rows["what"] = [
        SCOPE[scope].format(label)
        for scope, label in zip(rows["scope"], rows["label"], strict=True)
    ]
    return tabulate("Joint tests of balance", rows, OMNIBUS)


def pretrends_shown(pretrends: pd.DataFrame, control: str = "control") -> Table:
    """Return the baseline outcomes of every year before, and the slopes over these years."""
    sizes = pretrends["standardised_difference"].map(difference_text)
    whose = [plural_of(str(level)) for level in pretrends["level"]]
    told = pretrends.assign(standardised_difference=sizes, of=whose)
    return tabulate("Baseline outcomes in every year before", told, naming_control(TRENDS, control))


def compared_sentence(balance: pd.DataFrame) -> str:
    """Return what the balance table does not compare; empty if both samples are compared."""
    if balance.empty:
        return "The protocol names no variable whose balance is compared."
    if not (balance["sample"] == "analysed").any():
        return (
            "The balance table compares all who were assigned, whether they are analysed or not. "
            "It has no row of those analysed alone, as no primary model analyses pupils or "
            "teachers who are on record in the baseline year."
        )
    return ""


def equivalence_shown(balance: pd.DataFrame, limits: Sequence[float] = ()) -> Table | None:
    """Return the people analysed against the bands, with how many of them have a baseline."""
    rows = balance[(balance["sample"] == "analysed") & (balance["level"] != "school")]
    if rows.empty:
        return None
    known = rows["n_control"] + rows["n_treated"]
    of = known + rows["missing"]
    shares = [
        f"{n:,} of {total:,} ({number(100 * n / total, 1)}%)"
        for n, total in zip(known, of, strict=True)
    ]
    told = rows.assign(
        **{
            "of": rows["level"] + "s",
            "baseline known": shares,
            "wwc_effect_size": [
                size_beside_limits(size, limits) for size in rows["wwc_effect_size"]
            ],
        }
    )
    return tabulate("The people analysed against the bands", told, EQUIVALENCE)
