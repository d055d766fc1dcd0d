"""The study in the shape of the eight tables of What Works Clearinghouse's Reporting Guide.

Conditions; sample and context; registration and conflicts; design and measures; sample formation
and analysis; descriptive statistics; results; attrition. With them, the ratings of the evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from schooltrial.checks.balance.equivalence import primary_outcomes, rated_year
from schooltrial.checks.rating.clearinghouse import clearinghouse_rating
from schooltrial.checks.rating.disagreement import (
    explain_boundaries,
    explain_standards,
)
from schooltrial.checks.rating.inputs import rating_inputs
from schooltrial.checks.rating.padlocks import security_rating
from schooltrial.checks.rating.terms import Rating
from schooltrial.models.missing_outcomes.attrition_bias import Assumption

BOUNDARIES: tuple[Assumption, ...] = ("cautious", "optimistic")


SIZES = ["n_control", "n_treated", "mean_control", "mean_treated", "sd_control", "sd_treated"]


RESULT = [
    "model", "outcome", "estimand", "subgroup", "term", "estimate", "std_error", "df", "p_value",
    "conf_low", "conf_high", "effect_size", "es_conf_low", "es_conf_high",
    "n_individuals", "n_units", "n_treated_units", "n_schools", "n_treated_schools", "method",
    "converged", "note",
]  # fmt: skip


def ratings(protocol: Mapping[str, Any], checks: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the ratings of every primary outcome, each with its inputs.

    Parameters
    ----------
    protocol : mapping
        The protocol's sections.
    checks : mapping
        ``attrition``, ``balance``, ``equivalence``, ``power``, ``take_up`` of units, ``mobility``
        of pupils, where there is a log ``contrast`` (frames), and ``assignment`` (mapping).

    Returns
    -------
    list of dict
        With ``disagreement``: why the two ratings differ, and why the two attrition boundaries
        lead to different ratings; empty where they agree.
    """
    found = []
    rated = {key: part for key, part in checks.items() if key != "balance"}
    for outcome, name in primary_outcomes(protocol):
        model = protocol["models"][name]
        year = rated_year(model, protocol)
        mine = {**rated, "name": name}
        inputs = rating_inputs(outcome, model, protocol, year=int(year), **mine)
        by_boundary: dict[str, Rating] = {
            boundary: clearinghouse_rating(
                rating_inputs(outcome, model, protocol, year=int(year), boundary=boundary, **mine)
            )
            for boundary in BOUNDARIES
        }
        chosen = protocol["checks"]["attrition_boundary"]
        both = clearinghouse_rating(inputs), security_rating(inputs)
        reasons = [explain_standards(*both, inputs), explain_boundaries(by_boundary, chosen)]
        found.append({
            "outcome": outcome,
            "label": protocol["outcomes"][outcome]["label"],
            "model": name,
            "year": int(year),
            "ratings": [asdict(rating) for rating in both],
            "disagreement": [reason for reason in reasons if reason],
            "inputs": asdict(inputs),
        })  # fmt: skip
    return found


def build_study_record(
    protocol: Mapping[str, Any],
    checks: Mapping[str, Any],
    boxes: pd.DataFrame,
    estimates: pd.DataFrame,
    diagnostics: Mapping[str, Any],
    codebook: pd.DataFrame,
    baseline: int,
) -> dict[str, Any]:
    """Return the record: the ratings, and the eight tables.

    Parameters
    ----------
    protocol, checks
        As for ``ratings``.
    boxes : DataFrame
        The lines of the flow diagram.
    estimates : DataFrame
        The long estimates table.
    diagnostics : mapping
        Model → outcome → what the fit says of itself.
    codebook : DataFrame
        Of the standard tables: which grades pupils are in, and what is known of schools.
    baseline : int
        Baseline year.
    """
    study, design = protocol["study"], protocol["design"]
    primary = primary_outcomes(protocol)
    rows = estimates[estimates["model"].isin([model for _, model in primary])]
    return {
        "study": study["name"],
        "synthetic": study["synthetic"],
        "ratings": ratings(protocol, checks),
        "conditions": {
            "arms": [{"name": arm["name"], "label": arm["label"]} for arm in design["arms"]],
            "components": protocol["implementation"]["components"],
        },
        "sample_and_context": {
            "summary": study["summary"],
            "recruitment": study["recruitment"],
            "years": {
                part: protocol["years"][part] for part in ("baseline", "programme", "follow_up")
            },
            "grades": _grades(codebook),
            "setting": _setting(codebook),
            "flow": boxes[boxes["arm"] == "all"][["text", "n"]].to_dict("records"),
        },
        "registration_and_conflicts": {
            **protocol["registration"],
            "funding": study["funding"] or None,
            "conflicts": study["conflicts_of_interest"] or None,
            "deviations": protocol["deviations"],
        },
        "design_and_measures": {
            "kind": design["kind"],
            "unit": design["unit"],
            "randomised": design["randomised"],
            "assignment": dict(checks["assignment"]),
            "outcomes": {
                name: {
                    key: outcome[key]
                    for key in (
                        "label",
                        "family",
                        "primary",
                        "measured_on",
                        "scale",
                        "standardise",
                        "reliability",
                        "units_label",
                    )
                }
                for name, outcome in protocol["outcomes"].items()
            },
        },
        "sample_formation_and_analysis": {
            "keep": protocol["sample"]["keep"],
            "models": {name: dict(protocol["models"][name]) for _, name in primary},
            "flow": boxes[boxes["arm"] != "all"].to_dict("records"),
        },
        "descriptive_statistics": {
            "baseline_year": baseline,
            "baseline": _baseline_rows(checks["balance"]),
            "equivalence": checks["equivalence"].to_dict("records"),
        },
        "results": {
            "estimates": rows[RESULT].to_dict("records"),
            "icc": _intraclass(primary, diagnostics),
        },
        "attrition": checks["attrition"].to_dict("records"),
    }


def _grades(codebook: pd.DataFrame) -> list[str]:
    """Return the grades that pupils are in, by their table."""
    rows = codebook[(codebook["table"] == "pupils") & (codebook["variable"] == "grade")]
    return _values(rows["values"].iloc[0]) if len(rows) else []


def _setting(codebook: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the categories of schools that have a label: their districts, their level."""
    rows = codebook[(codebook["table"] == "schools") & (codebook["type"] == "text")]
    return [
        {"label": str(row.label), "values": _values(row.listed)}
        for row in rows[rows["label"].notna()].rename(columns={"values": "listed"}).itertuples()
    ]


def _values(told: object) -> list[str]:
    """Return the values that a codebook lists; none where they are too many to be listed."""
    return [] if pd.isna(told) else [part.strip() for part in str(told).split(";")]


def _baseline_rows(balance: pd.DataFrame) -> list[dict[str, Any]]:
    kept = ["sample", "level", "arm", "variable", "category", "label", *SIZES]
    kept += ["difference", "standardised_difference", "wwc_effect_size", "wwc_band", "note"]
    rows: list[dict[str, Any]] = balance[kept].to_dict("records")
    return rows


def _intraclass(
    primary: Sequence[tuple[str, str]], diagnostics: Mapping[str, Any]
) -> dict[str, Any]:
    """Return outcome → intraclass correlation with its interval, where the model has one."""
    found = {}
    for outcome, name in primary:
        told = diagnostics.get(name, {}).get(outcome, {})
        if "icc" in told:
            found[outcome] = told["icc"]
    return found
