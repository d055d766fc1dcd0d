"""Run scripts as forks of one process that has imported the libraries which they need.

A program, started by ``job_client``: ``job_server.py SOCKET FOLDER MODULE…``, where ``SOCKET`` is
the number of a file descriptor and ``FOLDER`` is where the modules of the project are found. It
uses nothing but the standard library, and serves one run of the workflow:

* Each byte that arrives carries a socket, and is a fork: it reads its request from the socket, and
  runs the script as an interpreter of its own would. Jobs share nothing that they could change.
* The rest is imported between requests. A module that fails to import is left out: the script that
  needs it imports it again, and tells why it fails.
* When the other end of the socket is closed, by the end of the run or by its death, the server
  ends; when the server ends, the kernel kills its jobs. Nothing lies on disk that could be left.

The server never starts a thread, for a fork keeps none but its own. (pyarrow's allocator, jemalloc,
has one thread and looks after it at a fork.) Libraries start their pools at first use: in the jobs.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import importlib
import json
import os
import random
import selectors
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
import types
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn

PR_SET_PDEATHSIG = 1


BEGUN = b"+"
"""Told as soon as a request is a fork; without it, the script was never run."""


ENDED = struct.Struct("!iddd")
"""Exit code (negative: the signal that killed it), seconds, CPU seconds, peak memory in MB."""


SIZE = struct.Struct("!I")


@dataclass(frozen=True)
class Job:
    """A script that runs: where its end is reported, and when it began."""

    channel: socket.socket
    began: float


def preload(module: str) -> None:
    """Import a module; one that fails is left to the scripts that need it."""
    # SystemExit too: a library must not end what others need.
    with suppress(Exception, SystemExit):
        importlib.import_module(module)


def received(channel: socket.socket) -> dict[str, Any]:
    """Return the request that a socket holds."""
    with channel.makefile("rb") as stream:
        (size,) = SIZE.unpack(stream.read(SIZE.size))
        request: dict[str, Any] = json.loads(stream.read(size))
    return request


class Server:
    """Forks a job for each request, and reports how each ended."""

    def __init__(self, control: socket.socket, modules: Sequence[str]) -> None:
        self._control, self._modules = control, list(reversed(modules))
        self._jobs: dict[int, Job] = {}
        self._selector = selectors.DefaultSelector()
        self._woken, self._wake = socket.socketpair()

    def serve(self) -> Job | None:
        """Serve until the run ends; in a fork, return the job that it is."""
        self._woken.setblocking(False)
        self._wake.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is for the jobs
        self._selector.register(self._control, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        while True:
            ready = self._selector.select(0 if self._modules else None)
            sources = {key.fileobj for key, _ in ready}
            if self._woken in sources:
                with suppress(BlockingIOError):
                    self._woken.recv(4096)
                self._tell_ends()
            if self._control in sources:
                word, descriptors, *_ = socket.recv_fds(self._control, 1, 1)
                if not word:
                    return None
                job = self._forked(socket.socket(fileno=descriptors[0]))
                if job is not None:
                    return job
            if not ready:
                preload(self._modules.pop())
                if not self._modules:
                    gc.freeze()  # what was imported is not looked at again, nor copied

    def _forked(self, channel: socket.socket) -> Job | None:
        """Fork; return the job in the fork, and nothing in the server."""
        job = Job(channel, time.monotonic())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside jemalloc
            pid = os.fork()
        if pid:
            self._jobs[pid] = job
            with suppress(OSError):
                channel.sendall(BEGUN)
            return None
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._selector.close()
        for other in (self._control, self._woken, self._wake):
            other.close()
        for running in self._jobs.values():
            running.channel.close()
        return job

    def _tell_ends(self) -> None:
        while self._jobs:
            pid, status, used = os.wait4(-1, os.WNOHANG)
            if not pid:
                return
            job = self._jobs.pop(pid, None)
            if job is None:
                continue
            seconds = time.monotonic() - job.began
            code = os.waitstatus_to_exitcode(status)
            told = ENDED.pack(code, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
            with suppress(OSError), job.channel:
                job.channel.sendall(told)


def run_job(job: Job, server: int) -> NoReturn:
    """Run the script of a request in this fork, and end as an interpreter would."""
    # The kernel kills a job whose server ends, however it ends.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != server:
        os._exit(1)
    atexit._clear()  # what a library registered is for the server to do
    try:
        with job.channel:
            request = received(job.channel)
        _take_over(request)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    code = _run(request["script"])
    with suppress(BaseException):
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _take_over(request: dict[str, Any]) -> None:
    """Give this fork the surroundings that an interpreter started for the script would have."""
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    tempfile.tempdir = None
    sys.argv = [request["script"]]
    sys.path[:] = [*([] if sys.flags.safe_path else [os.path.dirname(request["script"])]), *PATH]
    # Random numbers that no seed fixes must not be the same in all jobs.
    random.seed()
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()


def _run(script: str) -> int:
    """Run a script as ``__main__``; return its exit code, a traceback being printed as usual."""
    main = types.ModuleType("__main__")
    main.__dict__.update(__file__=script, __builtins__=__builtins__)
    sys.modules["__main__"] = main
    try:
        with open(script, "rb") as file:
            code = compile(file.read(), script, "exec", dont_inherit=True)
        exec(code, main.__dict__)
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return (ended.code or 0) & 0xFF
        print(ended.code, file=sys.stderr)
        return 1
    except KeyboardInterrupt as interrupt:
        _print(interrupt)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
        return 1
    except BaseException as fault:
        _print(fault)
        return 1
    return 0


def _print(fault: BaseException) -> None:
    """Print a traceback that begins in the script."""
    begun = fault.__traceback__.tb_next if fault.__traceback__ else None
    sys.excepthook(type(fault), fault.with_traceback(begun), begun)


PATH = sys.path[:] if sys.flags.safe_path else sys.path[1:]
"""Where an interpreter finds what is installed, before the folder of its script is added."""


def main() -> None:
    """Import the first module, which nearly every script needs, then serve."""
    descriptor, folder, first, *modules = sys.argv[1:]
    sys.path[:] = [folder, *PATH]
    preload(first)
    server = os.getpid()
    found = Server(socket.socket(fileno=int(descriptor)), modules).serve()
    if found is not None:
        run_job(found, server)


if __name__ == "__main__":
    main()
