"""Propose a protocol from the files; ask what cannot be inferred."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from schooltrial.proposal.roles import (
    CONTROL,
    YEAR_IN_NAME,
    column_of,
    pretest_of,
    slug,
    year_of,
)
from schooltrial.proposal.seen import SeenColumn, SeenFile
from schooltrial.refusal import UserError
from schooltrial.wording import listed

Ask = Callable[[str, Sequence[str], str], str]
"""Question, possible answers (none: any text), and the answer that is taken if none is given."""

FEW = 12
"""Distinct values of a column that is a category rather than a score, at most."""

FEWEST = 4
"""Distinct values of a column that are compared with those of another, at least."""

ALIKE = 0.9
"""Share of the values of a column that another one has too, above which they are the same."""

NONE = "none"
"""The answer that no column is what was asked for."""

NAMES_IN_USE = (
    "treated", "cluster", "arm", "block", "cohort", "year", "from_year", "all", "baseline",
    "school", "pupil", "class", "teacher", "nan", "null",
)  # fmt: skip


@dataclass(frozen=True)
class Wave:
    """Files of one pattern, one a year; or one file.

    Attributes
    ----------
    pattern : str
        The file's name, with ``{year}`` where its name says the year.
    files : dict of int to SeenFile
        By year; under 0 a file whose name says none.
    """

    pattern: str
    files: dict[int, SeenFile]

    @property
    def last(self) -> SeenFile:
        """The file of the last year."""
        return self.files[max(self.files)]


@dataclass
class Proposal:
    """What is proposed, and what of it is a guess.

    Attributes
    ----------
    name, title : str
    raw_folder : str
    unit : str
        What was assigned.
    kind : str
    arms : list of tuple
        Name, label and what it is called in the files; the control arm first.
    baseline, programme : list of int
        Years.
    assignment : Wave
    by_pupil : bool
        Whether the list of arms is the table of pupils, in which a school has many rows.
    arm_column, unit_column : str
    block : str
        Column; empty where there is none.
    pupils, scores : Wave
    columns : dict of str to str
        Role → column, of the table of pupils.
    outcomes : dict of str to SeenColumn
        Name → column, the primary one first.
    pretests : dict of str to tuple of str
        Outcome → name and column of its pre-test in the same row.
    attributes : dict of str to SeenColumn
        Of pupils: name → column.
    guesses : dict of str to str
        What is marked in the protocol → why.
    lacking : list of str
        What is missing, in plain words.
    """

    name: str
    title: str
    raw_folder: str
    unit: str = "school"
    kind: str = "complete"
    arms: list[tuple[str, str, str]] = field(default_factory=list)
    baseline: list[int] = field(default_factory=list)
    programme: list[int] = field(default_factory=list)
    assignment: Wave = field(default_factory=lambda: Wave("", {}))
    by_pupil: bool = False
    arm_column: str = ""
    unit_column: str = ""
    block: str = ""
    pupils: Wave = field(default_factory=lambda: Wave("", {}))
    scores: Wave = field(default_factory=lambda: Wave("", {}))
    columns: dict[str, str] = field(default_factory=dict)
    score_columns: dict[str, str] = field(default_factory=dict)
    outcomes: dict[str, SeenColumn] = field(default_factory=dict)
    pretests: dict[str, tuple[str, str]] = field(default_factory=dict)
    attributes: dict[str, SeenColumn] = field(default_factory=dict)
    guesses: dict[str, str] = field(default_factory=dict)
    lacking: list[str] = field(default_factory=list)


def propose(
    name: str, files: Sequence[SeenFile], folder: Path, ask: Ask, this_year: int
) -> Proposal:
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

    Raises
    ------
    UserError
        Where the files lack what no protocol can do without.
    """
    raw = _common_folder(files)
    found = Proposal(
        slug(name), name.replace("_", " ").strip().capitalize(),
        Path(os.path.relpath(raw, folder)).as_posix(),
    )  # fmt: skip
    waves = _waves(files)
    problems: list[str] = []
    try:
        _find_pupils(found, waves)
    except UserError as error:
        problems.append(str(error))
    try:
        _find_assignment(found, waves, ask)
    except UserError as error:
        problems.append(str(error))
    if problems:
        problems.append(f"The files have these columns:\n{_shown(waves)}")
        raise UserError("\n".join(problems))
    _find_years(found, ask, this_year)
    _find_outcomes(found, ask)
    return found


def _common_folder(files: Sequence[SeenFile]) -> Path:
    folders = {file.path.resolve().parent for file in files}
    if len(folders) > 1:
        raise UserError(
            "the files lie in several folders; put them into one, or write the protocol by hand"
        )
    return folders.pop()


def _waves(files: Sequence[SeenFile]) -> list[Wave]:
    """Return the files, those whose names differ by a year alone taken together."""
    found: dict[str, dict[int, SeenFile]] = {}
    for file in files:
        years = list(YEAR_IN_NAME.finditer(file.path.name))
        pattern, year = file.path.name, 0
        if len(years) == 1:
            (at,) = years
            pattern, year = f"{pattern[: at.start()]}{{year}}{pattern[at.end() :]}", int(at[0])
        found.setdefault(pattern, {})[year] = file
    return [Wave(pattern, by_year) for pattern, by_year in found.items()]


def _shown(waves: Sequence[Wave]) -> str:
    return "\n".join(
        f"  {file.path.name}: {', '.join(column.name for column in file.columns)}"
        for wave in waves
        for file in wave.files.values()
    )


def _find_pupils(found: Proposal, waves: Sequence[Wave]) -> None:
    """Find the table of pupils and, where it is another one, that of their scores."""
    of_pupils = [wave for wave in waves if column_of("pupil", wave.last)]
    schools = [one for wave in waves if (one := column_of("school", wave.last))]
    by_value = {wave.pattern: one for wave in of_pupils
                if column_of("school", wave.last) is None
                and (one := _same_values(wave.last, schools))}  # fmt: skip
    rosters = [wave for wave in of_pupils
               if column_of("school", wave.last) or wave.pattern in by_value]  # fmt: skip
    if not rosters:
        raise UserError(
            "no file has a column for the pupil and one for the school of each row.\n"
            "`new` looks for names such as pupil, student_id, upn, and school, school_id, urn. "
            "Rename two columns, or write the protocol by hand."
        )
    found.pupils = max(rosters, key=lambda wave: len(wave.files))
    others = [wave for wave in of_pupils if wave is not found.pupils and _scores(wave.last)]
    found.scores = others[0] if others and not _scores(found.pupils.last) else found.pupils
    found.columns = _roles(found.pupils.last, "pupil", "school", "class", "year")
    if found.pupils.pattern in by_value:
        school = by_value[found.pupils.pattern].name
        found.columns = {**_roles(found.pupils.last, "pupil"), "school": school, **found.columns}
        found.guesses["pupils school"] = "its values are those of the schools of another file"
    found.score_columns = _roles(found.scores.last, "pupil", "year")
    used = {found.pupils.pattern, found.scores.pattern}
    extra = [wave.pattern for wave in of_pupils if wave.pattern not in used]
    if extra:
        found.lacking.append(f"{listed(extra)} is not used: only one table of scores is proposed.")


def _roles(file: SeenFile, *roles: str) -> dict[str, str]:
    return {role: one.name for role in roles if (one := column_of(role, file)) is not None}


def _plain_columns(file: SeenFile) -> Iterator[SeenColumn]:
    """Yield the columns that are no identifier, arm, block or year."""
    taken = set(_roles(file, "pupil", "school", "class", "arm", "block", "year").values())
    yield from (one for one in file.columns if one.name not in taken and one.counts)


def _scores(file: SeenFile) -> list[SeenColumn]:
    """Return the columns that look like scores: numbers with many values."""
    words = ("age", "grade", "days", "id", "year_group", "birth", "dob", "postcode", "zip")
    return [
        one
        for one in _plain_columns(file)
        if one.is_number and len(one.numbers) > FEW
        and not any(word in slug(one.name).split("_") for word in words)
    ]  # fmt: skip


def _find_assignment(found: Proposal, waves: Sequence[Wave], ask: Ask) -> None:
    """Find who was assigned to which arm, and what the control arm is called."""
    having = [wave for wave in waves if column_of("arm", wave.last)]
    if not having:
        raise UserError(
            "no file says which arm each school (or pupil) is in.\n"
            "`new` looks for a column called arm, group, treatment or the like, and one for "
            "the school. Rename the column, or draw an assignment: schooltrial assign."
        )
    wave = min(having, key=lambda one: column_of("pupil", one.last) is not None)
    first = wave.files[min(wave.files)]
    arm, school, pupil = (column_of(role, first) for role in ("arm", "school", "pupil"))
    assert arm is not None
    if school is None and pupil is None and "school" in found.columns:
        school = _same_values(first, [found.pupils.last[found.columns["school"]]])
        if school is not None:
            found.guesses["unit column"] = (
                f"its values are those of {found.columns['school']!r} in "
                f"{found.pupils.last.path.name}"
            )
    found.assignment, found.arm_column = wave, arm.name
    found.by_pupil = pupil is not None
    if pupil is not None and (school is None or _varies(school, arm)):
        found.unit, found.unit_column = "pupil", pupil.name
        found.guesses["unit"] = "pupils of one school are in different arms"
        if school is not None:
            found.kind, found.block = "blocked", school.name
            found.guesses["kind"] = "pupils were randomised within schools"
    elif school is not None:
        found.unit_column = school.name
        if found.by_pupil:
            found.guesses["unit"] = "all pupils of a school are in one arm"
        block = column_of("block", first)
        if block is not None:
            found.block = block.name
            size = len(set(zip(school.cells, block.cells, strict=True))) / len(block.counts)
            found.kind = "paired" if size <= 3 else "blocked"
            found.guesses["kind"] = f"{size:.3g} schools in a {block.name}, on average"
        else:
            _ask_for_block(found, first, school, arm, ask)
    else:
        raise UserError(
            f"{first.path.name} has a column for the arm ({arm.name}), but none for the school or "
            "pupil. Rename the one that has the same identifiers as the file of pupils: school."
        )
    if column_of("cohort", first) is not None:
        found.lacking.append(
            "A column looks like the year in which a school began. Staggered designs are not "
            "proposed: see `schooltrial help design.kind`."
        )
    _find_arms(found, arm, ask)


def _same_values(file: SeenFile, known: Sequence[SeenColumn]) -> SeenColumn | None:
    """Return the column of a file whose values are those of a known one; None if none is."""
    return next(
        (
            one for one in file.columns for other in known
            if len(one.counts) >= FEWEST
            and len(one.counts.keys() & other.counts.keys()) > ALIKE * len(one.counts)
        ),
        None,
    )  # fmt: skip


def _ask_for_block(
    found: Proposal, file: SeenFile, school: SeenColumn, arm: SeenColumn, ask: Ask
) -> None:
    """Ask whether schools were randomised within the values of a column that balances the arms."""
    unused = [one for one in file.columns if one not in (school, arm)] if not found.by_pupil else []
    likely = [one for one in unused if _balanced(one, arm)]
    names = [one.name for one in likely]
    answer = NONE
    if likely:
        answer = ask("Within which column's values were schools randomised?", [*names, NONE], NONE)
    if answer != NONE:
        block = file[answer]
        size = len(set(school.cells)) / len(block.counts)
        found.block, found.kind = answer, "paired" if size <= 3 else "blocked"
        found.guesses["kind"] = f"{size:.3g} schools in each {answer}, on average"
        return
    found.guesses["kind"] = "no column of blocks, strata or pairs was found"
    text = (
        "If schools were randomised within blocks, strata or pairs: add the column that "
        "says which (`block` of the table assignment), and set design.kind."
    )
    if names:
        which = listed([repr(name) for name in names])
        text += f" It may be {which}, where each value has the arms in equal numbers."
    if unused:
        text += (
            f" Columns of {file.path.name} not used: {listed([repr(one.name) for one in unused])}."
        )
    found.lacking.append(text)


def _balanced(column: SeenColumn, arm: SeenColumn) -> bool:
    """Return whether each value of a column has the arms in equal numbers, or one more of one."""
    arms = list(arm.counts)
    sizes = [
        [at.count(one) for one in arms]
        for value in column.counts
        if (at := [a.strip() for c, a in zip(column.cells, arm.cells, strict=True)
                   if c.strip() == value])
    ]  # fmt: skip
    few = 1 < len(sizes) <= len(column.cells) / len(arms)
    return few and all(min(size) > 0 and max(size) - min(size) <= 1 for size in sizes)


def _varies(school: SeenColumn, arm: SeenColumn) -> bool:
    pairs = {pair for pair in zip(school.cells, arm.cells, strict=True) if pair[1].strip()}
    return len(pairs) > len({one for one, _ in pairs})


def _find_arms(found: Proposal, arm: SeenColumn, ask: Ask) -> None:
    values = sorted(arm.counts)
    if not 2 <= len(values) <= FEW:
        raise UserError(
            f"the column {arm.name!r} was taken for the arm, and has {len(values)} values; a trial "
            "has at least two arms. Rename the column if it is something else."
        )
    likely = [value for value in values if CONTROL.fullmatch(value.strip())]
    control = likely[0] if len(likely) == 1 else ""
    if not control:
        control = ask(f"Which value of {arm.name!r} is the control arm?", values, values[0])
    found.guesses["arms"] = f"{control!r} was taken for the control arm, which comes first"
    names: list[str] = []
    for value in [control, *(one for one in values if one != control)]:
        known = {"0": "control", "1": "programme"} if len(values) == 2 else {}
        name = known.get(value) or slug(value if not value[:1].isdigit() else f"arm_{value}", names)
        name = {"no": "control", "yes": "programme", "false": "control", "true": "programme",
                "c": "control", "t": "programme"}.get(name, name)  # fmt: skip
        names.append(name)
        found.arms.append((name, name.replace("_", " ").capitalize(), value))


def _find_years(found: Proposal, ask: Ask, this_year: int) -> None:
    """Find the years of which there are scores, and in which of them the programme ran."""
    years = sorted({year for year in found.scores.files if year} | _years_of_rows(found))
    if len(years) < 2:
        found.programme = years or [_year_asked(ask, this_year)]
        found.guesses["years"] = (
            "the year was taken from the name of the file or a column" if years
            else "no file says a year; this one was taken"
        )  # fmt: skip
        return
    begin = years[-1]
    if len(years) > 2:
        answer = ask("In which year did the programme begin?", [str(y) for y in years[1:]],
                     str(begin))  # fmt: skip
        begin = int(answer)
    found.baseline = [year for year in years if year < begin]
    found.programme = [year for year in years if year >= begin]
    found.guesses["years"] = f"the programme was taken to begin after the tests of {begin - 1}"


def _year_asked(ask: Ask, this_year: int) -> int:
    question = "In which year were the pupils tested?"
    while (year := year_of(ask(question, [], str(this_year)))) is None:
        question = "Which year was it, in four digits such as 2025 (2024/25 is 2025)?"
    return year


def _years_of_rows(found: Proposal) -> set[int]:
    column = found.score_columns.get("year")
    if column is None:
        return set()
    numbers = found.scores.last[column].numbers
    return {int(number) for number in numbers if 1900 < number < 2100 and number.is_integer()}


def _find_outcomes(found: Proposal, ask: Ask) -> None:
    """Find outcomes, pre-tests in the same row, and attributes of pupils."""
    scores = _scores(found.scores.last)
    if not scores:
        raise UserError(
            f"no column of {found.scores.last.path.name} looks like a test score: a number with "
            f"more than {FEW} different values. Add a file with scores, or write the protocol by "
            "hand."
        )
    waves = {} if found.baseline else pretest_of(scores)
    before = set(waves.values())
    named = [one for one in scores if one.name not in before]
    primary = named[0].name
    if len(named) > 1:
        primary = ask("Which is the primary outcome?", [one.name for one in named], primary)
        found.guesses["primary"] = "chosen as the primary outcome: decide before you see a result"
    if not found.baseline and len(scores) > 1:
        others = [one.name for one in scores if one.name != primary]
        likely = waves.pop(primary, NONE)
        earlier = ask(f"Which column is the test before, of {primary!r}?", [*others, NONE], likely)
        waves = {after: its for after, its in waves.items() if earlier not in (after, its)}
        waves |= {primary: earlier} if earlier != NONE else {}
    before = set(waves.values())
    named = [one for one in scores if one.name not in before]
    for one in sorted(named, key=lambda one: one.name != primary):
        found.outcomes[slug(one.name, NAMES_IN_USE)] = one
    for outcome, earlier in waves.items():
        name = slug(outcome, NAMES_IN_USE)
        found.pretests[name] = (slug(earlier, [*found.outcomes, *NAMES_IN_USE]), earlier)
        found.guesses[f"pretest {name}"] = f"taken for the test before {outcome!r}"
    if not found.baseline and not waves:
        found.lacking.append(
            "No pre-test was found. With one the estimate is more precise: add a file of the year "
            "before, or a column whose name says so (reading_pre)."
        )
    taken = {*found.outcomes, *(name for name, _ in found.pretests.values()), *NAMES_IN_USE}
    skip = {one.name for one in scores}
    for one in _plain_columns(found.pupils.last):
        constant = len(one.counts) < 2
        if one.name in skip or constant or len(one.counts) > FEW:
            continue
        found.attributes[slug(one.name, list(taken))] = one
