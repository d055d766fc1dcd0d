"""Claims about how a study is opened."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from schooltrial.refusal import Refusal, UserError
from schooltrial.study.opened.opened_study import OpenedStudy
from schooltrial.study.opened.opening import open_study
from support.small_trial import ROOT, SmallTrial

NAME = "achievement_awards"


def test_a_study_is_opened_by_name_from_any_folder_of_the_checkout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT / "notebooks")
    study = open_study(NAME)
    assert study.protocol.path == ROOT / "config" / "studies" / f"{NAME}.yaml"
    assert study.paths.root == ROOT / "results" / NAME


def test_a_study_is_opened_by_name_from_a_folder_that_has_nothing_to_do_with_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert open_study(NAME).paths.root == ROOT / "results" / NAME


def test_a_study_is_opened_by_its_protocol(trial_on_disk: SmallTrial) -> None:
    study = open_study(trial_on_disk.folder / "trial.yaml", results=trial_on_disk.results)
    assert study.name == "small"
    assert study.paths.root == trial_on_disk.results


def test_a_folder_of_results_that_lies_elsewhere_is_opened_by_its_name(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    study = open_study(tmp_path / NAME)
    assert study.name == NAME
    assert study.paths.root == tmp_path / NAME


def test_an_unknown_study_is_told_with_the_closest_one() -> None:
    with pytest.raises(UserError, match=f"no study 'achievment_awards'; did you mean '{NAME}'"):
        open_study("achievment_awards")


def test_results_of_another_version_of_the_protocol_are_warned_of(tmp_path: Path) -> None:
    folder = tmp_path / NAME
    (folder / "report").mkdir(parents=True)
    record = folder / "report" / "study.json"
    record.write_text(json.dumps({"protocol": "0" * 64}), encoding="utf-8")
    with pytest.warns(UserWarning, match="made by another version of the protocol"):
        open_study(folder)


@pytest.mark.parametrize(
    "read",
    [
        lambda study: study.estimates,
        lambda study: study.flow,
        lambda study: study.checks["mobility"],
        lambda study: study.sample(),
        lambda study: study.refit("itt", "maths"),
        lambda study: study.refit_all(),
    ],
)
def test_no_outcome_is_read_before_the_day_that_the_protocol_states(
    trial_on_disk: SmallTrial, tmp_path: Path, read: object
) -> None:
    text = trial_on_disk.folder.joinpath("trial.yaml").read_text("utf-8")
    blind = tmp_path / "blind.yaml"
    blind.write_text(f"{text}blinding: {{until: '2031-05-01'}}\n", encoding="utf-8")

    def opened(today: date) -> OpenedStudy:
        results = trial_on_disk.folder / "elsewhere"
        return open_study(blind, results=results, today=today)

    assert callable(read)
    with pytest.raises(Refusal, match="embargoed until 2031-05-01"):
        read(opened(date(2031, 4, 30)))
    assert len(opened(date(2031, 4, 30)).checks["raw_files"]) > 0
    assert read(opened(date(2031, 5, 1))) is not None
