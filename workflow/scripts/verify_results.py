"""Run the tests of the built results, and write the claims that hold."""

import os
from pathlib import Path
from typing import Any

import pytest

from schooltrial.checkout import in_project
from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.refusal import Fault, refuse

TESTS = "tests/results"


class Claims:
    """Collects the outcome of each test, in its own words."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.faults: list[Fault] = []

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Keep a line per test, and the reason where one fails."""
        if report.when != "call" and report.passed:
            return
        claim = report.nodeid.rsplit("::", 1)[-1].removeprefix("test_").replace("_", " ")
        self.lines.append(f"{report.outcome:<8} {claim}")
        if report.failed:
            reason = str(report.longreprtext).strip().splitlines()[-1]
            self.faults.append(
                Fault(
                    report.nodeid.split("::")[0],
                    claim + ": " + reason,
                    "the claim holds of the results",
                    "see the log; a result that fails its test must not be used",
                )
            )


def main(*, results: str, claims: str, **traced: Any) -> None:
    """Write one line per claim; refuse the results where one does not hold."""
    os.environ["SCHOOLTRIAL_RESULTS"] = str(Path(results).resolve())
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # they take longer to load than the tests
    told = Claims()
    tests = in_project(TESTS)
    without = ["-p", "no:cacheprovider", "-p", "no:unraisableexception"]  # slow
    code = pytest.main([tests, "-q", *without, "--confcutdir", tests], plugins=[told])
    refuse(told.faults)
    if code != 0:
        raise RuntimeError(f"pytest ended with code {code}; see the log")
    Path(claims).write_text("\n".join(told.lines) + "\n", encoding="utf-8")


run_as_rule(main, globals())
