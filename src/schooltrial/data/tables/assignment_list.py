"""Units of the allocation list in a group or school that the study does not have."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

import pandas as pd
import pyarrow as pa

from schooltrial.data.spelling.respelling import keys_to_respell
from schooltrial.data.spelling.variants import alike, all_simplified, differences, simplified
from schooltrial.data.tables.parts import Part
from schooltrial.refusal import Fault
from schooltrial.wording import listed, plural_of

SOURCE = "assignment table"


EVERY_ARM = "all"
"""What a table of costs names where an ingredient is of every intervention group."""


ALL_BEGIN = (
    "; if every school begins in the end, put those that begin last in this group, without a "
    "cohort, and end `years` before they begin (later there is no comparison group)"
)
"""The remedy of a roll-out in which nobody is never treated."""


Where = Callable[[int | None, str], tuple[str, int | None, str]]
"""Row of the list (None: all of it), variable → file, line and column, as messages name them."""


def _in_table(row: int | None, variable: str) -> tuple[str, int | None, str]:
    return SOURCE, None, variable


def list_faults(
    assignment: pd.DataFrame, described: pd.Series | None, unit: str, arms: Sequence[str],
    where: Where = _in_table,
) -> Iterator[Fault]:  # fmt: skip
    """Yield units in a group that the design has not, groups without units, and unknown schools.

    Parameters
    ----------
    assignment : DataFrame
        The standard table, one row per unit.
    described : Series of str or None
        Schools of the table of schools; None where the study has no such table.
    unit : str
        What was assigned.
    arms : sequence of str
        Groups of the design, the control group first: it may be empty where all units enter in
        cohorts.
    where : callable, optional
        Tells where a row stands; by default in the table.
    """
    known = ", ".join(arms)
    given = assignment["arm"].astype("str")
    for row, (name, arm) in enumerate(zip(assignment[unit], given, strict=True)):
        if pd.isna(arm):
            found, remedy = f"{unit} {name} has no group", "add the group to the allocation list"
        elif arm not in arms:
            found = f"{unit} {name} is in the group {arm!r}"
            remedy = "add the code to `codes` of the column `arm`, or declare the group"
        else:
            continue
        yield _fault(where(row, "arm"), found, f"one of {known}", remedy)
    for arm in arms[1:] if all_enter(assignment) else arms:
        if not (given == arm).any():
            found, remedy = (
                f"no {unit} is in the group {arm!r}",
                "check the codes of the group column",
            )
            if "cohort" in assignment and arm == arms[0]:
                remedy += ALL_BEGIN
            yield _fault(where(None, "arm"), found, f"{plural_of(unit)} in every group", remedy)
    yield from _school_faults(assignment, described, where)


def all_enter(assignment: pd.DataFrame) -> bool:
    """Return whether every unit enters the programme, in one of several cohorts.

    None is in the control group then: those that enter later are the comparison.
    """
    cohort = assignment.get("cohort")
    return cohort is not None and bool(cohort.notna().all()) and cohort.nunique() > 1


def _school_faults(
    assignment: pd.DataFrame, described: pd.Series | None, where: Where
) -> Iterator[Fault]:  # fmt: skip
    if "school" not in assignment or described is None:
        return
    schools, there = assignment["school"].dropna().astype("str"), set(described.dropna())
    alone = [school for school in dict.fromkeys(schools) if school not in there]
    twins = look_alikes(alone, there)
    remedies = _respelling(twins, schools, there, where)
    told: set[str] = set()
    for row, school in enumerate(assignment["school"]):
        if pd.isna(school) or school in there or school in told:
            continue
        told.add(school)
        found = f"school {school} is not in the table of schools"
        remedy = remedies.get(school, "add it to the file of schools")
        yield _fault(where(row, "school"), found, "a row for every randomised school", remedy)


def look_alikes(names: Sequence[str], known: Collection[str]) -> dict[str, str]:
    """Return name → the one among those known that differs from it in spelling alone."""
    shapes: dict[str, list[str]] = {}
    for other in sorted(known) if names else ():
        shapes.setdefault(simplified(other), []).append(other)
    found = {}
    for name in names:
        twin = next((o for o in shapes.get(simplified(name), []) if alike(name, o)), None)
        if twin is not None:
            found[name] = twin
    return found


def _respelling(
    twins: Mapping[str, str], here: Iterable[str], there: Collection[str], where: Where
) -> dict[str, str]:
    """Return school → how it comes to be spelt as in the table of schools."""
    differ = {school: differences(school, twin) for school, twin in twins.items()}
    every = list(dict.fromkeys(what for parts in differ.values() for what in parts))
    widths = _width(here), _width(there)
    keys = keys_to_respell(list(twins), list(twins.values()), every, len(twins), widths)
    lines = ""
    if keys is not None:
        _, _, column = where(None, "school")
        columns = (f"column: {column}", "column: ...")
        lines = "".join(
            f"; or write under `tables.{table}`: `school: {{{', '.join([named, *of_table])}}}`"
            for table, named, of_table in zip(("assignment", "schools"), columns, keys, strict=True)
            if of_table
        )
    return {
        school: f"spell it as there: {twin!r} differs by {listed(differ[school])}{lines}"
        for school, twin in twins.items()
    }


def _width(names: Iterable[str]) -> int | None:
    lengths = {len(name) for name in names}
    return lengths.pop() if len(lengths) == 1 else None


def _fault(
    place: tuple[str, int | None, str], found: str, expected: str, remedy: str
) -> Fault:  # fmt: skip
    file, row, column = place
    return Fault(file, found, expected, remedy, row=row, column=column)


def raw_list_faults(
    parts: Mapping[str, Sequence[Part]], unit: str, arms: Sequence[str], *,
    alike_refused: bool = True,
) -> Iterator[Fault]:  # fmt: skip
    """Yield the same of the raw files, with the file and line of each.

    Parameters
    ----------
    parts : mapping
        Standard table → what its files give to it.
    unit, arms
        As in `list_faults`.
    alike_refused : bool
        Whether two spellings of one identifier in two groups are a fault.
    """
    of_list = parts.get("assignment", [])
    if not of_list or not arms:
        return
    lines = [(part, int(line)) for part in of_list for line in part.cells.line(part.at)]
    files = ", ".join(dict.fromkeys(part.cells.file for part in of_list))

    def where(row: int | None, variable: str) -> tuple[str, int | None, str]:
        if row is None:
            return files, None, of_list[0].raw.get(variable, variable)
        part, line = lines[row]
        return part.cells.file, line, part.raw.get(variable, variable)

    described = None
    if "schools" in parts:
        described = pd.concat([_texts(part, ["school"]) for part in parts["schools"]])["school"]
    rows = pd.concat(
        [_texts(part, [unit, "arm", "school", "cohort"]) for part in of_list], ignore_index=True
    )
    yield from list_faults(rows, described, unit, arms, where)
    if alike_refused:
        yield from _twin_faults(rows, unit, where)


def _twin_faults(rows: pd.DataFrame, unit: str, where: Where) -> Iterator[Fault]:
    """Yield units in two groups under two spellings of one identifier."""
    names = rows[unit].astype("str")
    shape = pd.Series(all_simplified(pa.array(names, pa.large_string())).to_pandas())
    arms = rows["arm"].astype("str").groupby(shape).transform("nunique")
    for _, group in names[(arms > 1).to_numpy()].groupby(shape):
        first = group.index[0]
        for row in group.index[1:]:
            one, other = rows["arm"][first], rows["arm"][row]
            if names[row] != names[first] and one != other and alike(names[first], names[row]):
                file, line, _ = where(first, unit)
                yield _fault(
                    where(row, unit),
                    f"{unit} {names[row]} is in the group {other!r} here, and {names[first]}, "
                    f"which differs by {listed(differences(names[row], names[first]))}, in {one!r} "
                    f"in row {line} of {file}",
                    f"one group per {unit}, with one spelling of its identifier",
                    "correct the allocation list, as its randomisation record says; or, if they "
                    f"are two {plural_of(unit)}, set `cleaning: {{alike_identifiers: distinct}}`",
                )


def cost_arm_faults(parts: Mapping[str, Sequence[Part]], arms: Sequence[str]) -> Iterator[Fault]:
    """Yield costs of a group that the design does not have; `all` is every intervention group.

    Parameters
    ----------
    parts, arms
        As in `raw_list_faults`.
    """
    for part in parts.get("costs", ()) if arms else ():
        if "arm" not in part.table.column_names:
            continue
        named = part.table["arm"].cast(pa.string()).to_pylist()
        for arm, line in zip(named, part.cells.line(part.at), strict=True):
            if arm is not None and arm not in (*arms, EVERY_ARM):
                yield Fault(
                    part.cells.file, f"costs of the group {arm!r}", f"one of {', '.join(arms)}",
                    f"map the code to a group: `arm: {{column: {part.raw['arm']}, type: category, "
                    f"codes: {{{arm}: {arms[-1]}}}}}`", row=int(line), column=part.raw["arm"],
                )  # fmt: skip


def _texts(part: Part, names: Sequence[str]) -> pd.DataFrame:
    there = [name for name in dict.fromkeys(names) if name in part.table.column_names]
    columns = {name: part.table[name].cast(pa.string()).to_pandas() for name in there}
    return pd.DataFrame(columns)
