"""Identifiers that a file spells in its own way are read as other files spell them, and logged."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from support.small_trial import SmallTrial

SCORES = "scores_2020.csv"


@pytest.mark.parametrize(
    ("change", "keys"),
    [
        (lambda name: f"P-{name}", {"without": ["P-"]}),
        (lambda name: f"{name[:2]} {name[2:]}", {"without": [" "]}),
        (lambda name: f"ID{int(name)}", {"without": ["ID"], "width": 4, "pad": True}),
        (lambda name: {"0001": "first"}.get(name, name), {"respell": {"first": "0001"}}),
    ],
)
def test_scores_are_linked_once_identifiers_are_respelt(
    trial: SmallTrial, change: Any, keys: dict[str, Any]
) -> None:
    plain = SmallTrial(trial.folder / "plain")
    plain.obtain()
    for row in trial.files[SCORES][1:]:
        row[0] = change(row[0])
    reading = trial.reading("scores")
    of_2020 = {**reading, "file": SCORES, "year": 2020}
    of_2020["columns"] = {**reading["columns"], "pupil": {"column": "pupil_id", **keys}}
    trial.protocol["tables"]["scores"] = [
        {**reading, "file": "scores_2019.csv", "year": 2019}, of_2020,
    ]  # fmt: skip
    trial.obtain()
    found, wanted = (pd.read_parquet(one.path("scores.parquet")) for one in (trial, plain))
    by = ["year", "outcome", "pupil"]
    pd.testing.assert_frame_equal(
        found.sort_values(by, ignore_index=True), wanted.sort_values(by, ignore_index=True)
    )
    log = pd.read_csv(trial.path("cleaning_log.csv"))
    assert (log["file"] == SCORES).any()
    assert "0001" not in log.to_csv()


def test_letters_are_read_in_one_case(trial: SmallTrial) -> None:
    for row in trial.files["roster_2020.csv"][1:]:
        row[1] = row[1].lower()
    trial.reading("pupils")["columns"]["school"]["letters"] = "upper"
    trial.obtain()
    pupils = pd.read_parquet(trial.path("pupils.parquet"))
    assert set(pupils["school"]) == {f"S{at}" for at in range(1, 9)}
    log = pd.read_csv(trial.path("cleaning_log.csv"))
    assert log["rule"].tolist() == ["identifier in upper letters"]
    assert log["cells"].tolist() == [160]
