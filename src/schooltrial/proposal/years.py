"""The years of which a trial has scores, and those of its programme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from schooltrial.proposal.people import scores_in
from schooltrial.proposal.proposed import Ask, Proposal
from schooltrial.proposal.roles import plain, stages_of, year_of, years_of
from schooltrial.proposal.seen import SeenColumn, SeenFile
from schooltrial.proposal.times import without_year
from schooltrial.proposal.waves import FIRST_YEAR


def find_years(found: Proposal, ask: Ask, this_year: int) -> None:
    """Find the years of which there are scores, and in which of them the programme ran."""
    column = found.score_columns.get("year")
    texts = found.scores.column(column) if column else SeenColumn("", ())
    # what a column says of each row goes before the name of the file
    years = set(years_of(texts).values())
    years |= {
        year for year, file in found.scores.files.items()
        if year >= FIRST_YEAR and not (column in file.names and years_of(file[column or ""]))
    }  # fmt: skip
    in_names = {
        one.name: named for one in scores_in(found.scores.last, found.measured)
        if (named := without_year(plain(one.name))[1] or without_year(plain(one.title))[1])
    }  # fmt: skip
    if not years and found.measured == "school":
        years = set(in_names.values())  # a column for each year
    if len(years) > 1:
        _find_begin(found, sorted(years), ask)
        if not found.baseline or not found.programme:
            return  # the years before the first school began are lacking
        _keep_years_of_texts(found, years_of(texts))
        _date_waves(found, max(found.baseline), found.programme[-1])
        return
    reason = "the year was taken from the name of the file, of its sheet or of a column"
    year = max(years | set(in_names.values()), default=None)
    if year is None:
        year = _year_of_dates(found.scores.last)
        reason = "the year was taken from the dates in the file"
    if year is None:
        year = year_of(found.scores.last.heading)
        reason = "the year was taken from the title of the table"
    if year is None:
        year = _year_asked(ask, this_year)
        reason = "" if found.by_person else "no file says a year; this one was taken"
    found.programme = [year]
    stages = stages_of(texts)
    if (found.scores.stated and len(found.scores.files) > 1) or stages:
        found.baseline = [year - 1]
        before = "the test before was taken to be of the year before"
        reason = f"{reason}, and {before}" if reason else before
    if reason:
        found.guesses["years"] = reason
    _keep_years_of_texts(
        found,
        {text: year - 1 + at for text, at in stages.items()} if stages else years_of(texts),
    )  # fmt: skip
    _date_waves(found, year - 1, year)


def _date_waves(found: Proposal, before: int, after: int) -> None:
    """Give files from before and after, whose names say no year, their years."""
    for name in ("roster", "scores"):
        wave = getattr(found, name)
        if wave.stated and max(wave.files) < FIRST_YEAR:
            files = {(before, after)[at]: file for at, file in wave.files.items()}
            setattr(found, name, replace(wave, files=files))


def _find_begin(found: Proposal, years: Sequence[int], ask: Ask) -> None:
    begin, asked = years[-1], False
    if found.cohorts:
        begin = min(found.cohorts.values())
    elif len(years) > 2:
        answer = ask("In which year did the programme begin?", [str(y) for y in years[1:]],
                     str(begin))  # fmt: skip
        begin = int(answer)
        asked = found.by_person
    found.baseline = [year for year in years if year < begin]
    found.programme = [year for year in years if year >= begin]
    if not asked and not found.cohorts:
        before = max(found.baseline)
        found.guesses["years"] = f"the programme was taken to begin after the tests of {before}"


def _keep_years_of_texts(found: Proposal, years: Mapping[str, int]) -> None:
    if any(text != str(year) for text, year in years.items()):
        found.years_of_texts = dict(years)


def _year_of_dates(file: SeenFile) -> int | None:
    """Return the one year of the dates of a file; None if there is none or several."""
    found = {year for one in file.columns
             if not any(word in plain(one.name) for word in ("birth", "dob", "born", "geburt"))
             for year in one.years_of_dates}  # fmt: skip
    return found.pop() if len(found) == 1 else None


def _year_asked(ask: Ask, this_year: int) -> int:
    question = "In which year were the pupils tested?"
    while (year := year_of(ask(question, [], str(this_year)))) is None:
        question = "Which year was it, in four digits such as 2025 (2024/25 is 2025)?"
    return year


SEEN_AGAIN = 0.5
"""Share of people tested in the last year who were tested before, below which they are others."""


def is_new_cohort(found: Proposal) -> bool:
    """Return whether most of those tested in the last year were not tested in an earlier one."""
    people: dict[int, set[str]] = {}
    column, person = found.score_columns.get("year"), found.score_columns.get(found.measured)
    if person is None:
        return False
    for year, file in found.scores.files.items():
        if {person, column or person} - file.names:
            return False
        years = years_of(file[column]) if column else {}
        cells = file[column].cells if column else [""] * len(file[person].cells)
        for text, one in zip(cells, file[person].cells, strict=True):
            people.setdefault(years.get(text.strip(), year), set()).add(one.strip())
    last = people.pop(max(people))
    return bool(people) and len(last & set().union(*people.values())) < SEEN_AGAIN * len(last)


def keep_last_cohort(found: Proposal) -> None:
    """Leave out the years of other people: both tests are in one row."""
    *earlier, last = [*found.baseline, *found.programme]
    found.baseline, found.programme = [], [last]
    for name in ("roster", "scores"):
        wave = getattr(found, name)
        if wave.stated and last in wave.files:
            setattr(found, name, replace(wave, files={last: wave.files[last]}))
    others = ", ".join(map(str, earlier))
    found.guesses["years"] = f"those tested in {others} are others, and their rows are not read"
    found.one_cohort = True
