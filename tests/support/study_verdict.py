"""A ``verdict.json`` in small, as the report reads it."""

from __future__ import annotations

from typing import Any

ESTIMATE = {
    "outcome": "maths", "model": "itt", "estimand": "ITT", "subgroup": "all", "term": "treated",
    "estimate": 0.0768, "std_error": 0.067, "df": 32.0, "conf_low": -0.06, "conf_high": 0.213,
    "effect_size": 0.0761, "es_conf_low": None, "es_conf_high": None, "p_value": 0.26,
    "n_individuals": 5926, "n_units": 40, "n_treated_units": 20, "n_schools": 40,
    "n_treated_schools": 20, "method": "REML",
    "converged": True, "note": None,
}  # fmt: skip

LOST = {
    "kind": "lost", "outcome": "maths", "model": "itt", "year": 2020, "level": "pupils",
    "arm": "programme", "n_control": 100.0, "count_control": 20.0, "n_treated": 110.0,
    "count_treated": 30.0, "overall": 0.242, "differential": 0.018, "boundary_cautious": 0.05,
    "boundary_optimistic": 0.09, "verdict": "low", "note": None,
}  # fmt: skip


def made_verdict(**changed: Any) -> dict[str, Any]:
    """Return a record of ratings and tables, some parts of it changed."""
    verdict: dict[str, Any] = {
        "study": "small",
        "synthetic": False,
        "conditions": {
            "arms": [{"name": "control", "label": "Control schools"},
                     {"name": "programme", "label": "Programme schools"}],
            "components": {},
        },
        "sample_and_context": {
            "summary": "A trial.", "recruitment": "",
            "years": {"baseline": [2018], "programme": [2020], "follow_up": []},
            "grades": ["3", "4"], "setting": [{"label": "District", "values": ["North", "South"]}],
            "flow": [{"text": "schools assigned", "n": 40}],
        },
        "registration_and_conflicts": {
            "registry": "", "deviations": [], "funding": None, "conflicts": None,
        },
        "design_and_measures": {
            "kind": "blocked", "unit": "school", "randomised": True, "assignment": {},
            "outcomes": {"maths": {
                "label": "Maths", "family": "attainment", "scale": "continuous", "primary": True,
                "measured_on": "pupil", "units_label": "control SD", "standardise": "control",
                "reliability": 0.87,
            }},
        },
        "sample_formation_and_analysis": {
            "keep": {},
            "models": {"itt": {
                "label": "ITT model", "estimator": "multilevel", "outcomes": ["maths"],
                "where": {"year": [2020]}, "covariates": ["baseline", "girl"],
                "missing_covariates": "indicator", "confidence_level": 0.95,
            }},
            "flow": [
                {"stage": "analysed", "arm": "programme", "outcome": "maths", "year": 2020,
                 "kind": "in", "text": "pupils analysed", "n": 2978},
                {"stage": "analysed", "arm": "programme", "outcome": "maths", "year": 2020,
                 "kind": "lost", "text": "outcome not observed", "n": 3},
            ],
        },
        "descriptive_statistics": {"baseline_year": 2018, "equivalence": []},
        "results": {
            "estimates": [ESTIMATE, {**ESTIMATE, "estimand": "joint test"}],
            "icc": {"maths": {"school": [0.05, 0.02, 0.09]}},
        },
        "attrition": [LOST, {**LOST, "kind": "joined late", "outcome": None}],
        "ratings": [],
        **changed,
    }  # fmt: skip
    return verdict
