"""All that Snakemake and the scripts of rules import: importing this module imports them."""

from __future__ import annotations

import gc
from pathlib import Path

import snakemake.cli  # noqa: F401 - what every run of the workflow imports

from schooltrial.pipeline.forked_jobs.forked_scripts import imported_early
from schooltrial.pipeline.forked_jobs.job_server import preload

for module in imported_early(Path(__file__).parents[2] / "workflow" / "scripts"):
    preload(module)
gc.freeze()  # as the server of jobs does: what was imported is not looked at again, nor copied
