"""A check says of which effects a run would give no interval."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from schooltrial.pipeline.runs.errors_known import models_without_error
from schooltrial.study.layout import Layout

CONTENT: Any = {
    "models": {"many": {}}, "tables": {}, "variables": {}, "variable_labels": {},
    "outcomes": {"maths": {"label": "Maths"}}, "take_up": {"variable": ""},
}  # fmt: skip


@pytest.mark.parametrize(
    ("error", "p", "estimand", "warned"),
    [
        ("", "", "ITT", 1),
        ("0.1", "0.2", "ITT", 0),
        ("", "0.2", "ITT", 0),
        ("", "", "persistence", 0),  # a ratio, which has no error in any model
    ],
)
def test_an_effect_without_error_and_p_value_is_warned_of_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: str, p: str, estimand: str, warned: int
) -> None:
    file = tmp_path / Layout(Path("results") / "s").estimates_of("many")
    file.parent.mkdir(parents=True)
    row = {"outcome": "maths", "estimand": estimand, "estimate": "0.2", "std_error": error,
           "p_value": p, "note": "no standard error: clusters fit this exactly; more"}  # fmt: skip
    pd.DataFrame([row]).to_csv(file, index=False)
    monkeypatch.chdir(tmp_path)
    told = list(models_without_error(CONTENT, "s"))
    assert len(told) == warned
    for text in told:
        assert text.startswith("Maths (many) will have no interval: no standard error: clusters")
        assert "0.2" not in text
