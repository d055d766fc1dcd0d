"""Write the raw files of a synthetic trial."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rule_adapter import run_as_rule
from schooltrial.refusal import Fault, Refusal
from schooltrial.simulate.generators import GENERATORS


def main(*, simulation: Mapping[str, Any], seed: int, folder: str, truth: str) -> None:
    """Write one CSV per raw file, and the truth that the simulation knows."""
    try:
        trial = GENERATORS[simulation["generator"]](simulation["parameters"], seed)
    except ValueError as error:
        place, remedy = "simulation.parameters", "correct it there, or leave it out"
        known = f"parameters of {simulation['generator']}"
        raise Refusal([Fault("the protocol", str(error), known, remedy, column=place)]) from error
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, frame in trial.files.items():
        separator = trial.delimiters.get(name, ",")
        frame.to_csv(
            Path(folder) / name, index=False, encoding=trial.encodings[name], sep=separator
        )
    Path(truth).write_text(json.dumps(trial.truth, indent=1) + "\n", encoding="utf-8")


run_as_rule(main, globals())
