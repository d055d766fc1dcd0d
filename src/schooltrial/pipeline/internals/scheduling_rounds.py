"""Schedule jobs when one has ended, not every second.

Snakemake limits how many jobs start in a second (``--max-jobs-per-timespan``, 100 unless asked),
for the sake of clusters. To look again when the second is over, each round of its scheduler starts
a timer, and each timer a round: rounds never end, and each asks for the size of every input.
On one machine the number of cores is limit enough, and no setting lifts the other.
"""

from __future__ import annotations

from typing import Any

from schooltrial.pipeline.internals.snakemake_internals import plain


def schedule_when_jobs_end(workflow: Any) -> None:
    """Lift the limit on jobs per second from a run that is about to begin.

    Without a limiter, which Snakemake provides for, the scheduler is woken by ends of jobs alone.
    """
    limiter = getattr(workflow.scheduler, "job_rate_limiter", None)
    if not plain() and limiter is not None and workflow.local_exec:
        workflow.scheduler.job_rate_limiter = None
