"""Whole small studies, each of something that real trials have: the results are the right ones.

A study is a folder: ``trial.yaml``, its raw files, ``expected.md`` (what is right, and where that
number comes from) and ``expect.json`` (the same for this test; see `support.expectations`).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from schooltrial.protocol.reading import read_protocol
from support.expectations import check_expectations, read_expectations, run_study
from support.page_links import broken_links, exhibits_without_ways
from support.rules_in_process import link_project
from support.small_trial import schema

TRIALS = sorted(path.parent for path in Path(__file__).parent.glob("*/trial.yaml"))
QUICK = (
    "crossover-by-year",
    "identifiers-spelt-in-two-ways",
    "lost-to-the-analysis",
    "panel-from-own-cohort",
    "pupils-randomised-in-classes",
    "rates-withheld-in-many-notations",
)
"""Trials that run in every test, the others with `make test-trials`."""
EVERY = pytest.mark.parametrize("folder", TRIALS, ids=lambda folder: folder.name)
SOME = pytest.mark.parametrize(
    "folder",
    [
        folder if folder.name in QUICK else pytest.param(folder, marks=pytest.mark.slow)
        for folder in TRIALS
    ],
    ids=lambda folder: folder.name,
)


@SOME
def test_the_trial_gives_the_right_results(folder: Path, tmp_path: Path) -> None:
    target = read_expectations(folder).get("target")
    outcome = run_study(folder / "trial.yaml", tmp_path, *([target] if target else []))
    check_expectations(folder, outcome)


@EVERY
def test_the_trial_says_in_words_what_is_right(folder: Path) -> None:
    words = (folder / "expected.md").read_text("utf-8").split()
    assert len(words) > 15, "say what is right, and where the number comes from"


@pytest.mark.slow
@EVERY
def test_the_trial_reaches_its_report(folder: Path, tmp_path: Path) -> None:
    expected = read_expectations(folder)
    if any("refused" in one for one in expected["any"]):
        pytest.skip("the trial is refused")
    link_project(tmp_path)
    protocols = f"protocols={folder / 'trial.yaml'}"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    run = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "1", "--config", protocols, "studies="],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    name = read_protocol(folder / "trial.yaml", schema()).name
    assert run.returncode == 0, run.stdout
    assert (tmp_path / "results" / name / "report" / "report.html").is_file()
    pages = sorted((tmp_path / "results" / name).rglob("*.html"))
    assert list(broken_links(pages)) == []
    reported = [page for page in pages if page.parent.name == "report"]
    assert [one for page in reported for one in exhibits_without_ways(page)] == []
