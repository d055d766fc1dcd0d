"""What a synthetic trial of teacher-led learning is made of, each number with its unit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import fsum, inf

from schooltrial.simulate.base.parameters import (
    Names,
    Shares,
    Table,
    refuse_outside,
    refuse_pairs,
)
from schooltrial.simulate.school_randomised import parameters as school_randomised
from schooltrial.simulate.school_randomised.parameters import SUBJECTS

TEACHER_OUTCOMES = ("practice", "knowledge")


FACETS = ("teacher", "occasion", "rater", "residual")


@dataclass(frozen=True)
class Parameters(school_randomised.Parameters):
    """Parameters of a trial in which schools are drawn, teachers observed and pupils tested.

    All parameters of ``school_randomised.parameters.Parameters`` hold here too; below are those
    that are new and those that mean something else. [V] marks a fact from the published literature,
    [A] an assumption. "SD" without more is of pupils within a grade and year, schools included.

    Attributes
    ----------
    blocks : tuple of (district, level, schools)
        Schools of each district and level; they are paired within it, by their mean in maths of
        the last year before, and one of each pair is treated [A].
    effects : outcome, then pairs of year and effect
        True effect in a treated school, in each year during and after, where the teacher was there
        from the start. ``maths``, ``ela``, ``attendance``: SD. ``practice``: SD, among untreated
        teachers, of the mean score of a year with every sheet handed in. ``knowledge``: SD of the
        survey among untreated teachers. All [A], within the published pattern: knowledge and
        self-report 0.5 to 0.7, practice small, pupils 0 to 0.1 [V]; 60 coaching studies have 0.49
        on instruction and 0.18 on achievement (Kraft, Blazar & Hogan 2018) [V], 141 large trials
        a mean of 0.06 (Lortie-Forgues & Inglis 2019) [V].
    newcomer_share : float
        Share of the effect on practice and knowledge that a teacher gains who came to the school
        after the first programme year had begun, 0-1 [A].
    practice_slope : float
        Gain of a pupil, in SD, per SD of the teacher's true practice: the second link of the chain
        from treatment over practice to attainment [A].
    class_share : float
        Share of the variance of pupils' scores that lies between classes of a school for other
        reasons than practice, 0-1 [A].
    icc : pairs of outcome and share
        Between-school share of variance; of true practice for ``practice`` [A].
    practice_stability, knowledge_stability : float
        Correlation of a teacher's true practice (knowledge) in two years, at one school, 0-1 [A].
    knowledge_practice_correlation : float
        Correlation of knowledge and true practice among teachers of a school and year [A].
    experience_correlation : float
        Correlation of the log of experience with lasting practice [A].
    practice_mean, practice_sd : float
        Mean and SD of a single sheet's score among untreated teachers, rubric points [A].
    practice_range : tuple of two floats
        Lowest and highest score of the rubric, points [A].
    observation_variance : pairs of facet and share
        Shares of a single score's variance: ``teacher`` (true practice, schools included),
        ``occasion`` (lesson of a teacher), ``rater`` (severity), ``residual``; they sum to 1 [A].
    occasions : pairs of name and month-day
        Occasions on which each teacher is observed every year, and the day from which, ``MM-DD``;
        months from August on are of the autumn before [A].
    raters_per_lesson, raters_per_district : int
        Raters who see each lesson of a teacher in a year, the same on all occasions; and the pool
        that they are drawn from, for each teacher and year anew [A].
    knowledge_mean, knowledge_sd : float
        Mean and SD of the survey among untreated teachers, points [A].
    knowledge_range : tuple of two floats
        Lowest and highest score of the survey, points [A].
    class_size : float
        Mean pupils of a class; each class has one teacher for all subjects [A].
    teacher_leaver_rate : float
        Share of teachers who leave between two years, in both groups, 0-1; a new one follows [A].
    missed_occasion_rate, absent_rater_rate, unreturned_survey_rate : float
        Share of occasions that were not held (no sheet), of the other sheets whose rater did not
        come (score ``ABS``) and of teachers who left the survey empty, 0-1 [A].
    exposed_control_schools : int
        Control schools whose teachers joined peer sessions elsewhere. It is in the programme log,
        and changes no outcome [A].
    restyled_raters, impossible_sheet_scores, duplicate_sheets, conflicting_sheets, future_dates, \
    disordered_dates, unknown_teachers : int
        Faults planted in each district's file of observations: rater codes in lower case or padded;
        scores outside the rubric; exact repeats of a sheet; sheets handed in twice with different
        scores (that with the higher number is right); dates ten years ahead; teachers and years
        whose first two occasions have each other's dates; sheets of a teacher on no staff list [A].
    unlinked_pupils : int
        Rows of each roster without a teacher [A].
    lost_zero_years : tuple of int
        Years whose survey went through a spreadsheet that dropped the leading zeros of ids [A].
    decimal_comma_districts : tuple of str
        Districts whose observations have decimal commas, and semicolons between cells [A].
    """

    blocks: tuple[tuple[str, str, int], ...] = (
        ("North", "elementary", 16),
        ("Centre", "elementary", 16),
        ("South", "elementary", 16),
    )
    pupils_per_school: float = 180.0
    years_before: tuple[int, ...] = (2022,)
    years_during: tuple[int, ...] = (2023, 2024)
    years_after: tuple[int, ...] = (2025,)
    assignment_date: str = "2022-06-17"
    year_shift: Shares = ()
    effects: Table = (
        ("practice", (("2023", 0.25), ("2024", 0.35), ("2025", 0.25))),
        ("knowledge", (("2023", 0.5), ("2024", 0.6), ("2025", 0.5))),
        ("maths", (("2023", 0.04), ("2024", 0.06), ("2025", 0.04))),
        ("ela", (("2023", 0.04), ("2024", 0.06), ("2025", 0.04))),
        ("attendance", (("2023", 0.0), ("2024", 0.0), ("2025", 0.0))),
    )
    newcomer_share: float = 0.5
    practice_slope: float = 0.1
    class_share: float = 0.04
    icc: Shares = (
        ("maths", 0.12),
        ("ela", 0.12),
        ("attendance", 0.06),
        ("practice", 0.15),
        ("knowledge", 0.1),
    )
    practice_stability: float = 0.7
    knowledge_stability: float = 0.6
    knowledge_practice_correlation: float = 0.2
    experience_correlation: float = 0.2
    practice_mean: float = 2.5
    practice_sd: float = 0.45
    practice_range: tuple[float, float] = (1.0, 4.0)
    observation_variance: Shares = (
        ("teacher", 0.45),
        ("occasion", 0.2),
        ("rater", 0.1),
        ("residual", 0.25),
    )
    occasions: Names = (("autumn", "10-01"), ("winter", "01-15"), ("spring", "04-15"))
    raters_per_lesson: int = 2
    raters_per_district: int = 8
    knowledge_mean: float = 3.2
    knowledge_sd: float = 0.5
    knowledge_range: tuple[float, float] = (1.0, 5.0)
    class_size: float = 20.0
    teacher_leaver_rate: float = 0.14
    missed_occasion_rate: float = 0.06
    absent_rater_rate: float = 0.08
    unreturned_survey_rate: float = 0.12
    exposed_control_schools: int = 2
    ingredients: tuple[tuple[str, str, float, str, float, bool, str], ...] = ()
    restyled_raters: int = 20
    impossible_sheet_scores: int = 4
    duplicate_sheets: int = 5
    conflicting_sheets: int = 4
    future_dates: int = 3
    disordered_dates: int = 3
    unknown_teachers: int = 2
    unlinked_pupils: int = 8
    lost_zero_years: tuple[int, ...] = (2024,)
    decimal_comma_districts: tuple[str, ...] = ("South",)
    renamed_columns: tuple[tuple[str, str, str], ...] = (
        ("staff_2022.csv", "teacher_id", "TeacherNo"),
    )
    encodings: Names = (
        ("schools.csv", "cp1252"),
        ("observations_centre.csv", "latin-1"),
        ("roster_2023.csv", "utf-8-sig"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        _refuse_impossible(self)

    @property
    def shares(self) -> dict[str, float]:
        """Shares of a single score's variance by facet."""
        return dict(self.observation_variance)

    @property
    def mean_noise(self) -> float:
        """Variance of a full year's mean score about true practice, per variance of one score."""
        occasions, raters = len(self.occasions), self.raters_per_lesson
        part = self.shares
        return (
            part["occasion"] / occasions
            + part["rater"] / raters
            + part["residual"] / (occasions * raters)
        )

    @property
    def reliability(self) -> float:
        """Share of the variance of a full year's mean score that is true practice, 0-1."""
        return self.shares["teacher"] / (self.shares["teacher"] + self.mean_noise)

    @property
    def true_sd(self) -> float:
        """SD of true practice among untreated teachers, rubric points."""
        return float(self.practice_sd * self.shares["teacher"] ** 0.5)

    def practice_effect(self, year: int) -> float:
        """Return the effect of a year on true practice, in SD of true practice."""
        return float(self.effect("practice", year) / self.reliability**0.5)

    @property
    def rest_share(self) -> float:
        """Share of the variance of pupils' scores that comes neither from practice nor class."""
        return 1 - self.class_share - self.practice_slope**2


def _refuse_impossible(parameters: Parameters) -> None:
    """Raise ValueError at the first parameter that no such trial can have."""
    _refuse_scales(parameters)
    _refuse_observations(parameters)
    _refuse_chain(parameters)
    years = [y for y in parameters.years if y not in parameters.years_before]
    for outcome in TEACHER_OUTCOMES:
        told = dict(dict(parameters.effects).get(outcome, ()))
        missing = [year for year in years if str(year) not in told]
        if missing:
            raise ValueError(
                f"effects of '{outcome}' lack the years {missing}; give each an effect in SD, "
                "0 if there is none."
            )
    districts = sorted({district for district, _, _ in parameters.blocks})
    for name, known in (("lost_zero_years", parameters.years),
                        ("decimal_comma_districts", districts)):  # fmt: skip
        odd = [value for value in getattr(parameters, name) if value not in known]
        if odd:
            raise ValueError(
                f"{name} names {odd[0]!r}; the trial has {', '.join(map(str, known))}."
            )


_COUNTS = (
    "exposed_control_schools", "restyled_raters", "impossible_sheet_scores", "duplicate_sheets",
    "conflicting_sheets", "future_dates", "disordered_dates", "unknown_teachers",
    "unlinked_pupils",
)  # fmt: skip


def _refuse_scales(parameters: Parameters) -> None:
    """Refuse sizes, scales and correlations that no such trial can have."""
    refuse_outside(parameters, ("class_size", "practice_sd", "knowledge_sd"), low=0, inside=True)
    refuse_outside(parameters, ("practice_stability", "knowledge_stability"), low=0, high=1)
    refuse_outside(
        parameters, ("knowledge_practice_correlation", "experience_correlation"), low=-1, high=1
    )
    refuse_outside(parameters, _COUNTS, low=0)
    refuse_pairs(parameters, ("practice_range", "knowledge_range"), least=-inf, alike=False)
    for name, day in parameters.occasions:
        try:
            date.fromisoformat(f"2023-{day}")
        except ValueError:
            raise ValueError(
                f"occasions has the day '{day}' for {name}; write month and day as MM-DD."
            ) from None


def _refuse_observations(parameters: Parameters) -> None:
    shares = parameters.shares
    if sorted(shares) != sorted(FACETS) or abs(fsum(shares.values()) - 1) > 1e-9:
        raise ValueError(
            f"observation_variance is {shares}; give {', '.join(FACETS)} shares that sum to 1."
        )
    if not 0 < shares["teacher"] <= 1 or min(shares.values()) < 0:
        raise ValueError(
            f"observation_variance is {shares}; no share can be below 0, and that of the teacher "
            "is above 0."
        )
    if not parameters.occasions:
        raise ValueError("occasions is empty; name one at least, with the day from which.")
    if not 1 <= parameters.raters_per_lesson <= parameters.raters_per_district:
        raise ValueError(
            f"raters_per_lesson is {parameters.raters_per_lesson}; it must be 1 or more, and no "
            f"more than raters_per_district, {parameters.raters_per_district}."
        )


def _refuse_chain(parameters: Parameters) -> None:
    """Refuse variances of pupils' scores that do not fit into one."""
    if parameters.rest_share <= 0:
        raise ValueError(
            f"practice_slope {parameters.practice_slope} and class_share {parameters.class_share} "
            "leave no variance to pupils; make one of them smaller."
        )
    icc = dict(parameters.icc)
    for name in TEACHER_OUTCOMES:
        if not 0 <= icc.get(name, -1) < 1:
            raise ValueError(f"icc of '{name}' is {icc.get(name)}; give it a share, 0 up to 1.")
    for subject in SUBJECTS:
        if icc[subject] < parameters.practice_slope**2 * icc["practice"]:
            raise ValueError(
                f"icc of '{subject}' is {icc[subject]}, less than practice alone brings about; "
                "make it larger or practice_slope smaller."
            )
