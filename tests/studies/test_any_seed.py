"""A synthetic study runs at any seed, and with other parameters that its generator allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from benchmarks.synthetic_runs import (
    SECONDARY,
    STUDIES,
    run_protocol,
    run_seed,
    shipped,
    with_parameters,
    with_seed,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from schooltrial.checks.assignment.verdict import CONSISTENT, IN_DOUBT, NO_LOTTERY, REPRODUCED
from schooltrial.protocol.content.sections import all_years
from schooltrial.protocol.form.schema_validation import schema_faults
from schooltrial.simulate.generators import GENERATORS
from support.small_trial import schema

LARGE_SEED = 2**63
BELIEVED = {
    "chicago_collaborative": REPRODUCED,
    "fellowship": NO_LOTTERY,
    "teacher_led_learning": CONSISTENT,
    "university_certificate": CONSISTENT,
}
REGIONS = ("East", "Middle", "West")
QUICK = ("university_certificate", LARGE_SEED)
"""The study and the seed that are run in every test, the others with `make test-slow`."""
EVERY = pytest.mark.parametrize("study", STUDIES)


def _blocks(sizes: tuple[int, int, int], level: str = "elementary") -> list[list[Any]]:
    return [
        [name, level, 2 * n] for name, n in zip(("North", "Centre", "South"), sizes, strict=True)
    ]


SIZES = st.tuples(*[st.integers(1, 3)] * 3)
SHARE = st.sampled_from([0.0, 0.1, 0.4])
PUPILS: dict[str, Any] = {
    "pupils_per_school": st.sampled_from([30.0, 60.0]),
    "school_size_cv": st.sampled_from([0.0, 0.8]),
    "leaver_rate": SHARE, "mover_rate": SHARE, "joiner_rate": SHARE, "late_entrant_rate": SHARE,
    "within_year_mover_rate": SHARE, "missing_test_rate": SHARE,
    "disadvantaged_share": st.sampled_from([0.0, 0.5, 1.0]),
    "score_sd": st.sampled_from([{"maths": 15.0, "ela": 15.0}, {"maths": 60.0, "ela": 5.0}]),
    "impossible_scores": st.integers(0, 8), "restyled_codes": st.integers(0, 20),
}  # fmt: skip
OF_REGION = st.fixed_dictionaries({"2016": st.integers(1, 4), "2017": st.integers(0, 3)})
FEW = st.integers(0, 2)
PARAMETERS: dict[str, dict[str, Any]] = {
    "chicago_collaborative": {
        **PUPILS, "blocks": SIZES.map(lambda sizes: _blocks(sizes, "middle")),
        "charter_share": SHARE, "attendance_sd": st.sampled_from([1.0, 20.0]),
        "low_fidelity_schools": st.integers(0, 40),
    },
    "teacher_led_learning": {
        **PUPILS, "blocks": SIZES.map(_blocks), "teacher_leaver_rate": SHARE,
        "experience_correlation": st.sampled_from([-0.9, 0.9]), "newcomer_share": SHARE,
        "exposed_control_schools": st.integers(0, 9), "practice_sd": st.sampled_from([0.1, 1.5]),
        "unknown_teachers": st.just(0),
    },
    "university_certificate": {
        **PUPILS, "blocks": SIZES.map(_blocks), "pupils_per_school": st.sampled_from([90.0, 150.0]),
        "applicants_per_school": st.sampled_from([[2, 2], [3, 9]]),
        "places_per_school": st.sampled_from([[1, 1], [2, 9]]), "always_taker_share": SHARE,
        "teacher_sd": st.sampled_from([{"knowledge": 60.0, "practice": 0.1}]),
        "withdrawn_applicants": st.just(0), "decimal_comma": st.just(True),
    },
    "fellowship": {
        "treated_schools": st.fixed_dictionaries(dict.fromkeys(REGIONS, OF_REGION)),
        "comparison_schools": st.fixed_dictionaries(dict.fromkeys(REGIONS, st.integers(14, 18))),
        "small_schools": st.integers(0, 9), "shock_sd": st.sampled_from([0.0, 20.0]),
        "selection_on_trend": st.sampled_from([0.0, 2.0]),
        "school_changes": st.fixed_dictionaries(
            dict.fromkeys(("renamed", "merged", "split", "closed", "opened"), FEW)
        ),
        "treated_changes": st.fixed_dictionaries({"renamed": FEW, "closed": st.integers(0, 1)}),
    },
}  # fmt: skip
"""What of each study is changed, within the limits that its generator states."""


def _outside(files: Mapping[str, pd.DataFrame], protocol: Any) -> list[str]:
    """Return the columns with a number outside the range that the protocol declares."""
    found = []
    for reading in (one for table in protocol["tables"].values() for one in table):
        for year in all_years(protocol["years"]):
            frame = files[reading["file"].replace("{year}", str(year))]
            for name, column in reading["columns"].items():
                if column.get("range"):
                    named = column["column"]
                    names = [named] if isinstance(named, str) else named
                    (own,) = [one for one in names if one in frame]
                    texts = frame[own].str.strip().str.replace(",", ".")
                    numbers = pd.to_numeric(texts.where(texts != "")).dropna()
                    if not numbers.between(*column["range"]).all():
                        found.append(f"{reading['file']} {year} {name}")
    return found


@pytest.mark.parametrize(
    "study",
    [
        pytest.param(study, marks=[] if study == QUICK[0] else [pytest.mark.slow])
        for study in STUDIES
    ],
)
@settings(deadline=None, max_examples=3, derandomize=True)
@given(data=st.data(), seed=st.integers(0, LARGE_SEED))
def test_no_value_lies_outside_the_range_that_the_protocol_declares(
    study: str, data: st.DataObject, seed: int
) -> None:
    changed = {k: data.draw(v, k) for k, v in PARAMETERS[study].items()}
    protocol = with_parameters(with_seed(shipped(study), seed), changed).content
    simulation = protocol["simulation"]
    trial = GENERATORS[simulation["generator"]](simulation["parameters"], seed, None)
    assert _outside(trial.files, protocol) == []
    if "treated" in trial.schools:
        arms = trial.schools.groupby("block" if "block" in trial.schools else "treated")["treated"]
        expected = 1 if study == "fellowship" else 2
        assert (arms.nunique() == expected).all()
        assert set(trial.schools["treated"]) == {True, False}


def test_a_range_that_is_left_is_found() -> None:
    protocol = shipped("university_certificate").content
    simulation = protocol["simulation"]
    trial = GENERATORS[simulation["generator"]](simulation["parameters"], 5, None)
    trial.files["staff_2023.csv"].loc[3, "experience"] = "61,0"
    assert _outside(trial.files, protocol) == ["staff_{year}.csv 2023 experience"]


def _small(study: str, seed: int) -> Any:
    """Return a study with fewer schools and pupils, at another seed."""
    few: dict[str, Any] = {"blocks": _blocks((3, 2, 2)), "pupils_per_school": 60.0}
    if study == "fellowship":
        few = {
            "treated_schools": {region: {"2016": 3, "2017": 2} for region in REGIONS},
            "comparison_schools": dict.fromkeys(REGIONS, 25),
            "school_changes": dict.fromkeys(("renamed", "merged", "split", "closed", "opened"), 1),
            "small_schools": 3,
        }
    elif study == "teacher_led_learning":
        few["unknown_teachers"] = 0
    return with_parameters(with_seed(shipped(study), seed), few)


@pytest.mark.parametrize(
    ("study", "seed"),
    [
        pytest.param(study, seed, marks=[] if (study, seed) == QUICK else [pytest.mark.slow])
        for study in STUDIES
        for seed in (LARGE_SEED, 0)
    ],
)
def test_a_small_study_runs_from_its_files_to_its_estimates(study: str, seed: int) -> None:
    run = run_protocol(_small(study, seed), SECONDARY.get(study, ()))
    assert run.refused == ""
    assert run.verdict == BELIEVED[study], run.reasons
    assert run.effects
    for effect in run.effects:
        assert np.isfinite([effect.estimate, effect.std_error, effect.truth]).all(), effect
        assert effect.conf_low < effect.estimate < effect.conf_high


@pytest.mark.slow
@EVERY
@pytest.mark.parametrize("seed", range(1, 6))
def test_a_study_runs_at_another_seed_with_nothing_else_changed(study: str, seed: int) -> None:
    run = run_seed(study, seed)
    assert run.refused == ""
    # one honest list in a hundred meets a doubt
    assert run.verdict in (BELIEVED[study], IN_DOUBT), run.reasons


@pytest.mark.parametrize("seed", [-1, 1.5, "seven"])
def test_a_seed_that_no_stream_can_have_is_refused_by_the_protocol(seed: Any) -> None:
    content = {"study": {"name": "s", "title": "S", "seed": seed}}
    told = [str(one) for one in schema_faults(content, schema(), "p.yaml") if "seed" in str(one)]
    assert told
