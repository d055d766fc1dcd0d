"""Keys of the check of parallel trends that can do nothing, or name what is not there."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from schooltrial.protocol.form.strict_yaml import parse_yaml
from schooltrial.protocol.reading import read_protocol
from schooltrial.refusal import Refusal
from support.small_trial import PROTOCOL, schema


def _refused(folder: Path, *, primary: bool, **settings: Any) -> list[str]:
    import yaml  # late: the library itself reads protocols without it

    protocol: dict[str, Any] = copy.deepcopy(parse_yaml(PROTOCOL))
    for model in protocol["models"].values():
        if model["estimator"] == "difference_in_differences":
            model["role"] = "primary" if primary else "sensitivity"
    protocol["checks"] = {**protocol.get("checks", {}), "parallel_trends": settings}
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump(protocol, sort_keys=False), encoding="utf-8")
    with pytest.raises(Refusal) as refusal:
        read_protocol(path, schema())
    return [str(fault) for fault in refusal.value.faults]


def test_without_a_primary_panel_model_the_keys_are_refused(tmp_path: Path) -> None:
    (fault,) = _refused(tmp_path, primary=False, placebo_draws=500)
    assert "no primary model assumes parallel trends" in fault


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"placebo_outcomes": ["absence"]}, "'absence', but the protocol has no such outcome"),
        ({"leave_out": ["regoin"]}, "'regoin', but the protocol has no such part or variable"),
        ({"relative_magnitudes": [-1]}, "-1"),
        ({"placebo_draws": 10}, "100"),
    ],
)
def test_what_a_protocol_does_not_have_is_named(
    tmp_path: Path, settings: dict[str, Any], told: str
) -> None:
    faults = _refused(tmp_path, primary=True, **settings)
    assert any(told in fault for fault in faults), faults


def test_an_outcome_of_the_model_is_no_placebo(tmp_path: Path) -> None:
    protocol = parse_yaml(PROTOCOL)
    model = next(m for m in protocol["models"].values()
                 if m["estimator"] == "difference_in_differences")  # fmt: skip
    faults = _refused(tmp_path, primary=True, placebo_outcomes=[model["outcomes"][0]])
    assert any("an outcome of a primary panel model" in fault for fault in faults)
