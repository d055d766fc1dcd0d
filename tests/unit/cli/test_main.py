"""Claims about how a command ends."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from types import ModuleType

import pytest

from schooltrial import __version__
from schooltrial.cli import main as entry
from schooltrial.refusal import Fault, Refusal, UserError


def _ends(monkeypatch: pytest.MonkeyPatch, error: Exception | None) -> Callable[[], int]:
    """Return a call of a command that ends with an error, or well."""

    def run(args: argparse.Namespace) -> int:
        if error is not None:
            raise error
        return 0

    command = ModuleType("schooltrial.cli.try")
    command.__dict__.update(HELP="Try.", add_arguments=lambda parser: None, run=run)
    monkeypatch.setattr(entry, "COMMANDS", [command])
    return lambda: entry.main(["try"])


def test_a_command_imports_what_it_needs_only_when_it_is_run() -> None:
    """Help and wrong calls would otherwise wait for packages that they do not use."""
    for command in entry.COMMANDS:
        names = {name for name, value in vars(command).items() if isinstance(value, ModuleType)}
        assert names <= {"argparse"}, command.__name__
        assert not {"open_study", "trace_file", "software_versions"} & set(vars(command))


def test_every_command_says_what_it_is_for(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        entry.main(["--help"])
    assert ended.value.code == 0
    told = " ".join(capsys.readouterr().out.split())
    for command in entry.COMMANDS:
        assert command.HELP in told


@pytest.mark.parametrize("arguments", [["wher"], ["where"]])
def test_a_wrong_call_ends_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        entry.main(arguments)
    assert ended.value.code == 2


@pytest.mark.parametrize(
    "error", [UserError("no such thing"), Refusal([Fault("a", "no such thing", "b", "c")])]
)
def test_a_refusal_is_told_without_a_traceback_unless_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    monkeypatch.delenv("SCHOOLTRIAL_DEBUG", raising=False)
    call = _ends(monkeypatch, error)
    assert call() == 1
    told = capsys.readouterr().err
    assert "no such thing" in told
    assert "Traceback" not in told
    monkeypatch.setenv("SCHOOLTRIAL_DEBUG", "1")
    assert call() == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_breakdown_shows_its_traceback_and_asks_to_be_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _ends(monkeypatch, KeyError("x"))() == 1
    told = capsys.readouterr().err
    assert "Traceback" in told
    assert f"a bug in schooltrial {__version__}" in told


def test_a_command_that_ends_well_ends_with_0(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _ends(monkeypatch, None)() == 0


def test_version_names_the_project_python_and_numpy(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.main(["version"]) == 0
    told = capsys.readouterr().out
    assert told.split()[:2] == ["schooltrial", __version__]
    assert "numpy" in told
