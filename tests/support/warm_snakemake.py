"""Snakemake as a fork of a process that has imported it, and all that the scripts of rules import.

Most of the time of a small run goes into imports: those of Snakemake, and those of the server
whose forks are the jobs. A test that claims nothing of how processes start need not wait for
them. The forks are made by the library's own server of jobs: one for the session of tests, of
which each Snakemake is a fork; and a fork of that one serves its jobs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import pytest

from schooltrial.pipeline.forked_jobs.job_client import Jobs
from schooltrial.pipeline.internals.snakemake_internals import plain
from schooltrial.pipeline.runs import snakemake_run
from support.small_trial import ROOT

BEGIN = str(Path(__file__).with_name("begin_snakemake.py"))
ASKED = "SCHOOLTRIAL_WARM_RUN"
"""Environment variable with what `begin_snakemake` is to do."""


def forks_are_used() -> bool:
    """Return whether runs are forks here; else a test starts an interpreter, as a user does."""
    return sys.platform == "linux" and not plain()


@cache
def _server() -> Jobs:
    """Return the server of this process; it ends with it."""
    return Jobs(ROOT / "tests", ["support.warm_imports"], os.environ)


def let_commands_fork(patch: pytest.MonkeyPatch) -> None:
    """Let the commands of `schooltrial` that are called in this process run Snakemake as a fork."""
    if forks_are_used():
        known = {name: getattr(subprocess, name) for name in ("DEVNULL", "PIPE", "TimeoutExpired")}
        patch.setattr(snakemake_run, "subprocess", SimpleNamespace(Popen=WarmSnakemake, **known))


class WarmSnakemake:
    """A run of Snakemake as a fork; what is used of `subprocess.Popen`, for those who wait.

    Parameters
    ----------
    command : sequence of str
        Interpreter, ``-m``, ``snakemake``, and the arguments.
    cwd : str or pathlib.Path
    env : mapping
    stderr : file, optional
        Where errors go. By default where ``stdout`` does.
    """

    def __init__(
        self,
        command: Sequence[str],
        cwd: str | Path,
        env: Mapping[str, str],
        stderr: IO[str] | int = subprocess.STDOUT,
        **_: Any,
    ) -> None:
        assert command[:3] == [sys.executable, "-m", "snakemake"]
        read, out = os.pipe()
        self._written: list[int] = [out]
        self._threads: list[threading.Thread] = []
        if isinstance(stderr, int):
            err = out
        else:
            # Not its path: what is opened anew has a place of its own, where others would write.
            passed, err = os.pipe()
            self._written.append(err)
            self._threads.append(threading.Thread(target=_pass_on, args=(passed, stderr.fileno())))
        asked = {"arguments": list(command[3:]), "folder": str(cwd), "out": _path(out),
                 "err": _path(err)}  # fmt: skip
        self.stdout = os.fdopen(read, encoding="utf-8", errors="replace")
        self.returncode: int | None = None
        self._surroundings = {**env, ASKED: json.dumps(asked)}
        self._threads.append(threading.Thread(target=self._run))
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        try:
            self.returncode = _server().run(BEGIN, self._surroundings).code
        finally:
            for descriptor in self._written:
                os.close(descriptor)

    def communicate(self) -> tuple[str, None]:
        """Return what was printed, at the end of the run."""
        with self.stdout:
            text = self.stdout.read()
        self.wait()
        return text, None

    def wait(self) -> int:
        """Wait for the end, and return the exit code."""
        for thread in self._threads:
            thread.join()
        assert self.returncode is not None, "the server of forks has ended"
        return self.returncode


def _path(descriptor: int) -> str:
    """Return the path by which another process opens what is open here."""
    return f"/proc/{os.getpid()}/fd/{descriptor}"


def _pass_on(read: int, written: int) -> None:
    with open(read, "rb", buffering=0) as stream:
        while part := stream.read(65536):
            os.write(written, part)
