"""Compare the names of a protocol with each other: a name without a referent is an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from schooltrial.protocol.consistency.baseline_measures import (
    baseline_measure_faults,
    pretest_faults,
)
from schooltrial.protocol.consistency.declared_names import Names
from schooltrial.protocol.consistency.design import Written, design_faults
from schooltrial.protocol.consistency.filter_references import filter_faults
from schooltrial.protocol.consistency.made_references import (
    late_variable_faults,
    outcome_faults,
    variable_faults,
)
from schooltrial.protocol.consistency.parallel_trends import parallel_trends_faults
from schooltrial.protocol.consistency.reserved_names import reserved_name_faults
from schooltrial.protocol.consistency.table_readings import range_faults, table_faults
from schooltrial.protocol.content.column_map import Reading, all_columns
from schooltrial.protocol.content.sections import (
    CELL_WEIGHTS,
    PANELS,
    PRIOR_PATH,
    Content,
    Model,
    Outcome,
    baseline_year,
    clusters_of,
    weight_variable,
)
from schooltrial.refusal import Fault
from schooltrial.wording import listed


def reference_faults(
    content: Content, shown: str, written: Written | None = None
) -> Iterator[Fault]:
    """Yield names that refer to nothing, and keys that do nothing.

    Parameters
    ----------
    content : Content
        The protocol, completed.
    shown : str
        How messages name it.
    written : mapping, optional
        Model → the keys of it that the file has; by default those that differ from the schema's.
    """
    years = content["years"]
    names = Names(
        shown,
        [*years["baseline"], *years["programme"], *years["follow_up"]],
        list(content["outcomes"]),
        known_variables(content),
        {name: spec for reading in _readings(content) for name, spec in all_columns(reading)},
        [*content["variables"], *baseline_variables(content)],
        [arm["name"] for arm in content["design"]["arms"]],
    )
    yield from _year_faults(content, names)
    yield from table_faults(content, names)
    yield from reserved_name_faults(content, names, _makers(content))
    yield from variable_faults(names, content["variables"])
    yield from outcome_faults(names, content["outcomes"], content["variables"])
    for name, outcome in content["outcomes"].items():
        yield from _outcome_faults(name, outcome, names)
        yield from baseline_measure_faults(name, content, names)
        yield from pretest_faults(name, outcome, names)
    for part, variables in (
        ("pupil_variables", content["balance"]["pupil_variables"]),
        ("school_variables", content["balance"]["school_variables"]),
        ("teacher_variables", content["balance"]["teacher_variables"]),
    ):
        for variable in variables:
            known = [*names.variables, *names.outcomes]
            yield from names.check(f"balance.{part}", variable, "variable or outcome", known)
        yield from _late_outcome_faults(f"balance.{part}", variables, content, names)
    yield from filter_faults(names, "balance.where", content["balance"]["where"], names.variables)
    yield from filter_faults(names, "sample.keep", content["sample"]["keep"], names.variables)
    yield from late_variable_faults(names, content["sample"]["keep"], content)
    for name, subgroup in content["subgroups"].items():
        yield from filter_faults(
            names, f"subgroups.{name}.where", subgroup["where"], names.variables
        )
    if content["take_up"]["variable"]:
        place = "take_up.variable"
        yield from names.check(place, content["take_up"]["variable"], "variable", names.variables)
    if places := content["design"]["randomisation"]["places"]:
        listed = [v for reading in content["tables"]["assignment"] for v in reading["columns"]]
        yield from names.check("design.randomisation.places", places, "assignment column", listed)
    for name in content["power"]["by_outcome"]:
        yield from names.check("power.by_outcome", name, "outcome", names.outcomes)
    known_arms = [arm["name"] for arm in content["design"]["arms"]]
    for name, component in content["implementation"]["components"].items():
        for arm in component["arms"]:
            yield from names.check(f"implementation.components.{name}.arms", arm, "arm", known_arms)
    for name, model in content["models"].items():
        yield from _model_faults(f"models.{name}", model, content["outcomes"], names)
    yield from parallel_trends_faults(content, names)
    yield from design_faults(content, shown, written or {})


def _year_faults(content: Content, names: Names) -> Iterator[Fault]:
    if len(names.years) != len(set(names.years)):
        yield Fault(
            names.shown, "a year is listed twice",
            "each year once, in `baseline`, `programme` or `follow_up`",
            "delete it from one of the lists",
            column="years",
        )  # fmt: skip
    years = content["years"]
    parts = [
        ("baseline", years["baseline"]),
        ("programme", years["programme"]),
        ("follow_up", years["follow_up"]),
    ]
    for (early, first), (late, second) in pairwise((part, there) for part, there in parts if there):
        if max(first) > min(second):
            yield Fault(
                names.shown, f"{max(first)} is in `{early}`, but {min(second)} is in `{late}`",
                "baseline years, then programme years, then follow-up years",
                "correct `years`", column=f"years.{late}",
            )  # fmt: skip
    known = [*years["programme"], *years["follow_up"]]
    for later in years["to_come"]:
        yield from names.check("years.to_come", later, "programme or follow-up year", known)
    named = (
        ("years.reference", years["reference"]),
        ("balance.baseline_year", content["balance"]["baseline_year"]),
    )
    for place, year in named:
        if year is not None:
            yield from names.check(place, year, "year", names.years)


def _late_outcome_faults(
    place: str, variables: Sequence[str], content: Content, names: Names
) -> Iterator[Fault]:
    """Yield outcomes that would be compared as baselines in a year of the programme."""
    years = content["years"]
    late = [name for name in variables if name in content["outcomes"]]
    if not late or not years["programme"] or baseline_year(content) in years["baseline"]:
        return
    year = baseline_year(content)
    earlier = (
        f"compare the groups in the year before it (`balance: {{baseline_year: "
        f"{max(years['baseline'])}}}`)"
        if years["baseline"]
        else f"add a year before it to `years.baseline` (`years: {{baseline: [{year - 1}]}}`) and "
        "read its rows"
    )
    yield Fault(
        names.shown,
        f"{place} names {listed(late)}, measured in {year}, when the programme can already have an "
        "effect",
        "variables and outcomes from before the programme",
        f"delete {listed(late)} from `{place}`; or name a variable from before the programme, such "
        f"as a pre-test in its own column; or {earlier}",
        column=place,
    )


def _outcome_faults(name: str, outcome: Outcome, names: Names) -> Iterator[Fault]:
    yield from range_faults(f"outcomes.{name}", outcome["range"], names)
    if outcome["baseline_year"] is not None:
        place = f"outcomes.{name}.baseline_year"
        year = outcome["baseline_year"]
        earlier = (
            f"if there are scores of {year}, add `baseline: [{year}]` under `years`; if the test "
            "before is a column of the same file, read it as a variable of the table pupils, and "
            "name it under `baseline_measures`"
        )
        remedy = earlier if year < min(names.years, default=year) else ""
        yield from names.check(place, year, "year", names.years, remedy)
        if outcome["baseline_year"] == max(names.years, default=0):
            yield Fault(
                names.shown, f"{place} is {outcome['baseline_year']}, but no later year follows",
                "a year before the outcome is measured", "set an earlier year", column=place,
            )  # fmt: skip
    ratio = outcome["ratio"]
    parts = {"numerator": ratio["numerator"], "denominator": ratio["denominator"]} if ratio else {}
    for part, variable in parts.items():
        place = f"outcomes.{name}.ratio.{part}"
        yield from names.check(place, variable, "variable", names.variables)
        yield from names.check_number(place, variable)


def _model_faults(
    where: str, model: Model, outcomes: Mapping[str, Outcome], names: Names
) -> Iterator[Fault]:
    for outcome in model["outcomes"]:
        yield from names.check(f"{where}.outcomes", outcome, "outcome", names.outcomes)
        declared = outcomes.get(outcome)
        lacking = declared is not None and declared["baseline_year"] is None
        if "baseline" in model["covariates"] and lacking:
            yield Fault(
                names.shown, f"{where} adjusts for the baseline of {outcome!r}, which has no "
                "baseline",
                "an outcome with a `baseline_year`",
                "add `baseline_year` to the outcome, or delete `baseline` from the covariates",
                column=f"{where}.covariates",
            )  # fmt: skip
    yield from filter_faults(names, f"{where}.where", model["where"], names.variables)
    for year in model["active_years"]:
        yield from names.check(f"{where}.active_years", year, "year", names.years)
    if model["active_from"]:
        yield from names.check(
            f"{where}.active_from", model["active_from"], "variable", names.variables
        )
        yield from names.check_number(f"{where}.active_from", model["active_from"])
    # In a panel of schools the values of another outcome are known of every school and year.
    of_schools = [
        name for name, outcome in outcomes.items()
        if model["estimator"] in PANELS and outcome["measured_on"] == "school"
    ]  # fmt: skip
    for part in [part for term in model["covariates"] for part in term.split(":")]:
        known = [*names.variables, "baseline", *of_schools]
        yield from names.check(f"{where}.covariates", part, "variable", known)
    for part in [part for term in model["fixed_effects"] for part in term.split(":")]:
        yield from names.check(f"{where}.fixed_effects", part, "variable", names.variables)
    for key, variable in (
        ("effects_by", model["effects_by"]),
        ("moderator", model["moderator"]),
        *(("cluster", cluster) for cluster in clusters_of(model)),
        *(("random_levels", level) for level in model["random_levels"]),
    ):
        if variable:
            yield from names.check(f"{where}.{key}", variable, "variable", names.variables)
    for variable in model["comparison_on"]:
        known = [*PRIOR_PATH, *names.variables]
        yield from names.check(f"{where}.comparison_on", variable, "variable", known)
    weights = weight_variable(model)
    if weights:
        place, known = f"{where}.weights", [*names.variables, "n_pupils", *of_schools]
        if model["estimator"] in PANELS:
            known += CELL_WEIGHTS
        yield from names.check(place, weights, "variable", known)
        yield from names.check_number(place, weights)


def _readings(content: Content) -> Iterator[Reading]:
    """Yield the readings of the tables whose columns models and filters may use."""
    for table in ("schools", "assignment", "pupils", "teachers"):
        yield from content["tables"].get(table, [])


def known_variables(content: Content) -> list[str]:
    """Return the names that models and filters may use: read, derived and made by the pipeline."""
    read = {column for reading in _readings(content) for column, _ in all_columns(reading)}
    made = {"year", "school", "block", "arm", "cluster"}
    made -= {"school"} if content["design"]["schools"] is False else set()
    return sorted(read | set(content["variables"]) | set(baseline_variables(content)) | made)


def baseline_variables(content: Content) -> list[str]:
    """Return the variables that outcomes with a baseline year make."""
    return list(_makers(content))


def _makers(content: Content) -> dict[str, str]:
    """Return each variable that an outcome with a baseline year makes, and that outcome."""
    return {
        made: name
        for name, outcome in content["outcomes"].items()
        if outcome["baseline_year"] is not None
        for made in (f"{name}_before", f"{name}_before_missing", f"{name}_before_school")
    }
