"""What a synthetic lottery of teachers within schools is made of, each number with its unit."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise
from math import fsum
from typing import Any

from schooltrial.simulate.base.parameters import (
    Names,
    ParameterSection,
    Shares,
    Table,
    refuse_missing_keys,
    refuse_outside,
    refuse_pairs,
    shown,
)
from schooltrial.simulate.school_randomised import parameters as school_randomised
from schooltrial.simulate.school_randomised.parameters import SUBJECTS

SURVEYED = ("knowledge", "practice")
"""Teacher outcomes on a scale, asked in the survey."""


TEACHER_OUTCOMES = (*SURVEYED, "stays")


OUTCOMES = (*TEACHER_OUTCOMES, *SUBJECTS)


RESPONSE_GROUPS = ("before", "offer", "no_offer", "not_in_lottery")


RECORDS = ("yes_no", "hours")


SPELLINGS = ("blanks", "lost_zeros", "both")


MISSING_CODES = ("blank", "-9", "n/a", "no_row")


@dataclass(frozen=True)
class LotteryParameters(ParameterSection):
    """Parameters of a synthetic lottery of teachers; mappings and lists are stored as tuples.

    The programme is a university certificate in teacher leadership with more applicants than
    places: places are drawn by lot among the applicants of each school. No study of one is on
    record here, so nearly all is assumed [A]; [V] marks what the literature on programmes of the
    kind says. "SD" without more is of pupils within a grade and year, schools included; "teacher
    SD" is of all teachers, schools included, without the programme.

    Attributes
    ----------
    blocks : tuple of (district, level, schools)
        Schools of each district; level ``elementary`` (grades 3-5) or ``middle`` (6-8); an even
        number [A].
    district_shift : pairs of district and SD
        Mean of a district relative to the others, part of the ICC [A].
    pupils_per_school, school_size_cv : float
        Mean pupils on a school's roster, and coefficient of variation within blocks [A].
    class_size : float
        Mean pupils of a class; a class has one teacher for all subjects [A].
    years_before, years_during, years_after : tuple of int
        School years, named by their spring [A]; 6 to 18 months of active development [V].
    assignment_date : str
        Day on which the lot was drawn, ISO 8601 [A].
    applicants_per_school, places_per_school : tuple of two ints
        Fewest and most; every number between is as likely. A school has a place less than
        applicants at most, so that there is always a lot to draw; its share is places over
        applicants, unequal by school [A].
    application_correlation : float
        Correlation of a teacher's ability with the wish to apply, within schools: applicants
        select themselves [V, that they do; the size is A].
    never_taker_share, always_taker_share : float
        Share of applicants who would not take up an offer, and who get into a certificate elsewhere
        without one; the rest are compliers. With no always-takers non-compliance is one-sided [A].
    take_up_correlation : float
        Correlation of ability with the wish to take the certificate: never-takers are the lowest
        of it, always-takers the highest [A].
    effects : outcome, then pairs of year and effect
        Effect of taking the certificate on compliers, in each year during and after. ``knowledge``
        and ``practice`` in teacher SD; ``stays`` as a difference in shares; ``maths`` and ``ela``
        in SD, of the pupils in the teacher's class. [A], within the published pattern: knowledge
        0.5 to 0.7, practice small, pupils 0 to 0.1 [V]; coaching has 0.49 on instruction
        (Kraft, Blazar & Hogan 2018) [V].
    always_taker_gain : float
        Effect on always-takers as a multiple of that on compliers [A]. An offer changes nothing for
        those whose take-up it does not change (the exclusion restriction).
    ability_link : pairs of outcome and correlation
        Correlation of ability with what lasts of ``knowledge``, ``practice`` and ``value_added``
        (what a teacher adds to the scores of both subjects) [A].
    teacher_icc, teacher_r2 : pairs of outcome and share
        Between-school share of variance of ``knowledge`` and ``practice``, and squared correlation
        of a teacher's own parts in two years, 0-1 [A].
    class_share : float
        Share of the variance of pupils' scores that lies between teachers of a school, 0-1 [A].
    teacher_mean, teacher_sd : pairs of outcome and points
        Mean and SD of ``knowledge`` (points of a test) and ``practice`` (of a rubric) [A].
    teacher_range : pairs of outcome and two numbers
        Lowest and highest score, points [A].
    retention : pairs of year and share
        Share of teachers, without the certificate, who are in the same school in the October after
        that spring; never rising. Those who left teach no class of the study, and answer no survey
        [A].
    retention_correlation : float
        Correlation of ability with staying [A].
    nonresponse : pairs of group and share
        Share of teachers in a school who leave the survey empty: ``before`` the lot (applicants),
        and after it those with an ``offer``, with ``no_offer``, and ``not_in_lottery`` (in every
        year). Attrition is differential where the two in the middle differ [A].
    nonresponse_correlation : float
        Correlation of low ability with leaving the survey empty [A].
    missing_codes : pairs of code and share
        How an answer not given is shown: ``blank`` (an empty cell), ``-9``, ``n/a``, or ``no_row``;
        shares sum to 1 [A].
    take_up_record : str
        How the university recorded attendance: ``yes_no`` (``Y`` or ``N``) or ``hours`` [A].
    certificate_hours : float
        Mean hours attended by those who took the certificate up [A].
    icc, pretest_r2_school, pretest_r2_pupil, subject_correlation, score_mean, score_sd, \
    score_range, male_share, disadvantaged_share, reduced_price_share, disadvantaged_school_slope, \
    english_learner_share, special_education_share, covariate_effects, leaver_rate, \
    transition_leaver_rate, joiner_rate, mover_rate, within_year_mover_rate, late_entrant_rate, \
    school_days, missing_test_rate, missing_ability_correlation, absent_codes
        Pupils and their tests, as in ``school_randomised.parameters.Parameters``, for maths and
        ELA; ``subject_correlation`` is between the two [A; the ICC is about half of the national
        one within districts, V].
    duplicate_roster_rows, duplicate_score_rows, restyled_codes, zero_padded_grades, \
    impossible_scores, unknown_pupils, accented_names : int
        Faults planted, as in ``school_randomised.parameters.Parameters`` [A].
    double_applicants : int
        Applicants who stand twice on the lottery list, to the letter [A].
    withdrawn_applicants : int
        Never-takers who withdrew after the lot was drawn: the list says so in a remark; they are
        analysed as they were drawn [A].
    restyled_take_up : int
        Cells of the lottery list whose ``Y`` or ``N`` is in lower case or padded; with hours
        none [A].
    respelt_teachers : int
        Cells of each roster in which the teacher's id has another spelling [A].
    respelling : str
        Which: padded with ``blanks``, with ``lost_zeros`` as by a spreadsheet, or ``both`` in
        turn [A].
    decimal_comma : bool
        Whether surveys, registers and hours have decimal commas, not points [A].
    impossible_survey_scores : int
        Answers to each survey outside the range of the scale [A].
    renamed_columns : tuple of (file, column, name in that file)
        Columns that bear another name in one file [A].
    encodings : pairs of file and encoding
        Files that are not plain UTF-8 [A].
    """

    blocks: tuple[tuple[str, str, int], ...] = (
        ("North", "elementary", 8),
        ("Centre", "elementary", 8),
        ("South", "elementary", 8),
    )
    district_shift: Shares = (("North", 0.1), ("Centre", 0.0), ("South", -0.1))
    pupils_per_school: float = 240.0
    school_size_cv: float = 0.2
    class_size: float = 22.0
    years_before: tuple[int, ...] = (2022,)
    years_during: tuple[int, ...] = (2023,)
    years_after: tuple[int, ...] = (2024,)
    assignment_date: str = "2022-06-20"
    applicants_per_school: tuple[int, int] = (4, 9)
    places_per_school: tuple[int, int] = (2, 4)
    application_correlation: float = 0.4
    never_taker_share: float = 0.2
    always_taker_share: float = 0.05
    take_up_correlation: float = 0.3
    effects: Table = (
        ("knowledge", (("2023", 0.6), ("2024", 0.5))),
        ("practice", (("2023", 0.2), ("2024", 0.2))),
        ("stays", (("2023", 0.05), ("2024", 0.05))),
        ("maths", (("2023", 0.05), ("2024", 0.06))),
        ("ela", (("2023", 0.04), ("2024", 0.05))),
    )
    always_taker_gain: float = 0.5
    ability_link: Shares = (("knowledge", 0.4), ("practice", 0.5), ("value_added", 0.4))
    teacher_icc: Shares = (("knowledge", 0.1), ("practice", 0.15))
    teacher_r2: Shares = (("knowledge", 0.4), ("practice", 0.4))
    class_share: float = 0.03
    teacher_mean: Shares = (("knowledge", 55.0), ("practice", 2.6))
    teacher_sd: Shares = (("knowledge", 12.0), ("practice", 0.4))
    teacher_range: tuple[tuple[str, tuple[float, float]], ...] = (
        ("knowledge", (0.0, 100.0)),
        ("practice", (1.0, 4.0)),
    )
    retention: Shares = (("2023", 0.86), ("2024", 0.74))
    retention_correlation: float = 0.1
    nonresponse: Shares = (
        ("before", 0.03),
        ("offer", 0.06),
        ("no_offer", 0.1),
        ("not_in_lottery", 0.25),
    )
    nonresponse_correlation: float = 0.1
    missing_codes: Shares = (("blank", 0.4), ("-9", 0.3), ("n/a", 0.1), ("no_row", 0.2))
    take_up_record: str = "yes_no"
    certificate_hours: float = 90.0
    icc: Shares = (("maths", 0.12), ("ela", 0.12))
    pretest_r2_school: Shares = (("elementary", 0.5), ("middle", 0.8))
    pretest_r2_pupil: Shares = (("maths", 0.6), ("ela", 0.6))
    subject_correlation: float = 0.75
    score_mean: Table = (
        ("maths", (("3", 201), ("4", 210), ("5", 218), ("6", 222), ("7", 226), ("8", 230))),
        ("ela", (("3", 197), ("4", 205), ("5", 211), ("6", 215), ("7", 218), ("8", 221))),
    )
    score_sd: Shares = (("maths", 15.0), ("ela", 15.0))
    score_range: tuple[int, int] = (100, 350)
    male_share: float = 0.5
    disadvantaged_share: float = 0.6
    reduced_price_share: float = 0.1
    disadvantaged_school_slope: float = 0.7
    english_learner_share: float = 0.08
    special_education_share: float = 0.13
    covariate_effects: Table = (
        ("male", (("maths", 0.05), ("ela", -0.15))),
        ("disadvantaged", (("maths", -0.4), ("ela", -0.4))),
        ("english_learner", (("maths", -0.4), ("ela", -0.6))),
        ("special_education", (("maths", -0.7), ("ela", -0.7))),
    )
    leaver_rate: float = 0.08
    transition_leaver_rate: float = 0.15
    joiner_rate: float = 0.08
    mover_rate: float = 0.01
    within_year_mover_rate: float = 0.004
    late_entrant_rate: float = 0.03
    school_days: int = 176
    missing_test_rate: float = 0.05
    missing_ability_correlation: float = 0.2
    absent_codes: Shares = (("ABS", 0.5), ("-99", 0.15), ("blank", 0.15), ("no_row", 0.2))
    duplicate_roster_rows: int = 4
    duplicate_score_rows: int = 4
    restyled_codes: int = 20
    zero_padded_grades: int = 15
    impossible_scores: int = 3
    unknown_pupils: int = 3
    accented_names: int = 2
    double_applicants: int = 1
    withdrawn_applicants: int = 2
    restyled_take_up: int = 6
    respelt_teachers: int = 20
    respelling: str = "both"
    decimal_comma: bool = True
    impossible_survey_scores: int = 2
    renamed_columns: tuple[tuple[str, str, str], ...] = (
        ("staff_2022.csv", "teacher_id", "employee"),
    )
    encodings: Names = (
        ("schools.csv", "cp1252"),
        ("lottery_list.csv", "cp1252"),
        ("survey_2023.csv", "utf-8-sig"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        _refuse_impossible(self)

    @property
    def years(self) -> tuple[int, ...]:
        """All school years, in order."""
        return self.years_before + self.years_during + self.years_after

    @property
    def draw_year(self) -> int:
        """The last year before; units are randomised at its end."""
        return self.years_before[-1]

    def effect(self, outcome: str, year: int) -> float:
        """Return the effect of taking the certificate on compliers; 0 before the programme."""
        return 0.0 if year in self.years_before else dict(dict(self.effects)[outcome])[str(year)]

    @property
    def pupil_population(self) -> school_randomised.Parameters:
        """The pupils of such schools without programme and without what their teachers add.

        Scores are narrowed so that, with the teachers' part, SD and ICC are as set.
        """
        shared = {field.name for field in fields(school_randomised.Parameters)}
        own = {field.name for field in fields(self)}
        rebuilt = {"effects", "renamed_columns", "encodings", "icc", "score_sd",
                   "pretest_r2_pupil", "covariate_effects"}  # fmt: skip
        same: dict[str, Any] = {name: getattr(self, name) for name in (shared & own) - rebuilt}
        left = 1 - self.class_share
        none = {str(year): 0.0 for year in self.years}
        rest = school_randomised.Parameters
        made: dict[str, Any] = {
            "effects": dict.fromkeys(school_randomised.OUTCOMES, none),
            "icc": {**dict(rest.icc), **{name: icc / left for name, icc in self.icc}},
            "score_sd": {name: sd * left**0.5 for name, sd in self.score_sd},
            "pretest_r2_pupil": {**dict(rest.pretest_r2_pupil), **dict(self.pretest_r2_pupil)},
            "outcome_correlation": {"maths ela": self.subject_correlation},
            "covariate_effects": {
                name: {"attendance": 0.0, **dict(effects)}
                for name, effects in self.covariate_effects
            },
            "year_shift": (),
            "renamed_columns": (),
            "encodings": (),
        }
        return school_randomised.Parameters(**same, **made)


def _refuse_impossible(parameters: LotteryParameters) -> None:
    """Raise ValueError at the first parameter that no lottery can have."""
    _refuse_shares(parameters)
    _refuse_scales(parameters)
    _refuse_lottery(parameters)
    _refuse_effects(parameters)
    for name, known in (("take_up_record", RECORDS), ("respelling", SPELLINGS)):
        if getattr(parameters, name) not in known:
            raise ValueError(
                f"{name} is {getattr(parameters, name)!r}; it is one of {', '.join(known)}."
            )
    # What pupils and schools cannot have is refused where it is refused for all trials.
    _ = parameters.pupil_population


def _refuse_shares(parameters: LotteryParameters) -> None:
    for field in fields(parameters):
        value = getattr(parameters, field.name)
        if field.name.endswith(("_rate", "_share")) and not 0 <= value <= 1:
            raise ValueError(f"{field.name} is {value}; it is a share, from 0 to 1.")
        if field.name.endswith("_correlation") and not -1 <= value <= 1:
            raise ValueError(f"{field.name} is {value}; it is a correlation, from −1 to 1.")
    if parameters.class_share + max(share for _, share in parameters.icc) >= 1:
        raise ValueError(
            f"class_share {parameters.class_share} and the icc {dict(parameters.icc)} leave no "
            "variance to pupils; make one of them smaller."
        )
    for name in ("nonresponse", "retention", "teacher_icc", "teacher_r2"):
        for key, share in getattr(parameters, name):
            if not 0 <= share <= 1:
                raise ValueError(f"{name} of '{key}' is {share}; it is a share, from 0 to 1.")
    codes = dict(parameters.missing_codes)
    if not set(codes) <= set(MISSING_CODES) or abs(fsum(codes.values()) - 1) > 1e-9:
        raise ValueError(
            f"missing_codes is {codes}; give {', '.join(MISSING_CODES)} shares that sum to 1."
        )


_COUNTS = (
    "double_applicants", "withdrawn_applicants", "restyled_take_up", "respelt_teachers",
    "impossible_survey_scores",
)  # fmt: skip


def _refuse_scales(parameters: LotteryParameters) -> None:
    """Refuse sizes, scales and correlations that no lottery can have."""
    surveyed = ("teacher_icc", "teacher_r2", "teacher_mean", "teacher_sd", "teacher_range")
    refuse_missing_keys(parameters, surveyed, set(SURVEYED))
    refuse_missing_keys(parameters, ("ability_link",), {*SURVEYED, "value_added"})
    refuse_missing_keys(parameters, ("icc", "score_sd", "pretest_r2_pupil"), set(SUBJECTS))
    positive = ("class_size", "certificate_hours", "teacher_sd", "score_sd")
    refuse_outside(parameters, positive, low=0, inside=True)
    refuse_outside(parameters, ("ability_link",), low=-1, high=1)
    refuse_outside(parameters, ("icc", "missing_codes"), low=0, high=1)
    refuse_outside(parameters, _COUNTS, low=0)
    for name, ends in parameters.teacher_range:
        if len(ends) != 2 or not ends[0] < ends[1]:
            raise ValueError(
                f"teacher_range of '{name}' is {shown(ends)}; give two numbers, the lesser first."
            )


def _refuse_lottery(parameters: LotteryParameters) -> None:
    refuse_pairs(parameters, ("applicants_per_school",), least=2)
    refuse_pairs(parameters, ("places_per_school",), least=1)
    taken = parameters.never_taker_share + parameters.always_taker_share
    if taken >= 1:
        raise ValueError(
            f"never_taker_share and always_taker_share are {taken:g} in all; that leaves no "
            "compliers, so make one of them smaller."
        )
    if set(dict(parameters.nonresponse)) != set(RESPONSE_GROUPS):
        raise ValueError(
            f"nonresponse has {', '.join(dict(parameters.nonresponse))}; give a share to each of "
            f"{', '.join(RESPONSE_GROUPS)}."
        )


def _refuse_effects(parameters: LotteryParameters) -> None:
    years = [str(y) for y in parameters.years_during + parameters.years_after]
    unknown = sorted(set(dict(parameters.effects)) - set(OUTCOMES))
    if unknown:
        raise ValueError(f"effects names '{unknown[0]}'; outcomes are {', '.join(OUTCOMES)}.")
    told = {name: dict(dict(parameters.effects).get(name, ())) for name in OUTCOMES}
    told |= {"retention": dict(parameters.retention)}
    for name, values in told.items():
        missing = [int(year) for year in years if year not in values]
        if missing:
            where = name if name == "retention" else f"effects of '{name}'"
            raise ValueError(f"{where} lack the years {missing}; give each a number.")
    multiples = {0.0, 1.0, parameters.always_taker_gain}
    for times in sorted(multiples):
        chances = [told["retention"][year] + times * told["stays"][year] for year in years]
        falling = all(before >= after for before, after in pairwise(chances))
        if not falling or min(chances) < 0 or max(chances) > 1:
            raise ValueError(
                f"retention with {times:g} times the effect on 'stays' is {chances}; nobody who "
                "left comes back, so it is a share that never rises: change one of the two."
            )
