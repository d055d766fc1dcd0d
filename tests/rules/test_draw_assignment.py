"""From a protocol to a sealed record, and back: the scripts of the draw and of its check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from check_assignment import main as check_assignment
from check_balance import main as check_balance
from draw_assignment import main as draw_assignment
from schooltrial.protocol.content.sections import Content, Design
from schooltrial.refusal import Refusal
from schooltrial.version import software_versions
from support.sections import completed, design

SCHOOLS = [f"{at:03d}" for at in range(1, 17)]


def _design(**draw: Any) -> Design:
    columns = {"unit_column": "school_code", "block_column": "area"}
    return design(randomisation={"seed": 5, "date": "2024-05-01", **columns, **draw})


def _protocol(**draw: Any) -> Content:
    return completed({
        "study": {"name": "s", "title": "A trial", "seed": 1},
        "design": _design(**draw),
        "years": {"baseline": [2019], "programme": [2020]},
        "tables": {},
        "outcomes": {"score": {"label": "Score", "family": "f"}},
        "models": {},
        "balance": {"pupil_variables": ["score"]},
        "checks": {"redraws": 500},
    })  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [f"{school},{'NS'[at % 2]},{at / 7}\n" for at, school in enumerate(SCHOOLS)]
    text = "school_code,area,score\n" + "".join(rows)
    (tmp_path / "frame.csv").write_text(text, encoding="utf-8-sig")
    return tmp_path


def _draw(folder: Path, key: str | None = None, **draw: Any) -> None:
    draw_assignment(
        frame=str(folder / "frame.csv"), design=_design(**draw), study="s", key=key,
        record=str(folder / "record.json"), listing=str(folder / "list.csv"),
        drawn=str(folder / "drawn.txt"),
    )  # fmt: skip


def _files(folder: Path) -> dict[str, Any]:
    """Return what both checks read."""
    tables = ("assignment", "sample", "schools", "teachers", "panel")
    return {name: str(folder / f"{name}.parquet") for name in tables} | {
        "frame": str(folder / "frame.csv"), "record": str(folder / "record.json"),
    }  # fmt: skip


def _check(folder: Path, assignment: pd.DataFrame, key: str | None = None) -> dict[str, Any]:
    assignment.to_parquet(folder / "assignment.parquet")
    parts = [assignment.assign(pupil=f"{k}" + assignment["school"], year=2019) for k in range(3)]
    sample = pd.concat(parts, ignore_index=True).assign(score=lambda x: range(len(x)))
    sample["treated"] = (sample["arm"] == "programme").astype(float)
    sample.to_parquet(folder / "sample.parquet")
    pd.DataFrame({"school": SCHOOLS}).to_parquet(folder / "schools.parquet")
    empty = pd.DataFrame(columns=["teacher", "school", "pupil", "year", "outcome", "arm"])
    for name in ("scores", "panel", "teachers"):
        empty.to_parquet(folder / f"{name}.parquet")
    check_assignment(
        protocol=_protocol(), labels={}, groups={}, **_files(folder),
        scores=str(folder / "scores.parquet"),
        key=key, check=str(folder / "check.csv"), tests=str(folder / "tests.csv"),
        units=str(folder / "units.csv"), distances=str(folder / "distances.csv"),
        verdict=str(folder / "verdict.json"),
    )  # fmt: skip
    told: dict[str, Any] = json.loads((folder / "verdict.json").read_text("utf-8"))
    return told


def _listing(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "list.csv", dtype="str")


def test_a_list_that_was_drawn_is_reproduced_from_its_record(folder: Path) -> None:
    _draw(folder)
    listing = _listing(folder)
    assert listing["school"].tolist() == SCHOOLS  # leading zeros are kept
    assert listing.groupby("block")["arm"].value_counts().tolist() == [4, 4, 4, 4]
    told = _check(folder, listing)
    assert told["verdict"] == "reproduced from its seed"
    tests = pd.read_csv(folder / "tests.csv")
    assert (tests["p_value"].dropna() > 0).all()
    record = json.loads((folder / "record.json").read_text("utf-8"))
    assert record["software"] == software_versions()


def test_a_draw_tells_its_numbers_by_arm_where_it_was_written_and_its_seal(folder: Path) -> None:
    _draw(folder)
    told = (folder / "drawn.txt").read_text("utf-8")
    assert "16 units of assignment (school) were drawn: 8 control, 8 programme" in told
    record = json.loads((folder / "record.json").read_text("utf-8"))
    for text in (str(folder / "list.csv"), str(folder / "record.json"), record["signature"]):
        assert text in told


def test_a_swap_after_the_draw_contradicts_the_record(folder: Path) -> None:
    _draw(folder)
    listing = _listing(folder)
    rows = listing[listing["block"] == "N"].drop_duplicates("arm").index
    listing.loc[rows, "arm"] = listing.loc[rows[::-1], "arm"].to_numpy()
    told = _check(folder, listing)
    assert told["verdict"] == "contradicted"
    units = pd.read_csv(folder / "units.csv", dtype="str")
    failed = units["unit"][units["verdict"] == "failed"]
    assert failed.tolist() == listing.loc[rows, "school"].tolist()


def test_a_keyed_record_is_checked_with_its_key(folder: Path) -> None:
    (folder / "key").write_bytes(b"held by another")
    _draw(folder, key=str(folder / "key"))
    _check(folder, _listing(folder), key=str(folder / "key"))
    tests = pd.read_csv(folder / "tests.csv").set_index("check")
    assert tests.loc["signature of the record", "verdict"] == "passed"
    _check(folder, _listing(folder))
    tests = pd.read_csv(folder / "tests.csv").set_index("check")
    assert tests.loc["signature of the record", "verdict"] == "not tested"


@pytest.mark.parametrize("there", ["record.json", "list.csv"])
def test_a_record_or_list_that_is_there_is_never_overwritten(folder: Path, there: str) -> None:
    (folder / there).write_text("kept", encoding="utf-8")
    with pytest.raises(Refusal, match="it is there already"):
        _draw(folder)
    assert (folder / there).read_text("utf-8") == "kept"
    other = {"record.json": "list.csv", "list.csv": "record.json"}[there]
    assert not (folder / other).exists()


def test_seed_date_and_frame_that_lack_are_all_told(folder: Path) -> None:
    (folder / "frame.csv").unlink()
    with pytest.raises(Refusal, match="3 errors were found") as refusal:
        _draw(folder, seed=None, date="")
    assert "design.randomisation.seed is not given" in str(refusal.value)
    assert "no such file" in str(refusal.value)


def test_balance_is_written_with_joint_tests_and_years(folder: Path) -> None:
    _draw(folder, balance_on=["score"], acceptance_rate=0.5)
    _check(folder, _listing(folder))
    paths: dict[str, Any] = {
        name: str(folder / f"{name}.csv")
        for name in ("check", "omnibus", "pretrends", "equivalence")
    }
    protocol = _protocol(balance_on=["score"], acceptance_rate=0.5)
    schools = str(folder / "panel.parquet")
    check_balance(
        protocol=protocol, labels={}, **_files(folder), school_sample=schools, **paths
    )  # fmt: skip
    tables = {name: pd.read_csv(path) for name, path in paths.items()}
    assert tables["check"]["arm"].tolist() == ["programme"]
    # 70 × 70 assignments, of which about half meet the criterion: all of them are listed.
    assert tables["check"]["replications"][0] == pytest.approx(2450, rel=0.05)
    assert tables["omnibus"]["scope"].tolist() == ["all", "pre-trend"]
    assert tables["pretrends"]["year"].tolist() == [2019]
