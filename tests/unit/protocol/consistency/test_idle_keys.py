"""A key that its estimator reads, and that cannot act beside the others, is refused."""

from __future__ import annotations

from typing import Any

import pytest

from schooltrial.protocol.consistency.idle_keys import has_blocks, treatment_terms
from schooltrial.protocol.consistency.model_keys import model_key_faults
from schooltrial.protocol.content.sections import Content
from support.sections import planned_model, small_content


def content_of(**outcome: Any) -> Content:
    content = small_content()
    content["outcomes"]["maths"].update(outcome)  # type: ignore[typeddict-item]
    return content


def faults(content: Content | None = None, /, **keys: Any) -> list[str]:
    """Return what is wrong with a model in which these keys are written."""
    model = planned_model(**{"outcomes": ["maths"], "estimator": "cluster_robust", **keys})
    place = "models.m", model, content or small_content(), "trial.yaml"
    return [str(fault) for fault in model_key_faults(*place, frozenset(keys))]


@pytest.mark.parametrize(
    ("key", "value", "once"),
    [
        ("covariates", ["grade", "sex", "grade"], "[grade, sex]"),
        ("covariance", ["CR2", "CR2"], "[CR2]"),
        ("active_years", [2020, 2020], "[2020]"),
        ("fixed_effects", ["year", "year"], "[year]"),
        ("outcomes", ["maths", "maths"], "[maths]"),
    ],
)
def test_a_name_that_is_twice_in_a_list_is_refused(key: str, value: list[Any], once: str) -> None:
    (fault,) = faults(**{key: value})
    assert "is named twice" in fault
    assert f"Write `{key}: {once}`" in fault


@pytest.mark.parametrize("rule", ["indicator", "drop", "refuse"])
def test_missing_covariates_act_where_there_are_covariates(rule: str) -> None:
    (fault,) = faults(missing_covariates=rule)
    assert "models.m (cluster_robust) has `missing_covariates`, but no covariates" in fault
    assert faults(missing_covariates=rule, covariates=["grade"]) == []


def test_weights_act_where_comparison_schools_have_something_to_have_in_common() -> None:
    model = {"estimator": "staggered_adoption", "comparison_weights": "nearest"}
    (fault,) = faults(**model)
    assert "models.m (staggered_adoption) has `comparison_weights`, but no" in fault
    assert faults(**model, comparison_on=["trend"]) == []
    (fault,) = faults(**model, comparison_on=["trend", "trend"])
    assert "Write `comparison_on: [trend]`" in fault


@pytest.mark.parametrize("key", ["effects_by", "moderator"])
def test_effects_are_split_where_cohorts_count_alike(key: str) -> None:
    model = {"estimator": "staggered_adoption", key: "school"}
    assert faults(**model) == []
    assert faults(**model, weights="schools") == []
    (fault,) = faults(**model, comparison_on=["trend"])
    assert f"has `{key}`, and `comparison_on` in addition" in fault
    assert "or list the groups under `subgroups`" in fault


def test_random_blocks_are_of_multilevel_models_alone() -> None:
    (fault,) = faults(blocks="random")
    assert "Set `blocks: fixed`, or take `estimator: multilevel`" in fault
    assert faults(blocks="random", estimator="multilevel") == []


def test_blocks_are_written_where_there_are_blocks() -> None:
    content = small_content()
    assert has_blocks(content)
    assert faults(content, blocks="fixed") == []
    del content["tables"]["assignment"][0]["columns"]["block"]
    assert not has_blocks(content)
    (fault,) = faults(content, blocks="fixed")
    assert "the study has no blocks" in fault
    assert "`tables.assignment[].columns.block: {column: …}`" in fault
    assert faults(content, blocks="none") == faults(content) == []
    content["design"]["unit"] = "class"
    assert has_blocks(content)  # the school is the block
    content["design"]["kind"] = "simple"
    assert not has_blocks(content)


def test_blocks_are_absorbed_once() -> None:
    (fault,) = faults(fixed_effects=["block", "year"])
    assert "Write `fixed_effects: [year]`" in fault
    assert faults(fixed_effects=["block", "year"], blocks="none") == []


@pytest.mark.parametrize("rule", ["left_out", "midpoint"])
def test_bounds_are_of_outcomes_of_schools(rule: str) -> None:
    (fault,) = faults(bounded_cells=rule)
    assert "but maths is measured on pupils" in fault


def test_bounds_are_used_where_a_column_is_read_with_them() -> None:
    content = content_of(measured_on="school", standardise="none")
    (fault,) = faults(content, bounded_cells="midpoint")
    assert "no column of maths is read with `suppressed: bounds`" in fault
    assert faults(content, bounded_cells="left_out") == []
    rates = {"columns": {}, "outcomes": {"maths": {"suppressed": "bounds"}}, "join": []}
    content["tables"]["school_scores"] = [rates]  # type: ignore[list-item]
    assert faults(content, bounded_cells="midpoint") == []
    content["outcomes"]["maths"]["standardise"] = "control"
    (fault,) = faults(content, bounded_cells="midpoint")
    assert "bounds are in the unit of the file" in fault


def test_a_label_of_a_subgroup_needs_a_subgroup() -> None:
    (fault,) = faults(where_label="girls")
    assert "no `where` selects one" in fault
    assert faults(where_label="girls", where={"sex": ["girl"]}) == []
    assert faults(content_of(population={"sex": ["girl"]}), where_label="girls") == []


def test_treatment_is_active_in_a_year_that_is_analysed() -> None:
    (fault,) = faults(active_years=[2020], where={"year": [2019]})
    assert "treatment acts in no year that is analysed" in fault
    assert faults(active_years=[2020]) == []


def test_active_years_that_are_all_years_analysed_change_nothing_and_are_refused() -> None:
    (fault,) = faults(active_years=[2020], where={"year": [2020]})
    assert "treatment acts in every year that is analysed" in fault
    assert "Delete it" in fault
    assert faults(active_years=[2020], where={"year": [2019, 2020]}) == []


def test_a_variable_that_splits_the_effect_does_not_moderate_it_too() -> None:
    (fault,) = faults(effects_by="sex", moderator="sex")
    assert "already splits the effect by 'sex'" in fault


def _staggered(**keys: Any) -> list[str]:
    return faults(estimator="staggered_adoption", **keys)


def test_a_method_of_staggered_models_has_no_key_that_it_does_not_use() -> None:
    (fault,) = _staggered(method="imputation", comparison_group="not_yet_treated")
    assert "imputation has its own comparison group" in fault
    assert "Delete it, or set `method: callaway_santanna`" in fault
    (fault,) = _staggered(method="sun_abraham", base_period="universal")
    assert "sun_abraham has one reference for all pre-programme years" in fault
    (fault,) = _staggered(event_window=[-2, 1])
    assert "or set `method: stacked`" in fault
    used = {"comparison_group": "not_yet_treated", "event_window": [-2, 1], "anticipation": 1}
    assert _staggered(method="stacked", **used) == []


@pytest.mark.parametrize("window", [[-2], [0, 2], [-2, -1]])
def test_a_window_has_a_year_before_and_the_last_year_after(window: list[int]) -> None:
    (fault,) = _staggered(method="stacked", event_window=window)
    assert "Write it as in `event_window: [-3, 2]`" in fault


def test_tests_name_terms_of_the_model() -> None:
    (fault,) = faults(tests={"h": ["treatd"]})
    assert "models.m (cluster_robust) has `tests.h`, which names the term 'treatd'" in fault
    assert "Did you mean 'treated'?" in fault
    (fault,) = faults(tests={"h": ["treated[sex=man]"]}, effects_by="sex")
    assert "treated[sex=girl]" in fault
    split: dict[str, Any] = {"effects_by": "sex", "covariates": ["grade"]}
    assert faults(tests={"h": ["treated[sex=girl]", "treated[sex=boy]", "grade"]}, **split) == []
    assert faults(tests={"h": ["treated[grade=3]"]}, effects_by="grade") == []  # the data tell


def test_the_constant_can_be_tested_where_nothing_is_absorbed() -> None:
    assert faults(tests={"h": ["(Intercept)"]}, blocks="none") == []
    assert len(faults(tests={"h": ["(Intercept)"]})) == 1


def test_terms_are_those_of_the_arms_then_of_what_splits_and_moderates() -> None:
    content = small_content()
    content["design"]["arms"].append({"name": "other", "label": "", "share": None,
                                      "in_models": True})  # fmt: skip
    model = planned_model(outcomes=["maths"], estimator="cluster_robust")
    arms = [arm["name"] for arm in content["design"]["arms"]]
    assert treatment_terms(model, content) == [f"treated[arm={arm}]" for arm in arms[1:]]
    two = planned_model(outcomes=["maths"], estimator="cluster_robust", arms=arms[:2])
    assert treatment_terms(two, content) == ["treated"]
    moderated = planned_model(
        outcomes=["maths"], estimator="cluster_robust", arms=arms[:2], moderator="sex"
    )
    assert treatment_terms(moderated, content) == [
        "treated", "treated[sex=girl]", "treated[sex=boy]",
    ]  # fmt: skip


def test_adjustment_acts_where_there_are_covariates_of_the_base_year() -> None:
    model = {"estimator": "staggered_adoption"}
    (fault,) = faults(adjustment="doubly_robust", **model)
    assert "but no covariates to adjust for" in fault
    assert faults(adjustment="doubly_robust", covariates=["grade"], **model) == []
    (fault,) = faults(covariates=["grade", "sex:year"], **model)
    assert "covariates are those of the base year" in fault
    assert "Write `covariates: [sex]`" in fault


@pytest.mark.parametrize("level", ["pupil", "class"])
def test_clusters_of_a_roll_out_are_schools_or_groups_of_them(level: str) -> None:
    (fault,) = faults(cluster=level, estimator="staggered_adoption")
    assert "it is finer than the schools whose means are compared" in fault
    assert faults(cluster="district", estimator="staggered_adoption") == []


def test_comparison_schools_made_alike_are_not_adjusted_besides() -> None:
    model = {"estimator": "staggered_adoption", "comparison_on": ["level"]}
    for keys in ({"covariates": ["grade"]}, {"weights": "pupils"}, {"cluster": "district"}):
        (fault,) = faults(**model, **keys)
        assert f"Remove `{next(iter(keys))}`" in fault
    assert faults(**model) == []
