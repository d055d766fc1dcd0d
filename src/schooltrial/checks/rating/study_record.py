"""The study in the shape of the eight tables of What Works Clearinghouse's Reporting Guide.

Conditions; sample and context; registration and conflicts; design and measures; sample formation
and analysis; descriptive statistics; results; attrition. With them, the ratings of the evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from schooltrial.checks.rating.clearinghouse import clearinghouse_rating
from schooltrial.checks.rating.inputs import rating_inputs
from schooltrial.checks.rating.padlocks import security_rating
from schooltrial.protocol.sections import years_of_model

NOT_STATED = "not stated in the protocol"


SIZES = ["n_control", "n_treated", "mean_control", "mean_treated", "sd_control", "sd_treated"]


RESULT = [
    "model", "outcome", "estimand", "subgroup", "term", "estimate", "std_error", "df", "p_value",
    "conf_low", "conf_high", "effect_size", "es_conf_low", "es_conf_high", "n_pupils", "n_schools",
    "n_treated_schools", "method", "converged", "note",
]  # fmt: skip


def primary_outcomes(protocol: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return (outcome, model) of every primary outcome and the first primary model that fits it."""
    found: dict[str, str] = {}
    for name, model in protocol["models"].items():
        if model["role"] == "primary":
            for outcome in model["outcomes"]:
                if protocol["outcomes"][outcome]["primary"]:
                    found.setdefault(outcome, name)
    return list(found.items())


def ratings(
    protocol: Mapping[str, Any], checks: Mapping[str, Any], years: Sequence[int]
) -> list[dict[str, Any]]:
    """Return the ratings of every primary outcome, each with its inputs.

    Parameters
    ----------
    protocol : mapping
        The protocol's sections.
    checks : mapping
        ``attrition``, ``balance``, ``power``, ``take_up`` of units, where a log tells ``contrast``
        (frames), and ``assignment`` (mapping).
    years : sequence of int
        Years of the primary analysis; the last one counts where a model names none.
    """
    found = []
    for outcome, name in primary_outcomes(protocol):
        model = protocol["models"][name]
        year = max(years_of_model(model, protocol["years"]) or years)
        inputs = rating_inputs(outcome, model, protocol, year=int(year), **checks)
        found.append({
            "outcome": outcome,
            "label": protocol["outcomes"][outcome]["label"],
            "model": name,
            "year": int(year),
            "ratings": [asdict(clearinghouse_rating(inputs)), asdict(security_rating(inputs))],
            "inputs": asdict(inputs),
        })  # fmt: skip
    return found


def build_study_record(
    protocol: Mapping[str, Any],
    checks: Mapping[str, Any],
    boxes: pd.DataFrame,
    estimates: pd.DataFrame,
    diagnostics: Mapping[str, Any],
    years: Sequence[int],
    baseline: int,
) -> dict[str, Any]:
    """Return the record: the ratings, and the eight tables.

    Parameters
    ----------
    protocol, checks, years
        As for ``ratings``.
    boxes : DataFrame
        The lines of the flow diagram.
    estimates : DataFrame
        The long estimates table.
    diagnostics : mapping
        Model → outcome → what the fit says of itself.
    baseline : int
        Baseline year.
    """
    study, design = protocol["study"], protocol["design"]
    primary = primary_outcomes(protocol)
    rows = estimates[estimates["model"].isin([model for _, model in primary])]
    return {
        "study": study["name"],
        "synthetic": study["synthetic"],
        "ratings": ratings(protocol, checks, years),
        "conditions": {
            "arms": [{"name": arm["name"], "label": arm["label"]} for arm in design["arms"]],
            "components": protocol["implementation"]["components"],
        },
        "sample_and_context": {
            "summary": study["summary"],
            "years": {
                part: protocol["years"][part] for part in ("baseline", "programme", "follow_up")
            },
            "flow": boxes[boxes["arm"] == "all"][["text", "n"]].to_dict("records"),
        },
        "registration_and_conflicts": {
            **protocol["registration"],
            "conflicts": NOT_STATED,
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
                    for key in ("label", "family", "measured_on", "scale", "units_label")
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
        },
        "results": {
            "estimates": rows[RESULT].to_dict("records"),
            "icc": _intraclass(primary, diagnostics),
        },
        "attrition": checks["attrition"].to_dict("records"),
    }


def _baseline_rows(balance: pd.DataFrame) -> list[dict[str, Any]]:
    kept = ["sample", "level", "arm", "variable", "category", "label", *SIZES]
    kept += ["difference", "standardised_difference", "wwc_effect_size", "wwc_band"]
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
