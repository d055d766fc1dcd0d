"""The methods section says of every study what its protocol says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from schooltrial.analysis.estimators.registry import ESTIMATORS as REGISTERED
from schooltrial.document.blocks import Bullets, Equation
from schooltrial.protocol.consistency.model_keys import MODEL_KEYS
from schooltrial.protocol.reading import read_protocol
from schooltrial.report.methods.model_methods import (
    ALONE,
    EFFECT_SIZES,
    ELSEWHERE,
    EQUATIONS,
    ESTIMATORS,
    KINDS,
    LINEAR,
    METHODS,
    SENTENCES,
    adjustment_sentences,
    effect_size_blocks,
    equation,
    methods_section,
    model_sentences,
    references,
    software_said,
    told_in,
    told_models,
)
from schooltrial.version import pinned_versions
from support.small_trial import ROOT, schema

STUDIES = sorted((ROOT / "config" / "studies").glob("*.yaml"))


def _content(path: Path) -> Any:
    return read_protocol(path, schema()).content


def test_every_estimator_has_an_equation_and_a_sentence() -> None:
    assert set(ESTIMATORS) == set(EQUATIONS) == set(KINDS) == set(REGISTERED)


def test_every_key_of_models_has_a_sentence_or_is_told_otherwise() -> None:
    assert set(SENTENCES) | set(ELSEWHERE) == set(MODEL_KEYS)
    assert not set(SENTENCES) & set(ELSEWHERE)


def test_every_method_of_staggered_models_has_a_sentence() -> None:
    keys = schema()["properties"]["models"]["additionalProperties"]["properties"]
    assert set(METHODS) == set(keys["method"]["enum"])


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_each_model_of_a_study_has_its_equation_and_what_is_cited_is_listed(path: Path) -> None:
    content = _content(path)
    section = methods_section(content, {"schooltrial": "1.0"})
    assert section.annex
    equations = [block.formula for block in section.blocks if isinstance(block, Equation)]
    kinds = {(model["estimator"], equation(model, content))
             for model in told_models(content).values()}  # fmt: skip
    for formula in {one for _, one in kinds}:
        assert equations.count(formula) == sum(formula == one for _, one in kinds)
    *listing, last = (block for block in section.blocks if isinstance(block, Bullets))
    assert isinstance(section.blocks[-1], Bullets)
    named = [str(item) for one in listing for item in one.items]
    labels = [str(model["label"]) for model in told_models(content).values()]
    assert sorted(named) == sorted(
        next(item for item in named if item.startswith(f"{label}.")) for label in labels
    )
    told = told_in([block for block in section.blocks if block is not last])
    assert list(last.items) == list(references(told))
    assert ("not randomised" in told) is (not content["design"]["randomised"])


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_what_an_estimator_does_is_said_once_however_many_models_use_it(path: Path) -> None:
    content = _content(path)
    told = told_in(methods_section(content, {"schooltrial": "1.0"}).blocks)
    for estimator in {model["estimator"] for model in content["models"].values()}:
        assert told.count(ESTIMATORS[estimator].split("{estimand}")[-1]) == 1


def test_a_sentence_follows_the_key_and_is_absent_where_the_key_does_not_act() -> None:
    content = _content(ROOT / "config" / "studies" / "chicago_collaborative.yaml")
    model = content["models"]["itt_multilevel"]
    told = " ".join(model_sentences(model, content))
    assert "Kenward and Roger" in told
    assert "indicator of missing" in told
    other = {**model, "df": "satterthwaite", "covariates": [], "blocks": "none"}
    changed = " ".join(model_sentences(other, content))
    assert "Satterthwaite" in changed
    assert "Kenward" not in changed
    assert "missing" not in changed
    assert "Blocks" not in changed


def test_a_second_random_level_has_a_term_of_its_own() -> None:
    content = _content(ROOT / "config" / "studies" / "chicago_collaborative.yaml")
    model = content["models"]["itt_multilevel"]
    assert "vₖ" not in equation(model, content)
    assert "vₖ" in equation({**model, "random_levels": ["class", "school"]}, content)
    assert "vₖ" in equation({**model, "blocks": "random"}, content)


def test_a_model_fitted_again_in_a_subgroup_is_told_once() -> None:
    content = _content(ROOT / "config" / "studies" / "fellowship.yaml")
    assert "staggered__east" in content["models"]
    assert "staggered__east" not in told_models(content)
    assert "East" in " ".join(model_sentences(told_models(content)["staggered"], content))


def test_trends_are_assumed_parallel_only_where_nothing_was_randomised() -> None:
    for name, assumed in (("fellowship", True), ("chicago_collaborative", False)):
        content = _content(ROOT / "config" / "studies" / f"{name}.yaml")
        told = " ".join(
            sentence
            for model in content["models"].values()
            for sentence in model_sentences(model, content)
        )
        assert ("only if trends would have been parallel" in told) is assumed


def test_variables_are_called_by_their_labels() -> None:
    content = _content(ROOT / "config" / "studies" / "achievement_awards.yaml")
    told = " ".join(
        sentence
        for model in content["models"].values()
        for sentence in model_sentences(model, content)
    )
    assert "School sector × cohort" in told
    assert "Mother's education (years)" in told
    assert "_" not in told


def test_a_row_that_is_itself_assigned_has_one_index_and_three_arms_have_an_effect_each() -> None:
    content = _content(ROOT / "config" / "studies" / "university_certificate.yaml")
    assert equation(content["models"]["offer_teachers"], content) == ALONE
    assert equation(content["models"]["offer_pupils_clustered"], content) == LINEAR
    arms = [{"name": name, "label": name} for name in ("control", "a", "b")]
    several: Any = {**content, "design": {**content["design"], "arms": arms}}
    assert "Σₐ" in equation(content["models"]["offer_teachers"], several)
    two = {**content["models"]["offer_teachers"], "arms": ["control", "a"]}
    assert "Σₐ" not in equation(two, several)


def test_effect_sizes_are_explained_for_the_outcomes_that_have_them() -> None:
    def formulas(name: str) -> list[str]:
        content = _content(ROOT / "config" / "studies" / f"{name}.yaml")
        return [one.formula for one in effect_size_blocks(content) if isinstance(one, Equation)]

    assert formulas("chicago_collaborative") == [EFFECT_SIZES["g"], EFFECT_SIZES["index"]]
    assert formulas("achievement_awards") == list(EFFECT_SIZES.values())
    assert formulas("fellowship") == []


def test_software_is_named_with_its_versions() -> None:
    lock = "numpy==2.4.6 \\\n    --hash=x\npandas==3.1.1 \\\nyaml==1\n"
    versions = pinned_versions(lock)
    assert list(versions) == ["schooltrial", "numpy", "pandas"]
    assert "numpy 2.4.6 and pandas 3.1.1" in software_said(versions)


def test_the_results_say_what_an_effect_is_adjusted_for_by_labels() -> None:
    def told(name: str) -> list[str]:
        return adjustment_sentences(_content(ROOT / "config" / "studies" / f"{name}.yaml"))

    (chicago,) = told("chicago_collaborative")
    assert chicago.startswith("The effect is adjusted for the outcome at baseline")
    assert "block (district and level)" in chicago
    assert "_" not in chicago
    certificate = told("university_certificate")
    assert len(certificate) == 2
    assert certificate[0].startswith("Maths and English language arts: the effect is adjusted for")
    (fellowship,) = told("fellowship")
    assert fellowship.endswith("compared, without covariates.")


def test_a_difference_of_means_is_called_one() -> None:
    content = _content(ROOT / "config" / "studies" / "chicago_collaborative.yaml")
    plain = {**content["models"]["itt_multilevel"], "covariates": [], "blocks": "none"}
    alone: Any = {**content, "models": {"itt": plain}}
    assert adjustment_sentences(alone) == [
        "The effect is a difference of means, not adjusted for any covariate."
    ]


def test_scores_of_pupils_without_a_grade_are_not_said_to_be_standardised_within_it() -> None:
    (path,) = [path for path in STUDIES if path.stem == "chicago_collaborative"]
    content = _content(path)
    told = told_in(methods_section(content, {"schooltrial": "1.0"}).blocks)
    assert "mean and SD within grade and year: Maths" in told
    for reading in content["tables"]["pupils"]:
        del reading["columns"]["grade"]
    told = told_in(methods_section(content, {"schooltrial": "1.0"}).blocks)
    assert "mean and SD within year: Maths" in told
    assert "within grade" not in told
