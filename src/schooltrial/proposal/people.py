"""The people or schools with outcomes, and their files: rows of pupils, teachers or schools."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Sequence

from schooltrial.proposal.proposed import FEW, Ask, Proposal
from schooltrial.proposal.roles import column_of, is_called, plain, slug, stages_of
from schooltrial.proposal.seen import SeenColumn, SeenFile
from schooltrial.proposal.times import When, what_and_when
from schooltrial.proposal.waves import Wave
from schooltrial.refusal import UserError

FEWEST = 4
"""Distinct values of a column that are compared with those of another, at least."""


ALIKE = 0.9
"""Share of the values of a column that another one has too, above which they are the same."""


NO_TIME = When()
"""When a test was taken whose name says nothing of it."""


MOSTLY_LINKED = 0.5
"""Share of identifiers that two files share, above which they are linked by these columns."""


def find_measured(found: Proposal, waves: Sequence[Wave], ask: Ask) -> None:
    """Find who has outcomes (pupils, teachers or schools), their attributes and their scores."""
    for measured in ("pupil", "teacher"):
        if _find_people(found, waves, measured):
            return
    of_schools = [wave for wave in waves if column_of("school", wave.last)]
    people = any(column_of(role, wave.last) for role in ("pupil", "teacher") for wave in waves)
    scored = [wave for wave in of_schools if scores_in(wave.last, "school")]
    if people or not scored:
        raise UserError(
            "no file has a column for the pupil and one for the school of each row.\n"
            "`new` looks for names such as pupil, student_id, upn, and school, school_id, urn. "
            "Name the columns: add --pupil COLUMN --school COLUMN; for a file of teachers "
            "--teacher in place of --pupil."
        )
    found.measured, found.scores = "school", max(scored, key=lambda wave: len(wave.files))
    _refuse_unknown_people(found.scores.last)
    found.roster = Wave("", {})
    found.score_columns = roles_in(found.scores.last, "school", "year", "count")
    found.guesses["measured"] = "no file has rows of pupils, so each school is a row"


def _refuse_unknown_people(file: SeenFile) -> None:
    """Refuse to take each row for a school where most schools have several, even in one year."""
    school, year = column_of("school", file), column_of("year", file)
    assert school is not None
    times = year.cells if year is not None else ("",) * len(school.cells)
    rows = len(set(zip(school.cells, times, strict=True)))
    if 2 * rows < len(school.cells):
        raise UserError(
            f"{file.shown} has {len(school.cells):,} rows of {len(school.counts):,} schools, and "
            "no column that is known for an identifier of pupils (or teachers). Name it: add "
            "--pupil COLUMN."
        )


def _find_people(found: Proposal, waves: Sequence[Wave], measured: str) -> bool:
    """Find the roster of pupils or teachers and, where it is another one, that of their scores."""
    of_people = [wave for wave in waves if column_of(measured, wave.last)]
    schools = [one for wave in waves if (one := column_of("school", wave.last))]
    by_value = {wave.last.shown: one for wave in of_people
                if column_of("school", wave.last) is None
                and (one := same_values(wave.last, schools))}  # fmt: skip
    rosters = [wave for wave in of_people
               if column_of("school", wave.last) or wave.last.shown in by_value]  # fmt: skip
    if not rosters:
        return False
    found.measured = measured
    found.roster = max(rosters, key=lambda wave: (len(wave.files), len(wave.last.columns)))
    others = [wave for wave in of_people
              if wave is not found.roster and scores_in(wave.last, measured)]  # fmt: skip
    own = scores_in(found.roster.last, measured)
    later = [wave for wave in others if own and is_later(wave.last, found.roster.last, measured)]
    found.scores = ((later[-1:] if own else others[:1]) or [found.roster])[0]
    grade = ["grade"] * (measured == "pupil")
    found.columns = roles_in(found.roster.last, measured, "school", "class", *grade, "year")
    if "grade" in found.columns and len(found.roster.last[found.columns["grade"]].numbers) < 2:
        del found.columns["grade"]  # nothing to standardise within
    if "grade" in found.columns:
        found.guesses["roster grade"] = "taken for the grade: scores are standardised within it"
    _link_scores(found, measured)
    _find_stages(found)
    if found.roster.last.shown in by_value:
        school = by_value[found.roster.last.shown].name
        found.columns = {**roles_in(found.roster.last, measured), "school": school, **found.columns}
        found.guesses["roster school"] = "its values are those of the schools of another file"
    for wave in of_people:
        if wave not in (found.roster, found.scores):
            key = column_of(measured, wave.last)
            named = "" if key is None or key.name in found.score_columns.values() else (
                f" Its column of {measured}s is called {key.name!r}, and that of "
                f"{found.scores.last.shown} {found.score_columns[measured]!r}: if they hold the "
                "same tests at two times, give their columns the same names, and run `new` again."
            )  # fmt: skip
            found.lacking.append(
                f"{wave.last.shown} is not used: only one table of scores is proposed.{named}"
            )
    return True


def is_later(file: SeenFile, other: SeenFile, measured: str) -> bool:
    """Return whether names say that the scores of a file were taken after those of another.

    Parameters
    ----------
    file, other : SeenFile
        Each has scores.
    measured : str
        Whose scores they are.
    """
    one, earlier = (
        max(what_and_when(plain(name))[1].order for name in _names_of_tests(each, measured))
        for each in (file, other)
    )
    return one > earlier


def _names_of_tests(file: SeenFile, measured: str) -> list[str]:
    """Return the names that may say when the tests of a file were taken: of columns, and its own.

    The name of a file says more where those of its columns say nothing.
    """
    columns = [one.name for one in scores_in(file, measured)]
    timed = [name for name in columns if what_and_when(plain(name))[1] != NO_TIME]
    return timed or [f"{file.path.name.split('.')[0]} {file.sheet}".strip()]


def _link_scores(found: Proposal, measured: str) -> None:
    """Find the columns by which scores and people are linked."""
    roster, scores = found.roster.last, found.scores.last
    found.score_columns = roles_in(scores, measured, "year")
    if roster is scores:
        return
    ours, theirs = roster[found.columns[measured]], scores[found.score_columns[measured]]
    one, other = linked_columns((roster, ours), (scores, theirs), measured)
    found.columns |= {measured: one.name}
    found.score_columns |= {measured: other.name}
    if one is not ours:
        found.guesses[f"roster {measured}"] = _linked_by(other, scores)
    if other is not theirs:
        found.guesses[f"scores {measured}"] = _linked_by(one, roster)


def _find_stages(found: Proposal) -> None:
    """Find a column that says before or after, without which people have several rows."""
    file = found.scores.last
    if "year" in found.score_columns:
        return
    apart = columns_apart(file, [found.score_columns[found.measured]])
    stage = next((one for one in apart if stages_of(one)), None)
    if stage is not None:
        found.score_columns["year"] = stage.name
        if file is found.roster.last:
            found.columns["year"] = stage.name


def columns_apart(file: SeenFile, keys: Collection[str]) -> Iterator[SeenColumn]:
    """Yield the columns by each of which rows with the same keys differ; none if no row has."""
    rows = list(zip(*(file[name].cells for name in keys), strict=True))
    if not repeats(rows):
        return
    for one in file.columns:
        if not repeats(list(zip(rows, one.cells, strict=True))):
            yield one


def repeats(rows: Sequence[Hashable]) -> bool:
    """Return whether a row is there twice."""
    return len(set(rows)) < len(rows)


def repeats_people(found: Proposal) -> bool:
    """Return whether the roster has several rows of a person, in a year if it says years."""
    file = found.roster.last
    roles = [role for role in (found.measured, "year") if role in found.columns]
    return repeats(list(zip(*(file[found.columns[role]].cells for role in roles), strict=True)))


def _linked_by(column: SeenColumn, file: SeenFile) -> str:
    return f"its values are those of {column.name!r} in {file.shown}"


def linked_columns(
    one: tuple[SeenFile, SeenColumn], other: tuple[SeenFile, SeenColumn], role: str
) -> tuple[SeenColumn, SeenColumn]:
    """Return the columns by which two files are linked, where those of the right names are not.

    A list of schools may hold their names and their numbers, and the file of pupils one of the two:
    columns with the same values are taken, those named for the role first. Where none have,
    the columns are what they were.
    """
    (file, key), (other_file, other_key) = one, other
    if _shared(key, other_key) > MOSTLY_LINKED:
        return key, other_key
    fits = [
        (a, b) for a in _of_role(file, key, role) for b in _of_role(other_file, other_key, role)
    ]
    fits += [(a, other_key) for a in file.columns]
    fits += [(key, b) for b in other_file.columns]
    for a, b in fits:
        units = (len(a.counts) >= len(key.counts) / 2, len(b.counts) >= len(other_key.counts) / 2)
        if all(units) and _shared(a, b) > ALIKE:
            return a, b
    return key, other_key


def _of_role(file: SeenFile, key: SeenColumn, role: str) -> list[SeenColumn]:
    named = [one for one in file.columns if is_called(role, one.name)]
    return [key, *(one for one in named if one is not key)]


def _shared(one: SeenColumn, other: SeenColumn) -> float:
    """Return the share of the distinct values of the shorter list that the other has too."""
    ours, theirs = ({text.casefold().lstrip("0") for text in each.counts} for each in (one, other))
    fewest = min(len(ours), len(theirs))
    return len(ours & theirs) / fewest if fewest >= FEWEST else 0.0


def roles_in(file: SeenFile, *roles: str) -> dict[str, str]:
    """Return role → the column of a file that has it, of the roles that it has."""
    return {role: one.name for role in roles if (one := column_of(role, file)) is not None}


def plain_columns(file: SeenFile, measured: str) -> Iterator[SeenColumn]:
    """Yield the columns that are no identifier, group, block, year or first year."""
    roles = ["pupil", "teacher", "school", "class", "arm", "block", "year", "cohort"]
    roles += {"school": ["count"], "pupil": ["grade"]}.get(measured, [])
    taken = set(roles_in(file, *roles).values())
    yield from (one for one in file.columns if one.name not in taken and one.counts)


NO_SCORES = (
    "age", "grade", "days", "id", "year_group", "birth", "dob", "postcode", "zip", "date",
    "experience", "years", "hours", "sessions", "lessons", "minutes", "dosage",
)  # fmt: skip
"""Words of a name of numbers that are no scores."""


COUNTS = ("enrolment", "enrollment", "roll", "size", "n", "pupils", "students", "teachers")
"""Words of a name of numbers of a school that count people."""


def scores_in(file: SeenFile, measured: str) -> list[SeenColumn]:
    """Return the columns that look like scores: numbers with many values."""
    words = (*NO_SCORES, *(COUNTS if measured == "school" else ()))
    return [
        one
        for one in plain_columns(file, measured)
        if one.is_number and len(one.numbers) > FEW
        and not any(word in slug(one.name).split("_") for word in words)
    ]  # fmt: skip


def same_values(file: SeenFile, known: Sequence[SeenColumn]) -> SeenColumn | None:
    """Return the column of a file whose values are those of a known one; None if none is."""
    return next(
        (
            one for one in file.columns for other in known
            if len(one.counts) >= FEWEST
            and len(one.counts.keys() & other.counts.keys()) > ALIKE * len(one.counts)
        ),
        None,
    )  # fmt: skip
