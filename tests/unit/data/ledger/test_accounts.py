"""Every row of the standard tables is in a sample, or in the ledger with a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schooltrial.data.tables.parquet import ParquetByYear
from schooltrial.refusal import Refusal
from support.standard_study import build, cut, model, outcome, reasons, roster, scores

CROSSWALKS = {
    "none": [],
    "merger": [("S1", 2020, "S6", "merged"), ("S2", 2020, "S6", "merged")],
    "takeover": [("S2", 2020, "S1", "merged")],
    "closed": [("S3", 2020, None, "closed"), ("S4", 2021, "S5", "closed")],
    "renamed": [("S4", 2020, "S5", "renamed"), ("S5", 2021, "S6", "renamed")],
}
KEYS = ["step", "reason", "level", "year", "arm"]


def crosswalk(name: str) -> pd.DataFrame:
    columns = ["from_school", "from_year", "to_school", "change"]
    return pd.DataFrame(CROSSWALKS[name], columns=columns)


ROSTERS = st.dictionaries(
    st.tuples(st.integers(1, 9), st.integers(2018, 2021)),
    st.tuples(st.sampled_from([f"S{at}" for at in range(1, 7)]), st.integers(3, 6) | st.none()),
    max_size=30,
)
SCORES = st.dictionaries(
    st.tuples(st.integers(1, 11), st.integers(2018, 2022)),
    st.integers(0, 9) | st.none(),
    max_size=30,
)
CLEANING = st.fixed_dictionaries(
    {
        "analyse_in": st.sampled_from(["current_school", "baseline_school"]),
        "joiners": st.sampled_from(["keep", "drop"]),
        "repeated_grade": st.sampled_from(["keep", "drop"]),
        "grade_out_of_step": st.sampled_from(["keep", "missing", "drop"]),
        "merged_schools": st.sampled_from(["before", "drop"]),
    }
)


def _add_up(sample: Any) -> None:
    flow, ledger = sample.flow, sample.ledger
    assert (flow["entered"] == flow["left"] + flow["remained"]).all()
    counted = flow[flow["left"] > 0].set_index(KEYS)["left"]
    assert not counted.index.duplicated().any()
    assert counted.to_dict() == ledger.groupby(KEYS).size().to_dict()


@given(
    rows=ROSTERS,
    tested=SCORES,
    cleaning=CLEANING,
    change=st.sampled_from(sorted(CROSSWALKS)),
    keep=st.sampled_from([{}, {"grade": [3, 4]}, {"region": ["north"]}]),
)
def test_pupils_and_scores_are_in_the_sample_or_in_the_ledger(
    rows: dict[Any, Any],
    tested: dict[Any, Any],
    cleaning: dict[str, str],
    change: str,
    keep: dict[str, Any],
) -> None:
    pupils = roster(
        [("p0", 2018, "S1", 3), *((f"p{who}", year, *at) for (who, year), at in rows.items())],
        "grade",
    )
    results = scores([(f"p{who}", year, value) for (who, year), value in tested.items()])
    sample = build(
        {"pupils": pupils, "scores": results, "crosswalk": crosswalk(change)},
        cleaning=cleaning,
        keep=keep,
        models={"itt": model(outcomes=["maths"], where={"year": [2020]})},
    )
    _add_up(sample)
    assert len(pupils) == cut(sample, "pupil") + len(sample.pupils)
    linked = sample.flow[sample.flow["step"] == "link scores"]
    first, last = (
        linked[linked["reason"].str.contains(why)]
        for why in ("without an enrolment record", "not in the sample")
    )
    assert first["entered"].sum() == len(results)
    assert len(results) == cut(sample, "score") + last["remained"].sum()
    met = results.merge(sample.pupils, on=["pupil", "year"])
    assert sample.pupils["maths"].notna().sum() == met["value"].notna().sum()
    assert last["remained"].sum() == len(met)
    assert not sample.pupils.duplicated(["pupil", "year"]).any()
    assert (sample.pupils.groupby("school")["arm"].nunique() == 1).all()
    assert set(sample.pupils["school"]) <= {"S1", "S2", "S3", "S4"}
    assert sample.mobility["n_pupils"].sum() == len(sample.pupils)
    assert not set(sample.ledger["unit"]) & set(pupils["pupil"])


@given(
    rows=st.dictionaries(
        st.tuples(st.integers(1, 6), st.integers(2018, 2020)),
        st.sampled_from(["S1", "S2", "S6"]),
        max_size=15,
    ),
    seen=st.lists(
        st.tuples(
            st.integers(1, 7),
            st.integers(2018, 2020),
            st.sampled_from(["1", "2"]),
            st.sampled_from(["a", "b"]),
            st.integers(0, 9),
        ),
        max_size=20,
        unique_by=lambda row: row[:4],
    ),
)
def test_teachers_and_observations_are_in_the_sample_or_in_the_ledger(
    rows: dict[Any, str], seen: list[Any]
) -> None:
    teachers = roster(
        [
            ("t1", 2018, "S1"),
            *((f"t{w}", y, s) for (w, y), s in rows.items() if (w, y) != (1, 2018)),
        ],
        unit="teacher",
    )
    columns = ["teacher", "year", "occasion", "rater", "value"]
    observations = pd.DataFrame(seen, columns=columns).assign(outcome="practice")
    observations["teacher"] = [f"t{who}" for who in observations["teacher"]]
    lot = pd.DataFrame(
        {"teacher": ["t1", "t2", "t3"], "arm": ["control", "programme"] * 1 + ["control"]}
    )
    sample = build(
        {"teachers": teachers, "observations": observations, "assignment": lot},
        unit="teacher",
        outcomes={"practice": outcome(measured_on="teacher")},
    )
    _add_up(sample)
    assert len(teachers) == cut(sample, "teacher") + len(sample.teachers)
    linked = sample.flow[sample.flow["step"] == "link observations"]
    last = linked[linked["reason"].str.contains("not in the sample")]
    assert len(observations) == cut(sample, "observation") + last["remained"].sum()
    assert (sample.teachers["practice"].notna() == (sample.teachers["n_occasions"] > 0)).all()
    assert len(sample.pupils) == 0


@given(
    rows=st.dictionaries(
        st.tuples(st.sampled_from([f"S{at}" for at in range(1, 7)]), st.integers(2018, 2021)),
        st.tuples(st.floats(0, 100) | st.none(), st.integers(1, 50)),
        max_size=20,
    ),
    change=st.sampled_from(sorted(CROSSWALKS)),
)
def test_school_scores_are_in_the_panel_or_in_the_ledger(rows: dict[Any, Any], change: str) -> None:
    table = pd.DataFrame(
        [(*key, "rate", *value) for key, value in rows.items()],
        columns=["school", "year", "outcome", "value", "n_pupils"],
    ).astype({"value": "float64"})
    sample = build(
        {"school_scores": table, "crosswalk": crosswalk(change)},
        outcomes={"rate": outcome(measured_on="school")},
    )
    _add_up(sample)
    assert len(table) == cut(sample, "school score") + len(sample.panel)
    assert not sample.panel.duplicated(["school", "year", "outcome"]).any()


@pytest.mark.parametrize(
    "estimator", ["difference_in_differences", "staggered_adoption", "cluster_robust"]
)
def test_another_outcome_of_schools_may_weigh_a_model(estimator: str) -> None:
    table = pd.DataFrame(
        [
            (f"S{at}", year, name, float(at + year))
            for at in range(1, 7) for year in (2018, 2019, 2020, 2021) for name in ("rate", "size")
            if (at, year, name) != (2, 2020, "size")
        ],
        columns=["school", "year", "outcome", "value"],
    )  # fmt: skip
    sample = build(
        {"school_scores": table},
        outcomes={"rate": outcome(measured_on="school"), "size": outcome(measured_on="school")},
        models={
            "weighted": model(
                estimator=estimator, role="primary", outcomes=["rate"], weights="size"
            )
        },
    )
    _add_up(sample)
    lost = sample.ledger[sample.ledger["reason"] == "size was not observed"]
    assert lost["year"].tolist() == [2020]


def test_a_sample_from_parquet_year_by_year_is_that_from_frames(tmp_path: Path) -> None:
    pupils = roster(
        [(f"p{who:02d}", year, f"S{1 + who % 6}", 3 + year - 2018 + who % 2)
         for who in range(40) for year in (2018, 2019, 2020) if (who + year) % 7], "grade",
    )  # fmt: skip
    results = scores(
        [(f"p{who:02d}", y, 7.0 * who % 11) for who in range(40) for y in (2019, 2020)]
    )
    keys: dict[str, Any] = {
        "outcomes": {"maths": outcome(standardise="control", baseline_year=2019)},
        "models": {"itt": model(outcomes=["maths"], covariates=["baseline"])},
    }
    for name, frame in (("pupils", pupils), ("scores", results)):
        frame.to_parquet(tmp_path / f"{name}.parquet", index=False, row_group_size=7)
    read = {name: ParquetByYear(tmp_path / f"{name}.parquet") for name in ("pupils", "scores")}
    streamed: Any = build(read, **keys)
    whole = build({"pupils": pupils, "scores": results}, **keys)
    for name in ("pupils", "panel", "ledger", "flow", "mobility"):
        pd.testing.assert_frame_equal(getattr(streamed, name), getattr(whole, name))
    assert whole.pupils["year"].is_monotonic_increasing
    assert cut(whole, "pupil") > 0


def test_a_roster_that_shares_no_school_with_the_assignment_is_refused() -> None:
    pupils = roster([("p1", 2019, "S01"), ("p2", 2020, "S02")])
    told = r"they differ by leading zeros .'S01' here is 'S1' there"
    with pytest.raises(Refusal, match=told):
        build({"pupils": pupils, "scores": scores([])})


def test_a_pupil_whose_roster_names_no_school_leaves_with_that_reason() -> None:
    pupils = roster([("a", 2020, "S1"), ("b", 2020, None), ("c", 2020, "S2")])
    found = build({"pupils": pupils, "scores": scores([("a", 2020, 1.0), ("c", 2020, 2.0)])})
    assert reasons(found)["school is missing"] == 1
    assert found.pupils["pupil"].tolist() == ["a", "c"]
