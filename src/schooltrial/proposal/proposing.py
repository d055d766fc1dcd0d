"""Propose a protocol from the files; ask what cannot be inferred."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from schooltrial.proposal.allocation import find_allocation, find_lost_zeros
from schooltrial.proposal.people import find_measured, plain_columns, scores_in
from schooltrial.proposal.proposed import FEW, NAMES_IN_USE, NONE, Ask, Proposal
from schooltrial.proposal.roles import CONTROL, column_of, may_be_before, plain, pretest_of, slug
from schooltrial.proposal.roll_out import leave_out_later_years
from schooltrial.proposal.seen import SeenColumn, SeenFile, is_free_text
from schooltrial.proposal.subjects import scores_by_subject, subject_of
from schooltrial.proposal.times import what_and_when
from schooltrial.proposal.waves import Wave, waves_of
from schooltrial.proposal.years import find_years, is_new_cohort, keep_last_cohort
from schooltrial.refusal import UserError
from schooltrial.wording import listed

ASKED = {
    "pupil": "Which column is the identifier of each pupil?",
    "school": "Which column is the identifier of each school?",
    "arm": "Which column says the group of each school (or pupil)?",
}
"""Role → how it is asked for where no name tells."""


def propose(
    name: str, files: Sequence[SeenFile], folder: Path, ask: Ask, this_year: int,
    named: Mapping[str, str] | None = None, by_person: bool = False,
) -> Proposal:  # fmt: skip
    """Propose a protocol.

    Parameters
    ----------
    name : str
        Of the study.
    files : sequence of SeenFile
    folder : pathlib.Path
        Where the protocol will be.
    ask : callable
        Answers what cannot be told.
    this_year : int
        Of a study whose files say no year.
    named : mapping, optional
        Role → column, where the user named one; ``none`` for the block where there is none.
    by_person : bool
        Whether a person answers what is asked: an answer is then no guess.

    Raises
    ------
    UserError
        Where the files lack what no protocol can do without.
    """
    raw = _common_folder(files)
    found = Proposal(
        slug(name), name.replace("_", " ").strip().capitalize(),
        Path(os.path.relpath(raw, folder)).as_posix(),
        unblocked=(named or {}).get("block") == NONE, by_person=by_person,
    )  # fmt: skip
    named = {role: one for role, one in (named or {}).items() if (role, one) != ("block", NONE)}
    waves = waves_of(_with_roles(files, named, ask))
    problems: list[str] = []
    for find in (find_measured, find_allocation):
        try:
            find(found, waves, ask)
        except UserError as error:
            problems.append(str(error))
    if problems:
        problems.append(f"The files have these columns:\n{_shown(waves)}")
        raise UserError("\n".join(problems))
    roster = found.roster.last.named if found.roster.files else {}
    if "pupil" in roster and "pupil" not in named and not by_person:
        found.guesses["roster pupil"] = "each row has another value"
    find_lost_zeros(found)
    find_years(found, ask, this_year)
    if found.cohorts:
        leave_out_later_years(found)
    if found.baseline and found.roster.files.keys() == {0} and "year" not in found.columns:
        found.guesses["roster year"] = "this list says no year: it is read for each year of tests"
    _state_year_of_roster(found)
    _find_outcomes(found, ask)
    _find_earlier_tests(found)
    return found


def _state_year_of_roster(found: Proposal) -> None:
    """Let a roster of the year before be that of the scores, where these are in another file."""
    roster, year = found.roster, max(found.programme)
    alone = len(roster.files) == 1 and not found.baseline and "year" not in found.columns
    if alone and found.scores is not roster and min(roster.files) not in (0, year):
        found.roster = Wave(roster.last.path.name, {year: roster.last}, stated=True)
        found.guesses["roster year"] = (
            f"the pupils of this list are taken for those of the tests of {year}"
        )


def _find_earlier_tests(found: Proposal) -> None:
    """Find the pre-tests that the file of the roster holds, where scores are in a later file."""
    if not found.roster.files or found.baseline or found.scores.last is found.roster.last:
        return
    scores = {one.name for one in scores_in(found.roster.last, found.measured)}
    tests = {name: one for name, one in found.attributes.items() if one.name in scores}
    for outcome, seen in found.outcomes.items():
        what, _ = what_and_when(plain(seen.name))
        same = [name for name, one in tests.items() if what_and_when(plain(one.name))[0] == what]
        if outcome not in found.pretests and (same or len(tests) == len(found.outcomes) == 1):
            found.earlier[outcome] = (same or list(tests))[0]
            found.guesses[f"earlier {outcome}"] = f"taken for the test before {seen.name!r}"
    missing = "No pre-test was found."
    if set(found.outcomes) <= found.earlier.keys():
        found.lacking = [text for text in found.lacking if not text.startswith(missing)]


def _common_folder(files: Sequence[SeenFile]) -> Path:
    folders = {file.path.resolve().parent for file in files}
    if len(folders) > 1:
        raise UserError(
            "the files lie in several folders; put them into one, or write the protocol by hand"
        )
    return folders.pop()


def _with_roles(
    files: Sequence[SeenFile], named: Mapping[str, str], ask: Ask
) -> list[SeenFile]:  # fmt: skip
    """Return the files with the columns that the user names for roles, before or when asked."""
    columns = list(dict.fromkeys(one.name for file in files for one in file.columns))
    written = {" ".join(column.split()): column for column in columns}
    named = {role: written.get(" ".join(name.split()), name) for role, name in named.items()}
    for role, column in named.items():
        if column not in columns:
            raise UserError(
                f"no file has a column {column!r} (--{role}); the columns are {listed(columns)}"
            )
    roles = dict(named)
    people = any(column_of(role, file) for role in ("pupil", "teacher") for file in files)
    for role, question in ASKED.items():
        known = any(column_of(role, file) for file in files)
        if role in roles or known or (role == "pupil" and people):
            continue
        left = [name for name in columns if name not in roles.values()]
        likely = LIKELY[role](files) if role in LIKELY else NONE
        answer = ask(question, [*left, NONE], likely)
        roles |= {role: answer} if answer != NONE else {}
    return [
        replace(
            file,
            named={role: name for role, name in roles.items() if name in file.names},
        )
        for file in files
    ]  # fmt: skip


def _tells_people_apart(files: Sequence[SeenFile]) -> str:
    """Return the one column with another value in each row, of a file with several rows a school.

    Numbers with decimals are no identifiers.
    """
    found = set()
    for file in files:
        school = column_of("school", file)
        if school is None or PEOPLE_A_SCHOOL * len(school.counts) > len(school.cells):
            continue
        unique = [one for one in file.columns if one.is_unique and one.is_whole]
        found |= {one.name for one in unique if not one.years_of_dates}
    return found.pop() if len(found) == 1 else NONE


def _names_a_control_group(files: Sequence[SeenFile]) -> str:
    """Return the one column of a few values of which one is a control group, in a whole word."""
    found = set()
    for one in (column for file in files for column in file.columns):
        controls = [text for text in one.spellings if len(text) > 3 and CONTROL.fullmatch(text)]
        if 1 < len(one.spellings) <= FEW and len(controls) == 1:
            found.add(one.name)
    return found.pop() if len(found) == 1 else NONE


LIKELY: Mapping[str, Callable[[Sequence[SeenFile]], str]] = {
    "pupil": _tells_people_apart, "arm": _names_a_control_group,
}  # fmt: skip
"""Role → what is likely its column, by the cells of the files."""

PEOPLE_A_SCHOOL = 3
"""Rows of a file for each school, at least, where its rows are people."""


def _shown(waves: Sequence[Wave]) -> str:
    return "\n".join(
        f"  {file.shown}: {', '.join(' '.join(one.name.split()) for one in file.columns)}"
        for wave in waves
        for file in wave.files.values()
    )


def _find_outcomes(found: Proposal, ask: Ask) -> None:
    """Find outcomes, pre-tests in the same row, and attributes of pupils."""
    scores = [found.scores.column(one.name) for one in scores_in(found.scores.last, found.measured)]
    if not scores:
        raise UserError(
            f"no column of {found.scores.last.shown} looks like a test score: a number with "
            f"more than {FEW} different values. Add a file with scores, or write the protocol by "
            f"hand.{_of_items(found.scores.last)}"
        )
    if found.measured == "school":
        scores = _of_the_last_year(found, scores)
    elif len(scores) == 1 and (subject := subject_of(found)) is not None:
        found.subject, found.value = subject, scores[0]
        scores = list(scores_by_subject(subject, scores[0], NAMES_IN_USE).values())
        found.guesses["subject"] = "each row was taken for a score in the subject that it names"
    waves = {} if found.subject else pretest_of(scores)
    if found.baseline and waves and is_new_cohort(found):
        keep_last_cohort(found)
    waves = {} if found.baseline else waves
    answered = ""  # the outcome whose test before a person named
    before = set(waves.values())
    named = [one for one in scores if one.name not in before]
    primary = named[0].name
    if primary in waves:  # of several tests after the programme began, the last
        primary = next(after for after, its in waves.items() if its == waves[primary])
    if len(named) > 1:
        primary = ask("Which is the primary outcome?", [one.name for one in named], primary)
        if not found.by_person:
            found.guesses["primary"] = (
                "chosen as the primary outcome: decide before you see a result"
            )
    if not found.baseline and len(scores) > 1 and found.measured == "pupil":
        likely = waves.pop(primary, NONE)
        others = [one.name for one in scores if may_be_before(one.name, primary)]
        asked = (
            f"Which column holds the test that pupils took before the programme, for {primary!r}?"
        )
        earlier = ask(asked, [*others, NONE], likely) if others else NONE
        known = likely if earlier in (likely, NONE) else earlier
        waves = {
            after: its for after, its in waves.items()
            if after != earlier and (its != known or earlier == likely)
        }  # fmt: skip
        waves |= {primary: earlier} if earlier != NONE else {}
        answered = primary if found.by_person else ""
    before = set(waves.values())
    named = [one for one in scores if one.name not in before]
    for one in sorted(named, key=lambda one: one.name != primary):
        name = slug(one.name, NAMES_IN_USE)
        found.outcomes[name] = one
        if found.measured != "school" and found.subject is None:
            _name_in_each_file(found, name, one)
    for outcome, earlier in waves.items():
        name = slug(outcome, NAMES_IN_USE)
        found.pretests[name] = (slug(earlier, [*found.outcomes, *NAMES_IN_USE]), earlier)
        if outcome != answered:
            found.guesses[f"pretest {name}"] = f"taken for the test before {outcome!r}"
    if not found.baseline and not waves:
        found.lacking.append(
            "No pre-test was found. With one the estimate is more precise: add a file of the year "
            "before, or a column whose name says so (reading_pre)."
        )
    taken = {*found.outcomes, *(name for name, _ in found.pretests.values()), *NAMES_IN_USE}
    skip = {one.name for one in scores_in(found.scores.last, found.measured)}
    skip |= {found.subject.name} if found.subject is not None else set()
    for file in found.roster.files.values():
        for one in plain_columns(file, found.measured):
            again = one.name in skip and file is not found.scores.last and not found.baseline
            name = slug(f"{one.name} earlier" if again else one.name, list(taken))
            wanted = (again or one.name not in skip) and name not in found.attributes
            if wanted and _describes(one):
                found.attributes[name] = found.roster.column(one.name)


def _name_in_each_file(found: Proposal, outcome: str, last: SeenColumn) -> None:
    """Find what a test is called in files of other years that call it after its time."""
    what, when = what_and_when(plain(last.name))
    for year, file in found.scores.files.items():
        if file is found.scores.last or last.name in file.names or not found.baseline:
            continue
        same = [
            one.name for one in scores_in(file, found.measured)
            if (stem := what_and_when(plain(one.name)))[0] == what and stem[1] != when
        ]  # fmt: skip
        if len(same) == 1:
            found.columns_of_years[(outcome, year)] = same[0]
            found.guesses["years"] = (
                f"{same[0]!r} and {last.name!r} were taken for one test at two times"
            )


def _of_items(file: SeenFile) -> str:
    """Return what to do with items of a questionnaire: columns with the same few answers."""
    alike: dict[frozenset[str], list[str]] = {}
    for one in file.columns:
        if MIN_ANSWERS <= len(one.spellings) <= FEW:
            alike.setdefault(frozenset(one.spellings), []).append(one.name)
    items = max(alike.values(), key=len, default=[])
    if len(items) < MIN_ITEMS:
        return ""
    return (
        f"\n{len(items)} columns have the same answers ({items[0]!r} to {items[-1]!r}), as items "
        "of a questionnaire: add a column with one number for each person, such as the mean of "
        "the items, the answers counted from 1."
    )


MIN_ITEMS, MIN_ANSWERS = 3, 3
"""Columns, and answers of each, from which they are items of a questionnaire."""

NO_ATTRIBUTES = ("id", "code", "no", "nr", "ref", "postcode", "zip", "phone", "birth", "dob",
                 "date", "upn", "urn", "absent", "absence", "absences", "attendance", "attended",
                 "days", "sessions", "hours", "lessons", "dosage", "exclusions", "suspensions",
                 "fehltage")  # fmt: skip
"""Words of a name of a column that describes nobody, or what the programme may have changed."""


def _describes(column: SeenColumn) -> bool:
    """Return whether a column is a category or a number that describes people."""
    if len(column.counts) < 2 or column.years_of_dates or is_free_text(column):
        return False
    if set(plain(column.name).split("_")) & set(NO_ATTRIBUTES):
        return False
    each_its_own = len(column.counts) == len(column.cells) and column.is_whole
    return len(column.spellings) <= FEW or (column.is_number and not each_its_own)


def _of_the_last_year(found: Proposal, scores: Sequence[SeenColumn]) -> list[SeenColumn]:
    """Return the scores of schools, those that are columns of years as one under its bare name.

    Of several columns of a year, each is a score of its own.
    """
    by_what: dict[str, list[tuple[int, SeenColumn]]] = {}
    for one in scores:
        what, when = what_and_when(plain(one.name))
        by_what.setdefault(what, []).append((when.year, one))
    found_: list[SeenColumn] = []
    for what, of_years in by_what.items():
        years = [year for year, _ in of_years]
        if not what or not all(years) or len(set(years)) < len(years) or "year" in (
            found.score_columns
        ):  # fmt: skip
            found_ += [one for _, one in of_years]
            continue
        for year, one in of_years:
            found.columns_of_years[(slug(what, NAMES_IN_USE), year)] = one.name
        found_.append(replace(of_years[-1][1], name=what))
    if not found.baseline:
        (year,) = found.programme
        for after, before in pretest_of(found_).items():
            found.baseline = [year - 1]
            name = slug(after, NAMES_IN_USE)
            found.columns_of_years |= {
                (name, year): found.columns_of_years.get((name, year), after),
                (name, year - 1): found.columns_of_years.get((slug(before), year - 1), before),
            }
            found_ = [one for one in found_ if one.name != before]
    return found_
