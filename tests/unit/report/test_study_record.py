"""The study record is data of a documented shape, and says null where nothing is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from schooltrial.report.study_record import build_record, record_faults, record_text
from support.study_verdict import made_verdict

STUDY = {"title": "A small trial", "protocol": "0" * 64}


def _record(**changed: Any) -> dict[str, Any]:
    return build_record(made_verdict(**changed), STUDY, {"girl": "Girls"}, {"control": 20})


def test_the_record_fits_the_schema_that_the_package_ships() -> None:
    record = _record()
    assert record_faults(record) == []
    assert json.loads(record_text(record)) == record


@pytest.mark.parametrize(
    ("table", "part"),
    [
        ("attrition", [{"outcome": "maths"}]),
        ("design_and_measures", {"design": "blocked"}),
        ("more", 1),
        ("protocol_sha256", "short"),
    ],
)
def test_a_record_of_another_shape_is_not_written(table: str, part: Any) -> None:
    with pytest.raises(ValueError, match=r"does not fit study_record\.schema\.json"):
        record_text({**_record(), table: part})


def test_what_is_not_known_is_null_and_what_there_is_none_of_is_empty() -> None:
    record = _record()
    assert record["registration_and_conflicts"]["registry"] is None
    assert record["registration_and_conflicts"]["deviations"] == []
    assert record["conditions"]["groups"][1]["units_assigned"] is None


def test_only_effects_and_losses_enter_their_tables() -> None:
    record = _record()
    assert [row["estimand"] for row in record["results"]["effects"]] == ["ITT"]
    assert [row["count_treated"] for row in record["attrition"]] == [30]
    assert type(record["attrition"][0]["n_control"]) is int


def test_covariates_bear_their_labels() -> None:
    (analysis,) = _record()["sample_formation_and_analysis"]["analyses"]
    assert analysis["covariates"] == ["the outcome at baseline", "Girls"]


def test_the_schema_says_which_shape_it_is_of() -> None:
    record = _record()
    schema = Path(__file__).parents[3] / "src" / "schooltrial" / "report" / record["schema"]
    assert json.loads(schema.read_text("utf-8"))["properties"]["schema_version"] == {
        "const": record["schema_version"]
    }


def test_effects_on_yes_or_no_outcomes_are_in_the_unit_that_the_record_names() -> None:
    verdict = made_verdict()
    (row,) = [one for one in verdict["results"]["estimates"] if one["estimand"] == "ITT"]
    outcome = verdict["design_and_measures"]["outcomes"][row["outcome"]]
    outcome |= {"scale": "binary", "units_label": "share of pupils"}
    record = build_record(verdict, STUDY, {}, {})
    (effect,) = record["results"]["effects"]
    for name in ("estimate", "std_error", "conf_low", "conf_high"):
        assert effect[name] == pytest.approx(100 * row[name])
    assert effect["p_value"] == row["p_value"]
    (first, *_) = record["design_and_measures"]["outcomes"]
    assert first["units"] == "percentage points"
    assert record_faults(record) == []
