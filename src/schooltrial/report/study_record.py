"""The study record as data: the eight tables of What Works Clearinghouse's reporting guide.

The annex of the report shows the same record, so that the two cannot differ.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import pandas as pd

from schooltrial.protocol.content.filters import in_words
from schooltrial.protocol.content.shown_units import effect_unit, times_shown
from schooltrial.protocol.form.json_schema import Validator
from schooltrial.report.findings.headlines import HEADLINES
from schooltrial.report.tables.checks import repeated_rows
from schooltrial.report.tables.panel import CohortYears
from schooltrial.report.wording import of_rows
from schooltrial.wording import stated_words

Record = Mapping[str, Any]

SCHEMA = "study_record.schema.json"
"""The JSON Schema of the record, a file of this package."""

VERSION = 1
"""Of the shape of the record; it changes where a key is renamed or removed."""

DESCRIBED = (
    "outcome", "variable", "category", "label", "level", "arm", "n_control", "n_treated",
    "mean_control", "mean_treated", "sd_control", "sd_treated", "wwc_effect_size", "wwc_measure",
    "wwc_band",
)  # fmt: skip

FOUND = (
    "model", "estimand", "subgroup", "term", "estimate", "std_error", "df", "p_value", "conf_low",
    "conf_high", "effect_size", "es_conf_low", "es_conf_high", "n_individuals", "n_units",
    "n_treated_units", "n_schools", "n_treated_schools", "method", "converged", "note",
)  # fmt: skip

LOST = (
    "model", "year", "level", "arm", "n_control", "count_control", "n_treated", "count_treated",
    "overall", "differential", "boundary_cautious", "boundary_optimistic", "verdict", "note",
)  # fmt: skip

SIZES = ("estimate", "std_error", "conf_low", "conf_high")
"""What is in the unit of the outcome."""

COUNTS = ("n_", "count_")
"""How the names of counts begin."""

COMPONENTS = ("label", "indicator", "source", "measured_on", "unit_threshold", "share_required")


def build_record(
    verdict: Record,
    study: Record,
    labels: Mapping[str, str],
    arms: Mapping[str, int],
    cohorts: Sequence[CohortYears] = (),
) -> dict[str, Any]:
    """Return the record of a study; what is not known is None.

    Parameters
    ----------
    verdict : mapping
        ``verdict.json``.
    study : mapping
        Title and protocol hash of the study.
    labels : mapping
        Variable → its name in exhibits.
    arms : mapping
        Group → how many units were assigned to it.
    cohorts : sequence of CohortYears
        Of a staggered design.
    """
    outcomes = verdict["design_and_measures"]["outcomes"]

    def named(outcome: str) -> dict[str, Any]:
        return {"outcome": outcome, "outcome_label": outcomes[outcome]["label"]}

    return {
        "schema": SCHEMA,
        "schema_version": VERSION,
        "study": verdict["study"],
        "title": study["title"],
        "synthetic": verdict["synthetic"],
        "protocol_sha256": study["protocol"],
        "conditions": _conditions(verdict["conditions"], arms),
        "sample_and_context": _context(verdict, cohorts),
        "registration_and_conflicts": _registration(verdict["registration_and_conflicts"]),
        "design_and_measures": _design(verdict["design_and_measures"]),
        "sample_formation_and_analysis": _formation(
            verdict["sample_formation_and_analysis"], labels
        ),
        "descriptive_statistics": {
            "baseline_year": verdict["descriptive_statistics"]["baseline_year"],
            "measures": [
                _cells(row, DESCRIBED) for row in verdict["descriptive_statistics"]["equivalence"]
            ],
        },
        "results": {
            "effects": [
                {**named(row["outcome"]), "primary": bool(outcomes[row["outcome"]]["primary"]),
                 **_cells(_shown(row, outcomes[row["outcome"]]), FOUND)}
                for row in verdict["results"]["estimates"]
                if row["estimand"] in HEADLINES
            ],
            "intraclass_correlation": [
                {**named(outcome), "level": level, "icc": values[0], "conf_low": values[1],
                 "conf_high": values[2]}
                for outcome, found in verdict["results"]["icc"].items()
                for level, values in found.items()
            ],
        },
        "attrition": [
            {**named(row["outcome"]), "primary": bool(outcomes[row["outcome"]]["primary"]),
             **_cells(row, LOST)}
            for row in once_each(verdict["attrition"])
        ],
        "ratings": [_rating(rated) for rated in verdict["ratings"]],
    }  # fmt: skip


def record_text(record: Record) -> str:
    """Return the record as JSON.

    Raises
    ------
    ValueError
        The record does not have the shape that the package documents; this is a fault of the
        project, not of a study.
    """
    faults = record_faults(record)
    if faults:
        raise ValueError(f"the study record does not fit {SCHEMA}: {'; '.join(faults[:3])}")
    return json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def record_faults(record: Record) -> list[str]:
    """Return where a record does not fit the JSON Schema of the package; empty where it fits."""
    schema = json.loads(resources.files(__package__ or "").joinpath(SCHEMA).read_text("utf-8"))
    return [
        f"{'.'.join(str(part) for part in error.absolute_path) or 'record'}: {error.message}"
        for error in Validator(schema).iter_errors(record)
    ]


def _cells(row: Record, keys: Sequence[str]) -> dict[str, Any]:
    """Return some cells of a row; counts are whole, also where others of their column lack."""
    found = {key: row.get(key) for key in keys}
    return {
        key: int(value) if key.startswith(COUNTS) and value is not None else value
        for key, value in found.items()
    }


def _shown(row: Record, outcome: Record) -> dict[str, Any]:
    """Return an effect in the unit in which readers see it: of a yes/no outcome, per cent."""
    factor = times_shown(outcome)
    return {
        key: value * factor if key in SIZES and isinstance(value, int | float) else value
        for key, value in row.items()
    }


def _conditions(part: Record, arms: Mapping[str, int]) -> dict[str, Any]:
    roles = ["comparison", *["intervention"] * (len(part["arms"]) - 1)]
    return {
        "groups": [
            {"role": role, "arm": arm["name"], "label": arm["label"],
             "units_assigned": arms.get(arm["name"])}
            for role, arm in zip(roles, part["arms"], strict=True)
        ],
        "components": [
            {"component": name, **{key: component.get(key) for key in COMPONENTS}}
            for name, component in part["components"].items()
        ],
    }  # fmt: skip


def _context(verdict: Record, cohorts: Sequence[CohortYears]) -> dict[str, Any]:
    part = verdict["sample_and_context"]
    programme, follow_up = (part["years"].get(name, []) for name in ("programme", "follow_up"))
    if cohorts:
        programme = sorted({year for one in cohorts for year in one.programme})
        follow_up = sorted({*follow_up, *(year for one in cohorts for year in one.follow_up)})
    return {
        "summary": part["summary"] or None,
        "recruitment": stated_words(part["recruitment"]) or None,
        "setting": [
            {"characteristic": one["label"], "categories": one["values"]}
            for one in part["setting"]
        ],
        "grades": part["grades"],
        "baseline_years": part["years"].get("baseline", []),
        "programme_years": programme,
        "follow_up_years": follow_up,
        "cohorts": [
            {"first_year": one.start, "schools_with_outcomes": one.schools,
             "programme_years": list(one.programme), "follow_up_years": list(one.follow_up)}
            for one in cohorts
        ],
        "flow": [{"text": line["text"], "n": line["n"]} for line in part["flow"]],
        "analysed": [
            {"arm": line["arm"], "outcome": line["outcome"], "year": str(line["year"]),
             "text": line["text"], "n": line["n"]}
            for line in verdict["sample_formation_and_analysis"]["flow"]
            if line["stage"] == "analysed" and line["text"].endswith("s analysed")
            and line["kind"] in ("in", "had")
        ],
    }  # fmt: skip


def once_each(attrition: Sequence[Record]) -> list[Record]:
    """Return the rows of those lost; of people in units that stay only where some unit left.

    Parameters
    ----------
    attrition : sequence of mapping
        Rows of ``attrition.csv``.
    """
    lost = [row for row in attrition if row["kind"] == "lost"]
    if not lost:
        return []
    repeated = repeated_rows(pd.DataFrame(lost)).tolist()
    return [row for row, twice in zip(lost, repeated, strict=True) if not twice]


def _registration(part: Record) -> dict[str, Any]:
    keys = ("registry", "identifier", "date", "url", "plan_sha256")
    return {
        **{key: part.get(key) or None for key in keys},
        "funding": stated_words(part["funding"]) or None,
        "conflicts_of_interest": stated_words(part["conflicts"]) or None,
        "deviations": [
            {key: one[key] for key in ("date", "what", "why")} for one in part["deviations"]
        ],
    }


def _design(part: Record) -> dict[str, Any]:
    return {
        "design": part["kind"],
        "unit_of_assignment": part["unit"],
        "randomised": part["randomised"],
        "allocation_check": part["assignment"].get("verdict"),
        "outcomes": [
            {"outcome": name, "outcome_label": outcome["label"], "domain": outcome["family"],
             "primary": outcome["primary"], "measured_on": outcome["measured_on"],
             "scale": outcome["scale"], "standardised": outcome["standardise"],
             "reliability": outcome["reliability"], "units": effect_unit(outcome)}
            for name, outcome in part["outcomes"].items()
        ],
    }  # fmt: skip


def _formation(part: Record, labels: Mapping[str, str]) -> dict[str, Any]:
    labels = {"baseline": "the outcome at baseline", **labels}
    return {
        "sample": in_words(part["keep"], labels) or None,
        "analyses": [
            {"model": name, "label": model["label"], "estimator": model["estimator"],
             "outcomes": model["outcomes"],
             "rows": of_rows(in_words(model["where"], labels)) or None,
             "covariates": [labels.get(str(one), str(one)) for one in model["covariates"]],
             "missing_covariates": model["missing_covariates"] if model["covariates"] else None,
             "confidence_level": model["confidence_level"]}
            for name, model in part["models"].items()
        ],
    }  # fmt: skip


def _rating(rated: Record) -> dict[str, Any]:
    wwc, eef = rated["ratings"]
    return {
        "outcome": rated["outcome"],
        "outcome_label": rated["label"],
        "year": rated["year"],
        "indicative": True,  # neither body rated the study
        "wwc_style": wwc["rating"],
        "wwc_reason": wwc["rule"],
        "eef_style": eef["rating"],
        "eef_reason": eef["rule"],
    }
