"""What a job read and wrote is known by content, whatever dates say."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from schooltrial.provenance.contents import (
    KEPT,
    Contents,
    changed,
    digest,
    digests,
    keep,
)
from support.small_trial import ROOT


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Contents:
    """A job that read a raw file and wrote two tables."""
    monkeypatch.chdir(tmp_path)
    for name in ("raw.csv", "balance.csv", "flow.csv"):
        Path(name).write_text(f"{name}\n", "utf-8")
    read, wrote = digests(["raw.csv", "code.py"]), digests(["balance.csv", "flow.csv"])
    contents = Contents("logs/check.log", read, wrote)
    keep(contents)
    return contents


def edit(path: str) -> None:
    """Write another content of the same size, with the date that the file had."""
    file, dates = Path(path), os.stat(path)
    file.write_text(file.read_text("utf-8").swapcase(), "utf-8")
    os.utime(file, ns=(dates.st_atime_ns, dates.st_mtime_ns))


def test_nothing_changed_where_the_files_are_as_they_were(job: Contents) -> None:
    assert changed() == []


def test_only_the_jobs_of_a_run_are_compared(job: Contents) -> None:
    edit("raw.csv")
    assert changed({"logs/other.log"}) == []
    assert [one.path for one in changed({"logs/check.log"})] == ["raw.csv"]


def test_what_is_left_out_of_the_comparison_is_what_rules_declare_update() -> None:
    rules = "".join(path.read_text("utf-8") for path in (ROOT / "workflow/rules").glob("*.smk"))
    assert set(re.findall(r"(\w+)=update\(", rules)) == KEPT


def test_another_date_is_no_change(job: Contents) -> None:
    os.utime("raw.csv", (1, 1))
    assert changed() == []


@pytest.mark.parametrize(("path", "written"), [("raw.csv", False), ("flow.csv", True)])
def test_another_content_is_a_change_though_size_and_date_are_the_same(
    job: Contents, path: str, written: bool
) -> None:
    edit(path)
    (found,) = changed()
    assert (found.path, found.written) == (path, written)
    assert set(found.outputs) == {"balance.csv", "flow.csv"}


def test_an_output_that_is_gone_is_to_be_written_again(job: Contents) -> None:
    Path("flow.csv").unlink()
    assert [one.path for one in changed()] == ["flow.csv"]


def test_an_input_that_is_gone_is_left_to_snakemake_which_names_it(job: Contents) -> None:
    Path("raw.csv").unlink()
    assert changed() == []


def test_modules_are_known_by_date(job: Contents) -> None:
    assert "code.py" not in job.read


def test_a_later_record_of_a_job_takes_the_place_of_the_one_before(job: Contents) -> None:
    edit("raw.csv")
    keep(Contents(job.job, digests(job.read), job.wrote))
    assert changed() == []


@pytest.mark.parametrize("damaged", ["", "{", "[]", '{"job": 1}'])
def test_a_damaged_record_is_removed_and_says_nothing(job: Contents, damaged: str) -> None:
    (record,) = Path(".snakemake/schooltrial/contents").glob("*.json")
    record.write_text(damaged, "utf-8")
    assert changed() == []
    assert not record.exists()


def test_a_folder_is_known_by_its_files_and_their_names(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a.csv").write_text("1", "utf-8")
    before = digest(tmp_path / "raw")
    (tmp_path / "raw" / "a.csv").rename(tmp_path / "raw" / "b.csv")
    assert digest(tmp_path / "raw") != before
