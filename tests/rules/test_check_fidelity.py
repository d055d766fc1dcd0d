"""The rule of fidelity writes what the log of the programme says, three times over."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from check_fidelity import main as check_fidelity
from schooltrial.protocol.content.sections import Implementation
from support.small_trial import SmallTrial

SECTION: Implementation = {
    "year_starts_in": 7,
    "components": {
        "coaching": {
            "label": "Coaching", "indicator": "hours", "source": "log", "measured_on": "school",
            "total": "sum", "unit_threshold": 10.0, "share_required": 0.75, "contrast": True,
            "arms": [],
        },
    },
}  # fmt: skip
LOG = pd.DataFrame(
    [
        ("S2", "1", "2019-09", 6.0), ("S2", "1", "2020-02", 6.0), ("S4", "2", "2019-10", 10.0),
        ("S6", "3", "2019-10", 4.0), ("S1", "4", "2019-10", 2.0),
    ],
    columns=["school", "leader", "period", "value"],
).assign(component="coaching")  # fmt: skip


def test_fidelity_doses_and_contrast_are_those_of_the_log(
    finished: SmallTrial, tmp_path: Path
) -> None:
    LOG.to_parquet(tmp_path / "implementation.parquet")
    paths = {name: str(tmp_path / f"{name}.csv") for name in ("check", "doses", "contrasts")}
    check_fidelity(
        implementation=str(tmp_path / "implementation.parquet"),
        assignment=finished.path("assignment.parquet"), section=SECTION,
        crosswalk=finished.path("crosswalk.parquet"),
        arms=finished.read().content["design"]["arms"], **paths,
    )  # fmt: skip
    check, doses, contrasts = (pd.read_csv(path) for path in paths.values())
    (row,) = check.itertuples()
    assert (row.n_units, row.n_met, row.met) == (4, 2, "no")  # S8 stands in no row of the log
    assert row.share_met == 0.5
    assert doses["value"].sum() == pytest.approx(LOG["value"].sum())
    assert contrasts["n_units"].tolist() == [4, 4]
    assert contrasts["verdict"].fillna("").tolist() == ["crossover: S1", ""]
