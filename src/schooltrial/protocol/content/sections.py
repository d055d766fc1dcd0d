"""What a protocol declares, section by section, and what follows from it.

The types are of the YAML as it was parsed and completed from the schema, so that what reads a
section asks for its keys and never whether they are there. Their keys are those of the schema,
where each is documented.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict, TypeVar, cast

from schooltrial.protocol.content.column_map import Reading, SizeLimits, all_columns
from schooltrial.protocol.content.filters import Filter, conjunction, years_named
from schooltrial.protocol.content.levels import DesignLevels, control_name

Unit = Literal["school", "teacher", "class", "group", "pupil"]
"""What was assigned."""

Level = Literal["school", "teacher", "pupil"]
"""Whose outcome it is."""

Kind = Literal["complete", "blocked", "paired", "staggered", "simple"]
"""How units were drawn."""

Section = TypeVar("Section", bound=Mapping[str, object])


class Study(TypedDict):
    """What the study is."""

    name: str
    title: str
    summary: str
    synthetic: bool
    seed: int
    recruitment: str
    funding: str
    conflicts_of_interest: str
    sources: list[str]


class Registration(TypedDict):
    """Where and when the plan was registered."""

    registry: str
    identifier: str
    date: str
    url: str
    plan_sha256: str | None


class Arm(TypedDict):
    """One group of the trial."""

    name: str
    label: str
    share: float | None
    in_models: bool


class Draw(TypedDict):
    """The randomisation; reading the protocol names the columns of the eligible list."""

    seed: int | None
    date: str
    record: str | None
    signing_key: str | None
    eligible_list: str | None
    unit_column: str
    block_column: str
    allocation: dict[str, list[int]]
    places: str | None
    balance_on: list[str]
    acceptance_rate: float


class Design(TypedDict):
    """The design section: how units were assigned, the control group first."""

    kind: Kind
    unit: Unit
    randomised: bool
    schools: bool | None
    block_label: str
    no_data: dict[str, int]
    arms: list[Arm]
    randomisation: Draw


class Years(TypedDict):
    """The years of a trial and their place in it."""

    label: str
    baseline: list[int]
    programme: list[int]
    follow_up: list[int]
    to_come: list[int]
    reference: int | None
    lasts: int | dict[str, int] | None


Generator = Literal[
    "school_randomised", "staggered_rollout", "teacher_led_learning", "within_school_lottery"
]
"""Which design is simulated."""


class SimulationParameter(TypedDict):
    """A parameter of a synthetic trial, with its source."""

    value: Any
    source: str


class Simulation(TypedDict):
    """Which design is simulated, and with what parameters."""

    generator: Generator
    parameters: dict[str, SimulationParameter]


class MatchAtLeast(TypedDict):
    """Share of the identifiers of each table that must be found where they belong."""

    scores: NotRequired[float]
    observations: NotRequired[float]
    implementation: NotRequired[float]
    assignment: NotRequired[float]


class Cleaning(TypedDict):
    """What is done with what files of schools always hold."""

    analyse_in: Literal["current_school", "baseline_school"]
    joiners: Literal["keep", "drop"]
    assigned_on: str
    repeated_grade: Literal["keep", "drop"]
    grade_out_of_step: Literal["keep", "missing", "drop"]
    latest_date: str
    future_dates: Literal["refuse", "missing"]
    merged_schools: Literal["before", "drop"]
    match_at_least: float | MatchAtLeast
    alike_identifiers: Literal["refuse", "distinct"]
    mean_tolerance: float


# `from` and `as` are words of the language, which a class could not have as keys.
DerivedVariable = TypedDict(
    "DerivedVariable",
    {
        "from": NotRequired[str | list[str]],
        "at_least": NotRequired[float],
        "equals": NotRequired[str | float],
        "where": Filter,
        "as": NotRequired[
            Literal[
                "sum",
                "mean",
                "difference",
                "product",
                "ratio",
                "power",
                "percentile_rank",
                "z_score",
                "is_missing",
            ]
        ],
        "exponent": NotRequired[float],
        "within": list[str],
        "compared_with": Filter,
        "reference": Literal["all", "control"],
        "label": str,
    },
)
"""A variable made of others: by just one of `at_least`, `equals`, `where` and `as`."""


class Norm(TypedDict):
    """A published mean and SD; grade and year are None if it is of all."""

    grade: int | None
    year: int | None
    mean: float
    sd: float


class Ratio(TypedDict):
    """An outcome that is a ratio of two pupil variables."""

    numerator: str
    denominator: str
    times: float


class Gain(TypedDict):
    """An outcome that is the gain of another over an earlier year."""

    outcome: str
    year: int


class Index(TypedDict):
    """An outcome that is an index of several."""

    outcomes: list[str]
    weights: Literal["equal", "anderson"]
    reverse: list[str]


class OutlierRule(TypedDict):
    """Which values are set aside as outliers."""

    beyond_sd: float
    within: list[str]


class Outcome(TypedDict):
    """An outcome, as the protocol declares it; keys are documented in the schema."""

    label: str
    family: str
    primary: bool
    scale: Literal["continuous", "binary"]
    units_label: str
    range: list[float] | None
    out_of_range: Literal["missing", "refuse"]
    measured_on: Level
    standardise: Literal["none", "control", "control_at_baseline", "all", "norms"]
    reliability: float | None
    months_of_progress: bool
    norms: list[Norm]
    ratio: Ratio | None
    sum_of: list[str]
    mean_of: list[str]
    gain_from: Gain | None
    index_of: Index | None
    population: Filter
    outliers: OutlierRule | None
    baseline_year: int | None
    pretest: str | None
    baseline_measures: list[str]


class Subgroup(TypedDict):
    """A subgroup in which models can be fitted too."""

    label: str
    where: Filter


class TakeUp(TypedDict):
    """Whether the programme was taken up."""

    variable: str | None
    label: str


class Component(TypedDict):
    """A key component of the programme, and when it counts as carried out."""

    label: str
    indicator: str
    source: str
    measured_on: Literal["school", "leader"]
    total: Literal["sum", "mean"]
    unit_threshold: float
    share_required: float
    arms: list[str]
    contrast: bool


class Implementation(TypedDict):
    """The programme's key components, fixed in advance."""

    components: dict[str, Component]
    year_starts_in: int


class Costs(TypedDict):
    """How costs are counted."""

    currency: str
    price_year: int | None
    years: int
    pupils: float | None
    usual_practice: float | None
    gbp_rate: float | None


class PlannedDesign(TypedDict):
    """The size that a trial was planned to have."""

    schools: int
    treated_share: float
    pupils_per_school: float
    icc: float
    r2_school: float
    r2_pupil: float
    covariates_school: int
    blocks: int


class OutcomePlan(TypedDict):
    """What the size of the trial was planned on, for one outcome."""

    effect: float | None
    planned: PlannedDesign | None


class Power(TypedDict):
    """What the size of the trial was planned on."""

    alpha: float
    power: float
    effect: float | None
    replications: int
    planned: PlannedDesign | None
    by_outcome: dict[str, OutcomePlan]


class ParallelTrends(TypedDict):
    """How panel models are tried under trends that were not parallel."""

    relative_magnitudes: list[float]
    smoothness: list[float]
    placebo_outcomes: list[str]
    placebo_draws: int
    leave_out: list[str]


class Checks(TypedDict):
    """Thresholds of the checks."""

    attrition_boundary: Literal["cautious", "optimistic"]
    joiners_justification: str
    replications: int
    alpha: float
    outlier_sd: float
    heaping_share: float
    missing_share: float
    parallel_trends: ParallelTrends


class Blinding(TypedDict):
    """Until when no outcome is read."""

    until: str


class Balance(TypedDict):
    """What is compared at baseline, and in which year."""

    baseline_year: int | None
    where: Filter
    pupil_variables: list[str]
    school_variables: list[str]
    teacher_variables: list[str]
    equivalent_to: float
    adjust_to: float


class SampleSection(TypedDict):
    """Who is analysed."""

    keep: Filter


Estimator = Literal[
    "multilevel",
    "cluster_robust",
    "randomisation_inference",
    "wild_bootstrap",
    "difference_in_differences",
    "staggered_adoption",
    "complier_effect",
]


PRIOR_PATH = ("level", "trend")
"""What `comparison_on` may name beside variables: the outcome's path before a cohort began."""


class Model(TypedDict):
    """An analysis, as the protocol declares it; keys are documented in the schema."""

    label: str
    estimator: Estimator
    role: Literal["primary", "secondary", "sensitivity", "replication"]
    outcomes: list[str]
    where: Filter
    arms: list[str]
    subgroups: list[str]
    comparison_group: Literal["never_treated", "not_yet_treated"]
    base_period: Literal["varying", "universal"]
    anticipation: int
    comparison_on: list[str]
    comparison_weights: Literal["entropy", "nearest"]
    method: Literal["callaway_santanna", "sun_abraham", "imputation", "stacked"]
    event_window: list[int]
    bounded_cells: Literal["left_out", "midpoint", "against", "in_favour"]
    where_label: str
    covariates: list[str]
    adjustment: Literal["regression", "doubly_robust", "inverse_probability"]
    missing_covariates: Literal["indicator", "drop", "refuse"]
    blocks: Literal["fixed", "random", "none"]
    fixed_effects: list[str]
    cluster: str | list[str] | None
    random_levels: list[str]
    weights: str | None
    covariance: list[Literal["CR0", "CR1", "CR1S", "CR2", "CR3"]]
    df: Literal["kenward-roger", "satterthwaite"]
    replications: int
    active_years: list[int]
    active_from: str | None
    effects_by: str | None
    moderator: str | None
    unit_trends: bool
    tests: dict[str, list[str]]
    confidence_level: float


class Deviation(TypedDict):
    """Deviations from the plan."""

    date: str
    what: str
    why: str


class Content(TypedDict):
    """A whole protocol with all defaults filled."""

    study: Study
    registration: Registration
    design: Design
    years: Years
    raw_folder: str
    simulation: NotRequired[Simulation]
    tables: dict[str, list[Reading]]
    limits: SizeLimits
    cleaning: Cleaning
    variables: dict[str, DerivedVariable]
    outcomes: dict[str, Outcome]
    subgroups: dict[str, Subgroup]
    take_up: TakeUp
    implementation: Implementation
    costs: Costs
    power: Power
    checks: Checks
    blinding: Blinding
    variable_labels: dict[str, str]
    balance: Balance
    sample: SampleSection
    models: dict[str, Model]
    deviations: list[Deviation]
    notes: list[str]


@dataclass(frozen=True)
class Protocol:
    """A validated protocol with all defaults filled.

    Attributes
    ----------
    content : Content
        The sections, by name.
    sha256 : str
        Checksum of the file as it lies on disk; it stands in every exhibit.
    path : pathlib.Path
        The file; raw paths are relative to its folder.
    models_to_come : dict of str to Model
        Models of years of which there are no data yet: they are planned, and not fitted.
    rehearsal : bool
        Whether the groups are re-randomised, so that nothing that is found is a result.
    absent : tuple of str
        Files of rosters and outcomes that are not there, whose rows a rehearsal simulates.
    """

    content: Content
    sha256: str
    path: Path
    models_to_come: dict[str, Model] = field(default_factory=dict)
    rehearsal: bool = False
    absent: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Folder of the protocol; raw paths are relative to it."""
        return self.path.parent

    @property
    def name(self) -> str:
        """Name of the study."""
        return self.content["study"]["name"]

    @property
    def design(self) -> Design:
        """The design of a protocol, completed."""
        return self.content["design"]

    @property
    def years(self) -> Years:
        """The years of the trial."""
        return self.content["years"]

    def models(self, estimator: str | None = None) -> list[str]:
        """Return the names of the models, or of those of one estimator, in protocol order."""
        return [
            name
            for name, model in self.content["models"].items()
            if estimator in (None, model["estimator"])
        ]


def model_of_outcome(model: Model, name: str, outcomes: Mapping[str, Outcome]) -> Model:
    """Return a model as it is fitted to one of its outcomes: to those whose outcome it is."""
    population = outcomes[name]["population"]
    if not population:
        return model
    return {**model, "where": conjunction(model["where"], population)}


def compares_not_yet(model: Model, *, never: bool) -> bool:
    """Return whether a staggered model compares cohorts with others that begin later.

    Parameters
    ----------
    model : Model
    never : bool
        Whether any school is never treated.
    """
    if model["method"] == "imputation":
        return True
    if model["method"] == "sun_abraham":
        return not never
    return model["comparison_group"] == "not_yet_treated"


def covariate_terms(model: Model, outcome: str) -> list[str]:
    """Return a model's covariate terms, ``baseline`` spelt out for the outcome."""
    made = [f"{outcome}_before", f"{outcome}_before_missing", f"{outcome}_before_school"]
    return [t for term in model["covariates"] for t in (made if term == "baseline" else [term])]


def covariate_variables(model: Model, outcome: str) -> list[str]:
    """Return the variables of a model's covariates, each once."""
    terms = covariate_terms(model, outcome)
    return list(dict.fromkeys(part for term in terms for part in term.split(":")))


def used_variables(model: Model, outcome: str) -> list[str]:
    """Return the variables that a model's columns and groups are made of, the outcome first."""
    used = {*covariate_variables(model, outcome), *indispensable_variables(model)}
    return [outcome, *sorted(used - {outcome})]


def needed_variables(model: Model, outcome: str) -> list[str]:
    """Return the variables that a pupil must have to be in a model, the outcome first.

    A missing covariate keeps nobody out where the model has an indicator of it. What splits the
    effect or says in which group a pupil is has no such remedy.
    """
    if model["missing_covariates"] == "indicator":
        return [outcome, *sorted(indispensable_variables(model) - {outcome})]
    return used_variables(model, outcome)


def indispensable_variables(model: Model) -> set[str]:
    """Return the variables that split the effect, weigh a pupil or say in which group he is."""
    single = (model["effects_by"], model["moderator"], weight_variable(model))
    parts = [part for term in model["fixed_effects"] for part in term.split(":")]
    return {*filter(None, single), *clusters_of(model), *parts, *model["random_levels"]}


def clusters_of(model: Model) -> list[str]:
    """Return the variables that a model's errors are clustered on: none, one, or two."""
    named = model["cluster"]
    if named is None:
        return []
    return [named] if isinstance(named, str) else list(named)


def single_cluster(model: Model) -> str | None:
    """Return the one variable that errors are clustered on, in a model that allows no second."""
    named = clusters_of(model)
    return named[0] if named else None


PANELS = ("difference_in_differences", "staggered_adoption")
"""Estimators of schools by year."""

CELL_WEIGHTS = ("schools", "pupils")
"""What panel models can weigh cells by, besides a variable."""


def weight_variable(model: Model) -> str | None:
    """Return the variable that weighs rows; none if a panel counts schools, or pupils."""
    named = model["weights"]
    return None if model["estimator"] in PANELS and named in CELL_WEIGHTS else named


def drawn_by_lot(design: Design) -> bool:
    """Return whether the design could have made a re-randomisation within blocks.

    It is where units were randomised, once: draws that were repeated until balanced are held to
    their criterion by `randomisation_inference` alone.
    """
    return design["randomised"] and not design["randomisation"]["balance_on"]


def modelled_arms(design: Design) -> list[Arm]:
    """Return the groups that models, balance, attrition and ratings compare, control first.

    The others are randomised and described, and in no comparison.
    """
    return [arm for arm in design["arms"] if arm.get("in_models", True)]


def all_years(years: Years) -> list[int]:
    """Return the years of the trial in order."""
    return sorted([*years["baseline"], *years["programme"], *years["follow_up"]])


def measured_years(years: Years) -> list[int]:
    """Return the years of the trial of which there are data, in order: all but those to come."""
    return [year for year in all_years(years) if year not in years.get("to_come", [])]


def programme_lasts(years: Years) -> int | dict[int, int] | None:
    """Return for how many years a cohort's programme lasts, or each cohort's; None: not known."""
    lasts = years["lasts"]
    return {int(cohort): n for cohort, n in lasts.items()} if isinstance(lasts, dict) else lasts


def reference_year(years: Years) -> int:
    """Return the year from which event studies measure: the last one before, unless stated."""
    return years["reference"] or last_before(years)


def last_before(years: Years) -> int:
    """Return the last year before the programme; its first year if there is none before.

    Without a year before, nobody can be seen to have come after the assignment but in later years.
    """
    return max(years["baseline"], default=min(years["programme"]))


def first_year(years: Years) -> int:
    """Return the first year of the programme, from which units without a cohort are treated."""
    return max(years["baseline"]) + 1 if years["baseline"] else min(years["programme"])


def default_unit(outcome: Outcome) -> str:
    """Return the unit of an outcome that declares none."""
    if outcome["standardise"] != "none":
        return {
            "control": "control SD",
            "control_at_baseline": "control SD at baseline",
            "all": "SD",
            "norms": "SD of the norms",
        }[outcome["standardise"]]
    return f"share of {outcome['measured_on']}s" if outcome["scale"] == "binary" else "points"


class StudyLine(TypedDict):
    """The line of text under every exhibit."""

    title: str
    synthetic: bool
    protocol: str


class FrameColumns(TypedDict):
    """The columns of a frame that hold unit and block."""

    unit_column: str
    block_column: str


def frame_columns(design: Design) -> FrameColumns:
    """Return the columns of a frame that hold unit and block, as the protocol names them or not.

    A unit stands under what was assigned; schools are drawn in blocks, teachers and pupils in
    their school. A design that no schema completed may lack its unit, and how it was drawn.
    """
    unit, draw = str(design.get("unit") or "school"), design.get("randomisation") or {}
    block = "school" if DesignLevels.of(design).inside_schools else "block"
    return {
        "unit_column": str(draw.get("unit_column") or unit),
        "block_column": str(draw.get("block_column") or block),
    }


def unlabelled(content: Content) -> Content:
    """Return a protocol whose sections lack the words that only exhibits need.

    Rules that compute take their sections from it, so that another label computes nothing again.
    The keys are gone rather than empty: whoever needs a label there fails, and writes no empty one.
    """
    design = content["design"]
    arms = [_without(arm, "label") for arm in design["arms"]]
    words = "label", "units_label", "months_of_progress"
    return {
        **content,
        "study": _without(content["study"], "title", "summary", "sources"),
        "design": {**_without(design, "block_label"), "arms": arms},
        "years": _without(content["years"], "label"),
        "variables": {k: _without(part, "label") for k, part in content["variables"].items()},
        "outcomes": {k: _without(part, *words) for k, part in content["outcomes"].items()},
        "take_up": _without(content["take_up"], "label"),
        "models": {k: _without(part, "label") for k, part in content["models"].items()},
    }


def _without(section: Section, *words: str) -> Section:
    return cast(Section, {key: value for key, value in section.items() if key not in words})


class Compared(TypedDict):
    """The sections that say what is compared at baseline, and when."""

    years: Years
    balance: Balance


class Analysed(TypedDict):
    """The sections that say what is analysed, and when."""

    years: Years
    models: dict[str, Model]


def baseline_year(content: Compared) -> int:
    """Return the year at which the groups are compared: the last one before, unless stated.

    Without a year before it is the first year of the programme: what was measured then of pupils
    before the outcome, such as a pre-test in a column of its own, can still be compared.
    """
    return content["balance"]["baseline_year"] or last_before(content["years"])


def balance_variables(content: Compared) -> list[str]:
    """Return the variables of pupils and of schools that are compared at baseline."""
    settings = content["balance"]
    return list(dict.fromkeys([*settings["pupil_variables"], *settings["school_variables"]]))


def year_label(content: Compared) -> str:
    """Return what the baseline year is called, such as ``cohort 2000``.

    Where there is none, what was measured before is a column of the rows of the first year.
    """
    given = content["years"]["baseline"] or content["balance"]["baseline_year"]
    return f"{'' if given else 'rows of '}{content['years']['label']} {baseline_year(content)}"


def has_grades(content: Content) -> bool:
    """Return whether the roster of pupils names their grades."""
    return any("grade" in reading["columns"] for reading in content["tables"].get("pupils", []))


def control_word(content: Content) -> str:
    """Return what the group without the programme is called: control or comparison."""
    return control_name(randomised=content["design"]["randomised"])


def analysis_years(content: Analysed) -> list[int]:
    """Return the years that the first primary model analyses, else the programme's last."""
    there = measured_years(content["years"])
    for model in content["models"].values():
        named = years_of_model(model, content["years"])
        if model["role"] == "primary" and named:
            return [year for year in named if year in there] or named
    programme = content["years"]["programme"]
    return [max([year for year in programme if year in there] or programme)]


def years_of_model(model: Model, years: Years) -> list[int]:
    """Return the years that a model's `where` keeps; none if it names no year."""
    return years_named(model["where"], all_years(years))


def arm_labels(design: Mapping[str, Any]) -> dict[str, str]:
    """Return group → its label, the comparison group first.

    Parameters
    ----------
    design : mapping
        Section of the protocol.
    """
    return {arm["name"]: arm["label"] for arm in design["arms"]}


def labels(content: Content) -> dict[str, str]:
    """Return variable → name in exhibits, from wherever the protocol gives one."""
    columns = {
        name: spec["label"]
        for readings in content["tables"].values()
        for reading in readings
        for name, spec in [*all_columns(reading), *reading["outcomes"].items()]
        if spec["label"]
    }
    variables = {name: spec["label"] for name, spec in content["variables"].items()}
    outcomes = {name: spec["label"] for name, spec in content["outcomes"].items()}
    taken = content["take_up"]
    take_up = {taken["variable"]: taken["label"]} if taken["variable"] else {}
    every = {**take_up, **columns, **variables, **outcomes, **content["variable_labels"]}
    return {name: label for name, label in sorted(every.items()) if label}
