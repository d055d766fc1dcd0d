"""The checks of balance as the report shows them: joint, by year, and of those analysed."""

from __future__ import annotations

import pandas as pd

from schooltrial.exhibits.style.table_text import number, shown

OMNIBUS = [
    "sample", "of", "arm", "what", "covariates", "units", "statistic", "expected",
    "p_rerandomisation", "f_statistic", "p_f", "note",
]  # fmt: skip


TRENDS = [
    "year", "level", "arm", "label", "n_control", "n_treated", "mean_control", "mean_treated",
    "difference", "standardised_difference", "adjusted_difference", "adjusted_p",
    "p_rerandomisation", "note",
]  # fmt: skip


OF = {
    "pupil": "unit means of pupils", "teacher": "unit means of teachers", "school": "schools",
    "unit": "unit means by year",
}  # fmt: skip


SCOPE = {"all": "all together", "category": "category: {}", "pre-trend": "years before: {}"}


def omnibus_shown(omnibus: pd.DataFrame) -> pd.DataFrame:
    """Return the joint tests, each with what is tested and of what the means are."""
    rows = omnibus.copy()
    rows["of"] = rows["level"].map(OF)
    rows["what"] = [
        SCOPE[scope].format(label)
        for scope, label in zip(rows["scope"], rows["label"], strict=True)
    ]
    names = {"statistic": "distance", "p_rerandomisation": "p re-drawn", "f_statistic": "F"}
    told = _without_empty(shown(rows[OMNIBUS], 3), "arm", "note")
    return told.rename(columns=names | {"p_f": "p of F"})


def pretrends_shown(pretrends: pd.DataFrame) -> pd.DataFrame:
    """Return the baseline outcomes of every year before, and the slopes over these years."""
    return _without_empty(shown(pretrends[TRENDS], 3), "arm", "note")


def equivalence_shown(balance: pd.DataFrame) -> pd.DataFrame | None:
    """Return the people analysed against the bands, with how many of them have a baseline."""
    rows = balance[(balance["sample"] == "analysed") & (balance["level"] != "school")]
    if rows.empty:
        return None
    known = rows["n_control"] + rows["n_treated"]
    of = known + rows["missing"]
    told = pd.DataFrame({
        "of": rows["level"] + "s",
        "arm": rows["arm"].fillna(""),
        "variable": rows["label"],
        "baseline known": [
            f"{n:,} of {total:,} ({number(100 * n / total, 1)}%)"
            for n, total in zip(known, of, strict=True)
        ],
        "effect size": rows["wwc_effect_size"].map(number),
        "measure": rows["wwc_measure"].fillna(""),
        "band": rows["wwc_band"].fillna(""),
    })  # fmt: skip
    return told.astype("str")


def _without_empty(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    """Return a table without those of the named columns that hold nothing."""
    return frame.drop(columns=[name for name in names if (frame[name] == "").all()])
