"""A key of a model that its estimator does not read is refused, with what to write instead."""

from __future__ import annotations

from typing import Any

from schooltrial.protocol.consistency.model_keys import keys_read, model_key_faults, without_unread
from support.sections import planned_model, small_content

GIVEN: dict[str, Any] = {
    "cluster": "school", "random_levels": ["school"], "weights": "grade", "blocks": "none",
    "missing_covariates": "drop", "covariates": ["grade"], "fixed_effects": ["school"],
    "covariance": ["CR0"], "tests": {"none": ["treated"]}, "df": "satterthwaite",
    "replications": 500, "effects_by": "sex", "moderator": "sex", "active_years": [2020],
    "active_from": "grade",
    "comparison_group": "not_yet_treated",
}  # fmt: skip


def faults(unit: str = "school", **keys: Any) -> list[str]:
    """Return what is wrong with a model of the small trial, in words."""
    content = small_content()
    content["design"]["unit"] = unit  # type: ignore[typeddict-item]
    model = planned_model(**{"outcomes": ["maths"], **keys})
    return [str(fault) for fault in model_key_faults("models.m", model, content, "trial.yaml")]


def test_defaults_are_those_of_the_schema_and_a_model_without_unread_keys_has_them() -> None:
    model: dict[str, Any] = {"outcomes": ["maths"], "estimator": "staggered_adoption"}
    read = {key: value for key, value in GIVEN.items() if key in keys_read("staggered_adoption")}
    assert 0 < len(read) < len(GIVEN)
    assert without_unread(planned_model(**model, **GIVEN)) == planned_model(**model, **read)


def test_a_cluster_of_a_multilevel_model_is_a_random_level() -> None:
    (fault,) = faults(estimator="multilevel", cluster="school")
    assert "models.m has `cluster`, which multilevel does not read" in fault
    assert "random_levels: [school]" in fault


def test_random_levels_and_random_blocks_are_two_levels_at_most() -> None:
    two: dict[str, Any] = {"estimator": "multilevel", "random_levels": ["grade", "school"]}
    assert faults(**two) == []
    (fault,) = faults(**two, blocks="random")
    assert "two random levels at most" in fault
    assert faults(estimator="multilevel", random_levels=["school"], blocks="random") == []


def test_blocks_are_a_random_level_once() -> None:
    (fault,) = faults(estimator="multilevel", random_levels=["block"])
    assert "blocks as a random level and as fixed effects" in fault
    assert faults(estimator="multilevel", random_levels=["block"], blocks="none") == []
    (fault,) = faults(estimator="multilevel", random_levels=["school", "school"])
    assert "twice" in fault


def test_a_random_level_of_rows_themselves_is_refused() -> None:
    model: dict[str, Any] = {"unit": "pupil", "estimator": "multilevel", "where": {"year": [2020]}}
    (fault,) = faults(**model)
    assert "the level is the residual" in fault
    assert "random_levels: [school]" in fault
    assert faults(**model, random_levels=["school"]) == []
    assert faults(unit="pupil", estimator="multilevel") == []  # a pupil may have several years


def test_values_of_schools_compare_nothing_where_pupils_were_assigned() -> None:
    content = small_content()
    content["design"]["unit"] = "pupil"
    content["outcomes"]["maths"]["measured_on"] = "school"
    model = planned_model(outcomes=["maths"], estimator="cluster_robust")
    (fault,) = model_key_faults("models.m", model, content, "trial.yaml")
    assert "compares schools by 'maths', but pupils were randomised" in str(fault)
    content["design"]["unit"] = "school"
    assert list(model_key_faults("models.m", model, content, "trial.yaml")) == []


def test_a_panel_of_schools_is_no_model_of_pupils_who_were_assigned() -> None:
    (fault,) = faults(unit="pupil", estimator="difference_in_differences")
    assert "a school has both groups" in fault
    assert "Take `estimator: cluster_robust`" in fault
