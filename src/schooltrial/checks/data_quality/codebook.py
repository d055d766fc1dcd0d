"""A codebook of the standard tables: each variable, what it is, and what it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from schooltrial.data.linking.school_crosswalk import Crosswalk, crosswalk_of, owners
from schooltrial.protocol.content.column_map import Tables, shown_source
from schooltrial.wording import exact

COLUMNS = [
    "table", "variable", "label", "column", "type", "rows", "missing", "distinct", "minimum",
    "maximum", "values",
]  # fmt: skip


MEAN_COLUMNS = ["table", "variable", "year", "arm", "rows", "missing", "mean"]


LISTED = 12


IDENTIFIERS = (
    "school",
    "pupil",
    "teacher",
    "class",
    "group",
    "leader",
    "rater",
    "from_school",
    "to_school",
)


NOT_ASSIGNED = "not assigned"


ALL_YEARS = "all"


OF_NO_ARM = ("costs", "crosswalk")
"""Tables whose rows are of no unit, so that no group has a mean of them."""


def variables(table: str, frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield every variable of a table with the rows that hold it, as the column ``value``.

    A long table (scores, observations) holds one variable per outcome, beside its own columns.
    """
    long = "outcome" in frame and "value" in frame
    for name in frame:
        if not long or name not in ("outcome", "value"):
            yield str(name), frame.assign(value=frame[name])
    if long:
        for outcome, rows in frame.groupby("outcome", observed=True):
            yield str(outcome), rows


def build_codebook(
    tables: Mapping[str, pd.DataFrame],
    labels: Mapping[str, str],
    raw_columns: Mapping[str, Mapping[str, str]],
) -> pd.DataFrame:
    """Describe every variable of every table.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        The standard tables.
    labels : mapping of str to str
        Variable → name in exhibits.
    raw_columns : mapping
        Table → variable → column of the raw file that it was read from.

    Returns
    -------
    DataFrame
        One row per variable. Identifiers are counted, never listed.
    """
    rows = [
        [
            table, name, labels.get(name, ""), raw_columns.get(table, {}).get(name, ""),
            *_describe(name, held["value"]),
        ]
        for table, frame in tables.items()
        for name, held in variables(table, frame)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def means_by_arm_and_year(
    tables: Mapping[str, pd.DataFrame], arms: Mapping[str, pd.Series]
) -> pd.DataFrame:
    """Return rows, missing cells and mean of every numeric variable, by year and group.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        The standard tables.
    arms : mapping of str to Series
        Table → arm of each of its rows.

    Returns
    -------
    DataFrame
        Columns ``table, variable, year, arm, rows, missing, mean``; the level of a category is a
        variable of its own, whose mean is its share.
    """
    rows: list[list[object]] = []
    for table, frame in tables.items():
        if table in OF_NO_ARM:
            continue
        arm = arms[table].fillna(NOT_ASSIGNED)
        for name, held in variables(table, frame):
            if name in (*IDENTIFIERS, "year"):
                continue
            year = held["year"] if "year" in held else pd.Series(ALL_YEARS, index=held.index)
            for shown, values in _numbers(name, held["value"]):
                rows += _means(table, shown, values, year, arm.loc[held.index])
    return pd.DataFrame(rows, columns=MEAN_COLUMNS)


def _numbers(name: str, values: pd.Series) -> Iterator[tuple[str, pd.Series]]:
    """Yield a number as it is, and each level of a category as an indicator."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return
    if pd.api.types.is_numeric_dtype(values):
        yield name, values.astype("float64")
    elif isinstance(values.dtype, pd.CategoricalDtype):
        for level in values.cat.categories:
            yield f"{name}={level}", (values == level).astype("float64").mask(values.isna())


def _means(
    table: str, name: str, values: pd.Series, year: pd.Series, arm: pd.Series
) -> list[list[object]]:
    groups = pd.DataFrame({"year": year, "arm": arm, "value": values})
    tally = groups.groupby(["year", "arm"], sort=True)["value"].agg(["size", "count", "mean"])
    return [
        [table, name, at, named, int(size), int(size - known), mean]
        for (at, named), (size, known, mean) in zip(tally.index, tally.to_numpy(), strict=True)
    ]


def arms_of_rows(
    tables: Mapping[str, pd.DataFrame], unit: str, identity: Sequence[str] = ("pupil", "year")
) -> dict[str, pd.Series]:
    """Return the group of every row of every table, by the unit that was assigned.

    Scores are joined through the pupil's row of that year, pupils through their teacher where
    teachers were assigned. Rows of a school that was renamed, split or merged are of the assigned
    school that it is analysed as. Rows of nobody who was assigned have no group.
    """
    assigned = tables["assignment"].drop_duplicates(unit).set_index(unit)["arm"].astype("str")
    found: dict[str, pd.Series] = {}
    changes = crosswalk_of(tables.get("crosswalk")) if unit == "school" else Crosswalk()
    for table, frame in tables.items():
        if unit in frame and "year" in frame and changes.changes:
            found[table] = owners(frame, set(assigned.index), changes).map(assigned)
        elif unit in frame:
            found[table] = frame[unit].map(assigned)
        elif "pupil" in frame and "pupils" in tables and unit in tables["pupils"]:
            keys = list(identity)
            people = tables["pupils"].drop_duplicates(keys)
            if changes.changes and "year" in keys:
                people = people.assign(**{unit: owners(people, set(assigned.index), changes)})
            joined = frame[keys].merge(people[[*keys, unit]], on=keys, how="left")
            found[table] = pd.Series(joined[unit].map(assigned).to_numpy(), index=frame.index)
        else:
            found[table] = pd.Series(None, index=frame.index, dtype="object")
    return found


def raw_columns(tables: Tables) -> dict[str, dict[str, str]]:
    """Return table → variable or outcome → where the raw files hold it, in all its files.

    An outcome of a long file is its column of values, in the rows of its code.

    Parameters
    ----------
    tables : mapping
        Section of the protocol.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for table, readings in tables.items():
        held = found.setdefault(table, {})
        for reading in readings:
            specs = [*reading["columns"].items(), *reading["outcomes"].items()]
            specs += [
                pair
                for joined in reading["join"]
                for pair in joined["columns"].items()
                if pair[0] not in joined["on"]
            ]
            for variable, spec in specs:
                held.setdefault(variable, []).append(shown_source(spec))
            columns = reading["columns"]
            if "outcome" in columns and "value" in columns:
                value, of = shown_source(columns["value"]), shown_source(columns["outcome"])
                for code, outcome in columns["outcome"]["codes"].items():
                    held.setdefault(str(outcome), []).append(f"{value} where {of} is {code}")
    return {
        table: {variable: " or ".join(dict.fromkeys(names)) for variable, names in held.items()}
        for table, held in found.items()
    }


def _describe(name: str, values: pd.Series) -> list[object]:
    known = values.dropna()
    distinct = int(known.nunique())
    counts = [len(values), int(values.isna().sum()), distinct]
    if pd.api.types.is_numeric_dtype(values):
        kind, low, high = (
            "number",
            _end(known.min()) if len(known) else "",
            _end(known.max()) if len(known) else "",
        )
    elif pd.api.types.is_datetime64_any_dtype(values):
        kind = "date"
        low, high = (str(known.min())[:10], str(known.max())[:10]) if len(known) else ("", "")
    else:
        kind, low, high = "text", "", ""
    listed = (
        ""
        if name in IDENTIFIERS or distinct > LISTED
        else "; ".join(
            exact(value) if kind == "number" else str(value)[:10] if kind == "date" else str(value)
            for value in sorted(known.unique())
        )
    )
    return [kind, *counts, low, high, listed]


def _end(value: float) -> str | float:
    """Return an end of the values of a variable; a whole number, perhaps a code, in all digits."""
    return exact(value) if float(value).is_integer() else value
