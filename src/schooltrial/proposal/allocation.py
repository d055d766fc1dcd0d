"""Who was assigned to which group, and within which blocks."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Sequence

from schooltrial.proposal.people import linked_columns, same_values
from schooltrial.proposal.proposed import FEW, NONE, Ask, Proposal
from schooltrial.proposal.roles import CONTROL, column_of, plain, slug
from schooltrial.proposal.roll_out import find_roll_out, takes_roll_out
from schooltrial.proposal.seen import SeenColumn, SeenFile, is_free_text
from schooltrial.proposal.waves import Wave
from schooltrial.refusal import UserError
from schooltrial.wording import listed


def find_allocation(found: Proposal, waves: Sequence[Wave], ask: Ask) -> None:
    """Find who was assigned to which group, and what the control group is called."""
    having = [wave for wave in waves if column_of("arm", wave.last)]
    # a word for the control group makes a column of first years look like one of groups
    only_years = all(column_of("arm", one.last) == column_of("cohort", one.last) for one in having)
    if only_years and find_roll_out(found, waves):
        return
    if not having:
        raise UserError(
            "no file says which group each school (or pupil) is in.\n"
            "`new` looks for a column such as `arm`, `group` or `treatment`, and one for "
            "the school. Name the column (--arm COLUMN), or draw an assignment: schooltrial assign."
        )
    wave = min(having, key=lambda one: column_of("pupil", one.last) is not None)
    first = wave.first
    arm, school, pupil = (column_of(role, first) for role in ("arm", "school", "pupil"))
    assert arm is not None
    if school is None and pupil is None and "school" in found.columns:
        school = same_values(first, [found.roster.last[found.columns["school"]]])
        if school is not None:
            found.guesses["unit column"] = (
                f"its values are those of {found.columns['school']!r} in {found.roster.last.shown}"
            )
    elif school is not None and pupil is None and "school" in found.columns:
        school = _linked_school(found, first, school)
    found.assignment, found.arm_column = wave, arm.name
    found.by_pupil = pupil is not None or column_of("teacher", first) is not None
    if school is not None and len(school.counts) < len([one for one in school.cells if one]):
        found.by_pupil = True  # a school has several rows, whatever they are of
    if pupil is not None and (school is None or _varies(school, arm)):
        found.unit, found.unit_column = "pupil", pupil.name
        found.guesses["unit"] = "pupils of one school are in different groups"
        if school is not None:
            found.kind, found.block = "blocked", school.name
            found.guesses["kind"] = "pupils were randomised within schools"
    elif school is not None and _are_classes(found, first, school, arm):
        _take_classes(found, first, school)
    elif school is not None:
        found.unit_column = school.name
        if pupil is not None:
            found.guesses["unit"] = "all pupils of a school are in one group"
        block = None if found.unblocked else column_of("block", first)
        if block is not None:
            found.block = block.name
            sizes = _schools_in(school, block)
            found.kind = "paired" if max(sizes) <= MOST_IN_A_PAIR else "blocked"
            if "block" not in first.named:
                least, most = min(sizes), max(sizes)
                how_many = str(most) if least == most else f"{least} to {most}"
                found.guesses["kind"] = f"{how_many} schools in each {block_label(block.name)}"
        else:
            _ask_for_block(found, first, school, arm, ask)
    else:
        raise UserError(
            f"{first.shown} has a column for the group ({arm.name}), but none for the school or "
            "pupil. Name the one that has the same identifiers as the file of pupils: --school "
            "COLUMN."
        )
    _find_arms(found, arm, ask)
    if (begins := column_of("cohort", first)) is not None and not takes_roll_out(
        found, begins, arm
    ):
        found.lacking.append(
            f"The column {begins.name!r} looks like the year in which a school began. It does not "
            "go with the groups, so all schools were taken to begin together: see `schooltrial "
            "help design.kind`."
        )


def _are_classes(
    found: Proposal, file: SeenFile, school: SeenColumn, arm: SeenColumn
) -> bool:  # fmt: skip
    """Return whether a list has a row for each class, and the classes of a school differ."""
    classes = column_of("class", file)
    if classes is None or "class" not in found.columns or not _varies(school, arm):
        return False
    rows = list(zip(school.cells, classes.cells, strict=True))
    return len(set(rows)) == len(rows)


def _take_classes(found: Proposal, file: SeenFile, school: SeenColumn) -> None:
    """Let classes be what was assigned, within schools."""
    classes = column_of("class", file)
    assert classes is not None
    found.unit, found.unit_column, found.by_pupil = "class", classes.name, False
    found.guesses["unit"] = "classes of one school are in different groups"
    found.kind, found.block, found.school_of_class = "blocked", school.name, school.name
    found.guesses["kind"] = "classes were randomised within schools"
    found.classes_repeat = not classes.is_unique
    if found.classes_repeat:
        found.guesses["unit column"] = "schools use the same names of classes"


def _linked_school(found: Proposal, file: SeenFile, school: SeenColumn) -> SeenColumn:
    """Return the column of schools that links the list of groups to the roster."""
    roster = found.roster.last
    theirs = roster[found.columns["school"]]
    one, other = linked_columns((file, school), (roster, theirs), "school")
    if one is not school:
        found.guesses["unit column"] = f"its values are those of {other.name!r} in {roster.shown}"
    if other is not theirs:
        found.columns["school"] = other.name
        found.guesses["roster school"] = f"its values are those of {one.name!r} in {file.shown}"
    return one


def block_label(column: str) -> str:
    """Return what a reader calls the blocks that a column numbers: pair for pair id."""
    words = " ".join(column.replace("_", " ").split())
    return re.sub(r"(?i)(?<=\w) (id|no|nr|num|number|code|key)$", "", words)


def _ask_for_block(
    found: Proposal, file: SeenFile, school: SeenColumn, arm: SeenColumn, ask: Ask
) -> None:
    """Ask whether schools were randomised within the values of a column that balances groups."""
    if found.unblocked:
        return
    unused = [one for one in file.columns if one not in (school, arm)] if not found.by_pupil else []
    # the more values a column has, the less likely it is that they all balance by chance
    likely = sorted(
        (one for one in unused if _balanced(one, arm)), key=lambda one: -len(one.counts)
    )
    names = [one.name for one in likely]
    if likely:
        numbers = [f"{one.name}: {_in_equal_numbers(one, arm)}" for one in likely]
        answer = ask(
            f"The groups are in about equal numbers in each value of {'; of '.join(numbers)}.\n"
            "Within which column's values were schools randomised?", [*names, NONE], names[0],
        )  # fmt: skip
        if answer != NONE:
            _take_block(found, school, file[answer], arm, names)
            return
        if found.by_person:
            return
    found.guesses["kind"] = "no column of blocks, strata or pairs was found"
    text = (
        "If schools were randomised within blocks, strata or pairs: add the column that "
        "says which (`block` of the table assignment), and set design.kind."
    )
    if unused:
        shown = [f"{one.name!r}{' (free text)' * is_free_text(one)}" for one in unused]
        text += f" Columns of {file.shown} not used: {listed(shown)}."
    found.lacking.append(text)


def _take_block(
    found: Proposal, school: SeenColumn, block: SeenColumn, arm: SeenColumn, likely: Sequence[str]
) -> None:
    """Let the schools be randomised within the values of a column, and say why if it is a guess."""
    found.block = block.name
    of_pairs = max(_schools_in(school, block)) <= MOST_IN_A_PAIR
    found.kind = "paired" if of_pairs else "blocked"
    if found.by_person:
        return
    numbers = _in_equal_numbers(block, arm)
    reason = f"the groups are in about equal numbers in each {block_label(block.name)}"
    found.guesses["kind"] = f"{reason} ({numbers})"
    others = [shlex.quote(name) for name in likely if name != block.name]
    also = f" (or --block {listed(others)}, where they are so too)" if others else ""
    found.said.append(
        f"Blocks: {reason} ({numbers}), so schools were taken to be randomised within it. If they "
        f"were not, run `new` again with --block {NONE}{also}."
    )


MOST_IN_A_PAIR = 3
"""Schools of a set that is matched rather than a block, at most."""

MOST_SHOWN = 8
"""Values of a column whose numbers are shown one by one, at most."""


def _schools_in(school: SeenColumn, block: SeenColumn) -> list[int]:
    """Return how many schools each block has."""
    pairs = {(a.strip(), b.strip()) for a, b in zip(block.cells, school.cells, strict=True)}
    return list(Counter(value for value, _ in pairs if value).values())


def _in_equal_numbers(column: SeenColumn, arm: SeenColumn) -> str:
    """Return how many of each group each value of a column has: ``6/6, 6/5``."""
    sizes = [size for _, size in sorted(_sizes(column, arm).items())]
    shown = ["/".join(map(str, size)) for size in sizes[:MOST_SHOWN]]
    return ", ".join([*shown, *["…"] * (len(sizes) > MOST_SHOWN)])


def _sizes(column: SeenColumn, arm: SeenColumn) -> dict[str, list[int]]:
    """Return value of a column → how many of each group it has."""
    both = Counter(
        (c.strip(), a.strip()) for c, a in zip(column.cells, arm.cells, strict=True)
    )  # fmt: skip
    return {value: [both[value, one] for one in arm.counts] for value in column.counts}


def _balanced(column: SeenColumn, arm: SeenColumn) -> bool:
    """Return whether each value of a column has the groups in equal numbers, or one more of one."""
    sizes = _sizes(column, arm).values()
    few = 1 < len(sizes) <= len(column.cells) / len(arm.counts)
    return few and all(min(size) > 0 and max(size) - min(size) <= 1 for size in sizes)


def _varies(school: SeenColumn, arm: SeenColumn) -> bool:
    pairs = {pair for pair in zip(school.cells, arm.cells, strict=True) if pair[1].strip()}
    return len(pairs) > len({one for one, _ in pairs})


def _find_arms(found: Proposal, arm: SeenColumn, ask: Ask) -> None:
    values = sorted(texts[0] for texts in arm.spellings.values())
    if not 2 <= len(values) <= FEW:
        has = "one value" if len(values) == 1 else f"{len(values)} values"
        raise UserError(
            f"the column {arm.name!r} was taken for the group, and has {has}; a trial "
            f"has two to {FEW} groups. Name the column that says it: --arm COLUMN."
        )
    found.arms_any_case = any(len(texts) > 1 for texts in arm.spellings.values())
    likely = [
        value for value in values
        if CONTROL.fullmatch(value.strip()) or CONTROL.fullmatch(plain(value))
    ]  # fmt: skip
    control = likely[0] if len(likely) == 1 else ""
    if not control:
        control = ask(f"Which value of {arm.name!r} is the control group?", values, values[0])
    if likely == [control] or not found.by_person:
        found.guesses["arms"] = f"{control!r} was taken for the control group, which comes first"
    names: list[str] = []
    for value in [control, *(one for one in values if one != control)]:
        known = {"0": "control", "1": "programme"} if len(values) == 2 else {}
        name = known.get(value) or slug(value if not value[:1].isdigit() else f"arm_{value}", names)
        name = {"no": "control", "yes": "programme", "false": "control", "true": "programme",
                "c": "control", "t": "programme", "n": "control", "y": "programme",
                "j": "programme", "ja": "programme", "nein": "control"}.get(name, name)  # fmt: skip
        names.append(name)
        found.arms.append((name, _group_label(name, value), value))


def _group_label(name: str, value: str) -> str:
    """Return what a reader calls a group: as the file writes it, where that is a word."""
    words = " ".join(value.replace("_", " ").split())
    if len(words) < 4 or name in ("control", "programme") or not words[0].isalpha():
        words = name.replace("_", " ")
    return words.capitalize() if words.isupper() else f"{words[:1].upper()}{words[1:]}"


def find_lost_zeros(found: Proposal) -> None:
    """Find which files lost the leading zeros of their schools, pupils or teachers, if any did."""
    _find_zeros_of_people(found)
    _find_zeros_of_schools(found)


def _find_zeros_of_people(found: Proposal) -> None:
    """Find whether people would be linked, between years or files, only with leading zeros."""
    if found.measured not in found.columns:
        return
    files = [(file, found.columns[found.measured]) for file in found.roster.files.values()]
    files += [(file, found.score_columns[found.measured]) for file in found.scores.files.values()]
    texts = [set(file[column].counts) for file, column in files if column in file.names]
    if not all(text.isdigit() for one in texts for text in one):
        return
    width = max(len(text) for one in texts for text in one)
    padded = [{text.zfill(width) for text in one} for one in texts]
    linked = [len(one & texts[0]) for one in texts]
    if linked != [len(one & padded[0]) for one in padded]:
        found.widths[found.measured] = width
        found.guesses[f"{found.measured} zeros"] = _restored(width)


def _restored(width: int) -> str:
    return f"leading zeros were lost, and are restored up to {width} digits"


def _find_zeros_of_schools(found: Proposal) -> None:
    """Find which of two files lost the leading zeros of its schools, if one did."""
    of_schools = found.measured == "school"
    column = (found.score_columns if of_schools else found.columns).get("school")
    if found.unit != "school" or column is None:
        return
    listed_ = found.assignment.first[found.unit_column].counts
    ours = (found.scores if of_schools else found.roster).last[column].counts
    texts = {"assignment": listed_, "school" if of_schools else "roster": ours}
    if not all(text.isdigit() for one in texts.values() for text in one):
        return
    widths = {table: max(map(len, one)) for table, one in texts.items()}
    width = max(widths.values())
    padded = {text.zfill(width) for text in ours} & {text.zfill(width) for text in listed_}
    if len(ours.keys() & listed_.keys()) >= len(padded):
        return
    for table, one in texts.items():
        if any(len(text) < width for text in one):
            found.widths[table] = width
            what = "unit" if table == "assignment" else "school"
            found.guesses[f"{what} zeros"] = _restored(width)
