"""Claims about protocols whose faults of form do not hide their faults of meaning."""

from __future__ import annotations

from typing import Any

import pytest

from schooltrial.protocol.form.mending import mended
from schooltrial.refusal import Refusal
from support.small_trial import SmallTrial, schema


def _faults(trial: SmallTrial) -> list[str]:
    trial.write()
    with pytest.raises(Refusal) as refused:
        trial.read()
    return sorted(str(fault.column) for fault in refused.value.faults)


@pytest.fixture
def trial(tmp_path: Any) -> SmallTrial:
    return SmallTrial(tmp_path)


def test_a_misspelt_key_and_a_name_of_nothing_are_told_together(trial: SmallTrial) -> None:
    model = trial.protocol["models"]["itt"]
    model["covarites"] = model.pop("covariates")
    model["outcomes"] = ["maths", "readin"]
    assert _faults(trial) == ["models.itt.covarites", "models.itt.outcomes"]


def test_what_a_misspelt_key_names_is_looked_up_too(trial: SmallTrial) -> None:
    model = trial.protocol["models"]["itt"]
    del model["covariates"]
    model["covarites"] = ["gril"]
    assert "models.itt.covariates" in _faults(trial)


def test_a_misspelt_estimator_makes_no_further_faults(trial: SmallTrial) -> None:
    trial.protocol["models"]["itt"]["estimator"] = "cluster_robst"
    assert _faults(trial) == ["models.itt.estimator"]


def test_a_label_that_is_lacking_hides_nothing_and_adds_nothing(trial: SmallTrial) -> None:
    del trial.protocol["outcomes"]["maths"]["label"]
    assert _faults(trial) == ["outcomes.maths.label"]
    trial.protocol["models"]["itt"]["outcomes"] = ["math"]
    assert "models.itt.outcomes" in _faults(trial)


def test_where_it_is_not_clear_what_was_meant_only_the_form_is_told(trial: SmallTrial) -> None:
    del trial.protocol["years"]
    assert _faults(trial) == ["years"]
    assert mended(trial.protocol, schema()) is None
