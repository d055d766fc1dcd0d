"""A run of the workflow as a process of Snakemake, every setting of which is stated here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from schooltrial.pipeline.plans.plan_record import SEALED, WITHDRAWN
from schooltrial.pipeline.runs.events import MARK

SETTINGS: tuple[tuple[str, ...], ...] = (
    # no file of settings: neither one of this user's nor of the folder changes what is run
    ("--workflow-profile", "none"),
    # what makes a result stale: its inputs, the parameters and the code of its rule. Software
    # environments are left out: the rules declare none
    ("--rerun-triggers", "mtime", "params", "input", "code"),
    # what a killed run left half-written is made again
    ("--rerun-incomplete",),
    # no lock of Snakemake's, which a killed run leaves behind; the folder is held by run_lock
    ("--nolock",),
    # the other scheduler starts a solver, which costs more than it saves with some fifty short jobs
    ("--scheduler", "greedy"),
    # go on with what does not need a failed step, so that all refusals are told at once
    ("--keep-going",),
    # a file that is late on a network drive is waited for
    ("--latency-wait", "10"),
    # the text of a run is kept in a file, where colours are noise
    ("--nocolor",),
    # events of the run, from which progress is shown
    ("--logger", "schooltrial"),
)
"""Options of Snakemake, each with its reason."""

PATIENCE = 20.0
"""Seconds that running jobs have to end in when a run is stopped."""

PLUGIN = Path(__file__).parent / "progress_plugin"
"""Folder in which Snakemake finds the plugin that tells events."""

SAID = ("runs again.", WITHDRAWN, SEALED)
"""Ends of lines that are told: `changed_files` says which file changed behind the workflow."""

CACHE = Path(".snakemake") / "schooltrial" / "cache"
"""Cache of a user whose home folder cannot be written to."""

Event = Mapping[str, Any]


@dataclass(frozen=True)
class WorkflowRun:
    """A run of the workflow on one protocol.

    Attributes
    ----------
    project : pathlib.Path
        The checkout whose rules are run.
    protocol : pathlib.Path
    folder : pathlib.Path
        The working folder: results and Snakemake's own records lie in it.
    cores : int
    log : pathlib.Path
        File into which goes what Snakemake writes for people.
    targets : sequence of str
        Files that are to be made, relative to the folder.
    config : mapping
        Further keys of the configuration.
    forced : sequence of str
        Rules that run whether or not anything has changed.
    """

    project: Path
    protocol: Path
    folder: Path
    cores: int
    log: Path
    targets: Sequence[str]
    config: Mapping[str, str]
    forced: Sequence[str] = ()

    def command(self) -> list[str]:
        """Return the command line."""
        given = {"protocols": json.dumps([str(self.protocol)]), **self.config}
        return [
            sys.executable, "-m", "snakemake", *self.targets,
            "--snakefile", str(self.project / "Snakefile"),
            "--directory", str(self.folder),
            "--cores", str(self.cores),
            *(["--forcerun", *self.forced] if self.forced else []),
            *(word for setting in SETTINGS for word in setting),
            "--config", *(f"{key}={value}" for key, value in given.items()),
        ]  # fmt: skip

    def environment(self) -> dict[str, str]:
        """Return the environment: this library and the plugin first, and no profile of the user."""
        plugin = str(PLUGIN)
        before = [part for part in [os.environ.get("PYTHONPATH")] if part]
        path = os.pathsep.join([str(self.project / "src"), plugin, *before])
        own = {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
        if not _has_cache():
            own["XDG_CACHE_HOME"] = str(self.folder / CACHE)
        kept = {k: v for k, v in os.environ.items() if k != "SNAKEMAKE_PROFILE"}
        return {**kept, **own}

    def run(self, told: Callable[[Event], None]) -> int:
        """Run to the end, and return Snakemake's exit code.

        Parameters
        ----------
        told : callable
            Is called with each event.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("w", encoding="utf-8") as log:
            process = subprocess.Popen(
                self.command(),
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                encoding="utf-8",
                errors="replace",
            )
            try:
                assert process.stdout is not None
                for event in _events(process.stdout, log):
                    told(event)
                return process.wait()
            except BaseException:
                process.terminate()  # Snakemake lets running jobs end, and starts no further one
                try:
                    process.wait(PATIENCE)
                except subprocess.TimeoutExpired:
                    process.kill()  # the next run finishes what this one leaves half done
                    process.wait()
                raise


def _has_cache() -> bool:
    """Return whether Snakemake can keep its cache where it does so by default."""
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except (OSError, RuntimeError):  # no home, or one in which nothing can be written
        return False


def _events(lines: Iterator[str] | TextIO, log: TextIO) -> Iterator[Event]:
    """Yield events; other lines go to the log, and some of them are events too."""
    for line in lines:
        if line.startswith(MARK):
            yield json.loads(line[len(MARK) :])
        else:
            log.write(line)
            log.flush()
            if line.rstrip().endswith(SAID):
                yield {"event": "said", "text": line.rstrip()}
