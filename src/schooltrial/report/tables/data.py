"""What was read and what became of it, as the pages show it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from schooltrial.document.tables import Column, Table, tabulate
from schooltrial.wording import exact

RAW_FILES = [
    Column("Raw file", key="file"),
    Column("Sheet", key="sheet", optional=True),
    Column("Rows", "count", key="rows"),
    Column("Bytes", "count", key="bytes"),
    Column("SHA-256", "code", key="sha256"),
]

CLEANING = [
    Column("Table", key="table"),
    Column("File", key="file"),
    Column("Column", key="column"),
    Column("Rule", key="rule"),
    Column("Cells", "count", key="cells"),
    Column("Rows", "count", key="rows"),
    Column("First case", key="first case"),
]

CODEBOOK = [
    Column("Variable", key="variable"),
    Column("Label", key="label"),
    Column("Raw column", key="column"),
    Column("Type", key="type"),
    Column("Rows", "count", key="rows"),
    Column("Missing", "count", key="missing"),
    Column("Distinct", "count", key="distinct"),
    Column("Minimum", "told", key="minimum"),
    Column("Maximum", "told", key="maximum"),
    Column("Values", key="values"),
]

AGGREGATES = [
    Column("School", key="school"),
    Column("Year", "told", key="year"),
    Column("Outcome", key="outcome"),
    Column("Pupils", "told", key="n_pupils"),
    Column("From pupils", "number", 2, key="mean_from_pupils"),
    Column("Published", "number", 2, key="published"),
    Column("Difference", "number", 2, key="difference"),
    Column("Verdict", key="verdict"),
]

LINKING = [
    Column("Table", key="table"),
    Column("Identifier", key="identifier"),
    Column("Year", "told", key="year"),
    Column("Looked up in", key="looked_up_in"),
    Column("Identifiers", "count", key="n"),
    Column("Found", "count", key="n_found"),
    Column("Rows not found", "count", key="rows_not_found"),
    Column("Left out", "count", key="n_left_out"),
    Column("There", "count", key="n_other"),
    Column("Of these, found here", "count", key="n_other_found"),
]

SHOWN_MEANS = 12
"""Largest differences from published means that the page shows; all stand in the check."""


def raw_files_shown(raw_files: pd.DataFrame) -> Table:
    """Return the raw files with what identifies them."""
    return tabulate("Raw files", raw_files, RAW_FILES)


def held_back_shown(files: pd.DataFrame) -> Table:
    """Return the files, or parts of them, that are not read while the study is blind.

    Parameters
    ----------
    files : DataFrame
        ``file, not_read``.
    """
    columns = [Column("Raw file", key="file"), Column("Not read", key="not_read")]
    return tabulate("Held back", files, columns)


def cleaning_shown(log: pd.DataFrame) -> Table:
    """Return every rule that changed cells or left rows out, with the first case of each."""
    cases = [f"‘{b}’ → ‘{a}’" for b, a in zip(log["before"], log["after"], strict=True)]
    return tabulate(
        "Changes between raw files and standard tables",
        log.assign(**{"first case": cases}),
        CLEANING,
    )


def aggregates_shown(aggregates: pd.DataFrame) -> Table:
    """Return the school means that differ most from the published ones."""
    order = aggregates["difference"].abs().sort_values(ascending=False, kind="stable").index
    return tabulate(
        "Largest differences from published means",
        aggregates.loc[order].head(SHOWN_MEANS),
        AGGREGATES,
    )


def linking_shown(linking: pd.DataFrame) -> Table | None:
    """Return how many identifiers of each table are found in others; None if none was looked up."""
    if linking.empty:
        return None
    whole = linking[linking["outcome"].isna() | (linking["outcome"] == "")]
    years = ["" if pd.isna(year) else str(int(year)) for year in whole["year"]]
    title = "Identifiers of one table that are found in another"
    return tabulate(title, whole.assign(year=years), LINKING)


def codebook_shown(codebook: pd.DataFrame) -> dict[str, Table]:
    """Return table → its part of the codebook."""
    told = codebook.assign(
        **{name: [_short(value) for value in codebook[name]] for name in ("minimum", "maximum")}
    )
    return {
        str(table): tabulate(f"Codebook: {table}", rows, CODEBOOK)
        for table, rows in told.groupby("table", sort=False)
    }


def _short(value: object) -> str:
    """Return a number in six digits, but a whole one, which may be a code, in all of its own."""
    try:
        number = float(str(value))
    except ValueError:
        return str(value)
    return exact(number) if number.is_integer() else f"{number:.6g}"


def means_shown(means: pd.DataFrame, arms: Sequence[str]) -> dict[str, Table]:
    """Return table → the mean of each variable by year and group, for the codebook."""
    keys = ["table", "variable", "year"]
    by_arm = means.drop_duplicates([*keys, "arm"]).set_index([*keys, "arm"])["mean"]
    wide = means[keys].drop_duplicates(ignore_index=True)
    for at, arm in enumerate(arms):
        rows = pd.MultiIndex.from_frame(wide[keys].assign(arm=arm))
        wide[f"mean {at}"] = by_arm.reindex(rows).to_numpy()
    columns = [
        Column("Variable", key="variable"),
        Column("Year", key="year"),
        *(Column(arm, "number", 2, key=f"mean {at}") for at, arm in enumerate(arms)),
    ]
    return {
        str(table): tabulate(f"Means by year and group: {table}", rows, columns)
        for table, rows in wide.groupby("table", sort=False)
    }
