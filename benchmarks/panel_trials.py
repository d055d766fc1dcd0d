r"""Simulated panels of schools of which no row should be rejected more often than it says.

.. math:: y_{it} = s_i e_{it} + \tau_i 1\{t \ge g_i\} + c_{d(i)t},   \quad
    e_{it} = \phi e_{i,t-1} + \sqrt{1 - \phi^2}\, u_{it}

with u normal or t with 5 df (scaled to variance one), so that the shock of a school and year has
variance s². A school's own level and the years' effects would leave every estimate as it is, and
are left out. Years are 2010 to 2019; cohorts begin in 2016 and later. Which school belongs to which
cohort is fixed and everything else drawn anew, which is the same as drawing both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schooltrial.random_streams import stream

FloatArray = NDArray[np.float64]
Whole = NDArray[np.int64]

SEED = 20_262
YEARS = tuple(range(2010, 2020))
EFFECT = 1.0  # in standard deviations of a school's shock in one year
EFFECT_SPREAD = 1.0  # standard deviation of effects between schools, where they differ
SIZE_SPREAD = 0.6  # of the logarithm of pupils
FLOOR = 0.4  # share of the variance of shocks that does not fall with pupils
STRATUM_TRENDS = (-0.15, -0.05, 0.05, 0.15)  # a year, in the same standard deviations
DISTRICT_SHARE = 0.2  # of the variance of shocks
MISSING_SHARE = 0.15  # of the cells
COVARIATE_TREND = 0.1  # a year and standard deviation of the covariate
COVARIATE_SHIFT = 0.5  # between schools that take part and others, in its standard deviations

Errors = Literal["normal", "t5"]
Spread = Literal["equal", "double", "half", "small schools"]
Effects = Literal["none", "homogeneous", "heterogeneous"]
Setting = Literal[
    "", "strata", "stratified", "districts", "districts ignored", "missing", "covariate"
]
Method = Literal[
    "", "regression", "doubly_robust", "inverse_probability", "sun_abraham", "imputation", "stacked"
]


@dataclass(frozen=True)
class Design:
    """How many schools never take part, and how many begin in each cohort.

    Attributes
    ----------
    never : int
    cohorts : tuple of int
        Schools that begin in 2016, in 2017, …
    comparison_group : {"never_treated", "not_yet_treated"}
    """

    never: int
    cohorts: tuple[int, ...]
    comparison_group: Literal["never_treated", "not_yet_treated"] = "never_treated"

    @property
    def name(self) -> str:
        """As the tables show it: schools never treated, and of each cohort."""
        return "+".join(str(n) for n in (self.never, *self.cohorts))

    @property
    def schools(self) -> int:
        """All schools."""
        return self.never + sum(self.cohorts)

    @property
    def first_years(self) -> tuple[int, ...]:
        """The first treated year of each cohort."""
        return tuple(2016 + k for k in range(len(self.cohorts)))

    def cohort(self) -> Whole:
        """Return the first treated year of every school, 0 for never; those never treated first."""
        return np.repeat((0, *self.first_years), (self.never, *self.cohorts)).astype(np.int64)

    def early(self) -> NDArray[np.bool_]:
        """Return which schools are treated; but for the last cohort, where all are some day."""
        cohort = self.cohort()
        return (cohort > 0) & ((self.never > 0) | (cohort < self.first_years[-1]))


DESIGNS = (
    Design(529, (17, 12)),
    Design(219, (8, 4)),
    Design(182, (5, 5)),
    Design(128, (4, 3)),
    Design(20, (10, 10)),
    Design(59, (1, 1)),
)


@dataclass(frozen=True)
class Scenario:
    """A design, and the truth behind its panels.

    Attributes
    ----------
    design : Design
    errors : {"normal", "t5"}
    spread : {"equal", "double", "half", "small schools"}
        Variance of treated schools' shocks beside the others' (the last cohort's, where no school
        is never treated); or it falls with pupils, and the treated are drawn among the third with
        the fewest.
    correlation : float
        φ, of a school's shocks in successive years.
    effects : {"none", "homogeneous", "heterogeneous"}
    setting : str
        "strata": four regions with trends of their own, cohorts drawn without regard to them.
        "stratified": cohorts hold the same share of each region. "districts": schools lie in
        districts of three with shocks in common, cohorts being made of whole districts, and are
        clustered by district; "districts ignored": by school all the same. "missing": 15% of the
        cells are. "covariate": trends follow a covariate, of which the treated have more.
    method : str
        How the covariate is adjusted for, or an estimator other than Callaway and Sant'Anna's.
    """

    design: Design
    errors: Errors = "normal"
    spread: Spread = "equal"
    correlation: float = 0.5
    effects: Effects = "none"
    setting: Setting = ""
    method: Method = ""

    @property
    def name(self) -> str:
        """What tells its panels from others, for their stream; methods share them."""
        told = (self.design.name, self.design.comparison_group, self.errors, self.spread,
                f"{self.correlation:g}", self.effects, self.setting)  # fmt: skip
        return "/".join(told)


class Panels(NamedTuple):
    """Simulated panels of one scenario.

    Attributes
    ----------
    outcome : array (draws, schools, years)
        NaN where missing.
    effect : array (draws, schools, years)
        The part of it that treatment caused.
    group : int array (draws, schools), or None
        Region or district.
    covariate : array (draws, schools), or None
    """

    outcome: FloatArray
    effect: FloatArray
    group: Whole | None = None
    covariate: FloatArray | None = None


def simulate_panels(scenario: Scenario, draws: int, rng: np.random.Generator) -> Panels:
    """Draw panels of a scenario."""
    cohort = scenario.design.cohort()
    shape = (draws, len(cohort), len(YEARS))
    scale = _scale(scenario, scenario.design.early(), draws, rng)
    noise = _autoregressive(scenario, shape, rng) * scale[..., None]
    group = _groups(scenario, cohort, draws, rng)
    if scenario.setting in ("strata", "stratified") and group is not None:
        trend = np.array(STRATUM_TRENDS)[group]
        noise += trend[..., None] * (np.array(YEARS) - YEARS[0])
    if scenario.setting.startswith("districts") and group is not None:
        districts = int(group.max()) + 1
        shared = _autoregressive(scenario, (draws, districts, len(YEARS)), rng)
        noise *= np.sqrt(1.0 - DISTRICT_SHARE)
        noise += np.sqrt(DISTRICT_SHARE) * shared[:, group[0]]
    effect = _effect(scenario, cohort, draws, rng)
    covariate = None
    if scenario.setting == "covariate":
        covariate = rng.standard_normal(shape[:2]) + COVARIATE_SHIFT * (cohort > 0)
        noise += COVARIATE_TREND * covariate[..., None] * (np.array(YEARS) - YEARS[0])
    outcome = noise + effect
    if scenario.setting == "missing":
        outcome[rng.random(shape) < MISSING_SHARE] = np.nan
    return Panels(outcome, effect, group, covariate)


def panel_stream(scenario: Scenario, part: int, use: str = "data") -> np.random.Generator:
    """Return the stream of a part of a scenario's panels."""
    return stream(SEED, "panels", scenario.name, part, use)


def _autoregressive(
    scenario: Scenario, shape: tuple[int, int, int], rng: np.random.Generator
) -> FloatArray:
    shocks = (
        rng.standard_normal(shape)
        if scenario.errors == "normal"
        else rng.standard_t(5, size=shape) * np.sqrt(3 / 5)
    )
    phi = scenario.correlation
    for t in range(1, shape[2]):
        shocks[..., t] = phi * shocks[..., t - 1] + np.sqrt(1.0 - phi**2) * shocks[..., t]
    return np.asarray(shocks)


def _scale(
    scenario: Scenario, treated: NDArray[np.bool_], draws: int, rng: np.random.Generator
) -> FloatArray:
    """Return the standard deviation of each school's shocks."""
    schools = len(treated)
    if scenario.spread != "small schools":
        factor = {"equal": 1.0, "double": 2.0, "half": 0.5}[scenario.spread]
        return np.broadcast_to(np.where(treated, np.sqrt(factor), 1.0), (draws, schools))
    logarithm = np.sort(SIZE_SPREAD * rng.standard_normal((draws, schools)), axis=1)
    fewest = max(int(treated.sum()), schools // 3)
    logarithm[:, :fewest] = rng.permuted(logarithm[:, :fewest], axis=1)
    of_school = np.empty_like(logarithm)
    of_school[:, np.argsort(~treated, kind="stable")] = logarithm
    one_over_pupils = np.exp(-of_school) / np.exp(SIZE_SPREAD**2 / 2)
    return np.asarray(np.sqrt(FLOOR + (1.0 - FLOOR) * one_over_pupils))


def _groups(
    scenario: Scenario, cohort: Whole, draws: int, rng: np.random.Generator
) -> Whole | None:
    if scenario.setting.startswith("districts"):
        return np.broadcast_to(districts_of(scenario.design), (draws, len(cohort)))
    regions = len(STRATUM_TRENDS)
    if scenario.setting == "strata":
        one = np.arange(len(cohort)) % regions
        return rng.permuted(np.broadcast_to(one, (draws, len(cohort))), axis=1)
    if scenario.setting == "stratified":
        own = [np.arange(n) % regions for n in (scenario.design.never, *scenario.design.cohorts)]
        return np.broadcast_to(np.concatenate(own), (draws, len(cohort)))
    return None


def districts_of(design: Design, size: int = 3) -> Whole:
    """Return the district of every school: three of the same cohort each, the last ones fewer."""
    first, found = 0, []
    for n in (design.never, *design.cohorts):
        own = first + np.arange(n) // size
        found.append(own)
        first = int(own[-1]) + 1 if n else first
    return np.concatenate(found).astype(np.int64)


def _effect(scenario: Scenario, cohort: Whole, draws: int, rng: np.random.Generator) -> FloatArray:
    shape = (draws, len(cohort), len(YEARS))
    if scenario.effects == "none":
        return np.zeros(shape)
    after = (cohort > 0)[:, None] & (np.array(YEARS) >= cohort[:, None])
    of_school = np.full(shape[:2], EFFECT)
    if scenario.effects == "heterogeneous":
        of_school = of_school + EFFECT_SPREAD * rng.standard_normal(shape[:2])
    return of_school[..., None] * after
