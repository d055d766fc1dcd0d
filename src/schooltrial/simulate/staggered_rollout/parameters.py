"""What a synthetic staggered roll-out is made of, each number with its unit."""

from __future__ import annotations

from dataclasses import dataclass

from schooltrial.simulate.base.parameters import (
    Names,
    ParameterSection,
    Shares,
    Table,
    refuse_outside,
    refuse_pairs,
)

OUTCOMES = ("ela", "maths")


REGIONS = ("East", "Middle", "West")


NEVER = 0
"""Cohort of a school that never enters."""


COMPARISON_CHANGES = ("renamed", "merged", "split", "closed", "opened")


TREATED_CHANGES = ("renamed", "closed")


FIRST_CHANGE = 2
"""Schools change from the third year on, so that each is seen twice before."""


@dataclass(frozen=True)
class RolloutParameters(ParameterSection):
    """Parameters of a synthetic staggered roll-out; mappings and lists are stored as tuples.

    The defaults shape the data on the public record of the Leading Educators fellowship: [V] marks
    a fact from Audisio et al. (2024), doi 10.1080/19345747.2024.2361467; [A] an assumption, because
    the record does not say. "Points" are percentage points of the share of pupils proficient.

    Attributes
    ----------
    years : tuple of int
        School years, named by their spring, without a gap: 2009-10 to 2018-19 [V].
    treated_schools : region, then pairs of cohort and schools
        Schools that enter, by region and first treated year. 29 in all, cohorts 2015-16 and
        2016-17, three regions [V, 29 in one account]; how many in each [A]. Regions are
        ``East``, ``Middle`` and ``West``, names made up; each publishes files of its own form.
    comparison_schools : pairs of region and schools
        Schools that never enter: 529 in all [V, in one account; another has 1,715 schools];
        by region in proportion to the treated [A].
    treated_charter_share, comparison_charter_share : float
        Share of schools that are charters, 0-1: about .8 of the treated [V]; of the others [A].
    effects : outcome, then pairs of years since the start and points
        Mean effect over the treated schools that are open and in the panel that many years after
        their first treated year (0 is the first). ELA 4.5, 5.4, 7.6, 7.8 [V]; maths [A].
    cohort_weight : pairs of cohort and ratio
        Effect of a cohort relative to the other; scaled so that ``effects`` are the means. The
        effect was carried by the first cohort [V]; how far [A].
    region_weight : pairs of region and ratio
        Effect in a region, likewise. Carried by one region [V]; which, and how far [A].
    selection_on_trend : float
        Log-odds of entering per SD of a school's own lasting trend; 0 makes trends of the treated
        and the others alike on average [A].
    selection_on_level : float
        Log-odds of entering per SD of a school's lasting ELA level [A].
    proficiency_mean : pairs of outcome and per cent
        Mean share proficient over schools at the first year's test [A].
    region_shift : pairs of region and points
        Level of a region relative to ``proficiency_mean`` [A].
    year_shift : pairs of year and points
        Change in all schools from that year on, such as a harder test [A].
    school_sd : pairs of outcome and points
        SD of lasting levels of schools in a region [A].
    trend_sd : float
        SD of schools' lasting trends, points a year, alike for both outcomes [A].
    shock_sd, shock_correlation : float
        SD in points of what passes in a school, and its correlation in two years running (an
        autoregressive process in its stationary state) [A].
    region_year_sd : float
        SD of shocks to all schools of a region in a year, points [A].
    outcome_correlation : float
        Correlation of ELA and maths in levels, shocks and region shocks, −1 to 1 [A].
    rate_range : tuple of two floats
        Least and greatest true rate of a school, per cent [A].
    pupils_tested : float
        Mean pupils tested in a school and year, the same for both outcomes [A].
    school_size_cv : float
        Coefficient of variation of school size, a ratio [A].
    small_schools : int
        Schools of about ``small_school_pupils`` pupils, so that cells are suppressed [A].
    small_school_pupils : float
        Mean pupils tested in these [A].
    school_changes : pairs of change and schools
        Comparison schools that are ``renamed`` (a new id, in a year with treated schools),
        ``merged`` (into another of the region), ``split`` (a second id takes half the pupils),
        ``closed`` or ``opened`` [A].
    treated_changes : pairs of change and schools
        Treated schools that are ``renamed`` or ``closed``, the latter after their first treated
        year [A].
    suppress_below : int
        Rates of fewer pupils tested than this are not published [A].
    range_below : int
        In the West, rates of fewer pupils than this are published as ranges of ten points [A].
    top_code, bottom_code : float
        Rates from this up, or down, are published as a bound, per cent [A].
    outside_schools : int
        Schools of each region in its files that are not on the list of the study [A].
    missing_rows, duplicate_rows, impossible_rates, padded_ids, restyled_codes : int
        Faults planted in each score file: schools left out, exact repeats, rates above 100, ids
        with a blank beside them, and (where a column names the test) codes in other case [A].
    accented_names : int
        Schools with an accent in their name [A].
    renamed_columns : tuple of (file, column, name in that file)
        Columns that bear another name in one file [A].
    encodings : pairs of file and encoding
        Files that are not plain UTF-8, beside those of the Middle, which are Windows-1252 [A].
    """

    years: tuple[int, ...] = (2010, 2011, 2012, 2013, 2014, 2015, 2016, 2017, 2018, 2019)
    treated_schools: tuple[tuple[str, tuple[tuple[str, int], ...]], ...] = (
        ("East", (("2016", 8), ("2017", 4))),
        ("Middle", (("2016", 5), ("2017", 5))),
        ("West", (("2016", 4), ("2017", 3))),
    )
    comparison_schools: tuple[tuple[str, int], ...] = (
        ("East", 219),
        ("Middle", 182),
        ("West", 128),
    )
    treated_charter_share: float = 0.8
    comparison_charter_share: float = 0.3
    effects: Table = (
        ("ela", (("0", 4.5), ("1", 5.4), ("2", 7.6), ("3", 7.8))),
        ("maths", (("0", 1.0), ("1", 2.0), ("2", 3.0), ("3", 3.0))),
    )
    cohort_weight: Shares = (("2016", 1.0), ("2017", 0.4))
    region_weight: Shares = (("East", 1.0), ("Middle", 0.4), ("West", 0.4))
    selection_on_trend: float = 0.0
    selection_on_level: float = -0.5
    proficiency_mean: Shares = (("ela", 54.0), ("maths", 52.0))
    region_shift: Shares = (("East", 2.0), ("Middle", 0.0), ("West", -2.0))
    year_shift: Shares = (("2015", -10.0),)
    school_sd: Shares = (("ela", 12.0), ("maths", 13.0))
    trend_sd: float = 0.5
    shock_sd: float = 5.0
    shock_correlation: float = 0.6
    region_year_sd: float = 1.0
    outcome_correlation: float = 0.7
    rate_range: tuple[float, float] = (1.0, 99.0)
    pupils_tested: float = 240.0
    school_size_cv: float = 0.5
    small_schools: int = 20
    small_school_pupils: float = 14.0
    school_changes: tuple[tuple[str, int], ...] = (
        ("renamed", 12),
        ("merged", 5),
        ("split", 4),
        ("closed", 9),
        ("opened", 8),
    )
    treated_changes: tuple[tuple[str, int], ...] = (("renamed", 2), ("closed", 1))
    suppress_below: int = 10
    range_below: int = 30
    top_code: float = 95.0
    bottom_code: float = 5.0
    outside_schools: int = 4
    missing_rows: int = 1
    duplicate_rows: int = 2
    impossible_rates: int = 1
    padded_ids: int = 3
    restyled_codes: int = 4
    accented_names: int = 5
    renamed_columns: tuple[tuple[str, str, str], ...] = (
        ("east_2010.csv", "school_id", "SchoolID"),
        ("east_2011.csv", "school_id", "SchoolID"),
        ("east_2018.csv", "pct_proficient", "pct_met_standard"),
        ("middle_2010.csv", "ELA % proficient", "Reading % proficient"),
        ("west_2014.csv", "NumTested", "N_Tested"),
    )
    encodings: Names = (("schools.csv", "cp1252"), ("east_2013.csv", "utf-8-sig"))

    def __post_init__(self) -> None:
        super().__post_init__()
        _refuse_impossible(self)

    @property
    def cohorts(self) -> tuple[int, ...]:
        """First treated years, in order."""
        named = {int(cohort) for _, counts in self.treated_schools for cohort, _ in counts}
        return tuple(sorted(named))

    def treated_in(self, region: str) -> dict[int, int]:
        """Return the number of schools of a region that enter, by cohort."""
        told = dict(self.treated_schools).get(region, ())
        return {int(cohort): int(count) for cohort, count in told}

    def mean_effect(self, outcome: str, since: int) -> float:
        """Return the mean effect, in points, that many years after the first treated year."""
        return float(dict(dict(self.effects)[outcome])[str(since)])


_FRACTIONS = (
    "treated_charter_share", "comparison_charter_share", "shock_correlation",
)  # fmt: skip


_POSITIVE = ("pupils_tested", "small_school_pupils")


_NOT_NEGATIVE = (
    "school_sd", "cohort_weight", "region_weight", "trend_sd", "shock_sd", "region_year_sd",
    "school_size_cv", "small_schools", "suppress_below", "range_below", "outside_schools",
    "missing_rows", "duplicate_rows", "impossible_rates", "padded_ids", "restyled_codes",
    "accented_names",
)  # fmt: skip


def _refuse_impossible(parameters: RolloutParameters) -> None:
    """Raise ValueError at the first parameter that no roll-out can have."""
    for name in _FRACTIONS:
        value = getattr(parameters, name)
        if not 0 <= value <= 1:
            raise ValueError(f"{name} is {value}; it is a share, from 0 to 1.")
    refuse_outside(parameters, _POSITIVE, low=0, inside=True)
    for name in _NOT_NEGATIVE:
        value = getattr(parameters, name)
        for number in dict(value).values() if isinstance(value, tuple) else (value,):
            if number < 0:
                raise ValueError(f"{name} is {number}; it cannot be negative.")
    if not parameters.bottom_code < parameters.top_code:
        raise ValueError(
            f"bottom_code is {parameters.bottom_code:g} and top_code {parameters.top_code:g}; the "
            "first lies below the second (below 0 and above 100 no rate is published as a bound)."
        )
    if not -1 < parameters.outcome_correlation < 1:
        raise ValueError(
            f"outcome_correlation is {parameters.outcome_correlation}; it lies between -1 and 1."
        )
    refuse_pairs(parameters, ("rate_range",), least=0, alike=False)
    low, high = parameters.rate_range
    if not 0 < low < high < 100:
        raise ValueError(
            f"rate_range is {low:g} to {high:g}; it lies inside 0 to 100, the lesser first."
        )
    _refuse_regions(parameters)
    _refuse_years(parameters)
    _refuse_changes(parameters)


def _refuse_regions(parameters: RolloutParameters) -> None:
    for name in ("treated_schools", "comparison_schools", "region_weight", "region_shift"):
        named = [region for region, _ in getattr(parameters, name)]
        if sorted(named) != sorted(REGIONS):
            raise ValueError(
                f"{name} names the regions {', '.join(named) or 'none'}; name each of "
                f"{', '.join(REGIONS)} once."
            )
    for region in REGIONS:
        counts = [*parameters.treated_in(region).values()]
        never = dict(parameters.comparison_schools)[region]
        if min([*counts, 0]) < 0 or never < 1:
            raise ValueError(
                f"Region '{region}' has {counts} treated and {never} comparison schools; none can "
                "be negative, and there must be a comparison school."
            )
    if not sum(sum(parameters.treated_in(region).values()) for region in REGIONS):
        raise ValueError(
            "treated_schools has no school that enters; give one region at least a school, so "
            "that there is an effect to estimate."
        )
    for name in ("effects", "proficiency_mean", "school_sd"):
        found = [outcome for outcome, _ in getattr(parameters, name)]
        if sorted(found) != sorted(OUTCOMES):
            raise ValueError(f"{name} names {', '.join(found)}; name {' and '.join(OUTCOMES)}.")


def _refuse_years(parameters: RolloutParameters) -> None:
    years, cohorts = parameters.years, parameters.cohorts
    if not years or list(years) != list(range(years[0], years[-1] + 1)):
        raise ValueError(f"years are {years}; they must follow one another without a gap.")
    if not cohorts or cohorts[0] < years[0] + 3 or cohorts[-1] > years[-1]:
        raise ValueError(
            f"The cohorts {list(cohorts)} must first be treated in a year of the panel, "
            f"{years[0]} to {years[-1]}, with three years before the first of them."
        )
    for cohort in cohorts:
        if str(cohort) not in dict(parameters.cohort_weight):
            raise ValueError(f"Cohort {cohort} has no entry in cohort_weight; add one.")
    reached = [str(since) for since in range(years[-1] - cohorts[0] + 1)]
    for outcome in OUTCOMES:
        missing = [
            since for since in reached if since not in dict(dict(parameters.effects)[outcome])
        ]
        if missing:
            raise ValueError(
                f"effects of '{outcome}' lack the years since the start {', '.join(missing)}; give "
                "each an effect in points, 0 if there is none."
            )


def _refuse_changes(parameters: RolloutParameters) -> None:
    for name, known in (
        ("school_changes", COMPARISON_CHANGES),
        ("treated_changes", TREATED_CHANGES),
    ):
        for change, count in getattr(parameters, name):
            if change not in known:
                raise ValueError(f"{name} names '{change}'; the changes are {', '.join(known)}.")
            if count < 0:
                raise ValueError(f"{name} has {count} schools {change}; it cannot be negative.")
    # A merger takes two comparison schools of one region, each other change one.
    asked = sum(count + (change == "merged") * count for change, count in parameters.school_changes)
    there = sum(count for _, count in parameters.comparison_schools)
    treated = sum(sum(parameters.treated_in(region).values()) for region in REGIONS)
    if parameters.small_schools > there + treated:
        raise ValueError(
            f"small_schools is {parameters.small_schools}, but there are {there + treated} schools."
        )
    if asked > there or sum(count for _, count in parameters.treated_changes) > treated:
        raise ValueError(
            "school_changes or treated_changes ask for more schools than there are; lower them."
        )
