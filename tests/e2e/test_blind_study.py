"""A study whose outcomes are not to be read yet, run as a user runs it."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from e2e.clone import Clone


def test_a_blind_study_shows_its_monitoring_page_and_reads_no_outcome(
    new_clone: Callable[[], Clone],
) -> None:
    clone = new_clone()
    protocol = clone.trial / "trial.yaml"
    protocol.write_text(protocol.read_text("utf-8") + 'blinding: {until: "2999-01-01"}\n')
    run = clone.snakemake("results/small_trial/report/monitoring.html")
    assert run.code == 0, run.text
    page = (clone.results / "report/monitoring.html").read_text("utf-8")
    assert "embargoed until 2999-01-01" in page
    assert '<th scope="row">pupils_{year}.csv</th><td>reading</td>' in page
    assert "Synthetic data" in page
    tables = [pd.read_parquet(path) for path in (clone.results / "data").glob("*.parquet")]
    assert tables
    assert all("reading" not in table.columns for table in tables)
    assert pd.read_parquet(clone.results / "data/scores.parquet").empty
    run = clone.snakemake()
    assert run.code == 1
    assert "embargoed until 2999-01-01, so none was read" in run.text
    assert f"{protocol}, key 'blinding.until'" in run.text
    assert "results/small_trial/report/monitoring.html" in run.text
    assert "Traceback" not in run.text
    assert not (clone.results / "data/sample.parquet").exists()
