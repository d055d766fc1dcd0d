"""Files that hold the same table at several times, and how these differ."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from schooltrial.proposal.roles import (
    YEAR_IN_NAME,
    before_and_after,
    column_of,
    stages_of,
    year_of,
    years_of,
)
from schooltrial.proposal.seen import SeenColumn, SeenFile
from schooltrial.proposal.times import end_of_school_year

KEYS = ("pupil", "teacher", "school")
"""Roles of columns by which the rows of two files are linked."""

SHARED = 0.5
"""Share of the columns of the narrower of two files that the other has too, at least."""

SCHOOL_YEAR = re.compile(r"(?<!\d)(?P<year>(?:19|20)\d\d)[-_](?P<end>\d\d(?:\d\d)?)(?!\d)")
"""The two years of a school year in the name of a file."""

FIRST_YEAR = 1900
"""Smaller numbers say before and after."""


@dataclass(frozen=True)
class Wave:
    """Files of one pattern, one a year; or one file.

    Attributes
    ----------
    pattern : str
        The file's name, with ``{year}`` where its name says the year.
    files : dict of int to SeenFile
        By year; under 0 a file whose name says none, and under 0 and 1 those before and after.
    stated : bool
        Whether the protocol states the year of each file, whose name says none.
    """

    pattern: str
    files: dict[int, SeenFile]
    stated: bool = False

    @property
    def last(self) -> SeenFile:
        """The file of the last year."""
        return self.files[max(self.files)]

    @property
    def first(self) -> SeenFile:
        """The file of the first year."""
        return self.files[min(self.files)]

    @property
    def are_alike(self) -> bool:
        """Whether all files have the same columns."""
        return len({file.names for file in self.files.values()}) < 2

    def readings(self) -> Iterator[tuple[str, SeenFile, int | None]]:
        """Yield the name of each file as a protocol has it, the file, and the year to be stated.

        Files of other columns are read one by one, even if only the year in their names differs.
        """
        if not self.stated and (self.are_alike or min(self.files) < FIRST_YEAR):
            yield self.pattern, self.last, None
            return
        for year, file in sorted(self.files.items()):
            yield file.path.name, file, year

    def column(self, name: str) -> SeenColumn:
        """Return a column with its cells of all files that have it."""
        having = [file[name] for _, file in sorted(self.files.items()) if name in file.names]
        cells = tuple(cell for one in having for cell in one.cells)
        labelled = tuple(dict.fromkeys(text for one in having for text in one.labelled))
        return replace(having[-1], cells=cells, labelled=labelled)


def waves_of(files: Sequence[SeenFile]) -> list[Wave]:
    """Return the files, those that differ by the year in their names alone taken together.

    So are the sheets of a workbook.

    So are two files whose names say before and after, if they share most columns.
    """
    found: dict[tuple[str, str], dict[int, SeenFile]] = {}
    for file in files:
        years = list(YEAR_IN_NAME.finditer(file.path.name))
        pattern, year = file.path.name, 0
        if len(years) == 1:
            (at,) = years
            pattern, year = f"{pattern[: at.start()]}{{year}}{pattern[at.end() :]}", int(at[0])
        whole = SCHOOL_YEAR.search(file.path.name)
        ends = end_of_school_year(int(whole["year"]), whole["end"]) if whole else None
        if whole and ends:
            year = ends
            pattern = f"{file.path.name[: whole.start()]}*{file.path.name[whole.end() :]}"
        sheet = file.sheet
        if not year and (of_sheet := _year_of_sheet(file)):
            year, pattern, sheet = of_sheet, f"{pattern}*", re.sub(r"[\d/–-]+", "*", sheet)
        found.setdefault((pattern, sheet), {})[year] = file
    waves = []
    for (pattern, _), by_year in found.items():
        last = by_year[max(by_year)]
        stated = "*" in pattern or any(map(_says_other_years, by_year.values(), by_year))
        waves.append(Wave(last.path.name if stated else pattern, by_year, stated))
    return _paired(waves)


def _says_other_years(file: SeenFile, year: int) -> bool:
    """Return whether a column gives years, or before and after, that the file's name does not."""
    column = column_of("year", file) if year else None
    if column is None:
        return False
    return bool(stages_of(column)) or set(years_of(column).values()) != {year}


def _year_of_sheet(file: SeenFile) -> int | None:
    """Return the year that the name of a sheet says, where no column of it says one."""
    column = column_of("year", file)
    return None if column is not None and years_of(column) else year_of(file.sheet)


def _paired(waves: Sequence[Wave]) -> list[Wave]:
    """Take a file from before and one from after together."""
    left, found = list(waves), []
    while left:
        wave = left.pop(0)
        other = next((one for one in left if _stages(wave, one)), None)
        if other is None:
            found.append(wave)
            continue
        left.remove(other)
        stages = _stages(wave, other)
        before, after = sorted((wave, other), key=lambda one: stages[_name(one.last)])
        years = _years_of(before, after)
        files = dict(zip(years, (before.last, after.last), strict=True))
        found.append(Wave(after.last.path.name, files, stated=True))
    return found


def _stages(one: Wave, other: Wave) -> dict[str, int]:
    """Return the names of two files with 0 before and 1 after; empty if they are not such."""
    if len(one.files) + len(other.files) > 2:
        return {}
    columns = [wave.last.names for wave in (one, other)]
    shared = columns[0] & columns[1]
    keys = [
        {found.name for role in KEYS if (found := column_of(role, wave.last)) is not None}
        for wave in (one, other)
    ]
    if keys[0] != keys[1] or len(shared) < SHARED * min(map(len, columns)):
        return {}
    return before_and_after([_name(one.last), _name(other.last)])


def _years_of(before: Wave, after: Wave) -> tuple[int, int]:
    """Return the years of two files: those of their names, or 0 and 1 where no name says one."""
    (first,), (last,) = before.files, after.files
    if last >= FIRST_YEAR:
        return (first if FIRST_YEAR <= first < last else last - 1), last
    return (first, first + 1) if first >= FIRST_YEAR else (0, 1)


def _name(file: SeenFile) -> str:
    return f"{file.path.name.split('.')[0]} {file.sheet}".strip()
