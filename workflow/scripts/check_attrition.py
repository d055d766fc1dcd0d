"""Count attrition, compare leavers, and bound the effect for missing outcomes."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from schooltrial.checks.attrition.analyses import PrimaryModels
from schooltrial.checks.attrition.missing_outcomes import bound_effects
from schooltrial.checks.attrition.outcome_bounds import outcome_support
from schooltrial.checks.attrition.rates import attrition as count_attrition
from schooltrial.checks.attrition.schools import school_attrition
from schooltrial.checks.attrition.selective_attrition import who_left as compare_leavers
from schooltrial.checks.attrition.set_aside import find_set_aside
from schooltrial.checks.attrition.teachers import of_teachers
from schooltrial.data.tables.parquet import ParquetByYear
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import (
    Checks,
    Compared,
    DerivedVariable,
    Design,
    Model,
    Outcome,
    SampleSection,
    TakeUp,
    baseline_year,
    modelled_arms,
)


class Sections(Compared):
    """The sections that the check uses."""

    design: Design
    outcomes: dict[str, Outcome]
    variables: dict[str, DerivedVariable]
    take_up: TakeUp
    models: dict[str, Model]
    sample: SampleSection
    checks: Checks


def main(
    *,
    protocol: Sections,
    analysis_years: Sequence[int],
    assignment: str,
    sample: str,
    teacher_sample: str,
    scores: str,
    observations: str,
    panel: str,
    bounded: str,
    schools: str,
    rosters: str,
    staff: str,
    attrition: str,
    who_left: str,
    missing_outcomes: str,
) -> None:
    """Write attrition with its verdicts, attrition by baseline, and bounds of the effect (CSV)."""
    units, pupils = pd.read_parquet(assignment), pd.read_parquet(sample)
    teachers = pd.read_parquet(teacher_sample)
    design, outcomes, balance = protocol["design"], protocol["outcomes"], protocol["balance"]
    baseline = baseline_year(protocol)
    primary = PrimaryModels.of(
        protocol["models"], outcomes, protocol["variables"], protocol["take_up"]
    )
    held: dict[str, Any] = {
        "boundary": protocol["checks"]["attrition_boundary"],
        "no_data": design["no_data"],
    }
    arms = modelled_arms(design)
    units = units[units["arm"].astype("str").isin([arm["name"] for arm in arms])]
    described = pd.read_parquet(schools)
    left_out = {
        person: find_set_aside(
            ParquetByYear(roster), units, described, person=person, unit=design["unit"],
            keep=protocol["sample"]["keep"], variables=protocol["variables"],
            control=str(arms[0]["name"]), since=primary.since,
        )
        for person, roster in (("pupil", rosters), ("teacher", staff))
    }  # fmt: skip
    pupils = left_out["pupil"].added_to(pupils)
    teachers = left_out["teacher"].added_to(teachers)
    if design["unit"] in left_out:
        units = units[~units[design["unit"]].isin(left_out[design["unit"]].outside)]
    both: dict[str, Any] = {
        "outcomes": outcomes, "arms": arms, "unit": design["unit"], "years": protocol["years"],
        "primary": primary, "schools": described,
    }  # fmt: skip
    years = primary.years(protocol["years"], analysis_years)
    within: dict[str, Any] = {"analysis_years": analysis_years, "baseline": baseline}
    ranges = {
        level: outcome_support(
            people, ParquetByYear(measured), level=level, outcomes=outcomes, years=years
        )
        for level, people, measured in (
            ("pupil", pupils, scores), ("teacher", teachers, observations)
        )
    }  # fmt: skip
    counted = [
        count_attrition(units, pupils, **both, baseline=baseline, **held),
        of_teachers(count_attrition, units, teachers, **both, baseline=baseline, **held),
        school_attrition(units, pd.read_parquet(panel), pd.read_parquet(bounded), **both, **held),
    ]
    of_pupils: dict[str, Any] = {**both, **within, "covariates": balance["pupil_variables"]}
    taught: dict[str, Any] = {
        **both, **within, "covariates": balance["teacher_variables"],
        "with_outcomes": baseline in protocol["years"]["baseline"],
    }  # fmt: skip
    left = [
        compare_leavers(units, pupils, **of_pupils),
        of_teachers(compare_leavers, units, teachers, **taught),
    ]
    bounds = [
        bound_effects(units, pupils, **of_pupils, support=ranges["pupil"]),
        of_teachers(bound_effects, units, teachers, **taught, support=ranges["teacher"]),
    ]
    for tables, path in ((counted, attrition), (left, who_left), (bounds, missing_outcomes)):
        table = pd.concat([part for part in tables if len(part)] or tables[:1])
        table.to_csv(path, index=False, float_format="%.10g")


run_as_rule(main, globals())
