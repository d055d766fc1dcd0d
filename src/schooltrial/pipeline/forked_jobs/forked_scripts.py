"""Run the scripts of rules as forks of a server, in place of starting an interpreter for each.

Rules, ``script:``, ``log:`` and ``benchmark:`` stay as they are: what is replaced is the last step,
in which Snakemake hands the script that it has prepared, its preamble in place, to an interpreter.

An executor plugin, Snakemake's public interface for how jobs run, was considered first. It has to
be an installed package, named before the Snakefile is read, so that a run by a plain
``snakemake --cores 2`` would fail without it. Its interface offers one way to run a job: another
Snakemake (``--mode subprocess``), which reads all rules and protocols again; that costs more than
the interpreter that is saved. To run the script alone, it would need the same inside of
Snakemake as here, and that of benchmarks, logs and job preparation too.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from schooltrial.pipeline.forked_jobs.job_client import Ended, Jobs, NotRunError, ServerDiedError
from schooltrial.pipeline.internals.snakemake_internals import plain
from schooltrial.provenance.code_inputs import SOURCE, modules

FIRST = "pandas"


LIBRARIES = (
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "scipy.special",
    "scipy.optimize",
    "scipy.linalg",
    "numba",
    "snakemake.logging",
    "snakemake.iocontainers",
    "pyarrow.dataset",
    "typst",
    "docx",
)
"""What most scripts import at some time, in part within functions."""


LATE = ("scipy.stats", "pytest")
"""What one script of each study imports, and what takes long."""


THREADS = (
    "OMP_NUM_THREADS",
    "GOTO_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


FOLDERS = ("TMPDIR", "TMP", "TEMPDIR", "TEMP")


def fork_scripts(scripts: Path) -> Jobs | None:
    """Start the server, and let all scripts of this run be its forks.

    Returns
    -------
    Jobs or None
        None where every script starts an interpreter: where a fork is not to be had (Windows), or
        not safe (macOS), where the version of Snakemake was not tried, or the user asks for it.
    """
    if plain() or sys.platform != "linux":
        return None
    from snakemake.script import PythonScript

    jobs = Jobs(scripts, imported_early(scripts), surroundings(os.environ, {}))
    atexit.register(jobs.stop)
    in_an_interpreter = PythonScript.execute_script

    def execute_script(self: Any, fname: str, edit: bool = False) -> None:
        if edit or not suits_a_fork(self):
            in_an_interpreter(self, fname, edit)
            return
        try:
            ended = jobs.run(os.path.abspath(fname), surroundings(os.environ, self.resources))
        except NotRunError:
            in_an_interpreter(self, fname, edit)
            return
        except ServerDiedError:
            raise RuntimeError(
                f"{self.rulename}: the process in which scripts run was killed, and the job with "
                "it; memory may have run out. Run the same command again."
            ) from None
        if self.bench_record is not None:
            record(self.bench_record, ended)
        if ended.code:
            raise subprocess.CalledProcessError(ended.code, f"{sys.executable} {fname}")

    PythonScript.execute_script = execute_script
    return jobs


def suits_a_fork(script: Any) -> bool:
    """Return whether a script asks for nothing that a fork of the server does not have."""
    elsewhere = (script.container_img, script.conda_env, script.env_modules)
    own_shell = script.resources.get("shell_exec")
    return not any(elsewhere) and own_shell is None and script.threads == 1


def surroundings(environment: Mapping[str, str], resources: Any) -> dict[str, str]:
    """Return the environment that Snakemake would give to a script with one thread."""
    folder = resources.get("tmpdir")
    folders = dict.fromkeys(FOLDERS, str(folder)) if folder else {}
    return {**environment, **dict.fromkeys(THREADS, "1"), **folders}


def record(benchmark: Any, ended: Ended) -> None:
    """Write the kernel's account of the job into Snakemake's record of a benchmark.

    Snakemake itself looks twice a second, and never at the end. What only it could see (virtual,
    unique and shared memory, bytes read and written) is left open.
    """
    benchmark.data_collected = True
    benchmark.running_time = ended.seconds
    benchmark.cpu_time = ended.cpu_seconds
    benchmark.cpu_usage = 100 * ended.cpu_seconds
    benchmark.max_rss = ended.peak_mb


def imported_early(scripts: Path) -> Sequence[str]:
    """Return what the server imports: libraries, and modules of the project but no rule's script.

    They are read once a run, so that an edit takes effect with the next one.
    """
    scripts = Path(os.path.abspath(scripts))
    rules = [path for path in sorted(scripts.glob("*.py")) if is_of_a_rule(path)]
    files = [Path(os.path.abspath(file)) for path in rules for file in modules(path.name)]
    ours = dict.fromkeys(
        _dotted(file.relative_to(SOURCE)) for file in files if file.is_relative_to(SOURCE)
    )
    return [FIRST, *LIBRARIES, *ours, *LATE]


def is_of_a_rule(script: Path) -> bool:
    """Return whether a script is run by a rule."""
    return "\nrun_as_rule(main, globals())" in script.read_text("utf-8")


def _dotted(file: Path) -> str:
    """Return the name by which a module is imported."""
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
