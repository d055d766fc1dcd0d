"""Who stands in the assignment list, but in an arm or school that the study does not have."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import pandas as pd
import pyarrow as pa

from schooltrial.data.tables.parts import Part
from schooltrial.refusal import Fault
from schooltrial.wording import plural_of

SOURCE = "assignment table"


Where = Callable[[int | None, str], tuple[str, int | None, str]]
"""Row of the list (None: all of it), variable → file, line and column, as messages name them."""


def _in_table(row: int | None, variable: str) -> tuple[str, int | None, str]:
    return SOURCE, None, variable


def list_faults(
    assignment: pd.DataFrame, described: pd.Series | None, unit: str, arms: Sequence[str],
    where: Where = _in_table,
) -> Iterator[Fault]:  # fmt: skip
    """Yield units in an arm that the design has not, arms without units, and unknown schools.

    Parameters
    ----------
    assignment : DataFrame
        The standard table, one row per unit.
    described : Series of str or None
        Schools of the table of schools; None where the study has no such table.
    unit : str
        What was assigned.
    arms : sequence of str
        Arms of the design.
    where : callable, optional
        Tells where a row stands; by default in the table.
    """
    known = ", ".join(arms)
    given = assignment["arm"].astype("str")
    for row, (name, arm) in enumerate(zip(assignment[unit], given, strict=True)):
        if pd.isna(arm):
            found, remedy = f"{unit} {name} has no arm", "complete the assignment list"
        elif arm not in arms:
            found = f"{unit} {name} is in the arm {arm!r}"
            remedy = "map the code to an arm of the design, or declare the arm"
        else:
            continue
        yield _fault(where(row, "arm"), found, f"one of {known}", remedy)
    for arm in arms:
        if not (given == arm).any():
            found, remedy = f"no {unit} is in the arm {arm!r}", "check the codes of the arm column"
            yield _fault(where(None, "arm"), found, f"{plural_of(unit)} in every arm", remedy)
    yield from _school_faults(assignment, described, where)


def _school_faults(
    assignment: pd.DataFrame, described: pd.Series | None, where: Where
) -> Iterator[Fault]:  # fmt: skip
    if "school" not in assignment or described is None:
        return
    told, there = set(), set(described)
    for row, school in enumerate(assignment["school"]):
        if pd.isna(school) or school in there or school in told:
            continue
        told.add(school)
        twin = look_alike(school, described)
        remedy = "add it to the file of schools"
        if twin is not None:
            remedy = f"spell it as there: {twin} looks the same, with other characters or blanks"
        found = f"school {school} is in no table of schools"
        yield _fault(where(row, "school"), found, "every assigned school is described", remedy)


def _fault(
    place: tuple[str, int | None, str], found: str, expected: str, remedy: str
) -> Fault:  # fmt: skip
    file, row, column = place
    return Fault(file, found, expected, remedy, row=row, column=column)


def raw_list_faults(
    parts: Mapping[str, Sequence[Part]], unit: str, arms: Sequence[str]
) -> Iterator[Fault]:
    """Yield the same of the raw files, with the file and line of each.

    Parameters
    ----------
    parts : mapping
        Standard table → what its files give to it.
    unit, arms
        As in `list_faults`.
    """
    listed = parts.get("assignment", [])
    if not listed or not arms:
        return
    lines = [(part, int(line)) for part in listed for line in part.cells.line(part.at)]
    files = ", ".join(dict.fromkeys(part.cells.file for part in listed))

    def where(row: int | None, variable: str) -> tuple[str, int | None, str]:
        if row is None:
            return files, None, listed[0].raw.get(variable, variable)
        part, line = lines[row]
        return part.cells.file, line, part.raw.get(variable, variable)

    described = None
    if "schools" in parts:
        described = pd.concat([_texts(part, ["school"]) for part in parts["schools"]])["school"]
    rows = pd.concat([_texts(part, [unit, "arm", "school"]) for part in listed], ignore_index=True)
    yield from list_faults(rows, described, unit, arms, where)


def _texts(part: Part, names: Sequence[str]) -> pd.DataFrame:
    there = [name for name in dict.fromkeys(names) if name in part.table.column_names]
    columns = {name: part.table[name].cast(pa.string()).to_pandas() for name in there}
    return pd.DataFrame(columns)


_LATIN = str.maketrans(
    # Cyrillic, then Greek letters that a reader cannot tell from Latin ones
    "\u0410\u0412\u0415\u0405\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0408\u0423"
    "\u0430\u0435\u0455\u043e\u0440\u0441\u0445\u0456\u0458\u0443"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf",
    "ABESKMHOPCTXIJYaesopcxijyABEZHIKMNOPTYXo",
)


def skeleton(name: str) -> str:
    """Return what a name looks like: without regard to how its characters are written.

    Compatible and composed forms are made one (normal form KC of Unicode), blanks are dropped, and
    Cyrillic and Greek capitals and letters of the form of Latin ones become these.
    """
    return "".join(unicodedata.normalize("NFKC", name).translate(_LATIN).split())


def look_alike(name: str, known: Iterable[str]) -> str | None:
    """Return the first of other names that looks the same as this one; None where there is none."""
    shape = skeleton(name)
    return next((other for other in known if other != name and skeleton(other) == shape), None)
