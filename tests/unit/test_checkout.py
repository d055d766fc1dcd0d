"""Claims about where the project lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from schooltrial import checkout
from schooltrial.checkout import SIGNS, find_checkout, own_checkout
from schooltrial.refusal import UserError
from support.small_trial import ROOT


def test_the_checkout_of_a_folder_inside_one_is_that_one_else_the_librarys_own(
    tmp_path: Path,
) -> None:
    assert find_checkout(ROOT / "tests" / "unit") == ROOT
    assert find_checkout(tmp_path) == ROOT
    for sign in SIGNS:
        (tmp_path / "other" / sign).mkdir(parents=True)
    assert find_checkout(tmp_path / "other" / "src") == tmp_path / "other"
    assert own_checkout() == ROOT


def test_a_library_without_a_checkout_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkout, "OWN", tmp_path)
    with pytest.raises(UserError, match="is in no checkout of the project"):
        find_checkout(tmp_path)
    with pytest.raises(UserError, match="installed without the workflow"):
        own_checkout()
