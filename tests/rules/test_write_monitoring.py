"""The monitoring page tells who is there and what was received, and no outcome."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from support.small_trial import ROOT, SmallTrial
from write_monitoring import main as write_monitoring

STEP = {
    "rule": "write_monitoring", "script": "workflow/scripts/write_monitoring.py", "code": [],
    "reads": ["results/small/data/pupils.parquet"], "writes": [],
}  # fmt: skip
CAPTIONS = ROOT / "src" / "schooltrial" / "exhibits" / "captions.yaml"


def _page(trial: SmallTrial, folder: Path, blinded: str) -> str:
    tables = ("assignment", "pupils", "teachers", "crosswalk")
    held_back = [("scores_{year}.csv", "score")] if blinded else []
    write_monitoring(
        captions=str(CAPTIONS), **{name: trial.path(f"{name}.parquet") for name in tables},
        raw_files=trial.path("raw_files.csv"), design=trial.read().content["design"],
        study=trial.study(synthetic=True), blinded=blinded, held_back=held_back,
        page=str(folder / "page.html"), provenance=[STEP],
        **{name: str(folder / f"{name}.csv")
           for name in ("units", "enrolment", "embargoed", "steps")},
    )  # fmt: skip
    return (folder / "page.html").read_text("utf-8")


def _tables(page: str) -> str:
    """Return the words of the page without its looks."""
    return re.sub(r"<style>.*?</style>", "", page, flags=re.S)


@pytest.mark.parametrize("blinded", ["2999-01-01", ""])
def test_it_says_until_when_the_study_is_blind_and_shows_no_outcome(
    finished: SmallTrial, tmp_path: Path, blinded: str
) -> None:
    page = _page(finished, tmp_path, blinded)
    assert ("embargoed until 2999-01-01" in page) is bool(blinded)
    assert ('<th scope="row">scores_{year}.csv</th><td>score</td>' in page) is bool(blinded)
    assert "Synthetic data" in page
    shown = _tables(page)
    for word in ("Maths", "maths", "Reading", "reading", "Attendance"):
        assert word not in shown
    estimates = pd.read_csv(finished.path("estimates.csv"))
    assert not any(f"{effect:.3f}" in shown for effect in estimates["estimate"])


def test_it_counts_the_units_of_each_arm_and_lists_every_raw_file(
    finished: SmallTrial, tmp_path: Path
) -> None:
    page = _page(finished, tmp_path, "")
    for arm in ("Control", "Programme"):
        assert f'<th scope="row">{arm}</th><td class="n">4</td><td class="n">4</td>' in page
    assert ">Schools</th>" in page
    assert ">schools</th>" not in page
    files = pd.read_csv(finished.path("raw_files.csv"))
    assert len(files) == 6
    assert all(checksum in page for checksum in files["sha256"])


@pytest.mark.parametrize("blinded", ["2999-01-01", ""])
def test_what_its_tables_count_is_also_written_as_data(
    finished: SmallTrial, tmp_path: Path, blinded: str
) -> None:
    page = _page(finished, tmp_path, blinded)
    units, enrolment, embargoed, steps = (
        pd.read_csv(tmp_path / f"{name}.csv")
        for name in ("units", "enrolment", "embargoed", "steps")
    )
    assert units[["arm", "n_units", "n_blocks"]].to_numpy().tolist() == [
        ["control", 4, 4], ["programme", 4, 4],
    ]  # fmt: skip
    assert enrolment["n_enrolled"].sum() == len(pd.read_parquet(finished.path("pupils.parquet")))
    assert embargoed["file"].tolist() == (["scores_{year}.csv"] if blinded else [])
    assert steps[["workflow_rule", "way", "path"]].to_numpy().tolist() == [
        ["write_monitoring", "read", "small/data/pupils.parquet"]
    ]
    named = {"assigned", "enrolled", "raw_files", "steps", *(["held_back"] if blinded else [])}
    assert set(re.findall(r'<figure id="(\w+)"', page)) == named
    assert page.count(">Data</a>") == page.count(">Source</a>") == len(named)
