"""The basis of the ratings: criteria, and baseline equivalence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from schooltrial.checks.rating.padlocks import ONLY_LOWER
from schooltrial.document.numbers import difference_text
from schooltrial.document.tables import Column, Table, tabulate

CRITERIA = [
    Column("Outcome", key="outcome"),
    Column("Standard", key="standard"),
    Column("Criterion", key="criterion"),
    Column("Finding", key="finding"),
    Column("Result", key="result"),
]


MEASURES = [
    Column("Outcome", key="outcome"),
    Column("Measure", key="label"),
    Column("Level", key="of"),
    Column("Group", optional=True, key="arm"),
    Column("Why it counts", key="why"),
    Column("Decides", key="decides"),
    Column("Known", "told", key="known"),
    Column("Difference", "told", key="size"),
    Column("WWC band", key="wwc_band"),
    Column("Note", optional=True, key="note"),
]


WHY = {
    "own": "the outcome's own baseline",
    "named": "named by the protocol",
    "domain": "an outcome of the same family",
}


SHORT = ("WWC-style", "EEF-style")
"""What the two standards are called in a table, in the order of the ratings."""


LOWEST, LOWERED = ", the lowest", "lowered by "
"""How a criterion of the EEF-style rating says that it bounds the rating, or is taken off it."""


def lowering(criteria: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the criteria that lower a rating, but what is not known and could only lower it.

    Parameters
    ----------
    criteria : iterable of mapping
        Of one of the ratings of ``verdict.json``.
    """
    return [one for one in criteria if one["lowers"] and one["result"] != ONLY_LOWER]


def result_shown(result: str) -> str:
    """Return what follows from a criterion as readers see it: ``takes 2 off the rating``."""
    if result.endswith(LOWEST):
        return f"limits the rating to {result.removesuffix(LOWEST)}"
    if result.startswith(LOWERED):
        return f"takes {result.removeprefix(LOWERED)} off the rating"
    return result


def criteria_shown(ratings: Sequence[Mapping[str, Any]]) -> Table | None:
    """Return every criterion of every rating, and what follows from it."""
    rows = [
        {
            "outcome": rated["label"],
            "standard": name,
            "criterion": one["name"],
            "finding": one["finding"],
            "result": result_shown(one["result"]),
        }
        for rated in ratings
        for name, rating in zip(SHORT, rated["ratings"], strict=True)
        for one in rating["criteria"]
    ]
    return tabulate("Criteria of the ratings", pd.DataFrame(rows), CRITERIA) if rows else None


def measures_shown(
    equivalence: pd.DataFrame,
    labels: Mapping[str, str],
    ratings: Sequence[Mapping[str, Any]] = (),
) -> Table | None:
    """Return the baseline measures of those analysed, and which of them decide equivalence."""
    if equivalence.empty:
        return None
    deciding = {
        (rated["outcome"], one["level"], one["variable"])
        for rated in ratings
        for one in rated["inputs"]["baseline"]
    }
    rows = equivalence.assign(
        outcome=[labels.get(str(name), str(name)) for name in equivalence["outcome"]],
        of=[f"{level}s" for level in equivalence["level"]],
        why=equivalence["basis"].map(WHY),
        decides=[
            "yes" if (row.outcome, row.level, row.variable) in deciding else "no"
            for row in equivalence.itertuples()
        ],
        known=[
            f"{n:,} of {n + lacking:,}"
            for n, lacking in zip(
                equivalence["n_control"] + equivalence["n_treated"], equivalence["missing"],
                strict=True,
            )
        ],
        size=[
            difference_text(size if size == size else plain)
            for size, plain in zip(
                equivalence["wwc_effect_size"], equivalence["standardised_difference"], strict=True
            )
        ],
    )  # fmt: skip
    return tabulate("Baseline measures of those analysed", rows, MEASURES)
