"""What the section on implementation says in sentences."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from schooltrial.report.sections.implementation import contrast_sentence, fidelity_sentence

ARMS = {"control": "Control schools", "programme": "Programme schools"}


def _contrast(**control: Any) -> pd.DataFrame:
    row = {"label": "Coaching", "n_schools": 20}
    return pd.DataFrame([
        {**row, "arm": "control", "intended": "no", **control},
        {**row, "arm": "programme", "intended": "yes", "n_with_any": 20.0},
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("received", "said"),
    [
        (float("nan"), "The log has no entry for control schools"),
        (0.0, "The log shows none of what control schools were not to receive."),
        (2.0, "Of 20 control schools, 2 received some of what they were not to receive (Coaching)"),
    ],
)
def test_what_control_schools_received_is_said_as_far_as_the_log_tells(
    received: float, said: str
) -> None:
    assert contrast_sentence(_contrast(n_with_any=received), ARMS).startswith(said)


def test_the_sentence_on_fidelity_counts_the_years_in_which_the_planned_share_was_reached() -> None:
    fidelity = pd.DataFrame({
        "component": "coaching", "year": [2019, 2020], "share_met": [0.9, 0.7],
        "met": ["yes", "no"],
    })  # fmt: skip
    told = fidelity_sentence(fidelity)
    assert told.startswith("In 1 of 2 cases (1 component in 2 school years), the planned share")
    assert "(70.0% to 90.0% met it)" in told
    assert fidelity_sentence(fidelity[:1]).startswith("For 1 component in 1 school year, the")
    assert fidelity_sentence(fidelity.assign(share_met=float("nan"))) == ""
