"""When a test was taken, by the name of its column or of its file: a year, a month, a word."""

from __future__ import annotations

import re
from typing import NamedTuple

_PRE = "pre|baseline|base|before|prior|t0|vor|avant"
_POST = "post|endline|after|nach|apres"
PRE = re.compile(rf"^({_PRE})(_|(?=test|score)|$)|_({_PRE})$")
POST = re.compile(rf"^({_POST})(_|(?=test|score)|$)|_({_POST})$")
STAGES = {
    "autumn": -2, "fall": -2, "initial": -2, "entry": -2, "start": -2, "boy": -2,
    "beginning": -2, "pretest": -2, "vortest": -2,
    "winter": -1, "middle": -1, "mid": -1, "midyear": -1, "moy": -1,
    "spring": 1,
    "summer": 2, "endline": 2, "final": 2, "exit": 2, "end": 2, "eoy": 2, "followup": 2,
    "posttest": 2, "nachtest": 2,
}  # fmt: skip
"""Word of a name that says when in a school year or a study a test was taken → its place."""

SEASONS = {"winter": 1, "spring": 4, "summer": 7, "autumn": 10, "fall": 10}
"""Season → its first month, where the name says the year too."""

MONTHS = {
    name: at
    for at, names in enumerate(
        (
            "jan january januar janvier", "feb february februar fevrier", "mar march marz mars",
            "apr april avril", "may mai", "jun june juni juin", "jul july juli juillet",
            "aug august aout", "sep sept september septembre", "oct october okt oktober octobre",
            "nov november novembre", "dec december dez dezember decembre",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip

SCHOOL_YEAR_BEGINS = 8
"""Month with which a school year begins, where names say months and no year."""

NUMBERED = re.compile(
    r"(?:^|_)(?P<what>ks|key_stage|y|yr|year|t|time|wave|w|round|term|test|phase)_?(?P<at>\d{1,2})"
    r"(?=_|$)"
)
"""Part of a name that counts stages of school, school years or waves: ``KS1``, ``y5``, ``t0``."""

YEAR = re.compile(r"(?<!\d)(?P<year>(?:19|20)\d\d)(?:_(?P<end>\d\d(?:\d\d)?))?(?![a-z0-9])")
"""A year in a name, or the two of a school year; or a year and its month."""

SHORT_SCHOOL_YEAR = re.compile(r"(?<!\d)(?P<year>[1-4]\d)_(?P<end>\d\d)(?![a-z0-9])")
"""The two years of a school year, in two digits each."""


MONTH_AND_YEAR = re.compile(rf"(?:^|_)(?:{'|'.join(MONTHS)})_(?P<year>[1-4]\d)(?=_|$)")
"""A month and the last two digits of its year, as in Sept 24."""


class When(NamedTuple):
    """When a test was taken, in the order of time among names that differ in nothing else.

    Attributes
    ----------
    year : int
        Calendar year, or that in which a school year ends; 0 where the name says none.
    month : int
        1 to 12 of a year; 1 to 12 of the school year where there is none; 0 if not said.
    stage : int
        Place of a word or a count; 0 before, 1 after or not said.
    """

    year: int = 0
    month: int = 0
    stage: int = 1

    @property
    def order(self) -> tuple[int, int, int, int]:
        """The order of time: a word for before, then names with a year, then all others."""
        if not self.year:
            return (0 if self.stage < 1 else 2), 0, self.month, self.stage
        return 1, self.year, self.month, self.stage


def end_of_school_year(begins: int, ends: str) -> int | None:
    """Return the year in which a school year ends, by its two or four digits; None if it is none.

    2025 of 2024 and ``25``; none of 2024 and ``26``.
    """
    return begins + 1 if int(ends) % 100 == (begins + 1) % 100 else None


def without_year(name: str) -> tuple[str, int]:
    """Return a plain name without the year that it says, and the year; 0 where it says none."""
    left, year, _ = _dated(name)
    return left, year


def what_and_when(name: str) -> tuple[str, When]:
    """Return what a column measures and when, by its plain name (lower case, underscores)."""
    left, year, month = _dated(name)
    short = MONTH_AND_YEAR.search(left) if not year else None
    if short:
        left, year = (
            f"{left[: short.start('year') - 1]}{left[short.end() :]}",
            2000 + int(short["year"]),
        )
    words = left.split("_")
    named = [MONTHS[word] for word in words if word in MONTHS]
    if named and len(words) > len(named):
        left = "_".join(word for word in words if word not in MONTHS)
        month = named[0] if year else (named[0] - SCHOOL_YEAR_BEGINS) % 12 + 1
    if year and not month:
        seasons = [SEASONS[word] for word in words if word in SEASONS]
        if seasons:
            left = "_".join(word for word in words if word not in SEASONS)
            month = seasons[0]
    what, stage = _what_and_stage(left)
    return what, When(year, month, stage)


def _dated(name: str) -> tuple[str, int, int]:
    """Return a name without its year (and month in digits), and both; 0 where it says none."""
    found = YEAR.search(name)
    if found:
        year, end, month = int(found["year"]), found["end"], 0
        stop = found.end()
        if end and end_of_school_year(year, end):
            year += 1
        elif end and len(end) == 2 and 1 <= int(end) <= 12:
            month = int(end)
        elif end:
            stop = found.end("year")
        return _joined(name[: found.start()], name[stop:]), year, month
    short = SHORT_SCHOOL_YEAR.search(name)
    ends = end_of_school_year(2000 + int(short["year"]), short["end"]) if short else None
    if short and ends:
        return _joined(name[: short.start()], name[short.end() :]), ends, 0
    return name, 0, 0


def _joined(before: str, after: str) -> str:
    return "_".join(part for part in (before.strip("_"), after.strip("_")) if part)


def _what_and_stage(name: str) -> tuple[str, int]:
    """Return what a name says but for its stage, and this: 0 before, 1 after or not said, else."""
    if PRE.search(name):
        return PRE.sub("", name), 0
    if POST.search(name):
        return POST.sub("", name), 1
    counted = NUMBERED.search(name)
    if counted:
        # t0 and t1 count the tests of one thing; a key stage is part of what a test is
        what = "" if counted["what"] == "t" else f"_{counted['what']}#"
        left = f"{name[: counted.start()]}{what}{name[counted.end() :]}".strip("_")
        return left, int(counted["at"])
    words = re.sub(
        r"(follow)_(up)|(mid)_(year)", lambda found: "".join(filter(None, found.groups())), name
    ).split("_")
    when = [STAGES[word] for word in words if word in STAGES]
    if when:
        return "_".join(word for word in words if word not in STAGES), when[0]
    return name, 1
