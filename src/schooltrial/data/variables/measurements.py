"""Join what was measured, one column per outcome: scores of pupils, observations of teachers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import pyarrow as pa

from schooltrial.data.ledger.ledger import Ledger
from schooltrial.data.rows.matching import positions, texts
from schooltrial.protocol.content.made_variables import is_read
from schooltrial.protocol.content.sections import Outcome

MEASURED = {
    "pupil": ("score", "link scores"),
    "teacher": ("observation", "link observations"),
}
"""Whose rows → what a measurement is called in the ledger, and the step that links it."""


def link_measurements(
    frame: pd.DataFrame,
    measured: pd.DataFrame,
    level: str,
    outcomes: Mapping[str, Outcome],
    ledger: Ledger,
    on_roster: pa.Array | None = None,
) -> pd.DataFrame:
    """Join measurements of one year, and tell the ledger of those that are of nobody.

    Parameters
    ----------
    frame : DataFrame
        Pupils or teachers of the year, each once, with their group.
    measured : DataFrame
        Scores, or observations, of the year.
    level : str
        ``pupil`` or ``teacher``.
    outcomes : mapping
        Outcomes of the level; each becomes a column, missing where nothing was measured.
    ledger : Ledger
        What is told.
    on_roster : Array of large_string, optional
        Everyone on the roster of the year, in the sample or not; by default those of the frame.
    """
    kind, step = MEASURED[level]
    known = [name for name, outcome in outcomes.items() if is_read(outcome)]
    if len(measured) == 0:
        return frame.assign(**dict.fromkeys(known, np.nan), **_counts(measured, frame, level))
    at = positions(texts(measured[level]), texts(frame[level]))
    arm = frame["arm"].array.take(at, allow_fill=True)
    told = pd.DataFrame({level: measured[level], "year": measured["year"], "arm": arm})
    nowhere = at < 0
    if on_roster is not None and nowhere.any():
        missing = texts(measured.loc[nowhere, level])
        nowhere[nowhere] = positions(missing, on_roster) < 0
    told = ledger.leave(
        told, nowhere, step=step, level=kind,
        reason=f"{kind} of a {level} without an enrolment record in that year",
    )  # fmt: skip
    ledger.leave(
        told, at[~nowhere] < 0, step=step, level=kind,
        reason=f"{kind} of a {level} not in the sample in that year",
    )  # fmt: skip
    linked = measured[at >= 0].assign(_row=at[at >= 0])
    values = _column_means if level == "teacher" else _columns
    made = dict(values(linked, known, len(frame)))
    return frame.assign(**made, **_counts(linked, frame, level))


def _columns(
    linked: pd.DataFrame, outcomes: list[str], rows: int
) -> Iterable[tuple[str, np.ndarray]]:
    """Yield each outcome's column: a pupil has one score."""
    outcome = linked["outcome"].astype("category")
    value, row = linked["value"].to_numpy("float64"), linked["_row"].to_numpy()
    for name in outcomes:
        column = np.full(rows, np.nan)
        mine = (outcome == name).to_numpy()
        column[row[mine]] = value[mine]
        yield name, column


def _column_means(
    linked: pd.DataFrame, outcomes: list[str], rows: int
) -> Iterable[tuple[str, np.ndarray]]:
    """Yield each outcome's column: the mean over occasions of the mean over raters."""
    occasion = linked.groupby(["_row", "outcome", "occasion"], observed=True)["value"].mean()
    means = occasion.groupby(["_row", "outcome"], observed=True).mean()
    wide = means.unstack("outcome").reindex(range(rows))
    for name in outcomes:
        yield name, wide[name].to_numpy() if name in wide else np.full(rows, np.nan)


def _counts(linked: pd.DataFrame, frame: pd.DataFrame, level: str) -> dict[str, np.ndarray]:
    """Return on how many occasions, and by how many raters, a teacher was observed with a value."""
    if level != "teacher":
        return {}
    made = {f"n_{name}s": np.zeros(len(frame), dtype=np.int64) for name in ("occasion", "rater")}
    if "_row" in linked:
        seen = linked[linked["value"].notna()].groupby("_row")
        for name in ("occasion", "rater"):
            counted = seen[name].nunique()
            made[f"n_{name}s"][counted.index] = counted
    return made


def with_occasion_and_rater(observations: pd.DataFrame) -> pd.DataFrame:
    """Return observations with an occasion ("1") and a rater ("") where the study has none."""
    fill = {"occasion": "1", "rater": ""}
    lacking = {name: text for name, text in fill.items() if name not in observations}
    return observations.assign(**lacking).fillna(fill)
