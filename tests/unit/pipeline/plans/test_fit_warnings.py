"""Claims about what a check warns of in models that were fitted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from schooltrial.pipeline.plans.fit_warnings import covariates_unknown, models_without_error
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


OF_MANY: Any = {
    "models": {"many": {}}, "tables": {}, "variables": {}, "variable_labels": {},
    "outcomes": {"maths": {"label": "Maths"}}, "take_up": {"variable": ""},
}  # fmt: skip


@pytest.mark.parametrize(
    ("error", "p", "estimand", "warned"),
    [
        ("", "", "ITT", 1),
        ("0.1", "0.2", "ITT", 0),
        ("", "0.2", "ITT", 0),
        ("", "", "persistence", 0),  # a ratio, which has no error in any model
    ],
)
def test_an_effect_without_error_and_p_value_is_warned_of_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: str, p: str, estimand: str, warned: int
) -> None:
    file = tmp_path / Layout(Path("results") / "s").estimates_of("many")
    file.parent.mkdir(parents=True)
    row = {"outcome": "maths", "estimand": estimand, "estimate": "0.2", "std_error": error,
           "p_value": p, "note": "no standard error: clusters fit this exactly; more"}  # fmt: skip
    pd.DataFrame([row]).to_csv(file, index=False)
    monkeypatch.chdir(tmp_path)
    told = list(models_without_error(OF_MANY, "s"))
    assert len(told) == warned
    for text in told:
        assert text.startswith("Maths (many) will have no interval: no standard error: clusters")
        assert "0.2" not in text
