"""The variables that standard tables have: what identifies a row, what must be read, what may be.

A reading may give any other variable too; it is then an attribute that models, filters and checks
can name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that the pipeline knows by its name.

    Attributes
    ----------
    name : str
    meaning : str
    key : bool
        Whether it is part of what identifies a row.
    needed : bool
        Whether every reading must give it.
    when : str
        Where that depends on the protocol: on what.
    """

    name: str
    meaning: str
    key: bool = False
    needed: bool = False
    when: str = ""


def _key(name: str, meaning: str) -> Variable:
    return Variable(name, meaning, key=True, needed=True)


_SCHOOL = _key("school", "Identifier of the school.")


_YEAR = _key("year", "Year of the study; the name of the file may carry it (`{year}`).")


_PUPIL = _key("pupil", "Identifier of the pupil, the same in all years and files.")


_TEACHER = _key("teacher", "Identifier of the teacher, the same in all years and files.")


_WIDE = "unless `outcomes` maps columns"


_OUTCOME = Variable("outcome", "Which outcome the row holds.", key=True, when=_WIDE)


_VALUE = Variable("value", "Its value, a number.", when=_WIDE)


_HEADCOUNT = Variable(
    "n_pupils", "Pupils behind the value; needed where several rows are of one school, as after a "
    "merger.",
)  # fmt: skip


STANDARD_VARIABLES: Mapping[str, tuple[Variable, ...]] = {
    "schools": (_SCHOOL,),
    "assignment": (
        Variable(
            "school", "The unit that was assigned; `teacher`, `class`, `group` or `pupil` is in "
            "its place where `design.unit` says so (`school` may then be given too).", key=True,
            when="the unit",
        ),
        Variable("arm", "Group to which it was assigned, one of `design.arms`.", needed=True),
        Variable(
            "block", "Block or set in which it was drawn; left out where teachers, classes or "
            "pupils were drawn inside schools, it is the school.",
            when="in `blocked` and `paired` designs",
        ),
        Variable(
            "year", "The one year in which the unit is in that group, where each unit is a school "
            "(or class) in one year.",
        ),
        Variable(
            "cohort", "First year of treatment; empty for never.", when="in `staggered` designs"
        ),
    ),
    "pupils": (
        _PUPIL,
        _YEAR,
        Variable(
            "school", "School on whose roster the pupil is that year.",
            when="where the trial has schools",
        ),
        Variable("teacher", "Teacher of the pupil; without it no teacher's group is known."),
        Variable(
            "class", "Class of the pupil, an identifier that no two schools share.",
            when="where classes were assigned",
        ),
        Variable(
            "group", "Group of the pupil, an identifier that no two schools share.",
            when="where groups were assigned",
        ),
        Variable("grade", "Grade, a number: outcomes are standardised within it, and followed up."),
        Variable("entered", "Day of entry (`type: date`), for `cleaning.assigned_on`."),
    ),
    "scores": (_PUPIL, _YEAR, _OUTCOME, _VALUE),
    "teachers": (
        _TEACHER,
        _YEAR,
        Variable("school", "School at which the teacher is that year.", needed=True),
    ),
    "observations": (
        _TEACHER,
        _YEAR,
        _OUTCOME,
        Variable("occasion", "Which of several occasions; left out, there is one.", key=True),
        Variable("rater", "Who rated; left out, one or unknown.", key=True),
        _VALUE,
    ),
    "school_scores": (_SCHOOL, _YEAR, _OUTCOME, _VALUE, _HEADCOUNT),
    "published_means": (_SCHOOL, _YEAR, _OUTCOME, _VALUE),
    "crosswalk": (
        _key("from_school", "Identifier that the files have."),
        _key("from_year", "First year in which the change holds."),
        Variable("to_school", "School whose rows they are; empty where it closed.", needed=True),
        Variable("change", "`renamed`, `merged`, `split` or `closed`.", needed=True),
    ),
    "implementation": (
        _SCHOOL,
        Variable("leader", "Teacher leader, where a school has several.", key=True),
        _key("component", "Component, by the names of `implementation.components`."),
        _key("period", "`YYYY-MM`, or a school year as `YYYY`."),
        Variable("value", "Amount in that period, a number.", needed=True),
    ),
    "costs": (
        _key("ingredient", "What was paid for."),
        Variable("quantity", "How much of it, a number.", needed=True),
        Variable("unit_cost", "Cost of one, a number, in `costs.currency`.", needed=True),
        Variable("unit", "What it is counted in."),
        Variable("each_year", "A flag: needed in every year (1), else once."),
        Variable("arm", "Intervention group that it is for; left out, all of them are one."),
        Variable("source", "Where quantity and price come from."),
    ),
}  # fmt: skip
"""Standard table → the variables that the pipeline knows by name."""


NEEDED = {
    table: [variable.name for variable in variables if variable.needed]
    for table, variables in STANDARD_VARIABLES.items()
}
"""Standard table → variables that every reading must give, whatever the protocol."""


IDENTIFYING = {
    table: [variable.name for variable in variables if variable.key]
    for table, variables in STANDARD_VARIABLES.items()
}
"""Standard table → what identifies a row; of the assignment, the unit that was assigned."""


ASSIGNED = ("arm", "block", "cohort", "drawn")
"""What a unit was assigned to, and when: of one unit there is one of each, and where rows differ in
it no rule of the protocol chooses among them."""


NAMING = frozenset(
    {"school", "teacher", "class", "group", "pupil", "leader", "rater", "from_school", "to_school"}
)  # fmt: skip
"""Variables that name somebody, or a school or class."""


YEARS = ("year", "from_year", "cohort")
"""Variables that are years, whatever type is declared."""
