"""A protocol is read with every default filled, and answers what the rules ask of it."""

import hashlib
from dataclasses import fields
from typing import Any

import pytest

from schooltrial.protocol.content.sections import (
    all_years,
    analysis_years,
    baseline_year,
    default_unit,
    labels,
    reference_year,
)
from schooltrial.protocol.form.schema_validation import with_defaults
from schooltrial.protocol.form.strict_yaml import parse_yaml
from schooltrial.protocol.reading import read_protocol
from schooltrial.randomisation.plan import lottery_plan
from schooltrial.refusal import Fault, Refusal, refuse
from schooltrial.simulate.school_randomised.parameters import Parameters
from support.sections import design
from support.small_trial import ROOT, SmallTrial, schema

STUDIES = sorted((ROOT / "config" / "studies").glob("*.yaml"))


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_the_protocols_that_ship_with_the_project_are_valid(path: Any) -> None:
    assert read_protocol(path, schema()).name == path.stem


def test_a_study_is_run_only_if_it_has_a_protocol() -> None:
    run = parse_yaml((ROOT / "config" / "config.yaml").read_text("utf-8"))["studies"]
    assert set(run) <= {path.stem for path in STUDIES}


def test_every_default_of_the_schema_is_filled(trial: SmallTrial) -> None:
    trial.write()
    content = trial.read().content
    model = schema()["properties"]["models"]["additionalProperties"]["properties"]
    assert set(content["models"]["itt"]) == set(model)
    assert content["models"]["itt"]["covariance"] == ["CR2"]
    assert content["models"]["did"]["where"] == {}
    assert content["sample"] == {"keep": {}}
    assert content["balance"]["equivalent_to"] == 0.05
    assert content["raw_folder"] == "."
    column = content["tables"]["pupils"][0]["columns"]["pupil"]
    assert set(column) == set(schema()["$defs"]["column"]["properties"])
    assert (column["type"], column["codes"], column["missing"]) == ("identifier", {}, [])


def test_what_the_protocol_says_is_not_overruled_by_a_default(trial: SmallTrial) -> None:
    trial.protocol["models"]["itt"]["covariance"] = ["CR1"]
    trial.protocol["balance"]["equivalent_to"] = 0.1
    trial.write()
    content = trial.read().content
    assert content["models"]["itt"]["covariance"] == ["CR1"]
    assert content["balance"]["equivalent_to"] == 0.1


def test_a_default_that_is_filled_in_twice_is_not_shared() -> None:
    node: dict[str, Any] = {"properties": {"kept": {"default": [], "items": {}}}}
    first, second = (with_defaults({}, node, {}) for _ in range(2))
    first["kept"].append(1)
    assert second["kept"] == []


def test_keys_of_yaml_are_text_also_where_yaml_reads_a_truth_value() -> None:
    assert parse_yaml("{Y: 1, no: 2, 1: 3, 2020-01-01: 4}") == {
        "Y": 1,
        "no": 2,
        "1": 3,
        "2020-01-01": 4,
    }


def test_the_checksum_is_that_of_the_file(trial: SmallTrial) -> None:
    trial.write()
    raw = (trial.folder / "trial.yaml").read_bytes()
    assert trial.read().sha256 == hashlib.sha256(raw).hexdigest()


def test_models_are_named_in_protocol_order_and_by_estimator(trial: SmallTrial) -> None:
    trial.write()
    protocol = trial.read()
    assert protocol.models() == ["itt", "did"]
    assert protocol.models("difference_in_differences") == ["did"]
    assert "simulation" not in protocol.content


def test_years_have_their_place(trial: SmallTrial) -> None:
    trial.write()
    content = trial.read().content
    assert all_years(content["years"]) == [2019, 2020]
    assert reference_year(content["years"]) == 2019
    assert baseline_year(content) == 2019
    assert analysis_years(content) == [2020]


def test_without_a_primary_model_the_last_year_of_the_programme_is_analysed(
    trial: SmallTrial,
) -> None:
    trial.protocol["models"]["itt"]["role"] = "secondary"
    trial.protocol["years"].update(baseline=[2017, 2018], programme=[2019, 2020], reference=2017)
    trial.write()
    content = trial.read().content
    assert analysis_years(content) == [2020]
    assert reference_year(content["years"]) == 2017


def test_labels_come_from_columns_variables_outcomes_and_the_list_which_wins(
    trial: SmallTrial,
) -> None:
    trial.protocol["variable_labels"] = {"grade": "School grade"}
    trial.write()
    found = labels(trial.read().content)
    assert found["district"] == "District"
    assert found["girl"] == "Girl"
    assert found["maths"] == "Maths"
    assert found["grade"] == "School grade"
    assert "pupil" not in found


def test_the_simulation_parameters_of_the_protocol_are_the_defaults_of_the_generator() -> None:
    path = ROOT / "config" / "studies" / "chicago_collaborative.yaml"
    stated = read_protocol(path, schema()).content["simulation"]["parameters"]
    assert Parameters.from_mapping(stated) == Parameters()
    assert set(stated) == {field.name for field in fields(Parameters)}


def test_a_refusal_counts_its_faults_and_shows_the_first_twenty() -> None:
    faults = [
        Fault("a.csv", f"fault {at}", "none", "mend it", row=at, column=f"c{at}")
        for at in range(25)
    ]
    with pytest.raises(Refusal) as caught:
        refuse(faults)
    lines = str(caught.value).splitlines()
    assert lines[0] == "Refused: 25 errors were found. This step wrote no files."
    assert lines[-1] == "  … and 5 more; fix these first."
    assert "fault 19" in str(caught.value)
    assert "fault 20" not in str(caught.value)


def test_nothing_is_refused_where_there_is_no_fault() -> None:
    refuse([])


def test_a_fault_says_where_what_and_what_to_do() -> None:
    fault = Fault("a.csv", "it is blue", "red", "paint it", row=3, column="b")
    assert str(fault) == (
        "a.csv, row 3, column 'b': it is blue\n    expected: red\n    fix:      Paint it."
    )


def test_a_refusal_survives_the_way_between_processes() -> None:
    import pickle

    refusal = Refusal([Fault("a.csv", "it is blue", "red", "paint it")])
    assert pickle.loads(pickle.dumps(refusal)).faults == refusal.faults


@pytest.mark.parametrize(
    ("standardise", "scale", "measured_on", "unit"),
    [
        ("control", "continuous", "pupil", "control SD"),
        ("none", "binary", "pupil", "share of pupils"),
        ("none", "binary", "teacher", "share of teachers"),
        ("none", "binary", "school", "share of schools"),
        ("none", "continuous", "school", "points"),
    ],
)
def test_an_outcome_without_a_unit_takes_that_of_its_scale_and_of_whom_it_is(
    standardise: str, scale: str, measured_on: str, unit: str
) -> None:
    outcome: Any = {"standardise": standardise, "scale": scale, "measured_on": measured_on}
    assert default_unit(outcome) == unit


def test_take_up_lends_its_label_to_a_variable_that_has_none(trial: SmallTrial) -> None:
    trial.protocol["take_up"] = {"variable": "girl", "label": "Came to a lesson"}
    trial.write()
    content = trial.read().content
    assert labels(content)["girl"] == "Girl"
    untold: Any = {**content, "take_up": {"variable": "attended", "label": "Came to a lesson"}}
    assert labels(untold)["attended"] == "Came to a lesson"


def test_a_label_under_a_join_stands_in_exhibits(trial: SmallTrial) -> None:
    joined = {"pupil": {"column": "id"}, "migrant": {"column": "mig", "label": "Migrant family"}}
    trial.reading("pupils")["join"] = [{"file": "more.csv", "on": ["pupil"], "columns": joined}]
    trial.write()
    assert labels(trial.read().content)["migrant"] == "Migrant family"


def test_arms_without_a_share_may_divide_the_rest(trial: SmallTrial) -> None:
    trial.protocol["design"]["arms"][0]["share"] = 0.3
    trial.write()
    assert lottery_plan(trial.read().design).shares == pytest.approx((0.3, 0.7))


@pytest.mark.parametrize(
    ("unit", "block"), [("school", "block"), ("teacher", "school"), ("pupil", "school")]
)
def test_the_columns_of_a_frame_follow_what_was_assigned(unit: str, block: str) -> None:
    draw = design(unit=unit)["randomisation"]
    assert (draw["unit_column"], draw["block_column"]) == (unit, block)


def test_a_day_may_be_written_without_quotes(trial: SmallTrial) -> None:
    trial.write()
    path = trial.folder / "trial.yaml"
    path.write_text(path.read_text("utf-8") + "registration: {date: 2019-06-30}\n", "utf-8")
    assert trial.read().content["registration"]["date"] == "2019-06-30"
