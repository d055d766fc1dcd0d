"""The small good trial: fresh for each test, or with all its results, once."""

import builtins
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from support.small_trial import ROOT, SmallTrial

# What a test starts uses the library of this checkout, whichever checkout the environment knows.
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
)

# From Python 3.12 on `sum` rounds floats otherwise than before: `fsum` gives the same bits on all.
built_in_sum = builtins.sum


def sum_of_no_floats(items: Iterable[Any], /, start: Any = 0) -> Any:
    """Sum as the built-in does; fail where the library itself sums floats in this way."""
    caller = sys._getframe(1)
    if not str(caller.f_globals.get("__name__", "")).startswith("schooltrial."):
        return built_in_sum(items, start)
    kept = list(items)
    if any(type(one) is float for one in kept):
        raise AssertionError(f"{caller.f_code.co_filename}:{caller.f_lineno}: use math.fsum")
    return built_in_sum(kept, start)


builtins.sum = sum_of_no_floats

# How long an example takes says how busy the machine is, and nothing of the code.
# The same examples each time, so that a change is judged by what it does; `many` searches.
settings.register_profile("few", deadline=None, max_examples=8, derandomize=True)
settings.register_profile("many", deadline=None, max_examples=100)
settings.load_profile(os.environ.get("SCHOOLTRIAL_EXAMPLES", "few"))  # `make test-slow`: many


@pytest.fixture
def trial(tmp_path: Path) -> SmallTrial:
    """Return a small good trial whose files are not written yet."""
    return SmallTrial(tmp_path)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> SmallTrial:
    """Return a small trial with checks and estimates; it is shared, so read only."""
    trial = SmallTrial(tmp_path_factory.mktemp("finished"))
    for step in (trial.obtain, trial.clean, trial.check, trial.fit):
        step()
    return trial
