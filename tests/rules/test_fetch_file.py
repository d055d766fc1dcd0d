"""A raw file fetched by its address is the declared one and whole, or is not there at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import fetch_file
from schooltrial.refusal import Refusal
from support.raw_file_server import Server, serving

CONTENT = "school,score\n" + "".join(f"{n:03d},{n * 7 % 100}\n" for n in range(2000))
SHA256 = hashlib.sha256(CONTENT.encode()).hexdigest()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(CONTENT.encode()) as made:
        yield made


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("urllib3.util.retry.Retry.get_backoff_time", lambda self: 0.0)


def _fetch(server: Server, path: str, folder: Path, sha256: str = SHA256) -> Path:
    file = folder / "raw.csv"
    fetch_file.main(url=server.address(path), sha256=sha256, file=str(file))
    return file


@pytest.mark.parametrize("path", ["/there.csv", "/moved.csv", "/busy.csv", "/cut_once.csv"])
def test_a_file_that_comes_in_the_end_is_kept_to_the_byte(
    server: Server, tmp_path: Path, path: str
) -> None:
    assert _fetch(server, path, tmp_path).read_text("utf-8") == CONTENT
    assert [file.name for file in tmp_path.iterdir()] == ["raw.csv"]


def test_an_address_keeps_its_query(server: Server, tmp_path: Path) -> None:
    _fetch(server, "/there.csv?year=2019", tmp_path)
    assert server.asked == ["/there.csv?year=2019"]


@pytest.mark.parametrize(
    ("path", "sha256", "told"),
    [
        ("/missing.csv", SHA256, "the server answers 404"),
        ("/there.csv", "0" * 64, f"SHA-256 {SHA256}"),
        ("/cut.csv", SHA256, "not fetched in 4 tries"),
    ],
)
def test_what_is_not_the_whole_declared_file_is_refused_and_leaves_nothing(
    server: Server, tmp_path: Path, path: str, sha256: str, told: str
) -> None:
    with pytest.raises(Refusal) as refusal:
        _fetch(server, path, tmp_path, sha256)
    (fault,) = refusal.value.faults
    assert told in fault.found
    assert fault.file.endswith(path)
    assert fault.expected
    assert fault.remedy
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="See whether the network"):
        fetch_file.main(
            url="http://127.0.0.1:9/raw.csv", sha256=SHA256, file=str(tmp_path / "raw.csv")
        )
