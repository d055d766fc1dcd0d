"""Files that changed behind the workflow's back are seen by their content, whatever their date."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from e2e.clone import Clone
from e2e.test_workflow import jobs

LONG_AGO = (10**9, 10**9)


@contextmanager
def changed(file: Path, content: bytes) -> Iterator[None]:
    """Give a file another content and an older date; give it both back afterwards."""
    original, dates = file.read_bytes(), os.stat(file)
    file.write_bytes(content)
    os.utime(file, LONG_AGO)
    try:
        yield
    finally:
        file.write_bytes(original)
        os.utime(file, ns=(dates.st_atime_ns, dates.st_mtime_ns))


def test_a_raw_file_with_other_content_and_an_older_date_is_read_again(built: Clone) -> None:
    raw = built.trial / "raw" / "pupils_2023.csv"
    with changed(raw, raw.read_bytes().replace(b",1,", b",0,", 1)):
        run = built.snakemake("--dry-run")
    assert "pupils_2023.csv has changed since it was read" in run.text
    assert {"obtain_tables", "clean_sample", "fit_multilevel", "write_report"} <= jobs(run.text)
    assert "Nothing to be done" in built.snakemake("--dry-run").text


@pytest.mark.slow
def test_an_edited_check_is_not_drawn_but_computed_again(built: Clone) -> None:
    balance = built.results / "checks" / "balance.csv"
    with changed(balance, balance.read_bytes().replace(b"reading", b"READING")):
        run = built.snakemake("--dry-run")
    assert "balance.csv is not as its step wrote it" in run.text
    assert {"check_balance", "draw_love_plot", "write_report"} <= jobs(run.text)


@pytest.mark.slow
def test_a_truncated_sample_is_made_again(built: Clone) -> None:
    sample = built.results / "data" / "sample.parquet"
    with changed(sample, sample.read_bytes()[:100]):
        assert {"clean_sample", "fit_multilevel"} <= jobs(built.snakemake("--dry-run").text)


def test_a_result_that_is_gone_is_made_again_though_what_follows_is_there(built: Clone) -> None:
    flow = built.results / "checks" / "flow.csv"
    original, dates = flow.read_bytes(), os.stat(flow)
    flow.unlink()
    try:
        due = jobs(built.snakemake("--dry-run").text)
    finally:
        flow.write_bytes(original)
        os.utime(flow, ns=(dates.st_atime_ns, dates.st_mtime_ns))
    assert "check_flow" in due
