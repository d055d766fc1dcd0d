"""The ledger is a partition at every step, and names no pupil."""

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from schooltrial.data.ledger.ledger import FLOW_COLUMNS, LEDGER_COLUMNS, Ledger, hashed
from support.small_trial import SmallTrial

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "d"]),
        st.sampled_from([2019, 2020]),
        st.sampled_from(["control", "programme", None]),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=40,
)


@given(rows=ROWS)
@settings(deadline=None, max_examples=25, derandomize=True)
def test_who_entered_a_step_left_or_remained_and_enters_the_next(
    rows: list[tuple[str, int, str | None, bool, bool]],
) -> None:
    columns = ["pupil", "year", "arm", "first", "second"]
    frame = pd.DataFrame(rows, columns=columns).astype({"arm": "str"})
    ledger = Ledger("1")
    stayed = ledger.leave(frame, frame["first"], step="one", reason="first")
    stayed = ledger.leave(stayed, stayed["second"], step="two", reason="second")
    flow = ledger.flow()
    assert list(flow.columns) == FLOW_COLUMNS
    assert (flow["entered"] == flow["left"] + flow["remained"]).all()
    keys = ["year", "arm"]
    one, two = (flow[flow["step"] == step].set_index(keys) for step in ("one", "two"))
    assert one["entered"].sum() == len(frame)
    next_ = two["entered"].reindex(one.index, fill_value=0)
    assert (one["remained"] == next_).all()
    assert two["remained"].sum() == len(stayed)
    assert len(ledger.departed()) == flow["left"].sum() == len(frame) - len(stayed)


def test_those_who_have_no_arm_are_counted_as_not_assigned() -> None:
    frame = pd.DataFrame({"pupil": ["a"], "year": [2019], "arm": [None]}).astype({"arm": "str"})
    ledger = Ledger("1")
    ledger.leave(frame, pd.Series([True]), step="s", reason="r")
    assert ledger.flow()["arm"].tolist() == ["not assigned"]
    assert ledger.departed()["arm"].tolist() == ["not assigned"]


def test_pupils_are_hashed_and_schools_are_named() -> None:
    frame = pd.DataFrame({"pupil": ["0001"], "school": ["S1"], "year": [2019], "arm": ["c"]})
    ledger = Ledger("5")
    ledger.leave(frame, pd.Series([True]), step="s", reason="r")
    ledger.leave(frame, pd.Series([True]), step="s", reason="r", level="school")
    assert ledger.departed()["unit"].tolist() == [hashed("0001", "5"), "S1"]


def test_a_hash_depends_on_the_unit_and_the_secret() -> None:
    assert len({hashed("1", "1"), hashed("1", "2"), hashed("2", "1")}) == 3
    assert hashed("1", "1") == hashed("1", "1")


def test_a_ledger_from_which_nobody_left_is_empty_with_its_columns() -> None:
    assert list(Ledger("1").departed().columns) == LEDGER_COLUMNS


def test_who_knows_the_protocol_and_an_identifier_cannot_find_the_pupil_in_the_ledger(
    trial: SmallTrial,
) -> None:
    trial.reading("pupils")["columns"]["school"]["required"] = False
    trial.set("roster_2020.csv", 2, "school_code", "")
    trial.obtain()
    trial.clean()
    ledger = pd.read_csv(trial.path("ledger.csv"), dtype=str)
    people = ledger[ledger["level"].isin(["pupil", "score"])]["unit"]
    roster = pd.read_parquet(trial.path("pupils.parquet"))["pupil"]
    seed = str(trial.read().content["study"]["seed"])
    assert len(people)
    assert not {hashed(name, key) for name in roster for key in (seed, "")} & set(people)
