"""Fetch a raw file by its address; it is kept only where its checksum is the one declared."""

import hashlib
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.refusal import Fault, refuse

TRIES = 4
SECONDS = 60
CHUNK = 1 << 20
BUSY = (429, 500, 502, 503, 504)
"""Answers of a server that may be another one a little later."""


def main(*, url: str, sha256: str, file: str) -> None:
    """Write the file, or nothing at all.

    A server that is busy, or a connection that breaks, is tried again; a file that is not whole or
    not the declared one is refused.
    """
    target = Path(file)
    part = target.with_name(target.name + ".part")
    try:
        found, size = _download(url, part)
        if found != sha256:
            remedy = "see whether the file was changed there; then state its checksum, and why"
            _refuse(url, f"the {size:,} bytes fetched have the SHA-256 {found}", sha256, remedy)
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)


def _download(url: str, part: Path) -> tuple[str, int]:
    """Stream the answer into a file; return its checksum and size."""
    with requests.Session() as session:
        tries = Retry(total=TRIES - 1, backoff_factor=0.5, status_forcelist=BUSY)
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=tries))
        for attempt in range(TRIES):
            try:
                return _stream(session, url, part)
            except requests.HTTPError as error:
                answer = getattr(error.response, "status_code", "an error")
                _refuse(url, f"the server answers {answer}", "the file (200)", "check the address")
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
                # A connection that breaks within the body is not tried again by urllib3.
                if attempt == TRIES - 1:
                    told = f"not fetched in {TRIES} tries ({type(error).__name__}: {error})"
                    remedy = "see whether the network and the server are there, and run again"
                    _refuse(url, told, "the whole file", remedy)
            except requests.RequestException as error:
                _refuse(url, f"not fetched ({error})", "the whole file", "check the address")
    raise AssertionError("the last try returns or refuses")


def _stream(session: requests.Session, url: str, part: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    plain = {"Accept-Encoding": "identity"}  # the checksum is that of the file, not of its text
    with (
        session.get(url, stream=True, timeout=SECONDS, headers=plain) as answer,
        part.open("wb") as out,
    ):
        answer.raise_for_status()
        for chunk in answer.iter_content(CHUNK):
            digest.update(chunk)
            size += out.write(chunk)
    return digest.hexdigest(), size


def _refuse(url: str, found: str, expected: str, remedy: str) -> None:
    refuse([Fault(url, found, expected, remedy)])


run_as_rule(main, globals())
