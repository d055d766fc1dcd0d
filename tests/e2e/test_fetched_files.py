"""A raw file that a protocol names by address and checksum, fetched by the workflow itself."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml

from e2e.clone import Clone, Run
from support.raw_file_server import serving

TARGET = "results/small_trial/checks/raw_files.csv"
KEPT = "sent/schools.csv"
OTHER = hashlib.sha256(b"another file").hexdigest()


def _name(clone: Clone, address: str, sha256: str) -> None:
    """Let the protocol fetch the schools, to be kept in a folder, in place of the file beside it.

    Parameters
    ----------
    clone : Clone
    address, sha256 : str
    """
    protocol = clone.trial / "trial.yaml"
    content = yaml.safe_load(protocol.read_text("utf-8"))
    for table in ("schools", "assignment"):
        (reading,) = content["tables"][table]
        reading.update(file=KEPT, url=address, sha256=sha256)
    protocol.write_text(yaml.safe_dump(content), encoding="utf-8")


def _fetched(clone: Clone) -> list[Path]:
    found = (clone.project / "data" / "downloads").rglob("*")
    return [path for path in found if path.is_file() and path.suffix not in (".log", ".tsv")]


@pytest.fixture
def clone(new_clone: Callable[[], Clone]) -> tuple[Clone, bytes]:
    """Return a trial without its file of schools, and what that file holds."""
    made = new_clone()
    file = made.trial / "raw" / "schools.csv"
    content = file.read_bytes()
    file.unlink()
    return made, content


def test_a_file_is_fetched_once_and_a_later_run_needs_no_server(
    clone: tuple[Clone, bytes],
) -> None:
    trial, content = clone
    sha256 = hashlib.sha256(content).hexdigest()
    with serving(content) as server:
        _name(trial, server.address("/schools.csv"), sha256)
        run = trial.snakemake(TARGET)
        assert run.code == 0, run.text
        assert server.asked == ["/schools.csv"]
    assert [path.read_bytes() for path in _fetched(trial)] == [content]
    (trial.project / TARGET).unlink()
    run = trial.snakemake(TARGET)
    assert run.code == 0, run.text
    listed = pd.read_csv(trial.project / TARGET).set_index("file")
    assert listed.loc["schools.csv", "sha256"] == sha256


@pytest.mark.parametrize(
    ("path", "right", "told"),
    [
        pytest.param("/missing.csv", True, "the server answers 404", marks=pytest.mark.slow),
        ("/cut.csv", True, "not fetched in 4 tries"),
        ("/schools.csv", False, f"expected: {OTHER}"),
    ],
)
def test_what_is_not_the_declared_file_is_refused_once_and_leaves_nothing(
    clone: tuple[Clone, bytes], path: str, right: bool, told: str
) -> None:
    trial, content = clone
    with serving(content) as server:
        sha256 = hashlib.sha256(content).hexdigest() if right else OTHER
        _name(trial, server.address(path), sha256)
        run: Run = trial.snakemake(TARGET)
    assert run.code == 1
    assert run.text.count("Refused: 1 error was found") == 1
    assert told in run.text
    assert "fix:" in run.text
    assert "Traceback" not in run.text
    assert _fetched(trial) == []
    assert not list(trial.results.rglob("*.parquet"))
    assert not (trial.project / TARGET).exists()
