"""Compare the plan with the plan when outcomes were first read, and describe the study."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Content, Model, StudyLine, analysis_years
from schooltrial.protocol.plan import PlanRecord, first_plan, section_checksums


def main(
    *,
    protocol: Content,
    models_to_come: Mapping[str, Model],
    study: StudyLine,
    first: str | Sequence[str],
    plan: str,
    study_file: str,
) -> None:
    """Write the checksums of the plan then and now, which sections changed, and what is planned."""
    sealed = first if isinstance(first, str) else next(iter(first), "")
    found = PlanRecord(first_plan(sealed), section_checksums(protocol, models_to_come))
    told = {**asdict(found), "changed": found.changed}
    Path(plan).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    primary = [name for name, outcome in protocol["outcomes"].items() if outcome["primary"]]
    line = {
        **study,
        "primary_outcomes": primary or list(protocol["outcomes"]),
        "outcome_levels": {name: one["measured_on"] for name, one in protocol["outcomes"].items()},
        "analysis_years": analysis_years(protocol),
        "deviations": protocol["deviations"],
    }
    Path(study_file).write_text(json.dumps(line, indent=1) + "\n", encoding="utf-8")


run_as_rule(main, globals())
