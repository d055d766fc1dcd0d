"""Files that hold the same table at several times, and how these differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schooltrial.proposal.roles import YEAR_IN_NAME, before_and_after
from schooltrial.proposal.seen import SeenFile


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

    def readings(self) -> Iterator[tuple[str, SeenFile, int | None]]:
        """Yield the name of each file as a protocol has it, the file, and the year to be stated."""
        if not self.stated:
            yield self.pattern, self.last, None
            return
        for year, file in sorted(self.files.items()):
            yield file.path.name, file, year


def waves_of(files: Sequence[SeenFile]) -> list[Wave]:
    """Return the files, those that differ by the year in their names alone taken together.

    So are two files of the same columns whose names say before and after.
    """
    found: dict[tuple[str, str], dict[int, SeenFile]] = {}
    for file in files:
        years = list(YEAR_IN_NAME.finditer(file.path.name))
        pattern, year = file.path.name, 0
        if len(years) == 1:
            (at,) = years
            pattern, year = f"{pattern[: at.start()]}{{year}}{pattern[at.end() :]}", int(at[0])
        found.setdefault((pattern, file.sheet), {})[year] = file
    return _paired([Wave(pattern, by_year) for (pattern, _), by_year in found.items()])


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
        files = {stages[_name(one.last)]: one.last for one in (wave, other)}
        found.append(Wave(files[1].path.name, files, stated=True))
    return found


def _stages(one: Wave, other: Wave) -> dict[str, int]:
    columns = [{column.name for column in wave.last.columns} for wave in (one, other)]
    if [*one.files, *other.files] != [0, 0] or columns[0] != columns[1]:
        return {}
    return before_and_after([_name(one.last), _name(other.last)])


def _name(file: SeenFile) -> str:
    return f"{file.path.name.split('.')[0]} {file.sheet}".strip()
