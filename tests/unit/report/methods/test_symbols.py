"""Every symbol of an equation is explained where the equation is shown, and no other."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pandas as pd
import pytest

from schooltrial.document.blocks import Equation, Paragraph
from schooltrial.report.methods.check_methods import CHECK_METHODS
from schooltrial.report.methods.model_methods import (
    EQUATIONS,
    effect_size_blocks,
    equation,
    kind_blocks,
    models_by_kind,
    names_in_equations,
)
from schooltrial.report.methods.symbols import (
    SYMBOLS,
    signs_in,
    symbols_sentence,
    symbols_told,
)
from unit.report.methods.test_check_methods import BALANCE, OMNIBUS, POWER, evidence_of

STUDIES = (
    "achievement_awards", "chicago_collaborative", "fellowship", "teacher_led_learning",
    "university_certificate",
)  # fmt: skip


def test_letters_of_words_and_sums_are_no_symbols() -> None:
    assert signs_in("bias = Σⱼ max(p₁, x̄₀) + ATT(g, t) − D̂ᵢⱼ") == ["p", "x̄", "ATT", "g", "t", "D̂"]


@pytest.mark.parametrize("study", STUDIES)
def test_each_model_equation_is_followed_by_all_its_symbols(study: str) -> None:
    protocol = evidence_of(study, {}).protocol
    for estimator, models in models_by_kind(protocol).items():
        blocks = list(kind_blocks(estimator, models, protocol))
        for block, after in pairwise(blocks):
            if isinstance(block, Equation):
                assert isinstance(after, Paragraph)
                assert set(signs_in(block.formula)) <= set(signs_in(str(after.text)))
                assert "{" not in str(after.text)


@pytest.mark.parametrize("study", ["achievement_awards", "chicago_collaborative"])
def test_each_effect_size_is_followed_by_all_its_symbols(study: str) -> None:
    blocks = list(effect_size_blocks(evidence_of(study, {}).protocol))
    for block, after in pairwise(blocks):
        if isinstance(block, Equation):
            assert isinstance(after, Paragraph)
            assert set(signs_in(block.formula)) <= set(signs_in(str(after.text)))


@pytest.mark.parametrize("method", [one for one in CHECK_METHODS if one.equations])
def test_each_equation_of_a_check_has_all_its_symbols_in_its_rule_or_after_it(method: Any) -> None:
    rows = pd.DataFrame({"check": ["placebo cohort"], "setting": [999.0]})
    evidence = evidence_of("chicago_collaborative", {
        "balance": BALANCE, "balance_omnibus": OMNIBUS, "power": POWER, "parallel_trends": rows,
    })  # fmt: skip
    words = method.words(evidence)
    named = names_in_equations(evidence.protocol)
    for formula in method.equations:
        told = symbols_sentence(symbols_told(formula, method.title, named, words))
        assert set(signs_in(formula)) <= set(signs_in(f"{words} {told}")), formula


def test_a_letter_that_an_equation_lacks_is_not_explained() -> None:
    named = names_in_equations(evidence_of("chicago_collaborative", {}).protocol)
    told = symbols_told(EQUATIONS["cluster_robust"], "cluster_robust", named)
    assert not any(clause.startswith(("u ", "σ", "D ")) for clause in told)
    assert told[0] == "y is the outcome of individual i of school j"


def test_a_row_that_was_assigned_itself_is_no_individual_of_a_unit() -> None:
    protocol = evidence_of("university_certificate", {}).protocol
    model = protocol["models"]["offer_teachers"]
    told = symbols_told(
        equation(model, protocol), model["estimator"], names_in_equations(protocol, model)
    )
    assert told[0] == "y is the outcome of teacher i"


def test_random_levels_are_called_by_their_names() -> None:
    protocol = evidence_of("chicago_collaborative", {}).protocol
    model = {**protocol["models"]["itt_multilevel"], "blocks": "random"}
    told = symbols_told(
        equation(model, protocol), "multilevel", names_in_equations(protocol, model)
    )
    assert "u is the random effect of school j" in told
    assert "v is the random effect of block k" in told, "district and level k would be no noun"


def test_each_rule_of_the_table_begins_with_its_sign_or_what_it_is_below() -> None:
    for one in SYMBOLS:
        assert one.sign in one.told or one.told == "{treated}"
