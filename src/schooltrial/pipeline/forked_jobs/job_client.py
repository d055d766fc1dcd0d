"""Ask the server of jobs to run scripts, in place of starting an interpreter for each."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from schooltrial.pipeline.forked_jobs import job_server
from schooltrial.pipeline.forked_jobs.job_server import BEGUN, ENDED, SIZE

FAREWELL = 10.0
"""Seconds that a server has to end in before it is killed."""


class NotRunError(Exception):
    """A script was not run, because there is no server."""


class ServerDiedError(Exception):
    """The server died while a script ran; its jobs died with it."""


@dataclass(frozen=True)
class Ended:
    """How a script ended.

    Attributes
    ----------
    code : int
        Exit code; negative, the signal that killed it.
    seconds, cpu_seconds : float
        Of the script and the processes that it waited for.
    peak_mb : float
        Peak of resident memory.
    """

    code: int
    seconds: float
    cpu_seconds: float
    peak_mb: float


class Jobs:
    """A server of jobs, which lives until it is stopped or this process ends.

    Parameters
    ----------
    folder : pathlib.Path
        Where the modules of the project are found.
    modules : sequence of str
        What the server imports, in this order. One that fails to import is left out.
    environment : mapping
        The server's own; libraries read it when they are imported.
    """

    def __init__(
        self, folder: Path, modules: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        self._control, theirs = socket.socketpair()
        self._lock = threading.Lock()
        with theirs:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    str(Path(job_server.__file__).resolve()),
                    str(theirs.fileno()),
                    str(folder),
                    *modules,
                ],
                pass_fds=[theirs.fileno()],
                env=dict(environment),
            )

    def run(self, script: str, environment: Mapping[str, str]) -> Ended:
        """Run a script in this working folder, and wait for its end.

        Raises
        ------
        NotRunError
            There is no server any more; the script can be run in another way.
        ServerDiedError
            The server died while the script ran.
        """
        request = json.dumps(
            {"script": script, "folder": os.getcwd(), "environment": dict(environment)}
        ).encode()
        ours, theirs = socket.socketpair()
        with ours:
            try:
                with theirs, self._lock:
                    socket.send_fds(self._control, [b"j"], [theirs.fileno()])
                ours.sendall(SIZE.pack(len(request)) + request)
            except OSError as error:
                raise NotRunError from error
            told, whole = b"", len(BEGUN) + ENDED.size
            with suppress(ConnectionResetError):
                while len(told) < whole and (part := ours.recv(whole)):
                    told += part
        if len(told) == whole:
            return Ended(*ENDED.unpack(told[len(BEGUN) :]))
        if told:
            raise ServerDiedError
        raise NotRunError

    def stop(self) -> None:
        """End the server, and jobs that still run."""
        with self._lock:
            self._control.close()
        try:
            self.process.wait(FAREWELL)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
