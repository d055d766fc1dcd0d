"""What was read and what became of it, as the pages show it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from schooltrial.document.tables import Column, Table, tabulate
from schooltrial.wording import exact

RAW_FILES = [
    Column("raw file", key="file"),
    Column("rows", "count"),
    Column("bytes", "count"),
    Column("SHA-256", "code", key="sha256"),
]

CLEANING = [
    Column("table"),
    Column("file"),
    Column("column"),
    Column("rule"),
    Column("cells", "count"),
    Column("rows", "count"),
    Column("first case"),
]

CODEBOOK = [
    Column("variable"),
    Column("label"),
    Column("raw column"),
    Column("type"),
    Column("rows", "count"),
    Column("missing", "count"),
    Column("distinct", "count"),
    Column("low", "told"),
    Column("high", "told"),
    Column("values"),
]

AGGREGATES = [
    Column("school"),
    Column("year", "told"),
    Column("outcome"),
    Column("pupils", "told", key="n_pupils"),
    Column("from pupils", "number", 2, key="mean_from_pupils"),
    Column("published", "number", 2),
    Column("difference", "number", 2),
    Column("verdict"),
]

LINKING = [
    Column("table"),
    Column("identifier"),
    Column("year", "told"),
    Column("looked up in", key="looked_up_in"),
    Column("identifiers", "count", key="n"),
    Column("found", "count", key="n_found"),
    Column("rows not found", "count", key="rows_not_found"),
    Column("left out", "count", key="n_left_out"),
    Column("there", "count", key="n_other"),
    Column("of these, found here", "count", key="n_other_found"),
]

SHOWN_MEANS = 12
"""Largest differences from published means that the page shows; all stand in the check."""


def raw_files_shown(raw_files: pd.DataFrame) -> Table:
    """Return the raw files with what identifies them."""
    return tabulate("Raw files", raw_files, RAW_FILES)


def held_back_shown(files: Sequence[tuple[str, str]]) -> Table:
    """Return the files, or parts of them, that are not read while the study is blind."""
    columns = [Column("raw file"), Column("not read")]
    return tabulate("Held back", pd.DataFrame(files, columns=["raw file", "not read"]), columns)


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
        **{name: [_short(value) for value in codebook[name]] for name in ("low", "high")}
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
    """Return table → the mean of each variable by year and arm, for the codebook."""
    keys = ["table", "variable", "year"]
    by_arm = means.drop_duplicates([*keys, "arm"]).set_index([*keys, "arm"])["mean"]
    wide = means[keys].drop_duplicates(ignore_index=True)
    for at, arm in enumerate(arms):
        rows = pd.MultiIndex.from_frame(wide[keys].assign(arm=arm))
        wide[f"mean {at}"] = by_arm.reindex(rows).to_numpy()
    columns = [
        Column("variable"),
        Column("year"),
        *(Column(arm, "number", 2, key=f"mean {at}") for at, arm in enumerate(arms)),
    ]
    return {
        str(table): tabulate(f"Means by year and arm: {table}", rows, columns)
        for table, rows in wide.groupby("table", sort=False)
    }
