"""Where this project reaches behind Snakemake's public interface, and when it may.

Two things cost more than all work of a small trial: starting an interpreter for each job, and
rounds of the scheduler in which nothing has changed. A run with nothing to do imports pandas, and
files are known by their dates alone. None has a setting. They are mended for the versions of
Snakemake that were tried; with any other, everything runs in the plain way, to the same results.

What is used of Snakemake's inside: ``snakemake.script.PythonScript.execute_script`` (in
``forked_scripts``), ``workflow.scheduler.job_rate_limiter`` (in ``scheduling_rounds``),
``snakemake.persistence.PersistenceBase._serialize_param`` (in ``plain_params``), and
``snakemake.dag.DAG.check_incomplete`` (in ``changed_files``).
"""

from __future__ import annotations

import os
from importlib.metadata import version

TRIED = ("9.27.1",)
"""Versions of Snakemake with which the end-to-end tests were run in both ways."""


PLAIN = "SCHOOLTRIAL_PLAIN"
"""Environment variable; where it is set, every run is plain."""


def plain() -> bool:
    """Return whether a run does without what reaches behind Snakemake's interface."""
    return bool(os.environ.get(PLAIN)) or version("snakemake") not in TRIED
