"""Measurements that need an interpreter of their own: the first call, and the peak of memory.

As a script: ``fresh_process.py first FOLDER TASK`` or ``fresh_process.py stream FILE TERM…``; the
result is one line of JSON.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def first_call(task: str, folder: Path) -> dict[str, float]:
    """Return the seconds of the first call, of the second, and of importing all our modules.

    numba's cache starts out empty: the first call compiles what it needs, and imports numba.
    """
    with tempfile.TemporaryDirectory() as cache:
        return _fresh(["first", str(folder), task], {"NUMBA_CACHE_DIR": cache})


def streamed(file: Path, terms: Sequence[str]) -> dict[str, float]:
    """Return seconds and peak memory (GB) of REML with both df, streamed from a Parquet file."""
    return _fresh(["stream", str(file), *terms], {})


def _fresh(arguments: Sequence[str], environment: dict[str, str]) -> dict[str, float]:
    path = os.pathsep.join((str(ROOT), str(ROOT / "workflow" / "scripts")))
    done = subprocess.run(
        [sys.executable, str(Path(__file__).resolve()), *arguments],
        env={**os.environ, **environment, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _first(folder: Path, name: str) -> dict[str, float]:
    from benchmarks.trials import SIZES, Trial, read_frame

    trial = Trial(SIZES[folder.name], read_frame(folder), folder)
    began = time.perf_counter()
    from benchmarks.tasks import TASKS

    run = next(task.run for task in TASKS if task.name == name)
    imported = time.perf_counter()
    run(trial)
    first = time.perf_counter()
    run(trial)
    second = time.perf_counter()
    return {"seconds": first - imported, "modules": imported - began, "second": second - first}


def _stream(file: Path, terms: Sequence[str]) -> dict[str, float]:
    from schooltrial.models.moments.from_parquet import moments_from_parquet
    from schooltrial.models.multilevel.two_level import fit_two_level_moments

    began = time.perf_counter()
    moments = moments_from_parquet(file, outcome="y1", fixed=terms, school="school")
    fit = fit_two_level_moments(moments)
    found = [fit.estimates(df="satterthwaite"), fit.estimates(df="kenward-roger")]
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "gigabytes": _peak_gigabytes(), "estimate": found[0][1].estimate}


def _peak_gigabytes() -> float:
    """Return this program's own peak of resident memory.

    ``ru_maxrss`` of a child starts from its parent's on Linux, so the kernel's own mark is read
    where there is one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024 / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


if __name__ == "__main__":
    what, where, *rest = sys.argv[1:]
    result = _first(Path(where), rest[0]) if what == "first" else _stream(Path(where), rest)
    print(json.dumps(result))
