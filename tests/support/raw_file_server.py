"""A server on this machine that misbehaves as its paths say, for tests of fetched files."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server(ThreadingHTTPServer):
    """Serves one content at every path, and counts what it was asked."""

    asked: list[str]
    content: bytes

    def address(self, path: str) -> str:
        """Return the address of a path."""
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        times = self.server.asked.count(self.path)
        content = self.server.content
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


@contextmanager
def serving(content: bytes) -> Iterator[Server]:
    """Serve a content while the block runs."""
    made = Server(("127.0.0.1", 0), Handler)
    made.asked, made.content = [], content
    thread = threading.Thread(target=made.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield made
    finally:
        made.shutdown()
        thread.join()
        made.server_close()
