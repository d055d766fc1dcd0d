"""What each symbol of an equation is, said where the equation is shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

SIGN = re.compile(r"ATT|[A-Za-z\u0370-\u03ff][\u0302\u0304]?")
"""A symbol: a letter with a hat or a bar."""

WORD = re.compile(r"[A-Za-z]{2,}")

SUM = "Σ"

OF_GROUPS = re.compile("₁.*₀|₀.*₁")
"""Letters of both groups in the equation of a check."""

PANELS = frozenset({"difference_in_differences", "Trends and their assumptions"})
CHECKS = frozenset({"Baseline equivalence", "Attrition", "Missing outcomes"})
SIZES = frozenset({"Effect sizes"})
POWER = frozenset({"Minimum detectable effects"})


@dataclass(frozen=True)
class Symbol:
    """What a letter is in some equations.

    Attributes
    ----------
    sign : str
        The letter with its hat or bar, without what is below it.
    told : str
        What it is, as a clause; ``{row}`` and the like are what differs between studies.
    of : frozenset of str
        Equations in which it is that: of an estimator, or under a heading of the annex; all where
        it is empty.
    """

    sign: str
    told: str
    of: frozenset[str] = frozenset()


def _in(*kinds: str) -> frozenset[str]:
    return frozenset(kinds)


SYMBOLS: tuple[Symbol, ...] = (
    Symbol("y", "y is the mean outcome of school j in year t", PANELS),
    Symbol("y", "y is the outcome of {row}"),
    Symbol("L", "L is 1 for an individual i of {unit} j who was lost, else 0"),
    Symbol("ATT", "ATT(g, t) is the average effect on the schools of cohort g in year t"),
    Symbol("E", "E is the mean over schools", _in("staggered_adoption")),
    Symbol("E", "E is the mean over studies like this one", POWER),
    Symbol("Y", "Y(g) is the outcome of a school if its programme begins in year g, Y(∞) if never"),
    Symbol("G", "G is the year in which the programme of a school begins"),
    Symbol("g", "g is one of these years", _in("staggered_adoption")),
    Symbol("t", "t is a year", _in("staggered_adoption")),
    Symbol("g", "g is the effect size", SIZES),
    Symbol("d", "d is the effect size", SIZES),
    Symbol("d", "d is the standardised difference", CHECKS),
    Symbol("α", "α is a constant"),
    Symbol("μ", "μ is the level of school j"),
    Symbol("λ", "λ is what year t changes in all schools", PANELS),
    Symbol(
        "π", "π are the coefficients of the first stage, π₁ being the effect of assignment on D"
    ),
    Symbol("T", "T is the estimate over its standard error", POWER),
    Symbol("T", "{treated}"),
    Symbol("D", "D is 1 for those who took the programme up, else 0", _in("complier_effect")),
    Symbol("D", "D is 1 where school j has the programme in year t, else 0", PANELS),
    Symbol("D̂", "D̂ is D as the first equation predicts it"),
    Symbol("τ", "τ is the effect"),
    Symbol("τ̂", "τ̂ is the estimated effect"),
    Symbol("δ", "δ is the effect of D on y", _in("complier_effect")),
    Symbol("x", "x holds {covariates}"),
    Symbol("x̄", "x̄ is the mean of the characteristic", CHECKS),
    Symbol("β", "β are the coefficients of x"),
    Symbol("γ", "γ are coefficients of x"),
    Symbol("κ", "κ are the coefficients of x"),
    Symbol("u", "u is the random effect of {unit} j", _in("multilevel")),
    Symbol("v", "v is the random effect of {above} k", _in("multilevel")),
    Symbol("v", "v is the error of the first equation", _in("complier_effect")),
    Symbol("e", "e is the error of school j in year t", PANELS),
    Symbol("e", "e is the error of {row}"),
    Symbol("σ", "σ² are their variances", _in("multilevel")),
    Symbol("N", "N is the normal distribution", _in("multilevel")),
    Symbol("m", "m is how far, in SDs, those who stayed are from all", _in("Attrition")),
    Symbol("φ", "φ is the density of the standard normal distribution"),
    Symbol("Φ", "Φ is the standard normal distribution"),
    Symbol("w", "w is the weight of a person", CHECKS),
    Symbol("s", "s is the standard error", POWER),
    Symbol("P", "P is the chance of what is in brackets", POWER),
    Symbol("Δ̂", "Δ̂ is the estimate", POWER),
    Symbol("Δ", "Δ is the true effect", POWER),
    Symbol("c", "c is the critical value of T", POWER),
)
"""In the order in which they are told; of two of one letter the first that fits is meant."""


def signs_in(formula: str) -> list[str]:
    """Return the symbols, each once, in the order of a formula or text."""
    bare = WORD.sub(lambda word: word[0] if word[0] == "ATT" else " ", formula)
    return [sign for sign in dict.fromkeys(SIGN.findall(bare)) if sign != SUM]


def symbols_told(
    formula: str, kind: str, named: Mapping[str, str], explained: str = ""
) -> list[str]:
    """Return what the symbols of a formula are, in the order of the table of rules.

    Parameters
    ----------
    formula : str
        As it is shown.
    kind : str
        Its estimator, or the heading of the annex that it is under.
    named : mapping
        What the study has in place of ``{row}`` and the like.
    explained : str
        A text below the formula, which says of other symbols what they are.
    """
    wanted = set(signs_in(formula)) - set(signs_in(explained))
    told: dict[str, str] = {}
    for one in SYMBOLS:
        if one.sign in wanted and one.sign not in told and (not one.of or kind in one.of):
            told[one.sign] = one.told.format(**named)
    clauses = list(told.values())
    if kind in CHECKS and OF_GROUPS.search(formula):
        clauses.append(f"1 and 0 below a letter are the intervention and the {named['control']} "
                       "group")  # fmt: skip
    return clauses


def symbols_sentence(clauses: list[str]) -> str:
    """Return what symbols are as one sentence; empty where nothing is left to say."""
    return f"Here {'; '.join(clauses)}." if clauses else ""
