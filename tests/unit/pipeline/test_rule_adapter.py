"""A script runs as a rule; a refusal is told plainly, and a breakdown in full."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.refusal import Fault, Refusal
from support.small_trial import ROOT

SCRIPTS = ROOT / "workflow" / "scripts"


def _namespace(log: Path, scripts: Path = SCRIPTS, **params: Any) -> dict[str, Any]:
    job = SimpleNamespace(
        input={"a": "in.csv"}, output={"b": "out.csv"}, params=params, log=[log],
        scriptdir=f"{scripts.parent}/rules/../{scripts.name}",
    )  # fmt: skip
    return {"snakemake": job}


def test_an_imported_script_does_nothing() -> None:
    run_as_rule(lambda: pytest.fail("main was called"), {})


def test_inputs_outputs_and_parameters_are_the_arguments_of_main(tmp_path: Path) -> None:
    given: dict[str, Any] = {}
    run_as_rule(given.update, _namespace(tmp_path / "log", c=3))
    assert given == {"a": "in.csv", "b": "out.csv", "c": 3}


def test_what_a_script_prints_is_in_the_log(tmp_path: Path, capsys: Any) -> None:
    run_as_rule(lambda **_: print("read 8 schools"), _namespace(tmp_path / "log"))
    assert (tmp_path / "log").read_text("utf-8") == "read 8 schools\n"
    assert capsys.readouterr().out == ""


def test_a_refusal_ends_with_code_1_and_its_message_in_the_log_without_a_traceback(
    tmp_path: Path,
) -> None:
    fault = Fault("a.csv", "it is blue", "red", "paint it", row=3, column="b")

    def main(**_: Any) -> None:
        raise Refusal([fault])

    with pytest.raises(SystemExit) as ended:
        run_as_rule(main, _namespace(tmp_path / "log"))
    assert ended.value.code == 1
    logged = (tmp_path / "log").read_text("utf-8")
    assert str(fault) in logged
    assert logged.startswith("Refused: 1 fault was found. This step wrote nothing.")
    assert "Traceback" not in logged


def test_a_breakdown_is_logged_with_its_traceback_and_raised(tmp_path: Path) -> None:
    def main(**_: Any) -> None:
        raise KeyError("nothing of the kind")

    with pytest.raises(KeyError):
        run_as_rule(main, _namespace(tmp_path / "log"))
    logged = (tmp_path / "log").read_text("utf-8")
    assert "Traceback" in logged
    assert "nothing of the kind" in logged


def test_a_rule_of_one_checkout_refuses_the_library_of_another(tmp_path: Path) -> None:
    """An environment that two checkouts share holds the library of one of them."""
    with pytest.raises(SystemExit) as ended:
        run_as_rule(
            lambda **_: pytest.fail("main was called"),
            _namespace(tmp_path / "log", scripts=tmp_path / "other" / "workflow" / "scripts"),
        )
    assert ended.value.code == 1
    logged = (tmp_path / "log").read_text("utf-8")
    assert "the library of another checkout" in logged
    assert str(tmp_path / "other" / "src" / "schooltrial") in logged
