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
EVERY = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / folder.name))


@EVERY
def test_the_old_words_are_refused_with_the_new_ones_until_the_file_is_rewritten(
    copied: Path,
) -> None:
    protocol = copied / "trial.yaml"
    with pytest.raises(Refusal) as refused:
        read_protocol(protocol, schema())
    told = str(refused.value)
    assert "`years.before` is now `years.baseline`" in told
    assert "`years.during` is now `years.programme`" in told
    assert not re.search("unknown key|[Dd]id you mean", told)
    assert migrate([str(protocol)]) == 0
    assert read_protocol(protocol, schema()).content["years"]["baseline"]


@EVERY
def test_the_case_ends_as_it_should(folder: Path, copied: Path, tmp_path: Path) -> None:
    migrate([str(copied / "trial.yaml")])
    target = read_expectations(folder).get("target")
    outcome = run_study(copied / "trial.yaml", tmp_path, *([target] if target else []))
    check_expectations(folder, outcome)


@EVERY
def test_the_case_says_in_words_what_is_right(folder: Path) -> None:
    words = (folder / "expected.md").read_text("utf-8").split()
    assert len(words) > 15, "say what is right, and where the number comes from"
