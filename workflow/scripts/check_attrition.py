"""Count who was lost and test who left, and show what missing outcomes could do to the effect."""

from collections.abc import Mapping, Sequence

import pandas as pd

from rule_adapter import run_as_rule
from schooltrial.checks.attrition import attrition as count_attrition
from schooltrial.checks.missing_outcomes import missing_outcomes as bound_effects
from schooltrial.checks.teacher_attrition import teacher_attrition
from schooltrial.checks.who_left import who_left as compare_leavers
from schooltrial.models.attrition_model import Assumption
from schooltrial.protocol import Arm, Outcome, Years


def main(
    *,
    assignment: str,
    sample: str,
    outcomes: Mapping[str, Outcome],
    arms: Sequence[Arm],
    years: Years,
    analysis_years: Sequence[int],
    baseline: int,
    covariates: Sequence[str],
    unit: str,
    boundary: Assumption,
    attrition: str,
    who_left: str,
    missing_outcomes: str,
    teacher_sample: str | None = None,
    lost_before: Mapping[str, int] | None = None,
    support: Mapping[str, tuple[float, float]] | None = None,
) -> None:
    """Write attrition with its verdicts, attrition by baseline, and bounds of the effect (CSV)."""
    units, pupils = pd.read_parquet(assignment), pd.read_parquet(sample)
    counted = count_attrition(
        units, pupils, outcomes=outcomes, arms=arms, years=years, baseline=baseline, unit=unit,
        boundary=boundary, lost_before=lost_before,
    )  # fmt: skip
    left = compare_leavers(
        units, pupils, outcomes=outcomes, arms=arms, analysis_years=analysis_years,
        baseline=baseline, covariates=covariates, unit=unit,
    )  # fmt: skip
    bounded = bound_effects(
        units, pupils, outcomes=outcomes, arms=arms, analysis_years=analysis_years,
        baseline=baseline, covariates=covariates, unit=unit, support=support,
    )  # fmt: skip
    if teacher_sample:
        of_teachers = teacher_attrition(
            units, pd.read_parquet(teacher_sample), outcomes=outcomes, arms=arms, years=years,
            baseline=baseline, unit=unit, boundary=boundary, lost_before=lost_before,
        )  # fmt: skip
        counted = of_teachers if len(counted) == 0 else pd.concat([counted, of_teachers])
    for table, path in ((counted, attrition), (left, who_left), (bounded, missing_outcomes)):
        table.to_csv(path, index=False, float_format="%.10g")


run_as_rule(main, globals())
