"""A raw file fetched by its address is the declared one and whole, or is not there at all."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import fetch_file
from schooltrial.refusal import Refusal

CONTENT = "school,score\n" + "".join(f"{n:03d},{n * 7 % 100}\n" for n in range(2000))
SHA256 = hashlib.sha256(CONTENT.encode()).hexdigest()


class Server(ThreadingHTTPServer):
    """A server on this machine that misbehaves as its paths say, and counts what it was asked."""

    asked: list[str]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        times = self.server.asked.count(self.path)
        content = CONTENT.encode()
        if self.path == "/missing.csv":
            self.send_error(404)
        elif self.path == "/busy.csv" and times < 3:
            self.send_error(503)
        elif self.path == "/moved.csv":
            self.send_response(302)
            self.send_header("Location", "/there.csv?year=2020&kind=a")
            self.end_headers()
        else:
            cut = self.path == "/cut.csv" or (self.path == "/cut_once.csv" and times == 1)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if cut else content)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Handler)
    made.asked = []
    thread = threading.Thread(target=made.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("urllib3.util.retry.Retry.get_backoff_time", lambda self: 0.0)


def _fetch(server: Server, path: str, folder: Path, sha256: str = SHA256) -> Path:
    file = folder / "raw.csv"
    address = f"http://127.0.0.1:{server.server_address[1]}{path}"
    fetch_file.main(url=address, sha256=sha256, file=str(file))
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
    with pytest.raises(Refusal, match="see whether the network"):
        fetch_file.main(
            url="http://127.0.0.1:9/raw.csv", sha256=SHA256, file=str(tmp_path / "raw.csv")
        )
