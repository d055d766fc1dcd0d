from pathlib import Path
from typing import Any

import pytest

from schooltrial.protocol.form.strict_yaml import parse_yaml
from schooltrial.simulate.base.simulated_trial import SimulatedTrial
from schooltrial.simulate.staggered_rollout.parameters import RolloutParameters
from schooltrial.simulate.staggered_rollout.published_rates import STYLES
from schooltrial.simulate.staggered_rollout.trial import simulate

STUDY = Path(__file__).parents[2] / "config" / "studies" / "fellowship.yaml"
PYTHON = {"windows-1252": "cp1252", "utf-8": "utf-8"}


@pytest.fixture(scope="module")
def protocol() -> Any:
    return parse_yaml(STUDY.read_text("utf-8"))


@pytest.fixture(scope="module")
def trial(protocol: Any) -> SimulatedTrial:
    parameters = RolloutParameters.from_mapping(protocol["simulation"]["parameters"])
    return simulate(parameters, protocol["study"]["seed"])


def years(protocol: Any) -> list[int]:
    return [*protocol["years"]["baseline"], *protocol["years"]["programme"]]


def readings(protocol: Any) -> list[tuple[str, Any]]:
    """Return each file that the protocol reads, with its reading."""
    return [
        (name, reading)
        for table in protocol["tables"].values()
        for reading in table
        for name in sorted({reading["file"].replace("{year}", str(y)) for y in years(protocol)})
    ]


def test_every_parameter_stands_in_the_protocol_with_its_source(protocol: Any) -> None:
    told = protocol["simulation"]["parameters"]
    assert set(told) == set(RolloutParameters.__dataclass_fields__)
    assert all(entry["source"] for entry in told.values())
    assert RolloutParameters.from_mapping(told) == RolloutParameters()


def test_the_study_says_that_it_is_synthetic_and_was_not_randomised(protocol: Any) -> None:
    assert protocol["study"]["synthetic"]
    assert "synthetic" in protocol["study"]["title"]
    assert protocol["design"]["kind"] == "staggered"
    assert not protocol["design"]["randomised"]


def test_the_protocol_reads_every_file_that_is_written_and_no_other(
    protocol: Any, trial: SimulatedTrial
) -> None:
    assert sorted(name for name, _ in readings(protocol)) == sorted(trial.files)


def test_the_protocol_names_columns_and_codes_that_the_files_have(
    protocol: Any, trial: SimulatedTrial
) -> None:
    assert readings(protocol)
    for name, reading in readings(protocol):
        frame = trial.files[name]
        for variable, spec in {**reading["columns"], **reading.get("outcomes", {})}.items():
            names = [spec["column"]] if isinstance(spec["column"], str) else spec["column"]
            (found,) = [column for column in names if column in frame]
            if "codes" in spec:
                cells, codes = frame[found], set(spec["codes"])
                if spec.get("ignore_case"):
                    cells = cells.str.upper()
                assert set(cells.str.strip()) <= codes, (name, variable)


def test_the_protocol_reads_each_file_in_the_form_in_which_it_is_written(
    protocol: Any, trial: SimulatedTrial
) -> None:
    assert readings(protocol)
    for name, reading in readings(protocol):
        written = trial.encodings[name].replace("utf-8-sig", "utf-8")
        assert PYTHON[reading.get("encoding", "utf-8")] == written, name
        assert reading.get("delimiter", ",") == trial.delimiters.get(name, ","), name
    assert protocol["tables"]["school_scores"]
    for reading in protocol["tables"]["school_scores"]:
        style = STYLES[reading["file"].split("_")[0].capitalize()]
        assert reading.get("decimal", ".") == style.decimal
        rates = reading.get("outcomes") or {"value": reading["columns"]["value"]}
        assert rates
        for spec in rates.values():
            assert spec["suppressed"] == "bounds"
            assert spec.get("percent", False) == (style.sign == "%")
        assert reading["columns"]["n_pupils"]["suppressed"] == "missing"


def test_years_cohorts_and_units_of_the_truth_are_those_of_the_protocol(
    protocol: Any, trial: SimulatedTrial
) -> None:
    units = {name: outcome["units_label"] for name, outcome in protocol["outcomes"].items()}
    assert trial.truth["units"] == units
    assert trial.truth["effects"]
    for effects in trial.truth["effects"].values():
        assert list(effects) == [str(year) for year in years(protocol)]
        assert all(effects[str(year)] == 0 for year in protocol["years"]["baseline"])
    cohorts = sorted(map(int, trial.truth["n_cohort"]))
    assert protocol["tables"]["assignment"][0]["columns"]["cohort"]["range"] == cohorts
    assert protocol["years"]["baseline"][-1] == cohorts[0] - 1


def test_the_subgroups_are_the_regions(protocol: Any, trial: SimulatedTrial) -> None:
    told = [subgroup["where"]["block"][0] for subgroup in protocol["subgroups"].values()]
    assert told == sorted(trial.schools["region"].unique())
    assert protocol["models"]["staggered"]["subgroups"] == list(protocol["subgroups"])
