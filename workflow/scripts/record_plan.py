"""Hold the plan against what it was when outcomes were first read."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.plan import PlanRecord, first_plan, section_checksums


def main(*, protocol: Mapping[str, Any], first: str, plan: str) -> None:
    """Write the checksums of the plan then and now, and which sections changed."""
    found = PlanRecord(first_plan(first), section_checksums(protocol))
    told = {**asdict(found), "changed": found.changed}
    Path(plan).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


run_as_rule(main, globals())
