from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from schooltrial.protocol.form.strict_yaml import parse_yaml
from schooltrial.simulate.base.simulated_trial import SimulatedTrial
from schooltrial.simulate.within_school_lottery.parameters import LotteryParameters
from schooltrial.simulate.within_school_lottery.trial import simulate

STUDY = Path(__file__).parents[2] / "config" / "studies" / "university_certificate.yaml"


@pytest.fixture(scope="module")
def protocol() -> Any:
    return parse_yaml(STUDY.read_text("utf-8"))


@pytest.fixture(scope="module")
def trial(protocol: Any) -> SimulatedTrial:
    parameters = LotteryParameters.from_mapping(protocol["simulation"]["parameters"])
    return simulate(parameters, protocol["study"]["seed"])


def test_every_parameter_stands_in_the_protocol_with_its_source(protocol: Any) -> None:
    told = protocol["simulation"]["parameters"]
    assert set(told) == set(LotteryParameters.__dataclass_fields__)
    assert all(entry["source"] for entry in told.values())


def test_the_places_of_the_list_are_those_that_were_drawn(
    protocol: Any, trial: SimulatedTrial
) -> None:
    listed = trial.files["lottery_list.csv"].drop_duplicates()
    draw = protocol["design"]["randomisation"]
    column = protocol["tables"]["assignment"][0]["columns"][draw["places"]]["column"]
    offers = (listed["result"] == "OFFER").groupby(listed["school_code"]).sum()
    assert offers.to_dict() == listed.groupby("school_code")[column].first().astype(int).to_dict()
    assert draw["date"] == listed["drawn_on"].iloc[0]


def test_the_column_maps_name_columns_and_codes_that_are_there(
    protocol: Any, trial: SimulatedTrial
) -> None:
    years = [y for part in ("baseline", "programme", "follow_up") for y in protocol["years"][part]]
    readings = [reading for table in protocol["tables"].values() for reading in table]
    read = set()
    for reading in readings:
        for file in {reading["file"].replace("{year}", str(year)) for year in years}:
            read.add(file)
            assert reading.get("delimiter", ",") == trial.delimiters.get(file, ",")
            wanted = {**reading["columns"], **reading.get("outcomes", {})}
            for name, spec in wanted.items():
                names = spec["column"] if isinstance(spec["column"], list) else [spec["column"]]
                (found,) = [column for column in names if column in trial.files[file]]
                if "codes" in spec:
                    text = trial.files[file][found].str.strip()
                    cells = text.str.upper() if spec.get("ignore_case") else text
                    assert set(cells) - {""} <= set(map(str, spec["codes"])), (file, name)
    assert read == set(trial.files)


def test_surveys_have_no_missing_code_that_the_protocol_does_not_list(
    protocol: Any, trial: SimulatedTrial
) -> None:
    survey = protocol["tables"]["observations"][0]
    listed, mark = survey["missing"], survey["decimal"]
    for year in (2022, 2023, 2024):
        for column in ("K_TOTAL", "P_MEAN"):
            cells = trial.files[f"survey_{year}.csv"][column]
            numbers = cells[~cells.isin(listed)].str.replace(mark, ".")
            assert pd.to_numeric(numbers).notna().all()
