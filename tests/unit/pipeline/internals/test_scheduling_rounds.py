"""A run on one machine looks for jobs when one has ended; others are left as they are."""

from __future__ import annotations

import inspect
from types import SimpleNamespace

import pytest
from snakemake.scheduling.job_scheduler import JobScheduler

from schooltrial.pipeline.internals.scheduling_rounds import schedule_when_jobs_end

LIMITER = object()


def workflow(*, local: bool = True) -> SimpleNamespace:
    return SimpleNamespace(
        local_exec=local, scheduler=SimpleNamespace(job_rate_limiter=LIMITER)
    )  # fmt: skip


def test_the_limit_on_jobs_per_second_is_lifted_on_one_machine() -> None:
    run = workflow()
    schedule_when_jobs_end(run)
    assert run.scheduler.job_rate_limiter is None


def test_it_is_kept_on_a_cluster_and_in_a_plain_run(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster, plain = workflow(local=False), workflow()
    schedule_when_jobs_end(cluster)
    monkeypatch.setenv("SCHOOLTRIAL_PLAIN", "1")
    schedule_when_jobs_end(plain)
    assert cluster.scheduler.job_rate_limiter is LIMITER
    assert plain.scheduler.job_rate_limiter is LIMITER


def test_snakemakes_scheduler_still_has_the_limiter_that_is_lifted() -> None:
    assert "self.job_rate_limiter is None" in inspect.getsource(JobScheduler.job_selector)
