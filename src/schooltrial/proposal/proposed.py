"""What is proposed for a protocol, and what of it is a guess."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from schooltrial.proposal.seen import SeenColumn
from schooltrial.proposal.waves import Wave

Ask = Callable[[str, Sequence[str], str], str]
"""Question, possible answers (none: any text), and the answer that is taken if none is given."""


NONE = "none"
"""The answer that no column is what was asked for."""


NAMES_IN_USE = (
    "treated", "cluster", "arm", "block", "cohort", "year", "from_year", "all", "baseline",
    "school", "pupil", "class", "teacher", "nan", "null", "grade",
)  # fmt: skip


TABLES = {
    "pupil": ("pupils", "scores"),
    "teacher": ("teachers", "observations"),
    "school": ("schools", "school_scores"),
}
"""Whom an outcome is measured on → the tables of their attributes and of their scores."""


FEW = 12
"""Distinct values of a column that is a category rather than a score, at most."""


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
        Name, label and what it is called in the files; the control group first.
    arms_any_case : bool
        Whether the files write a group in capital and in small letters.
    baseline, programme : list of int
        Years.
    one_cohort : bool
        Whether rows of other years than the programme's are of other people, and left out.
    assignment : Wave
    by_pupil : bool
        Whether the list of groups is the table of pupils, in which a school has many rows.
    cohort_column : str
        Column of the year in which each school began; empty where all began together.
    cohorts : dict of str to int
        Text of that column → year.
    never : list of str
        Texts of that column that mean that a school did not begin.
    arm_column, unit_column : str
    block : str
        Column; empty where there is none.
    unblocked : bool
        Whether the user says that there are no blocks.
    by_person : bool
        Whether a person answers what is asked: an answer is then no guess.
    said : list of str
        What the user is told in a line of its own, since it may change much.
    school_of_class : str
        Column of the schools of a list of classes; empty where others were assigned.
    classes_repeat : bool
        Whether schools use the same names of classes.
    measured : str
        On whom the outcomes are measured: pupil, teacher or school.
    roster, scores : Wave
        The files of their attributes, and of their outcomes.
    columns : dict of str to str
        Role → column, of the roster.
    score_columns : dict of str to str
        Role → column, of the scores.
    widths : dict of str to int
        Table → digits of its schools, where it lost leading zeros that another file has; and of
        pupils or teachers, by that word.
    years_of_texts : dict of str to int
        Text of the column of years → year, where it is not the year itself.
    outcomes : dict of str to SeenColumn
        Name → column, the primary one first.
    pretests : dict of str to tuple of str
        Outcome → name and column of its pre-test in the same row.
    earlier : dict of str to str
        Outcome → attribute of the roster that is its pre-test, where the file of the roster holds
        an earlier test than that of the scores.
    columns_of_years : dict of tuple to str
        Outcome and year → column, of a file that has a column for each year.
    subject : SeenColumn, optional
        Of scores with a row for each subject: the column that says which.
    value : SeenColumn, optional
        And that of the score.
    attributes : dict of str to SeenColumn
        Of the roster: name → column.
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
    arms_any_case: bool = False
    baseline: list[int] = field(default_factory=list)
    programme: list[int] = field(default_factory=list)
    one_cohort: bool = False
    assignment: Wave = field(default_factory=lambda: Wave("", {}))
    by_pupil: bool = False
    cohort_column: str = ""
    cohorts: dict[str, int] = field(default_factory=dict)
    never: list[str] = field(default_factory=list)
    arm_column: str = ""
    unit_column: str = ""
    block: str = ""
    unblocked: bool = False
    by_person: bool = False
    said: list[str] = field(default_factory=list)
    school_of_class: str = ""
    classes_repeat: bool = False
    measured: str = "pupil"
    roster: Wave = field(default_factory=lambda: Wave("", {}))
    scores: Wave = field(default_factory=lambda: Wave("", {}))
    columns: dict[str, str] = field(default_factory=dict)
    score_columns: dict[str, str] = field(default_factory=dict)
    widths: dict[str, int] = field(default_factory=dict)
    years_of_texts: dict[str, int] = field(default_factory=dict)
    outcomes: dict[str, SeenColumn] = field(default_factory=dict)
    pretests: dict[str, tuple[str, str]] = field(default_factory=dict)
    earlier: dict[str, str] = field(default_factory=dict)
    columns_of_years: dict[tuple[str, int], str] = field(default_factory=dict)
    subject: SeenColumn | None = None
    value: SeenColumn | None = None
    attributes: dict[str, SeenColumn] = field(default_factory=dict)
    guesses: dict[str, str] = field(default_factory=dict)
    lacking: list[str] = field(default_factory=list)
