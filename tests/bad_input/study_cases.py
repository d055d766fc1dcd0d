"""Tables that are each in order but do not fit together, or cannot answer what is asked."""

from __future__ import annotations

from collections.abc import Sequence

from support.spoilt_trial import (
    Accepted,
    Case,
    Left,
    Logged,
    Planted,
    Refused,
    Spoil,
    SpoiltTrial,
    all_of,
    cell,
    every_cell,
    lines,
    protocol,
)

ROSTER, SCORES = "roster_2020.csv", "scores_2020.csv"


def _refused(*faults: Planted) -> Refused:
    return Refused(faults)


def _when_cleaned(file: str, found: str, column: str, **words: str) -> Refused:
    return Refused((Planted(file, found, None, column, **words),), "clean")


def _with_crosswalk(rows: Sequence[str] = ("S7,2020,S8,merged",)) -> Spoil:
    """Give the trial a file of schools that changed."""

    def spoil(trial: SpoiltTrial) -> None:
        names = ["from_school", "from_year", "to_school", "change"]
        trial.files["crosswalk.csv"] = [names, *(row.split(",") for row in rows)]
        columns = {name: {"column": name} for name in names}
        trial.protocol["tables"]["crosswalk"] = [{"file": "crosswalk.csv", "columns": columns}]

    return spoil


def _crosswalk_case(name: str, rows: Sequence[str], *faults: tuple[str, str]) -> Case:
    """Return a case of a crosswalk that is refused when the sample is built."""
    planted = tuple(
        Planted("crosswalk table (crosswalk.csv)", found, None, column) for found, column in faults
    )
    return Case(name, _with_crosswalk(rows), Refused(planted, "clean"))


def _reused(trial: SpoiltTrial) -> None:
    """Give the identifier of a third-grader of 2019 to an eighth-grader of 2020."""
    trial.set(ROSTER, 2, "grade", "8")


def _few_schools(trial: SpoiltTrial) -> None:
    """Keep one school in each group."""
    for file, column in (
        ("schools.csv", 0),
        ("assignment.csv", 0),
        ("roster_2019.csv", 1),
        (ROSTER, 1),
    ):
        header, *rows = trial.files[file]
        trial.files[file] = [header, *(row for row in rows if row[column] in ("S1", "S2"))]
    for year in (2019, 2020):
        header, *rows = trial.files[f"scores_{year}.csv"]
        trial.files[f"scores_{year}.csv"] = [header, *(row for row in rows if int(row[0]) <= 40)]


def _blank_scores(trial: SpoiltTrial) -> None:
    for row in trial.files[SCORES][1:]:
        row[2] = "ABS" if row[1] == "MATH" else row[2]


def _constant_scores(trial: SpoiltTrial) -> None:
    for row in trial.files[SCORES][1:]:
        row[2] = "200" if row[1] == "MATH" else row[2]


def _year_in_a_column(trial: SpoiltTrial) -> None:
    """Put both rosters into one file."""
    header, *first = trial.files.pop("roster_2019.csv")
    _, *second = trial.files.pop(ROSTER)
    rows = [[*cells, "2019"] for cells in first] + [[*cells, "2020"] for cells in second]
    trial.files["roster.csv"] = [[*header, "year"], *rows]
    trial.reading("pupils")["file"] = "roster.csv"
    trial.reading("pupils")["columns"]["year"] = {"column": "year"}


def _joined(trial: SpoiltTrial) -> None:
    """Read the sex of pupils from a file of its own."""
    spec = trial.reading("pupils")["columns"].pop("sex")
    rows = trial.files["roster_2019.csv"][1:]
    trial.files["sexes.csv"] = [["id", "sex"], *([row[0], row[3]] for row in rows)]
    columns = {"pupil": {"column": "id"}, "sex": spec}
    trial.reading("pupils")["join"] = [{"file": "sexes.csv", "on": ["pupil"], "columns": columns}]


def _swapped(file: str, first: str, second: str) -> Spoil:
    """Swap the names of two columns, not what stands below them."""

    def spoil(trial: SpoiltTrial) -> None:
        header = trial.files[file][0]
        at, other = header.index(first), header.index(second)
        header[at], header[other] = header[other], header[at]

    return spoil


RESPELT = every_cell("assignment.csv", "school_code", lambda text: text.replace("S", "School "))
ASSIGNMENT = [
    Case(
        "a school in two groups, one in two pairs, and one in the same group and pair twice",
        lines("assignment.csv", lambda rows: rows.extend([["S3", "2", "T"], ["S5", "4", "C"], ["S1", "1", "C"]])),
        _refused(
            Planted("assignment.csv", "school S3 is in two groups: 'programme' here, 'control' in row 4", 10, "arm", "one group per school", "never choose one"),
            Planted("assignment.csv", "school S5 is in two blocks: '4' here, '3' in row 6", 11, "pair", "one block per school", "never choose one"),
            Planted("assignment.csv", "this row is identical to an earlier row", 12, None,
            "each row once", "delete the row"),
        ),
    ),
    Case(
        "groups that nobody declared", all_of(cell("assignment.csv", 4, "arm", "X"), cell("assignment.csv", 5, "arm", "")),
        _refused(
            Planted("assignment.csv", "the value 'X'", 4, "arm", "one of 'C', 'T'", "add the code"),
            Planted("assignment.csv", "the value ''", 5, "arm", "a value in every row", "fill the cell"),
        ),
    ),
    Case(
        "one group only", every_cell("assignment.csv", "arm", lambda text: "C"),
        _refused(Planted("assignment.csv", "no school is in the group 'programme'", None, "arm", remedy="check the codes")),
    ),
    Case(
        "a group that the codes name and the design does not",
        all_of(protocol("tables.assignment.0.columns.arm.codes", {"C": "control", "T": "programme", "W": "waiting"}), cell("assignment.csv", 4, "arm", "W")),
        _refused(Planted("assignment.csv", "school S3 is in the group 'waiting'", 4, "arm", "one of control, programme")),
    ),
    Case(
        "assigned schools that no table describes", lines("schools.csv", lambda rows: rows.__delitem__(slice(7, 9))),
        _refused(
            Planted("assignment.csv", "school S7 is not in the table of schools", 8, "school_code"),
            Planted("assignment.csv", "school S8 is not in the table of schools", 9, "school_code"),
        ),
    ),
    Case(
        "schools that are spelt in another way in every row",
        all_of(RESPELT, every_cell("schools.csv", "school_code", lambda text: text.replace("S", "School "))),
        Refused(
            tuple(
                Planted(f"roster_{year}.csv",
                "8 of 8 schools in these enrolment records are not in assignment.csv, such as "
                "'S1', 'S2' and 'S3'; identifiers there are like 'School 1'", None, "school_code",
                "the same school identifiers in both files", "`tables.crosswalk`")
                for year in (2019, 2020)
            ),
            "clean",
        ),
    ),
    Case(
        "one school per group", _few_schools,
        Refused((Planted("model did, outcome reading", "2 schools: clustered standard errors need three at least"),), "fit", of_others=("itt.csv", "itt.json", "plan_first.json")),
        None, "fit",
    ),
]  # fmt: skip

PUPILS = [
    Case(
        "pupils of a school that nobody assigned", all_of(cell(ROSTER, 2, "school_code", "S99"), cell(ROSTER, 3, "school_code", "S98")),
        Accepted((), (Left("school is not in the allocation list", 2),
        Left("score of a pupil not in the sample in that year", 4))),
    ),
    Case(
        "a pupil in two schools in one year", lines(ROSTER, lambda rows: rows.append([rows[1][0], "S8", *rows[1][2:]])),
        _refused(
            Planted(ROSTER, "pupil 0001 is in two schools in 2020: S8 here, S1 in row 2", 162, "school_code", "one school per pupil and year", "`duplicate_keys: "),
        ),
    ),
    Case(
        "a pupil in two schools where the longer stay counts",
        lines(ROSTER, lambda rows: rows.append([rows[1][0], "S8", *rows[1][2:4], "20", "10"])),
        Accepted((Logged(ROSTER, "", "the one with most days_enrolled was kept", 0, 1),)),
        protocol("tables.pupils.0.duplicate_keys", "days_enrolled"),
    ),
    Case(
        "an identifier that another pupil has in the next year", _reused,
        Accepted((), (Left("the grade fell, or rose by more than the years that passed", 1),)),
        protocol("cleaning", {"grade_out_of_step": "drop"}),
    ),
    Case(
        "rows that repeat others to the letter",
        lines(SCORES, lambda rows: (rows.insert(5, list(rows[3])), rows.append(list(rows[9])))),
        _refused(
            Planted(SCORES, "this row is identical to an earlier row", 6, None, "each row once",
            "keep_one"),
            Planted(SCORES, "this row is identical to an earlier row", 323, None, "each row once",
            "keep_one"),
        ),
    ),
    Case(
        "rows that repeat others where one is to be kept",
        lines(SCORES, lambda rows: (rows.insert(5, list(rows[3])), rows.append(list(rows[9])))),
        Accepted((Logged(SCORES, "", "identical rows: one was kept", 0, 2),)),
        protocol("tables.scores.0.duplicate_rows", "keep_one"),
    ),
    Case(
        "two scores of one pupil that differ", lines(SCORES, lambda rows: rows.append([*rows[3][:2], "1"])),
        _refused(Planted(SCORES, "pupil 0002, year 2020, outcome maths is also in row 4", 322, "pupil_id", "one row per", "`duplicate_keys")),
    ),
    Case(
        "scores of pupils who are on no roster", lines(SCORES, lambda rows: rows.append(["9999", "MATH", "200"])),
        Accepted((), (Left("score of a pupil without an enrolment record in that year", 1),)),
    ),
    Case(
        "a school of which there is no pupil",
        lines(ROSTER, lambda rows: rows.__delitem__(slice(141, None))),
        Accepted((), (Left("no pupil of the school in the sample in that year", 1), Left("without an enrolment record in the study in 2020", 20))),
        protocol("cleaning.match_at_least", {"scores": 0.8}),
    ),
    Case(
        "scores of pupils of a school that is missing from the roster", lines(ROSTER, lambda rows: rows.__delitem__(slice(141, None))),
        Refused(
            (Planted(SCORES, "20 of 160 pupils with scores are not in roster_2020.csv, such as '0141'", None, "pupil_id", "at least 95.0%", "`cleaning: {match_at_least: {scores: 0.87}}`"),),
            "clean",
        ),
    ),
    Case(
        "a year that the protocol does not have", all_of(cell("roster.csv", 5, "year", "2031"), cell("roster.csv", 6, "year", "19")),
        _refused(
            Planted("roster.csv", "the value '2031'", 5, "year", "a year of the protocol: 2019, 2020", "add the year"),
            Planted("roster.csv", "the value '19'", 6, "year", "a year of the protocol"),
        ),
        _year_in_a_column,
    ),
    Case(
        "a year that is no year", all_of(cell("roster.csv", 5, "year", "2019/20"), cell("roster.csv", 6, "year", "2019.5")),
        _refused(
            Planted("roster.csv", "the value '2019/20'", 5, "year", "a number"),
            Planted("roster.csv", "the value '2019.5'", 6, "year", "a whole number"),
        ),
        _year_in_a_column,
    ),
    Case(
        "a year that is not the one in the file's name",
        all_of(
            *(lines(f"roster_{year}.csv", lambda rows, year=str(year): [row.append(year if at else "year") for at, row in enumerate(rows)]) for year in (2019, 2020)),  # type: ignore[misc]
            protocol("tables.pupils.0.columns.year", {"column": "year"}),
            cell(ROSTER, 9, "year", "2019"),
        ),
        _refused(Planted(ROSTER, "the value '2019'", 9, "year", "2020, the year in the file name or in `year`", "the file name")),
    ),
    Case(
        "columns whose names are swapped: identifiers", _swapped(ROSTER, "pupil_id", "school_code"),
        _refused(
            *(Planted(ROSTER, f"pupil S{at} is in two schools in 2020", 20 * at - 17, "school_code") for at in range(1, 9)),
        ),
    ),
    Case(
        "columns whose names are swapped: grade and days", _swapped(ROSTER, "grade", "days_enrolled"),
        _refused(
            Planted(ROSTER, "the value '180' (in 160 rows)", 2, "grade", "a value from 3 to 8"),
        ),
    ),
    Case(
        "columns whose names are swapped: the parts of a ratio", _swapped(ROSTER, "days_enrolled", "days_present"),
        Accepted((), (Left("attendance outside 0 to 100", 155),)),
        protocol("outcomes.attendance.range", [0, 100]),
    ),
    Case(
        "a joined file without some pupils, and with one twice",
        lines("sexes.csv", lambda rows: (rows.append(list(rows[1])), rows.pop(2))),
        _refused(
            Planted("sexes.csv", "this row is identical to an earlier row", 161, None,
            "each row once", "set `duplicate_rows: keep_one`"),
            Planted("roster_2019.csv", "no match in sexes.csv", 3, None, "a row with the same pupil", "add the row there"),
            Planted(ROSTER, "no match in sexes.csv", 3, None, "a row with the same pupil", "add the row there"),
        ),
        _joined,
    ),
    Case(
        "an outcome of which nothing was observed", _blank_scores,
        Refused((Planted("model itt, outcome maths", "0 of 160 pupils are complete"),), "fit"), None, "fit",
    ),
    Case(
        "an outcome that is the same for all", _constant_scores,
        Refused((Planted("model itt, outcome maths", "0 of 160 pupils are complete"),), "fit"), None, "fit",
    ),
]  # fmt: skip

CROSSWALKS = [
    Case(
        "a crosswalk in a circle", cell("crosswalk.csv", 2, "to_school", "S7"),
        _when_cleaned("crosswalk table (crosswalk.csv)", "rows form a circle in 2020: S7 → S7", "to_school", remedy="delete the row"),
        _with_crosswalk(),
    ),
    _crosswalk_case(
        "two circles in a crosswalk", ["S1,2020,S2,merged", "S2,2020,S1,merged", "S5,2020,S6,merged", "S6,2020,S5,merged"],
        ("rows form a circle in 2020: S1 → S2 → S1", "to_school"),
        ("rows form a circle in 2020: S5 → S6 → S5", "to_school"),
    ),
    _crosswalk_case(
        "a crosswalk to nowhere, of a change that nobody knows",
        ["S7,2020,S70,renamed", "S8,2020,,renamed", "S1,2020,S2,swallowed"],
        ("renamed into S70, which is not in any table", "to_school"),
        ("renamed, but `to_school` is empty", "to_school"),
        ("the change 'swallowed'", "change"),
    ),
    Case(
        "a school that becomes two in a crosswalk", lines("crosswalk.csv", lambda rows: rows.append(["S7", "2020", "S6", "merged"])),
        _refused(Planted("crosswalk.csv", "school S7 becomes two schools in 2020", 3, "to_school")),
        _with_crosswalk(),
    ),
]  # fmt: skip
