"""What Snakemake's logger plugin does: it writes events of a run, one line of JSON each, to stdout.

What Snakemake writes for people stays as it is, on stderr. Events are told from other lines on
stdout, such as what hooks of the Snakefile print, by their first character.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from logging import LogRecord

from snakemake_interface_logger_plugins.base import LogHandlerBase

from schooltrial.pipeline.runs.events import MARK, event_of

PR_SET_PDEATHSIG = 1


class LogHandler(LogHandlerBase):
    """Reports which jobs are planned, and when each begins, ends or fails."""

    def __post_init__(self) -> None:
        """Let this process end when the command that reads the events is killed."""
        if sys.platform == "linux":
            # At once, not when running jobs have ended: with nobody to read, that may never be,
            # and the next run would wait for this one. What is half written is written again.
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    def emit(self, record: LogRecord) -> None:
        """Write the event of a record; nothing where it is of another kind."""
        told = event_of(vars(record))
        if told is None:
            return
        try:
            sys.stdout.write(f"{MARK}{json.dumps(told)}\n")
            sys.stdout.flush()
        except OSError:
            os._exit(1)  # nobody reads any more

    @property
    def writes_to_stream(self) -> bool:
        """False, so that Snakemake goes on writing to stderr, which the log of the run keeps."""
        return False

    @property
    def writes_to_file(self) -> bool:
        """False."""
        return False

    @property
    def has_filter(self) -> bool:
        """True: events are reported even if Snakemake is asked to be quiet."""
        return True

    @property
    def has_formatter(self) -> bool:
        """True."""
        return True

    @property
    def needs_rulegraph(self) -> bool:
        """False."""
        return False
