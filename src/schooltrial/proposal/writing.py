"""A proposed protocol as YAML with comments: what is a guess says so on its line."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from schooltrial.proposal.allocation import block_label
from schooltrial.proposal.people import repeats_people
from schooltrial.proposal.proposed import FEW, TABLES, Proposal
from schooltrial.proposal.roles import plain
from schooltrial.proposal.seen import SeenColumn, SeenFile, is_free_text
from schooltrial.wording import listed, plural

PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_ ./{}-]*[A-Za-z0-9_}]|[A-Za-z]")
NOT_TEXT = frozenset({"yes", "no", "true", "false", "on", "off", "null", "y", "n"})
GUESS = "  # GUESS: "
IN_SDS = "  # standardise: control gives effects in SDs of the control group"

SURELY_MISSING = frozenset({"na", "n/a", "#n/a", "nan", "null", "missing", "."})
"""Texts that mean that nothing was observed where any other text may be a category."""


def quoted(text: str) -> str:
    """Return a text as YAML, in quotes where it could be read as something else."""
    if PLAIN.fullmatch(text) and text.lower() not in NOT_TEXT and "{" not in text:
        return text
    return json.dumps(text, ensure_ascii=False)


def protocol_text(found: Proposal) -> str:
    """Return the protocol."""
    lines = [*_head(found), *_design(found), *_tables(found), *_outcomes(found), *_models(found)]
    return "\n".join(lines) + "\n"


def _head(found: Proposal) -> Iterator[str]:
    yield "# A first protocol, proposed by `schooltrial new` from the files of the trial."
    yield "# Read each line that says GUESS, correct what is wrong, and delete the remark."
    yield "# `schooltrial help KEY` explains a key, such as `schooltrial help design.kind`."
    for text in found.lacking:
        yield f"# MISSING: {text}"
    yield ""
    yield f"study: {{name: {found.name}, title: {quoted(found.title)}, seed: 1}}"
    if found.raw_folder != ".":
        yield f"raw_folder: {quoted(found.raw_folder)}  # where the files lie, from this protocol"


def _design(found: Proposal) -> Iterator[str]:
    yield ""
    yield "design:"
    yield f"  kind: {found.kind}{_why(found, 'kind')}"
    if found.cohorts:
        yield f"  randomised: false{_why(found, 'randomised')}"
    yield f"  unit: {found.unit}{_why(found, 'unit')}"
    yield f"  arms:{_why(found, 'arms')}"
    for name, label, _ in found.arms:
        yield f"    - {{name: {quoted(name)}, label: {quoted(label)}}}"
    if found.block:
        label = block_label(found.block) if found.unit == "school" else "school"
        yield f"  block_label: {quoted(label)}"
    before = f"baseline: {found.baseline}, " if found.baseline else ""
    yield ""
    two = any(re.search(r"\d{4}\s*[-/–]\s*\d", text) for text in found.years_of_texts)
    label = "label: school year ending, " if two else ""  # 2025 for 2024/25
    yield f"years: {{{label}{before}programme: {found.programme}}}{_why(found, 'years')}"


def _tables(found: Proposal) -> Iterator[str]:
    roster, scores = TABLES[found.measured]
    yield ""
    yield "tables:  # which column of which file is what"
    yield "  assignment:"
    first = found.assignment.first
    yield from _file(first, first.path.name)
    if found.by_pupil and found.unit == "school":
        yield "      collapse_repeats: true  # several rows a school: every school counts once"
    yield "      columns:"
    unit = f"column: {quoted(found.unit_column)}{_width(found, 'assignment')}"
    if found.classes_repeat:
        unit = f"parts: [{quoted(found.school_of_class)}, {quoted(found.unit_column)}]"
    why = _why(found, "unit zeros") or _why(found, "unit column")
    yield f"        {found.unit}: {{{unit}}}{why}"
    if found.school_of_class:
        yield f"        school: {{column: {quoted(found.school_of_class)}}}"
    if found.block:
        yield f"        block: {{column: {quoted(found.block)}, required: true}}"
    yield from _groups(found)
    if found.roster.files:
        yield f"  {roster}:"
        for name, seen, year in _readings_of_roster(found):
            said = None if found.columns.get("year") in seen.names else year
            yield from _file(seen, name, said, _why(found, "roster year"))
            yield from _repeated_rows(seen)
            if seen is found.roster.last and repeats_people(found):
                why = "of several rows of a person the first is read"
                yield f"      duplicate_keys: {{keep: first}}{GUESS}{why}"
            yield from _one_cohort(found, found.columns)
            yield "      columns:"
            yield from _roster_columns(found, seen)
            yield from _joined_pretests(found)
    yield f"  {scores}:{_why(found, 'measured')}"
    for name, seen, year in _readings_of_scores(found):
        measured = _outcomes_in(found, seen, year)
        if not measured:
            continue
        said = None if found.score_columns.get("year") in seen.names else year
        yield from _file(seen, name, said)
        if found.roster.files:
            yield from _repeated_rows(seen)
        yield from _one_cohort(found, found.score_columns)
        yield "      columns:"
        for role, column in found.score_columns.items():
            role_ = {"count": "n_pupils"}.get(role, role)
            kind = {"year": _year_type(found), "count": ", type: integer"}.get(role, "")
            kind += _width(found, role)
            why = _why(found, f"{role} zeros") or _why(found, f"scores {role}")
            yield f"        {role_}: {{column: {quoted(column)}{kind}}}{why}"
        if found.subject is not None and found.value is not None:
            yield from _subjects(found, found.subject, found.value)
            continue
        yield "      outcomes:"
        for outcome, one in measured.items():
            yield f"        {outcome}: {_number(one)}"


def _groups(found: Proposal) -> Iterator[str]:
    """Yield how the list gives the group of each unit and, in a roll-out, the year it began."""
    codes = {raw: name for name, _, raw in found.arms}
    column = found.arm_column or found.cohort_column
    if not found.arm_column:
        control, programme = (name for name, *_ in found.arms)
        codes = dict.fromkeys(found.never, control) | dict.fromkeys(found.cohorts, programme)
    case = "ignore_case: true, " if found.arms_any_case else ""
    yield (
        f"        arm: {{column: {quoted(column)}, type: category, codes: {{{_coded(codes)}}}, "
        f"{case}required: true}}"
    )
    if found.cohorts:
        years = found.cohorts if any(text != str(y) for text, y in found.cohorts.items()) else {}
        read = f", codes: {{{_coded(years)}}}" if years else ""
        never = json.dumps(["", *(text for text in found.never if text)], ensure_ascii=False)
        yield (
            f"        cohort: {{column: {quoted(found.cohort_column)}, type: integer{read}, "
            f"missing: {never}}}{_why(found, 'cohort')}"
        )


def _coded(codes: Mapping[str, object]) -> str:
    return ", ".join(f"{json.dumps(raw, ensure_ascii=False)}: {to}" for raw, to in codes.items())


def _outcomes_in(found: Proposal, file: SeenFile, year: int | None) -> dict[str, SeenColumn]:
    """Return outcome → column, of the outcomes that a file of a year has."""
    if found.subject is not None:
        return found.outcomes
    columns = {
        outcome: replace(one, name=found.columns_of_years.get((outcome, year or 0), one.name))
        for outcome, one in found.outcomes.items()
    }
    return {outcome: one for outcome, one in columns.items() if one.name in file.names}


def _one_cohort(found: Proposal, columns: Mapping[str, str]) -> Iterator[str]:
    """Yield the filter of a file with rows of other people in other years."""
    if found.one_cohort and "year" in columns:
        yield f"      where: {{year: {found.programme}}}"


def _subjects(found: Proposal, subject: SeenColumn, value: SeenColumn) -> Iterator[str]:
    """Yield the columns of a file with a row for each subject."""
    names = {one.name: outcome for outcome, one in found.outcomes.items()}
    codes = ", ".join(f"{json.dumps(text, ensure_ascii=False)}: {names[texts[0]]}"
                      for texts in subject.spellings.values() for text in texts)  # fmt: skip
    yield (
        f"        outcome: {{column: {quoted(subject.name)}, type: category, codes: {{{codes}}}, "
        f"required: true}}{_why(found, 'subject')}"
    )
    yield f"        value: {_number(value)}"


def _readings_of_roster(found: Proposal) -> Iterator[tuple[str, SeenFile, int | None]]:
    """Yield the readings of the roster: one a year of a file that says none where scores do."""
    for name, seen, year in found.roster.readings():
        if "roster year" not in found.guesses:
            yield name, seen, year
        else:
            yield from ((name, seen, each) for each in [*found.baseline, *found.programme])


def _joined_pretests(found: Proposal) -> Iterator[str]:
    """Yield the file of scores that is joined to the roster for the pre-tests that it holds."""
    seen = found.scores.last
    if seen is found.roster.last or not found.pretests:
        return
    yield "      join:"
    first, *others = _file(seen, found.scores.pattern)
    yield f"    {first}"
    yield from (f"    {line}" for line in others)
    yield f"          on: [{found.measured}]"
    yield "          unmatched: keep  # a pupil without a row was not tested"
    yield "          columns:"
    person = found.score_columns[found.measured]
    yield f"            {found.measured}: {{column: {quoted(person)}}}"
    yield from (f"    {line}" for line in _pretests(found))


def _readings_of_scores(found: Proposal) -> Iterator[tuple[str, SeenFile, int | None]]:
    """Yield the readings of the scores: one a year of a file that has a column for each year."""
    for name, seen, year in found.scores.readings():
        if not found.columns_of_years or len(found.scores.files) > 1:
            yield name, seen, year
            continue
        for each in sorted({year for _, year in found.columns_of_years}):
            yield name, seen, each


def _roster_columns(found: Proposal, file: SeenFile) -> Iterator[str]:
    """Yield the columns of the roster that a file has."""
    for role, column in found.columns.items():
        keys = _year_type(found) if role == "year" else ""
        keys += _width(found, "roster" if role == "school" else role)
        why = _why(found, f"{role} zeros") or _why(found, f"roster {role}")
        if role == "grade":
            if column in file.names:
                seen = found.roster.column(column)
                text = _number(seen, f"label: {quoted(_label(seen))}")
                yield f"        grade: {_also(text, why)}"
            continue
        read = f"column: {quoted(column)}{keys}"
        if role == "class" and found.classes_repeat:
            read = f"parts: [{quoted(found.columns['school'])}, {quoted(column)}]"
        yield f"        {role}: {{{read}}}{why}"
    if found.scores.last is found.roster.last and file is found.roster.last:
        yield from _pretests(found)
    for name, seen in found.attributes.items():
        if seen.name not in file.names:
            continue
        label = f"label: {quoted(_label(seen))}"
        is_score = seen.is_number and not _is_coded(seen)
        text = _number(seen, label) if is_score else _category(seen, label)
        yield f"        {name}: {text}"


def _pretests(found: Proposal) -> Iterator[str]:
    first = {name: outcome for outcome, (name, _) in reversed(found.pretests.items())}
    for name, outcome in reversed(first.items()):
        column = found.pretests[outcome][1]
        seen = found.scores.last[column]
        text = _number(seen, f"label: {quoted(_label(seen))}")
        why = _why(found, f"pretest {outcome}")
        yield f"        {name}: {_also(text, why)}"


def _also(text: str, why: str) -> str:
    """Return a line with a remark that it is a guess, after the one that it may have."""
    return f"{text}; {why.removeprefix(GUESS)}" if GUESS in text and why else f"{text}{why}"


def _file(seen: SeenFile, name: str, year: int | None = None, why: str = "") -> Iterator[str]:
    """Yield the name of a file and how it is read."""
    yield f"    - file: {quoted(name)}"
    if year is not None:
        yield f"      year: {year}{why}"
    if seen.sheet:
        yield f"      sheet: {quoted(seen.sheet)}"
    if seen.value_labels:
        yield "      value_labels: true  # labels in place of codes"
    if seen.delimiter != ",":
        yield f"      delimiter: {json.dumps(seen.delimiter)}"
    if seen.encoding != "utf-8":
        yield f"      encoding: {seen.encoding}"
    if seen.header_row > 1:
        yield f"      header_row: {seen.header_row}{GUESS}the lines above it are titles"
    if seen.notes_below:
        below = "true" if seen.notes_below is True else json.dumps(seen.notes_below)
        yield f"      notes_below: {below}{GUESS}the lines below the table are notes or totals"
    if seen.decimal != ".":
        yield f"      decimal: {json.dumps(seen.decimal)}{GUESS}its numbers have a decimal comma"
    if seen.thousands:
        mark = json.dumps(seen.thousands)
        yield f"      thousands: {mark}{GUESS}its numbers have this sign between thousands"


def _repeated_rows(seen: SeenFile) -> Iterator[str]:
    """Yield that of rows that are the same in every cell one is read, where there are any."""
    rows = Counter(zip(*(one.cells for one in seen.columns), strict=True))
    again = rows.total() - len(rows)
    if again:
        told = f"{plural(again, 'row')} {'is' if again == 1 else 'are'} the same as another row"
        yield f"      duplicate_rows: keep_one{GUESS}{told}"


def _width(found: Proposal, table: str) -> str:
    """Return the keys that give identifiers back the zeros that they lost."""
    width = found.widths.get(table)
    return f", width: {width}, pad: true" if width else ""


def _year_type(found: Proposal) -> str:
    codes = ", ".join(f"{json.dumps(text, ensure_ascii=False)}: {year}"
                      for text, year in found.years_of_texts.items())  # fmt: skip
    return f", type: integer, codes: {{{codes}}}" if codes else ", type: integer"


def _number(seen: SeenColumn, *keys: str) -> str:
    """Return a column of numbers, with the texts that are guessed to mean a missing value.

    They are listed with their column: another may hold the same text as a value.
    """
    kind = "integer" if seen.is_whole and keys else "number"
    all_ = [f"column: {quoted(seen.name)}", f"type: {kind}", *keys]
    all_ += ["percent: true"] if seen.is_percent else []
    absent = [*seen.missing, *seen.sentinels, *seen.texts]
    why = []
    if absent:
        all_.append(f"missing: {json.dumps(absent, ensure_ascii=False)}")
        why.append(_taken_as_missing(seen, absent))
    if seen.withheld:
        all_.append("suppressed: missing")
        why.append(f"{listed(list(map(repr, seen.withheld)))} mean that a number was withheld")
    return f"{{{', '.join(all_)}}}{GUESS if why else ''}{'; '.join(why)}"


def _taken_as_missing(seen: SeenColumn, texts: Sequence[str]) -> str:
    """Return which texts of a column were taken for missing values, and how often each occurs."""
    told = [f"{text!r} in {plural(seen.counts[text], 'cell')}" for text in texts]
    return f"taken to mean that nothing was observed: {listed(told)}"


CODED = re.compile(r"(pupil_|student_)?(sex|gender|geschlecht|sexe|genero|sesso)(_code)?")
"""What a column is called whose numbers are codes of categories."""


def _is_coded(seen: SeenColumn) -> bool:
    """Return whether the numbers of a column are codes of categories, such as 1 and 2 of a sex."""
    return seen.is_whole and len(seen.numbers) <= FEW and bool(CODED.fullmatch(plain(seen.name)))


def _category(seen: SeenColumn, label: str) -> str:
    """Return a column of categories; one that is written in capitals and not is one category."""
    keys = [f"column: {quoted(seen.name)}", "type: category", label]
    why = []
    absent = [text for text in seen.counts if text.casefold() in SURELY_MISSING]
    kept = [texts[0] for texts in seen.spellings.values() if texts[0] not in absent]
    if _is_coded(seen) and seen.is_number:
        why.append(
            f"{listed(kept)} were taken for codes of categories: say what they mean under `codes`"
        )
    if any(len(texts) > 1 for texts in seen.spellings.values()):
        codes = ", ".join(f"{json.dumps(text, ensure_ascii=False)}: "
                          f"{json.dumps(text, ensure_ascii=False)}" for text in kept)  # fmt: skip
        keys += [f"codes: {{{codes}}}", "ignore_case: true"]
        why.append("capital and small letters mean the same")
    if absent:
        keys.append(f"missing: {json.dumps(absent, ensure_ascii=False)}")
        why.append(_taken_as_missing(seen, absent))
    return f"{{{', '.join(keys)}}}{GUESS if why else ''}{'; '.join(why)}"


def _outcomes(found: Proposal) -> Iterator[str]:
    yield ""

    yield f"outcomes:{IN_SDS if found.measured != 'school' else ''}"
    for at, (name, seen) in enumerate(found.outcomes.items()):
        family = "teachers" if found.measured == "teacher" else "attainment"
        keys = [f"label: {quoted(_label(seen))}", f"family: {family}"]
        keys += ["primary: true"] if at == 0 else []
        keys += [f"measured_on: {found.measured}"] if found.measured != "pupil" else []
        keys += ["standardise: control"] if found.measured != "school" else []
        keys += ['units_label: "%"'] if seen.is_percent and found.measured == "school" else []
        keys += [f"baseline_year: {max(found.baseline)}"] if found.baseline else []
        earlier = found.pretests[name][0] if name in found.pretests else found.earlier.get(name, "")
        if earlier:
            keys.append(f"baseline_measures: [{earlier}]")
        why = _why(found, "primary") if at == 0 else ""
        why = why or _why(found, f"earlier {name}")
        yield f"  {name}: {{{', '.join(keys)}}}{why}"


def _models(found: Proposal) -> Iterator[str]:
    compared = list(found.outcomes) if found.baseline else []
    compared += dict.fromkeys(name for name, _ in found.pretests.values())
    compared += ["grade"] if "grade" in found.columns else []
    compared += list(found.attributes)
    if compared:
        yield ""
        variables = f"{found.measured}_variables: [{', '.join(compared)}]"
        yield f"balance: {{{variables}}}  # compared at baseline"
    yield ""
    yield "models:"
    groups: dict[str, list[str]] = {}
    for name in found.outcomes:
        earlier = (found.earlier.get(name, ""),)
        before = "baseline" if found.baseline else found.pretests.get(name, earlier)[0]
        groups.setdefault(before, []).append(name)
    # where each row is a unit, a level below it would be the residual
    rows_are_units = found.unit == "pupil" or found.measured == "school"
    for at, (before, outcomes) in enumerate(groups.items()):
        if found.cohorts:
            yield from _by_cohort(outcomes)
            return
        yield f"  {'itt' if at == 0 else f'itt_{outcomes[0]}'}:"
        of = f", {_label(found.outcomes[outcomes[0]])}" if at else ""
        yield f"    label: {quoted(f'Intention to treat{of}')}"
        yield f"    estimator: {'cluster_robust' if rows_are_units else 'multilevel'}"
        yield f"    role: {'primary' if at == 0 else 'secondary'}"
        yield f"    outcomes: [{', '.join(outcomes)}]"
        yield f"    where: {{year: [{max(found.programme)}]}}"
        if before:
            yield f"    covariates: [{before}]"


def _by_cohort(outcomes: Sequence[str]) -> Iterator[str]:
    """Yield the model of schools that begin in different years."""
    yield "  by_cohort:"
    yield "    label: Effects by cohort"
    yield "    estimator: staggered_adoption"
    yield "    role: primary"
    yield f"    outcomes: [{', '.join(outcomes)}]"


def _label(column: SeenColumn) -> str:
    """Return what a file calls a column, or its name as a reader would write it."""
    words = column.title or " ".join(column.name.replace("_", " ").split())
    return f"{words[:1].upper()}{words[1:]}"


def _why(found: Proposal, what: str) -> str:
    reason = found.guesses.get(what)
    return f"{GUESS}{reason}" if reason else ""


def not_used(text: str, file: SeenFile) -> list[str]:
    """Return the columns of a file that a protocol does not read, with a reason if one is seen."""
    left = [one for one in file.columns
            if not re.search(rf"column: {re.escape(quoted(one.name))}[,}}]", text)]  # fmt: skip
    return [f"{one.name}{_why_not(one)}" for one in left]


def place_of_unused(found: Proposal, file: SeenFile, left: Sequence[str]) -> str:
    """Return where columns of the list of schools can be used; empty if none describes schools."""
    is_list = file.shown == found.assignment.first.shown and not found.by_pupil
    if not is_list or found.unit != "school":
        return ""
    of_schools = [
        one.name for one in file.columns
        if one.name in left and len(one.counts) > 1
        and (one.is_number or len(one.spellings) <= FEW) and not is_free_text(one)
    ]  # fmt: skip
    if not of_schools:
        return ""
    return (
        f"To compare the groups on {listed([repr(one) for one in of_schools])}: add "
        f"{file.path.name} as tables.schools with the column, and name it in "
        "balance.school_variables."
    )


def _why_not(column: SeenColumn) -> str:
    if is_free_text(column):
        return " (free text)"
    return " (the same in all rows)" if len(column.counts) == 1 else ""
