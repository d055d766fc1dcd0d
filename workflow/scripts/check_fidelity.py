"""Compare implementation with the thresholds that the protocol set."""

from collections.abc import Sequence

import pandas as pd

from schooltrial.checks.implementation.contrast import contrast_arms
from schooltrial.checks.implementation.dosage import measure_dosage
from schooltrial.checks.implementation.fidelity import measure_fidelity
from schooltrial.checks.implementation.log import followed
from schooltrial.data.linking.school_crosswalk import crosswalk_of
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Arm, Implementation


def main(
    *,
    implementation: str,
    assignment: str,
    crosswalk: str,
    section: Implementation,
    arms: Sequence[Arm],
    check: str,
    doses: str,
    contrasts: str,
) -> None:
    """Write the fidelity matrix, the dosage by school and month, and the contrast of the groups."""
    assigned = pd.read_parquet(assignment)
    arm_of = dict(zip(assigned["school"], assigned["arm"].astype("str"), strict=True))
    control, starts_in = arms[0]["name"], section["year_starts_in"]
    changes = crosswalk_of(pd.read_parquet(crosswalk))
    log = followed(pd.read_parquet(implementation), arm_of, changes, starts_in)
    given = measure_dosage(log, arm_of, starts_in)
    found = measure_fidelity(log, section["components"], arm_of, control, starts_in)
    compared = contrast_arms(log, section["components"], arm_of, control, starts_in)
    for frame, path in ((found, check), (given, doses), (compared, contrasts)):
        frame.to_csv(path, index=False, float_format="%.10g")


run_as_rule(main, globals())
