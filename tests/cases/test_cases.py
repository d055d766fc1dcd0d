"""Small studies that were once misread or wrongly refused: each is now right, or refused well.

Each is as it was given, with its protocol in the old words: these are refused with the new ones,
the command rewrites a copy, and the copy is run (see `support.expectations`).
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from schooltrial.protocol.migrate import main as migrate
from schooltrial.protocol.reading import read_protocol
from schooltrial.refusal import Refusal
from support.expectations import check_expectations, read_expectations, run_study
from support.small_trial import schema

FOLDERS = sorted(path.parent for path in Path(__file__).parent.glob("*/trial.yaml"))
NOT_YET: dict[str, str] = {}
"""Case → the part of the work that it waits for; it must not pass unseen."""


def _marked(folder: Path) -> object:
    waits = NOT_YET.get(folder.name.split("-")[0])
    mark = pytest.mark.xfail(strict=True, reason=waits or "")
    return pytest.param(folder, id=folder.name, marks=[mark] if waits else [])


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / folder.name))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_old_words_are_refused_with_the_new_ones_until_the_file_is_rewritten(
    copied: Path,
) -> None:
    protocol = copied / "trial.yaml"
    with pytest.raises(Refusal) as refused:
        read_protocol(protocol, schema())
    told = str(refused.value)
    assert "`years.before` is now `years.baseline`" in told
    assert "`years.during` is now `years.programme`" in told
    assert not re.search("unknown key|did you mean", told)
    assert migrate([str(protocol)]) == 0
    assert read_protocol(protocol, schema()).name == f"case{copied.name.split('-')[0]}"


@pytest.mark.parametrize("folder", [_marked(folder) for folder in FOLDERS])
def test_the_case_ends_as_it_should(folder: Path, copied: Path, tmp_path: Path) -> None:
    migrate([str(copied / "trial.yaml")])
    target = read_expectations(folder).get("target")
    outcome = run_study(copied / "trial.yaml", tmp_path, *([target] if target else []))
    check_expectations(folder, outcome)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_case_says_in_words_what_is_right(folder: Path) -> None:
    words = (folder / "expected.md").read_text("utf-8").split()
    assert len(words) > 15, "say what is right, and where the number comes from"
