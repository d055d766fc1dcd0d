"""Run again what depends on a file that is not as a job read or wrote it, whatever its date."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schooltrial.pipeline.internals.snakemake_internals import plain
from schooltrial.provenance.contents import Changed, changed


def compare_contents() -> None:
    """Let Snakemake run again each job whose files changed, in this run and in dry runs of it.

    A job that is not part of the run is left alone. Snakemake treats these files as it treats
    those of a job that was interrupted. With a version of Snakemake that was not tried, the
    files are named, and their dates decide.
    """
    if plain():
        _tell(changed())
        return
    from snakemake.dag import DAG

    known = DAG.check_incomplete

    async def check_incomplete(self: Any) -> None:
        await known(self)
        found = changed({str(log) for job in self.jobs for log in job.log})
        self.forcefiles.update(path for one in found for path in one.outputs)
        _tell(found)

    DAG.check_incomplete = check_incomplete


def _tell(found: Sequence[Changed]) -> None:
    for line in dict.fromkeys(said(found)):
        print(line)


def said(found: Sequence[Changed]) -> list[str]:
    """Return a sentence for each file that changed, in the order given."""
    return [
        f"{one.path} is not as its step wrote it: the step runs again."
        if one.written
        else f"{one.path} has changed since it was read: every step that uses it runs again."
        for one in found
    ]
