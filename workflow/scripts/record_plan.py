"""Keep the checksums of the plan as it was when outcomes were first read."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rule_adapter import run_as_rule
from schooltrial.protocol_plan import record


def main(*, protocol: Mapping[str, Any], plan: str, **traced: Any) -> None:
    """Write the first record of the plan, where there is one, beside the present one."""
    file = Path(plan)
    before = json.loads(file.read_text("utf-8")) if file.is_file() else None
    found = record(before, protocol)
    told = {**asdict(found), "changed": found.changed}
    file.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


run_as_rule(main, globals())
