"""What a synthetic school-randomised trial is made of, each number with its unit."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from math import fsum, inf

import numpy as np
from numpy.typing import NDArray

from schooltrial.simulate.base.parameters import (
    Names,
    ParameterSection,
    Shares,
    Table,
    refuse_missing_keys,
    refuse_outside,
    refuse_pairs,
)

OUTCOMES = ("maths", "ela", "attendance")


SUBJECTS = ("maths", "ela")


COVARIATES = ("male", "disadvantaged", "english_learner", "special_education")


LARGEST = 899
"""Schools are numbered from 101 to 999."""


ABSENT_CODES = ("ABS", "-99", "blank", "no_row")


LEVEL_GRADES = {"elementary": (3, 4, 5), "middle": (6, 7, 8)}


@dataclass(frozen=True)
class Parameters(ParameterSection):
    """Parameters of a synthetic trial; mappings and lists are stored as tuples.

    The defaults shape the trial on the public record of the Chicago Collaborative: [V] marks a fact
    from RAND RR-A2047-1 (Mihaly, Opper & Greer 2022) or WWC study 90794; [D] a figure derived from
    the planning literature; [A] an assumption, because the record does not say. Standard
    deviations ("SD") are of pupils within a grade and year, schools included.

    Attributes
    ----------
    blocks : tuple of (district, level, schools)
        Randomisation blocks; level is ``elementary`` (grades 3-5) or ``middle`` (6-8); an even
        number of schools, half of which are treated. 40 schools, 20 treated, three districts,
        grades 3-8 [V]; blocks by district and level [A].
    district_shift : pairs of district and SD
        Mean of a district, relative to the others; part of the ICC, not added to it [A].
    charter_share : float
        Share of schools that are charters, 0-1 (there were some [V]; how many is [A]).
    pupils_per_school : float
        Mean pupils on a school's roster in a year. 158 less absent tests is 148 analysed, so about
        5,935 pupils in all [V].
    school_size_cv : float
        Coefficient of variation of school size within blocks, a ratio [A].
    years_before, years_during, years_after : tuple of int
        School years, named by their spring. Programme in 2018-19 and 2019-20 [V]; the others [A].
        In fact the tests of spring 2020 were lost to the pandemic [V]; here they are held.
    assignment_date : str
        Day on which the schools were drawn, ISO 8601 [A].
    effects : outcome, then pairs of year and SD
        True effect of being taught in a treated school, in each year during and after. About 0.075
        for maths and ELA at the end of the programme [D: improvement index +3]; other years [A];
        attendance 0 (not significant [V]).
    icc : pairs of outcome and share
        Between-school share of variance, 0-1, districts included. Half of the national .232 and
        .242, since schools are of three districts [D]; attendance [A].
    pretest_r2_school : pairs of level and R²
        Squared correlation of a school's effects in two years, 0-1. About .5 in elementary and .8
        in middle schools [D].
    pretest_r2_pupil : pairs of outcome and R²
        Squared correlation of a pupil's own (within-school) parts in two years, 0-1 [A].
    outcome_correlation : pairs of "outcome outcome" and correlation
        Correlation between outcomes at every level of the model, −1 to 1 [A].
    score_mean : subject, then pairs of grade and scale points
        Mean of each grade in an ordinary year, on a vertical scale like NWEA MAP's RIT [A].
    score_sd : pairs of subject and scale points
        SD of pupils within a grade [A].
    score_range : tuple of two ints
        Smallest and largest score that the scale can give, scale points [A].
    year_shift : pairs of year and SD
        Change of all scores in a year, in both groups; 0 where not named [A].
    attendance_mean, attendance_sd : float
        Mean and SD of the attendance rate, per cent of the days enrolled [A].
    school_days : int
        Days in a school year [A].
    male_share : float
        Share of pupils recorded male, 0-1; 50% [V].
    disadvantaged_share, reduced_price_share : float
        Share of pupils with a free or reduced-price lunch, and of these the share whose lunch is
        reduced-price, 0-1 [A].
    disadvantaged_school_slope : float
        Fall of the logit of ``disadvantaged_share`` per SD of a school's lasting effect on
        maths [A].
    english_learner_share : float
        Share of English learners, 0-1; 6% [V].
    special_education_share : float
        Share of pupils with special education, 0-1 [A].
    covariate_effects : covariate, then pairs of outcome and SD
        Difference in lasting ability (in SD of ability) that goes with each of ``COVARIATES`` [A].
    leaver_rate : float
        Share of pupils who leave the study schools between two years, within a level, 0-1 [A].
    transition_leaver_rate : float
        Share of grade 5 who go on to a middle school outside the study, 0-1 [A].
    joiner_rate : float
        Newcomers in grades 4, 5, 7, 8, as a share of the grade's size, 0-1 [A].
    mover_rate : float
        Share who go to another study school of the block between two years, 0-1 [A].
    within_year_mover_rate : float
        Share who change study school inside a year, and so stand on two rosters, 0-1 [A].
    late_entrant_rate : float
        Share who enter after the first day of the year, 0-1 [A].
    missing_test_rate : float
        Share of tests in each subject not sat, 0-1 [A].
    missing_ability_correlation : float
        Correlation of low ability with the propensity to miss a test, 0-1 [A].
    absent_codes : pairs of code and share
        How a test not sat is shown: ``ABS``, ``-99``, ``blank`` (an empty cell) or ``no_row``;
        shares sum to 1 [A].
    leaders_per_school : tuple of two ints
        Fewest and most teacher leaders of a treated school; 1 to 3 [V].
    institute_hours, coaching_hours, peer_sessions : float
        What the programme asks of a leader: institute hours a summer, coaching hours a month, peer
        sessions a month. Over 100 hours in two years, peer sessions weekly or monthly [V]; how
        they are split [A].
    leader_retention : float
        Share of leaders who stay for the next year, 0-1 [A].
    ingredients : tuple of (ingredient, of, quantity, unit, unit cost, each year, source)
        What the programme is made of: a quantity for each ``leader``, each ``school`` or the
        ``programme`` as a whole, its unit and cost in dollars, whether it is needed each year, and
        where the number comes from [A].
    low_fidelity_schools : int
        Treated schools that carry out about 40% of the programme [A].
    duplicate_roster_rows, duplicate_score_rows : int
        Exact repeats planted in each year's roster and scores, rows [A].
    restyled_codes : int
        Cells of each roster whose code is padded with a blank or in lower case [A].
    zero_padded_grades : int
        Cells of each roster with the grade as ``03`` and not ``3`` [A].
    impossible_scores : int
        Cells of each score file outside the scale's range [A].
    unknown_pupils : int
        Rows of each score file whose pupil is on no roster [A].
    accented_names : int
        Schools with an accent in their name [A].
    renamed_columns : tuple of (file, column, name in that file)
        Columns that bear another name in one file [A].
    encodings : pairs of file and encoding
        Files that are not plain UTF-8 [A].
    """

    blocks: tuple[tuple[str, str, int], ...] = (
        ("North", "elementary", 8),
        ("North", "middle", 8),
        ("Centre", "elementary", 6),
        ("Centre", "middle", 6),
        ("South", "elementary", 6),
        ("South", "middle", 6),
    )
    district_shift: Shares = (("North", 0.1), ("Centre", 0.0), ("South", -0.1))
    charter_share: float = 0.2
    pupils_per_school: float = 158.0
    school_size_cv: float = 0.3
    years_before: tuple[int, ...] = (2017, 2018)
    years_during: tuple[int, ...] = (2019, 2020)
    years_after: tuple[int, ...] = (2021, 2022)
    assignment_date: str = "2018-06-15"
    effects: Table = (
        ("maths", (("2019", 0.05), ("2020", 0.075), ("2021", 0.06), ("2022", 0.05))),
        ("ela", (("2019", 0.05), ("2020", 0.075), ("2021", 0.06), ("2022", 0.05))),
        ("attendance", (("2019", 0.0), ("2020", 0.0), ("2021", 0.0), ("2022", 0.0))),
    )
    icc: Shares = (("maths", 0.12), ("ela", 0.12), ("attendance", 0.06))
    pretest_r2_school: Shares = (("elementary", 0.5), ("middle", 0.8))
    pretest_r2_pupil: Shares = (("maths", 0.6), ("ela", 0.6), ("attendance", 0.3))
    outcome_correlation: Shares = (
        ("maths ela", 0.75),
        ("maths attendance", 0.2),
        ("ela attendance", 0.2),
    )
    score_mean: Table = (
        ("maths", (("3", 201), ("4", 210), ("5", 218), ("6", 222), ("7", 226), ("8", 230))),
        ("ela", (("3", 197), ("4", 205), ("5", 211), ("6", 215), ("7", 218), ("8", 221))),
    )
    score_sd: Shares = (("maths", 15.0), ("ela", 15.0))
    score_range: tuple[int, int] = (100, 350)
    year_shift: Shares = (("2021", -0.15), ("2022", -0.1))
    attendance_mean: float = 95.0
    attendance_sd: float = 4.0
    school_days: int = 176
    male_share: float = 0.5
    disadvantaged_share: float = 0.65
    reduced_price_share: float = 0.1
    disadvantaged_school_slope: float = 0.7
    english_learner_share: float = 0.06
    special_education_share: float = 0.13
    covariate_effects: Table = (
        ("male", (("maths", 0.05), ("ela", -0.15), ("attendance", 0.0))),
        ("disadvantaged", (("maths", -0.4), ("ela", -0.4), ("attendance", -0.3))),
        ("english_learner", (("maths", -0.4), ("ela", -0.6), ("attendance", 0.1))),
        ("special_education", (("maths", -0.7), ("ela", -0.7), ("attendance", -0.2))),
    )
    leaver_rate: float = 0.08
    transition_leaver_rate: float = 0.15
    joiner_rate: float = 0.08
    mover_rate: float = 0.015
    within_year_mover_rate: float = 0.004
    late_entrant_rate: float = 0.03
    missing_test_rate: float = 0.06
    missing_ability_correlation: float = 0.2
    absent_codes: Shares = (("ABS", 0.5), ("-99", 0.15), ("blank", 0.15), ("no_row", 0.2))
    leaders_per_school: tuple[int, int] = (1, 3)
    institute_hours: float = 32.0
    coaching_hours: float = 2.5
    peer_sessions: float = 3.0
    leader_retention: float = 0.85
    ingredients: tuple[tuple[str, str, float, str, float, bool, str], ...] = (
        ("Summer institute", "leader", 1, "place", 600, True, "synthetic: assumption"),
        (
            "Coaching of teacher leaders", "leader", 1, "teacher leader", 4240, True,
            "synthetic: middle of 3,260 to 5,220 dollars per teacher, from public records of "
            "coaching",
        ),
        (
            "Release time of teacher leaders", "leader", 80, "hour", 45, True,
            "synthetic: assumption",
        ),
        (
            "Time of teachers in peer sessions", "leader", 108, "hour", 45, True,
            "synthetic: assumption; 27 sessions of an hour with four teachers",
        ),
        ("Principals’ time", "school", 4, "day", 400, True, "synthetic: assumption"),
        ("Start-up", "school", 1, "school", 1500, False, "synthetic: assumption"),
    )  # fmt: skip
    low_fidelity_schools: int = 2
    duplicate_roster_rows: int = 6
    duplicate_score_rows: int = 5
    restyled_codes: int = 40
    zero_padded_grades: int = 25
    impossible_scores: int = 4
    unknown_pupils: int = 3
    accented_names: int = 2
    renamed_columns: tuple[tuple[str, str, str], ...] = (
        ("roster_2017.csv", "student_id", "StudentID"),
    )
    encodings: Names = (
        ("schools.csv", "cp1252"),
        ("roster_2019.csv", "utf-8-sig"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        _refuse_impossible(self)

    @property
    def years(self) -> tuple[int, ...]:
        """All school years, in order."""
        return self.years_before + self.years_during + self.years_after

    @property
    def correlation(self) -> NDArray[np.float64]:
        """Correlation matrix of the outcomes, in the order of ``OUTCOMES``."""
        matrix = np.eye(len(OUTCOMES))
        for pair, value in self.outcome_correlation:
            row, column = (OUTCOMES.index(name) for name in pair.split())
            matrix[row, column] = matrix[column, row] = value
        return matrix

    def effect(self, outcome: str, year: int) -> float:
        """Return the true effect in SD on an outcome in a year; 0 before the programme."""
        return 0.0 if year in self.years_before else dict(dict(self.effects)[outcome])[str(year)]


def _refuse_impossible(parameters: Parameters) -> None:
    """Raise ValueError at the first parameter that no trial can have."""
    _refuse_blocks(parameters)
    _refuse_years(parameters)
    for field in fields(parameters):
        value = getattr(parameters, field.name)
        if field.name.endswith(("_rate", "_share", "_retention")) and not 0 <= value <= 1:
            raise ValueError(f"{field.name} is {value}; it is a share, from 0 to 1.")
    _refuse_sizes(parameters)
    unknown = sorted({code for code, _ in parameters.absent_codes} - set(ABSENT_CODES))
    if unknown:
        raise ValueError(
            f"absent_codes names '{unknown[0]}'; the codes are {', '.join(ABSENT_CODES)}."
        )
    total = fsum(share for _, share in parameters.absent_codes)
    if abs(total - 1) > 1e-9:
        raise ValueError(f"The shares of absent_codes sum to {total:g}; make them sum to 1.")
    pairs = {frozenset(pair.split()) for pair, _ in parameters.outcome_correlation}
    if not all(len(pair) == 2 and pair <= set(OUTCOMES) for pair in pairs):
        raise ValueError(
            f"outcome_correlation names {', '.join(p for p, _ in parameters.outcome_correlation)}; "
            f"name pairs of {', '.join(OUTCOMES)}, such as 'maths ela'."
        )
    if np.linalg.eigvalsh(parameters.correlation).min() <= 0:
        raise ValueError(
            f"outcome_correlation {dict(parameters.outcome_correlation)} cannot hold for three "
            "outcomes at once; bring the correlations nearer to 0."
        )
    for outcome in OUTCOMES:
        explained = fsum(
            dict(effects)[outcome] ** 2 / 4 for _, effects in parameters.covariate_effects
        )
        if explained >= 1:
            raise ValueError(
                f"covariate_effects on '{outcome}' explain more than all of pupils' ability "
                f"({explained:.2f} of 1); make them smaller."
            )
    refuse_missing_keys(parameters, ("covariate_effects",), set(COVARIATES))


_COUNTS = (
    "low_fidelity_schools", "duplicate_roster_rows", "duplicate_score_rows", "restyled_codes",
    "zero_padded_grades", "impossible_scores", "unknown_pupils", "accented_names",
)  # fmt: skip


def _refuse_sizes(parameters: Parameters) -> None:
    """Refuse sizes, standard deviations, shares and ranges that no trial can have."""
    subjects = set(SUBJECTS)
    refuse_missing_keys(parameters, ("icc", "pretest_r2_pupil"), set(OUTCOMES))
    refuse_missing_keys(parameters, ("score_sd", "score_mean"), subjects)
    levels = {level for _, level, _ in parameters.blocks}
    refuse_missing_keys(parameters, ("pretest_r2_school",), levels)
    refuse_outside(
        parameters, ("pupils_per_school", "score_sd", "attendance_sd"), low=0, inside=True
    )
    refuse_outside(parameters, ("attendance_mean",), low=0, high=100, inside=True)
    refuse_outside(
        parameters, ("icc", "pretest_r2_school", "pretest_r2_pupil", "absent_codes"), low=0, high=1
    )
    refuse_outside(parameters, ("missing_ability_correlation",), low=-1, high=1)
    refuse_outside(parameters, ("school_days",), low=20, high=366)
    counted = (*_COUNTS, "school_size_cv", "institute_hours", "coaching_hours", "peer_sessions")
    refuse_outside(parameters, counted, low=0)
    refuse_pairs(parameters, ("leaders_per_school",), least=1)
    refuse_pairs(parameters, ("score_range",), least=-inf, alike=False)
    grades = {str(grade) for level in levels for grade in LEVEL_GRADES[level]}
    for subject, means in parameters.score_mean:
        lacking = sorted(grades - {grade for grade, _ in means})
        if subject in subjects and lacking:
            raise ValueError(f"score_mean of '{subject}' lacks grade {lacking[0]}; add it.")
    for covariate, effects in parameters.covariate_effects:
        if covariate not in COVARIATES:
            raise ValueError(
                f"covariate_effects names '{covariate}'; the covariates are "
                f"{', '.join(COVARIATES)}."
            )
        lacking = sorted(set(OUTCOMES) - {outcome for outcome, _ in effects})
        if lacking:
            raise ValueError(
                f"covariate_effects of '{covariate}' lack {', '.join(lacking)}; give each an "
                "effect, 0 if there is none."
            )
    try:
        date.fromisoformat(parameters.assignment_date)
    except ValueError:
        raise ValueError(
            f"assignment_date is '{parameters.assignment_date}'; write a day as YYYY-MM-DD."
        ) from None


def _refuse_blocks(parameters: Parameters) -> None:
    if not parameters.blocks:
        raise ValueError("blocks is empty; name one at least: [[North, elementary, 8]].")
    if sum(schools for _, _, schools in parameters.blocks) > LARGEST:
        raise ValueError(
            f"blocks have more than {LARGEST} schools in all, and there are codes for no more; "
            "take fewer."
        )
    for district, level, schools in parameters.blocks:
        if level not in LEVEL_GRADES:
            raise ValueError(
                f"Block '{district}, {level}': the level must be one of {', '.join(LEVEL_GRADES)}."
            )
        if schools < 2 or schools % 2:
            raise ValueError(
                f"Block '{district}, {level}' has {schools} schools; half of a block is treated, "
                "so give it an even number, 2 or more."
            )
        if district not in dict(parameters.district_shift):
            raise ValueError(f"District '{district}' has no entry in district_shift; add one.")


def _refuse_years(parameters: Parameters) -> None:
    years = parameters.years
    if not parameters.years_before or list(years) != list(range(years[0], years[-1] + 1)):
        raise ValueError(
            f"The years before, during and after are {years}; they must follow one another "
            "without a gap, with at least one before."
        )
    for outcome in OUTCOMES:
        told = dict(dict(parameters.effects).get(outcome, ()))
        missing = [y for y in years if y not in parameters.years_before and str(y) not in told]
        if missing:
            raise ValueError(
                f"effects of '{outcome}' lack the years {missing}; give each an effect in SD, "
                "0 if there is none."
            )
