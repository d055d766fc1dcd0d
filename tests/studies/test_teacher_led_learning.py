from pathlib import Path
from typing import Any

import pytest

from schooltrial.protocol.form.strict_yaml import parse_yaml
from schooltrial.simulate.base.simulated_trial import SimulatedTrial
from schooltrial.simulate.teacher_led_learning.classroom_observations import rater_codes
from schooltrial.simulate.teacher_led_learning.parameters import Parameters
from schooltrial.simulate.teacher_led_learning.trial import simulate
from schooltrial.simulate.teacher_led_learning.truth import UNITS

STUDY = Path(__file__).parents[2] / "config" / "studies" / "teacher_led_learning.yaml"


@pytest.fixture(scope="module")
def protocol() -> Any:
    return parse_yaml(STUDY.read_text("utf-8"))


@pytest.fixture(scope="module")
def trial(protocol: Any) -> SimulatedTrial:
    parameters = Parameters.from_mapping(protocol["simulation"]["parameters"])
    return simulate(parameters, protocol["study"]["seed"])


def readings(protocol: Any) -> list[tuple[str, Any]]:
    """Return each file that the protocol reads, with its reading."""
    years = [y for part in ("baseline", "programme", "follow_up") for y in protocol["years"][part]]
    return [
        (name, reading)
        for table in protocol["tables"].values()
        for reading in table
        for name in sorted({reading["file"].replace("{year}", str(year)) for year in years})
    ]


def test_every_parameter_stands_in_the_protocol_with_its_source(protocol: Any) -> None:
    told = protocol["simulation"]["parameters"]
    assert set(told) == set(Parameters.__dataclass_fields__)
    assert all(entry["source"] for entry in told.values())
    assert Parameters.from_mapping(told) == Parameters()


def test_the_protocol_reads_every_file_that_is_written_and_no_other(
    protocol: Any, trial: SimulatedTrial
) -> None:
    assert sorted(name for name, _ in readings(protocol)) == sorted(trial.files)


def test_the_protocol_names_columns_that_the_files_have(
    protocol: Any, trial: SimulatedTrial
) -> None:
    assert readings(protocol)
    for name, reading in readings(protocol):
        assert reading["columns"], name
        for spec in reading["columns"].values():
            names = [spec["column"]] if isinstance(spec["column"], str) else spec["column"]
            assert sum(column in trial.files[name] for column in names) == 1, (name, names)


def test_the_protocol_reads_each_file_as_it_is_written(
    protocol: Any, trial: SimulatedTrial
) -> None:
    python = {"windows-1252": "cp1252", "utf-8": "utf-8", "latin-1": "latin-1"}
    assert readings(protocol)
    for name, reading in readings(protocol):
        written = trial.encodings[name].replace("utf-8-sig", "utf-8")
        assert python[reading.get("encoding", "utf-8")] == written, name
        assert reading.get("delimiter", ",") == trial.delimiters.get(name, ","), name
        commas = any(
            f["file"] == name for f in trial.truth["faults"] if f["fault"] == "decimal_commas"
        )
        assert reading.get("decimal", ".") == ("," if commas else "."), name


def test_leading_zeros_that_a_spreadsheet_dropped_are_put_back(
    protocol: Any, trial: SimulatedTrial
) -> None:
    lost = {f["file"] for f in trial.truth["faults"] if f["fault"] == "lost_zeros"}
    told = {name: r["columns"]["teacher"] for name, r in readings(protocol)
            if "teacher" in r["columns"]}  # fmt: skip
    assert lost
    assert lost <= set(told)
    for name, spec in told.items():
        assert spec.get("pad", False) or name not in lost, name
        assert spec.get("width", 5) == 5


def test_the_protocol_knows_every_code_that_the_files_hold(
    protocol: Any, trial: SimulatedTrial
) -> None:
    coded = 0
    for name, reading in readings(protocol):
        for spec in reading["columns"].values():
            if not spec.get("codes"):
                continue
            coded += 1
            cells = trial.files[name][spec["column"]].str.strip()
            codes = {str(code) for code in spec["codes"]}
            if spec.get("ignore_case"):
                cells, codes = cells.str.casefold(), {code.casefold() for code in codes}
            assert set(cells) <= codes, (name, spec["column"])
    assert coded


def test_the_codes_of_raters_are_those_of_the_district(protocol: Any) -> None:
    parameters = Parameters.from_mapping(protocol["simulation"]["parameters"])
    told = [r["columns"]["rater"]["codes"] for r in protocol["tables"]["observations"]
            if "rater" in r["columns"]]  # fmt: skip
    assert [list(codes) for codes in told] == [
        rater_codes(parameters, district) for district in ("North", "Centre", "South")
    ]


def test_units_years_and_effects_of_the_truth_are_those_of_the_protocol(
    protocol: Any, trial: SimulatedTrial
) -> None:
    assert {name: o["units_label"] for name, o in protocol["outcomes"].items()} == UNITS
    assert trial.truth["units"] == UNITS
    years = [y for part in ("baseline", "programme", "follow_up") for y in protocol["years"][part]]
    for name in protocol["outcomes"]:
        assert list(trial.truth["effects"][name]) == [str(year) for year in years]
    simulated = protocol["simulation"]["parameters"]
    parts = {"before": "baseline", "during": "programme", "after": "follow_up"}
    for name, part in parts.items():
        assert simulated[f"years_{name}"]["value"] == protocol["years"][part]
