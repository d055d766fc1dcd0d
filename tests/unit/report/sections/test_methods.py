"""The methods section says of every study what its protocol says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from schooltrial.analysis.estimators.registry import ESTIMATORS as REGISTERED
from schooltrial.document.blocks import Bullets, Equation, Paragraph
from schooltrial.protocol.model_keys import MODEL_KEYS
from schooltrial.protocol.reading import read_protocol
from schooltrial.report.sections.methods import (
    ELSEWHERE,
    EQUATIONS,
    ESTIMATORS,
    METHODS,
    SENTENCES,
    equation,
    methods_section,
    model_sentences,
    references,
    told_models,
)
from support.small_trial import ROOT, schema

STUDIES = sorted((ROOT / "config" / "studies").glob("*.yaml"))


def _content(path: Path) -> Any:
    return read_protocol(path, schema()).content


def test_every_estimator_has_an_equation_and_a_sentence() -> None:
    assert set(ESTIMATORS) == set(EQUATIONS) == set(REGISTERED)


def test_every_key_of_models_has_a_sentence_or_is_told_otherwise() -> None:
    assert set(SENTENCES) | set(ELSEWHERE) == set(MODEL_KEYS)
    assert not set(SENTENCES) & set(ELSEWHERE)


def test_every_method_of_staggered_models_has_a_sentence() -> None:
    keys = schema()["properties"]["models"]["additionalProperties"]["properties"]
    assert set(METHODS) == set(keys["method"]["enum"])


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_each_model_of_a_study_has_its_equation_and_what_is_cited_is_listed(path: Path) -> None:
    content = _content(path)
    section = methods_section(content)
    assert section.annex
    equations = [block for block in section.blocks if isinstance(block, Equation)]
    assert len(equations) == len(told_models(content)) > 0
    told = " ".join(str(block.text) for block in section.blocks if isinstance(block, Paragraph))
    lists = [block for block in section.blocks if isinstance(block, Bullets)]
    assert [list(one.items) for one in lists] == ([list(references(told))] if lists else [])
    assert ("not randomised" in told) is (not content["design"]["randomised"])


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
    assert "east" in " ".join(model_sentences(told_models(content)["staggered"], content))
