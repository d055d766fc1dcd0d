"""Count who was lost and test who left, and show what missing outcomes could do to the effect."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from schooltrial.checks.attrition.missing_outcomes import bound_effects
from schooltrial.checks.attrition.outcome_bounds import outcome_support
from schooltrial.checks.attrition.rates import attrition as count_attrition
from schooltrial.checks.attrition.schools import school_attrition
from schooltrial.checks.attrition.selective_attrition import who_left as compare_leavers
from schooltrial.checks.attrition.teachers import of_teachers
from schooltrial.data.tables.parquet import ParquetByYear
from schooltrial.models.missing_outcomes.attrition_bias import Assumption
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.sections import Arm, Outcome, Years


def main(
    *,
    assignment: str,
    sample: str,
    teacher_sample: str,
    scores: str,
    observations: str,
    panel: str,
    bounded: str,
    outcomes: Mapping[str, Outcome],
    arms: Sequence[Arm],
    years: Years,
    analysis_years: Sequence[int],
    baseline: int,
    covariates: Sequence[str],
    teacher_covariates: Sequence[str],
    unit: str,
    boundary: Assumption,
    attrition: str,
    who_left: str,
    missing_outcomes: str,
    lost_before: Mapping[str, int] | None = None,
) -> None:
    """Write attrition with its verdicts, attrition by baseline, and bounds of the effect (CSV)."""
    units, pupils = pd.read_parquet(assignment), pd.read_parquet(sample)
    teachers = pd.read_parquet(teacher_sample)
    held: dict[str, Any] = {"years": years, "boundary": boundary, "lost_before": lost_before}
    both: dict[str, Any] = {"outcomes": outcomes, "arms": arms, "unit": unit}
    within: dict[str, Any] = {"analysis_years": analysis_years, "baseline": baseline}
    ranges = {
        level: outcome_support(
            people, ParquetByYear(measured), level=level, outcomes=outcomes, years=analysis_years
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
    of_pupils: dict[str, Any] = {**both, **within, "covariates": covariates}
    taught: dict[str, Any] = {**both, **within, "covariates": teacher_covariates}
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
