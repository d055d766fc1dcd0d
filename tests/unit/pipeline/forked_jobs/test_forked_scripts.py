"""Which scripts run as forks, what the server imports for them, and what benchmarks tell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from schooltrial.pipeline.forked_jobs import forked_scripts
from schooltrial.pipeline.forked_jobs.forked_scripts import (
    fork_scripts,
    imported_early,
    record,
    suits_a_fork,
    surroundings,
)
from schooltrial.pipeline.forked_jobs.job_client import Ended, Jobs
from schooltrial.pipeline.internals import snakemake_internals
from support.small_trial import ROOT

SCRIPTS = ROOT / "workflow" / "scripts"
SOURCE = ROOT / "src"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="forks are used on Linux only")
KNOWN_THREADS = {"jemalloc_bg_thd"}
"""Of pyarrow's allocator, which looks after it at a fork."""


def prepared(**asked: Any) -> SimpleNamespace:
    """Return a script as Snakemake prepares it."""
    plain: dict[str, Any] = {
        "container_img": None,
        "conda_env": None,
        "env_modules": None,
        "resources": {},
        "threads": 1,
    }
    return SimpleNamespace(**plain | asked)


@pytest.mark.parametrize(
    "asked",
    [
        {"container_img": "image"},
        {"conda_env": "environment"},
        {"env_modules": "modules"},
        {"threads": 2},
        {"resources": {"shell_exec": "/bin/zsh"}},
    ],
)
def test_a_script_that_asks_for_surroundings_of_its_own_is_no_fork(asked: dict[str, Any]) -> None:
    assert suits_a_fork(prepared())
    assert not suits_a_fork(prepared(**asked))


@pytest.mark.parametrize("why", ["asked for", "another version", "another system"])
def test_a_run_is_plain_where_it_is_asked_for_or_nothing_else_was_tried(
    monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    from snakemake.script import PythonScript

    before = PythonScript.execute_script
    if why == "asked for":
        monkeypatch.setenv("SCHOOLTRIAL_PLAIN", "1")
    elif why == "another version":
        monkeypatch.setattr(snakemake_internals, "version", lambda _: "9.27.0")
    else:
        monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(forked_scripts, "Jobs", lambda *_: pytest.fail("a server was started"))
    assert fork_scripts(SCRIPTS) is None
    assert PythonScript.execute_script is before


def test_the_version_of_the_lock_was_tried() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    assert any(f"\nsnakemake=={version} " in lock for version in snakemake_internals.TRIED)


def test_the_server_imports_modules_that_exist_and_no_script_of_a_rule() -> None:
    early = imported_early(SCRIPTS)
    ours = [name for name in early if name.split(".")[0] == "schooltrial"]
    assert len(ours) > 200
    assert {"schooltrial.pipeline.rule_adapter", "schooltrial.analysis.fitting"} <= set(early)
    files = [SOURCE.joinpath(*name.split(".")) for name in ours]
    assert all(file.with_suffix(".py").is_file() or file.is_dir() for file in files)
    rules = {path.stem for path in SCRIPTS.glob("*.py") if "snakemake" not in path.stem}
    of_rules = {stem for stem in rules if (SCRIPTS / f"{stem}.py").read_text().count("\nrun_as_r")}
    assert len(of_rules) > 40
    assert not of_rules & set(early)


def test_the_environment_of_a_fork_is_that_which_snakemake_gives_to_a_script(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from snakemake.shell import shell

    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    resources = {"tmpdir": str(tmp_path)}
    python = [sys.executable, "-c", "import json, os; print(json.dumps(dict(os.environ)))"]
    told = shell(subprocess.list2cmdline(python).replace("{", "{{").replace('"', "'"),
                 read=True, threads=1, resources=resources)  # fmt: skip
    own = subprocess.run(
        python, env=surroundings(os.environ, resources), capture_output=True, text=True, check=True
    )
    of_bash = {"_", "SHLVL", "PWD", "OLDPWD"}
    expected, found = json.loads(told), json.loads(own.stdout)
    assert {k: v for k, v in expected.items() if k not in of_bash} == {
        k: v for k, v in found.items() if k not in of_bash
    }


def test_a_benchmark_tells_seconds_processor_and_memory_and_leaves_open_what_was_not_seen() -> None:
    from snakemake.benchmark import BenchmarkRecord

    told = BenchmarkRecord()
    record(told, Ended(code=0, seconds=2.5, cpu_seconds=2.0, peak_mb=300.0))
    header = BenchmarkRecord.get_header()
    row = dict(zip(header, told.to_tsv(extended_fmt=False).split("\t"), strict=True))
    assert row.pop("h:m:s") == "0:00:02"
    seen = {"s": "2.50", "max_rss": "300.00", "cpu_time": "2.00", "mean_load": "80.00"}
    assert row == dict.fromkeys(row, "-") | seen


@LINUX
def test_the_server_has_imported_everything_and_has_no_thread_beside_its_own(
    tmp_path: Path,
) -> None:
    told = tmp_path / "told"
    script = tmp_path / "script.py"
    script.write_text(
        "import gc, sys\n"
        f"open({str(told)!r}, 'w').write(f'{{gc.get_freeze_count()}} ' + ' '.join(sys.modules))\n",
        encoding="utf-8",
    )
    given = surroundings(os.environ, {})
    early = imported_early(SCRIPTS)
    jobs = Jobs(SCRIPTS, early, given)
    try:
        end = time.monotonic() + 300
        while time.monotonic() < end:
            assert jobs.run(str(script), given).code == 0
            frozen, *loaded = told.read_text().split()
            if int(frozen):
                break
        tasks = Path(f"/proc/{jobs.process.pid}/task").glob("*/comm")
        names = sorted(task.read_text().strip() for task in tasks)
    finally:
        jobs.stop()
    assert set(early) <= set(loaded)
    assert len([name for name in names if name not in KNOWN_THREADS]) == 1
