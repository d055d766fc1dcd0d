"""Begin a run of Snakemake in a fork that has imported all that it needs (see `warm_snakemake`).

A script that the server of jobs runs. Before Snakemake starts threads, it forks the server of the
run's own jobs, which takes the place of the one that a run starts as an interpreter.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading

from schooltrial.pipeline.forked_jobs.job_server import Server, run_job


def take_over_streams(out: str, err: str) -> None:
    """Read nothing, and write what is printed at once, where the test reads it."""
    for number, path, mode in (
        (0, os.devnull, os.O_RDONLY),
        (1, out, os.O_WRONLY),
        (2, err, os.O_WRONLY | os.O_APPEND),
    ):
        opened = os.open(path, mode)
        os.dup2(opened, number)
        os.close(opened)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(write_through=True)  # type: ignore[union-attr]


def forked_server() -> tuple[socket.socket, int]:
    """Return the socket of a fork that serves jobs, and its number."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid:
        theirs.close()
        return ours, pid
    ours.close()
    server = os.getpid()
    job = Server(theirs, ()).serve()
    if job is not None:
        run_job(job, server)
    os._exit(0)


def forget_library() -> None:
    """Let the run import the library of the checkout whose rules it runs."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "schooltrial"]:
        del sys.modules[name]


asked = json.loads(os.environ.pop("SCHOOLTRIAL_WARM_RUN"))
os.chdir(asked["folder"])
take_over_streams(asked["out"], asked["err"])
control, server_pid = forked_server()
forget_library()
named = asked["arguments"]
snakefile = named[named.index("--snakefile") + 1] if "--snakefile" in named else "Snakefile"
source = os.path.join(os.path.dirname(os.path.abspath(snakefile)), "src")
sys.path[:0] = [source, *os.environ["PYTHONPATH"].split(os.pathsep)]

from schooltrial.pipeline.forked_jobs import job_client  # noqa: E402 - of the checkout that is run


class ForkedJobs(job_client.Jobs):
    """The server that was forked, in place of one that is started."""

    def __init__(self, *_: object) -> None:
        self._control, self._lock = control, threading.Lock()

    def stop(self) -> None:
        """End the server, and jobs that still run."""
        with self._lock:
            self._control.close()
        os.waitpid(server_pid, 0)


job_client.Jobs = ForkedJobs  # type: ignore[misc, assignment]
sys.argv = ["snakemake", *named]

from snakemake.cli import main  # noqa: E402 - imported long ago

main()
