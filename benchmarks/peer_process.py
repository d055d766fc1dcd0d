"""Peers as processes of their own that stay up and are asked for one timed call at a time."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from math import nan
from pathlib import Path
from typing import Any

from benchmarks.answers import Answer

HERE = Path(__file__).resolve().parent
OPENING = 120.0  # seconds in which a peer must have started
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")  # ours, from make; peers choose their own


class PeerFailedError(Exception):
    """A peer gave an error, or nothing in time; the message is for the table."""


@dataclass(frozen=True)
class TimedAnswer:
    """Seconds of one call, taken inside the peer, and its answer."""

    seconds: float
    answer: Answer


@dataclass
class PeerProcess:
    """One program (R, or Python with its packages) that runs peers.

    Attributes
    ----------
    command : list of str
        How it is started.
    versions : dict
        Packages that it found, and their versions; empty text for those that it did not.
    """

    command: list[str]
    versions: dict[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[str] | None = None
    _replies: queue.Queue[dict[str, Any]] = field(default_factory=queue.Queue)
    _warm: set[str] = field(default_factory=set)

    def warm_up(self, task: str, folder: Path, timeout: float) -> None:
        """Run a task once, on a small trial, unless this process has done so."""
        if task not in self._warm:
            self.run(task, folder, timeout)
            self._warm.add(task)

    def run(self, task: str, folder: Path, timeout: float) -> TimedAnswer:
        """Run a task on the trial in a folder.

        Raises
        ------
        PeerFailedError
            When the peer says so, or does not answer within the time-out (it is then ended).
        """
        process = self._started()
        if process.stdin is None:
            raise PeerFailedError("the peer takes no requests")
        process.stdin.write(f"{task}\t{folder}\n")
        process.stdin.flush()
        reply = self._reply(timeout)
        if "error" in reply:
            raise PeerFailedError(str(reply["error"])[:200])
        return TimedAnswer(float(reply["seconds"]), _answer(reply))

    def start(self) -> None:
        """Start the program where it is there, to learn its versions."""
        if shutil.which(self.command[0]) is not None:
            self._started()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None
        self._warm.clear()

    def _started(self) -> subprocess.Popen[str]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        self._replies = queue.Queue()
        environment = {k: v for k, v in os.environ.items() if k not in (*ONE_THREAD, "PYTHONPATH")}
        self._process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, env=environment,
        )  # fmt: skip
        threading.Thread(target=_listen, args=(self._process, self._replies), daemon=True).start()
        self.versions = dict(self._reply(OPENING)["versions"])
        return self._process

    def _reply(self, timeout: float) -> dict[str, Any]:
        try:
            reply = self._replies.get(timeout=timeout)
        except queue.Empty:
            self.close()
            raise PeerFailedError(f"not done after {timeout:.0f} s") from None
        if "ended" in reply:
            self.close()
            raise PeerFailedError("the peer's process ended (out of memory?)")
        return reply


def _listen(process: subprocess.Popen[str], replies: queue.Queue[dict[str, Any]]) -> None:
    """Pass on the lines that are replies; what packages print besides is dropped."""
    for line in process.stdout or ():
        if line.startswith("@@"):
            replies.put(json.loads(line[2:]))
    replies.put({"ended": True})


def _answer(reply: dict[str, Any]) -> Answer:
    def numbers(key: str) -> tuple[float, ...]:
        return tuple(nan if x is None else float(x) for x in reply[key])

    return Answer(
        tuple(reply["terms"]), numbers("estimate"), numbers("std_error"), numbers("df"),
        numbers("p_value"),
    )  # fmt: skip


def r_process() -> PeerProcess:
    """Return the process of the R packages."""
    return PeerProcess(["Rscript", "--vanilla", str(HERE / "peers_r.R")])


def python_process() -> PeerProcess:
    """Return the process of the Python packages, under PEERS_PYTHON or this interpreter."""
    interpreter = os.environ.get("PEERS_PYTHON", sys.executable)
    return PeerProcess([interpreter, str(HERE / "peers_python.py")])
