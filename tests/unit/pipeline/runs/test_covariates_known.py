"""Claims about covariates that most of those analysed lack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from schooltrial.pipeline.runs.covariates_known import covariates_unknown
from schooltrial.study.layout import Layout


def _content(role: str = "primary") -> Any:
    return {
        "models": {"itt": {"role": role}}, "tables": {}, "variables": {}, "variable_labels": {},
        "design": {"arms": [{}, {}]},
        "outcomes": {"maths": {"label": "Maths", "measured_on": "pupil"}},
        "take_up": {"variable": ""},
    }  # fmt: skip


def _written(
    folder: Path, missing: int, covariate: str = "maths_before", model: str = "itt"
) -> None:
    paths = Layout(folder / "results" / "s")
    told = Path(paths.estimates_of(model, "json"))
    told.parent.mkdir(parents=True, exist_ok=True)
    told.write_text(json.dumps({"maths": {"indicated": {covariate: missing}}}), "utf-8")
    rows = {"outcome": ["maths", "maths"], "subgroup": ["all", "girls"],
            "n_individuals": [1000, 20], "n_units": [30, 30]}  # fmt: skip
    pd.DataFrame(rows).to_csv(paths.estimates_of(model), index=False)


@pytest.mark.parametrize(("missing", "warned"), [(1000, True), (501, True), (500, False)])
def test_a_pre_test_that_most_of_those_analysed_lack_is_questioned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: int, warned: bool
) -> None:
    _written(tmp_path, missing)
    monkeypatch.chdir(tmp_path)
    told = list(covariates_unknown(_content(), "s"))
    assert (
        told
        == [
            f"the score before of Maths is known for {1000 - missing} of 1,000 analysed (itt): "
            "is it the right column, and the right year?"
        ]
        * warned
    )


def test_a_pre_test_in_the_row_is_called_by_its_own_label(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _written(tmp_path, 900, "reading_fall")
    monkeypatch.chdir(tmp_path)
    content = _content() | {"variable_labels": {"reading_fall": "Reading, fall"}}
    (told,) = covariates_unknown(content, "s")
    assert told.startswith("Reading, fall is known for 100 of 1,000 analysed (itt)")


def test_models_of_every_role_are_questioned_and_those_that_were_not_fitted_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert list(covariates_unknown(_content(), "s")) == []
    _written(tmp_path, 1000)
    assert len(list(covariates_unknown(_content("sensitivity"), "s"))) == 1


def test_models_of_the_same_rows_are_questioned_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _written(tmp_path, 900)
    _written(tmp_path, 900, model="clustered")
    monkeypatch.chdir(tmp_path)
    content = _content()
    content["models"]["clustered"] = {"role": "sensitivity"}
    (told,) = covariates_unknown(content, "s")
    assert "100 of 1,000 analysed (itt and clustered): is it" in told
