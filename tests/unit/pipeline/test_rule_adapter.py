"""A script runs as a rule; a refusal is told plainly, and a breakdown in full."""

import errno
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.pipeline.system_errors import REMEDIES
from schooltrial.provenance.contents import RECORDS, Contents, digest
from schooltrial.refusal import Fault, Refusal, UserError
from support.small_trial import ROOT

SCRIPTS = ROOT / "workflow" / "scripts"


class Files:
    """Paths of a job, named and in order, as Snakemake hands them to a script."""

    def __init__(self, **paths: str) -> None:
        self._paths = paths

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths.values())

    def items(self) -> Iterable[tuple[str, str]]:
        return self._paths.items()


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _namespace(log: Path, scripts: Path = SCRIPTS, **params: Any) -> dict[str, Any]:
    job = SimpleNamespace(
        input=Files(a=str(log.parent / "in.csv")), output=Files(b=str(log.parent / "out.csv")),
        params=params, log=[str(log)],
        scriptdir=f"{scripts.parent}/rules/../{scripts.name}",
    )  # fmt: skip
    return {"snakemake": job}


def test_an_imported_script_does_nothing() -> None:
    run_as_rule(lambda: pytest.fail("main was called"), {})


def test_inputs_outputs_and_parameters_are_the_arguments_of_main(tmp_path: Path) -> None:
    given: dict[str, Any] = {}
    run_as_rule(given.update, _namespace(tmp_path / "log", c=3))
    assert given == {"a": str(tmp_path / "in.csv"), "b": str(tmp_path / "out.csv"), "c": 3}


def test_what_a_script_prints_is_in_the_log(tmp_path: Path, capsys: Any) -> None:
    run_as_rule(lambda **_: print("read 8 schools"), _namespace(tmp_path / "log"))
    assert (tmp_path / "log").read_text("utf-8") == "read 8 schools\n"
    assert capsys.readouterr().out == ""


def test_what_a_script_says_to_a_user_is_a_refusal_with_where_it_arose(tmp_path: Path) -> None:
    def main(**_: Any) -> None:
        error = UserError("cell 2 is no plain Python")
        error.add_note("in given.ipynb")
        raise error

    with pytest.raises(SystemExit) as ended:
        run_as_rule(main, _namespace(tmp_path / "log"))
    assert ended.value.code == 1
    logged = (tmp_path / "log").read_text("utf-8")
    assert logged == "Refused: cell 2 is no plain Python\nin given.ipynb\n"


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
    assert logged.startswith("Refused: 1 error was found. This step wrote no files.")
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


def test_a_job_leaves_a_record_of_the_contents_that_it_read_and_wrote(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("school\n", "utf-8")

    def main(**paths: str) -> None:
        Path(paths["b"]).write_text("arm\n", "utf-8")

    run_as_rule(main, _namespace(tmp_path / "log"))
    (record,) = (tmp_path / RECORDS).glob("*.json")
    kept = Contents(**json.loads(record.read_text("utf-8")))
    assert kept.read == {str(tmp_path / "in.csv"): digest(tmp_path / "in.csv")}
    assert kept.wrote == {str(tmp_path / "out.csv"): digest(tmp_path / "out.csv")}


def test_a_file_that_is_replaced_while_it_is_read_is_refused_and_leaves_no_record(
    tmp_path: Path,
) -> None:
    (tmp_path / "in.csv").write_text("school\n", "utf-8")

    def main(**paths: str) -> None:
        Path(paths["a"]).write_text("another\n", "utf-8")

    with pytest.raises(SystemExit):
        run_as_rule(main, _namespace(tmp_path / "log"))
    assert "in.csv: the file changed while it was read" in (tmp_path / "log").read_text("utf-8")
    assert not list((tmp_path / RECORDS).glob("*.json"))


@pytest.mark.parametrize("number", sorted(REMEDIES))
def test_what_the_system_refuses_is_one_sentence_with_a_remedy(number: int, tmp_path: Path) -> None:
    def main(**_: Any) -> None:
        raise OSError(number, "as the system says it", "results/x.csv")

    with pytest.raises(SystemExit) as ended:
        run_as_rule(main, _namespace(tmp_path / "log"))
    logged = (tmp_path / "log").read_text("utf-8")
    assert ended.value.code == 1
    assert f"results/x.csv: {REMEDIES[number][0]}" in logged
    assert REMEDIES[number][1][1:] in logged  # the fix is a sentence: its first letter is a capital
    assert "Traceback" not in logged


def test_another_error_of_the_system_is_a_breakdown(tmp_path: Path) -> None:
    def main(**_: Any) -> None:
        raise OSError(errno.EIO, "the disk is broken", "results/x.csv")

    with pytest.raises(OSError, match="the disk is broken"):
        run_as_rule(main, _namespace(tmp_path / "log"))
    assert "Traceback" in (tmp_path / "log").read_text("utf-8")
