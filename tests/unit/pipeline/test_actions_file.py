"""The file for GitHub Actions runs what `make lint` and `make test` run, on every system."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import yaml

from support.small_trial import ROOT

ACTIONS: dict[str, Any] = yaml.safe_load(
    (ROOT / ".github" / "workflows" / "test.yaml").read_text("utf-8")
)
JOBS: dict[str, Any] = ACTIONS["jobs"]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


def _commands(job: str) -> list[str]:
    return [step["run"].split(" #")[0].strip() for step in JOBS[job]["steps"] if "run" in step]


def _recipe(target: str) -> list[str]:
    """Return the commands of a target, without the folder of the environment."""
    found = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE, re.M)
    assert found is not None
    return [line.strip().removeprefix("@").replace("$(BIN)/", "") for line in found[1].splitlines()]


def test_it_covers_three_systems_and_each_python_that_the_project_supports() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    oldest, beyond = map(int, re.findall(r"3\.(\d+)", project["requires-python"]))
    versions = [f"3.{minor}" for minor in range(oldest, beyond)]
    for job in JOBS.values():
        assert job["strategy"]["matrix"]["python"] == versions
    systems = [*JOBS["make"]["strategy"]["matrix"]["os"], JOBS["windows"]["runs-on"]]
    assert [system.split("-")[0] for system in systems] == ["ubuntu", "macos", "windows"]


def test_with_make_it_runs_the_linters_and_the_tests() -> None:
    assert [command.split()[:2] for command in _commands("make")] == [
        ["make", "lint"], ["make", "test"],
    ]  # fmt: skip


def test_without_make_it_runs_the_same_commands() -> None:
    commands = _commands("windows")
    for target in ("lint", "test"):
        assert [command for command in _recipe(target) if command not in commands] == []


def test_it_installs_from_the_lock_by_hash() -> None:
    assert any(
        "--require-hashes --requirement requirements.lock" in command
        for command in _commands("windows")
    )
