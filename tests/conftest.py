"""The small good trial: fresh for each test, or with all its results, once."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from support.small_trial import ROOT, SmallTrial

# What a test starts uses the library of this checkout, whichever checkout the environment knows.
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
)

# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


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
