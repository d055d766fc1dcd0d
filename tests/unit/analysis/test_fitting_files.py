"""A model that needs what the sample lacks is refused where it is fitted, whatever its role."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from schooltrial.refusal import Refusal
from support.small_trial import SmallTrial


@pytest.mark.parametrize(
    "change",
    [
        {"estimator": "cluster_robust", "covariates": ["no_such"]},
        {"estimator": "difference_in_differences", "where": {"no_such": [1]}},
    ],
)
def test_a_model_that_needs_what_the_sample_lacks_is_refused_by_name(
    finished: SmallTrial, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, change: Any
) -> None:
    protocol = finished.read()
    models = protocol.content["models"]
    first = next(m for m in models.values() if m["estimator"] == change["estimator"])
    models = {"mine": {**first, **change, "role": "sensitivity"}}
    changed = type(protocol)({**protocol.content, "models": models}, "", protocol.path)
    monkeypatch.setattr(finished, "read", lambda: changed)
    with pytest.raises(Refusal, match="model 'mine' uses 'no_such' for"):
        finished.fit()
