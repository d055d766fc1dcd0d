"""The annex of the study record has the eight tables, and invents nothing."""

from __future__ import annotations

from typing import Any

from schooltrial.document.blocks import Exhibit, Paragraph
from schooltrial.document.tables import Table
from schooltrial.report.sections.study_record import NOT_KNOWN, study_record_section

ESTIMATE = {
    "outcome": "maths", "model": "itt", "estimand": "ITT", "subgroup": "all", "term": "treated",
    "estimate": 0.0768, "std_error": 0.067, "conf_low": -0.06, "conf_high": 0.213,
    "effect_size": 0.0761, "p_value": 0.26, "n_individuals": 5926, "n_schools": 40,
}  # fmt: skip


def _record(**changed: Any) -> dict[str, Any]:
    record: dict[str, Any] = {
        "conditions": {
            "arms": [{"name": "control", "label": "Control schools"},
                     {"name": "programme", "label": "Programme schools"}],
            "components": {},
        },
        "sample_and_context": {
            "summary": "A trial.", "years": {"baseline": [2018], "follow_up": []},
            "flow": [{"text": "schools assigned", "n": 40}],
        },
        "registration_and_conflicts": {"registry": "", "deviations": []},
        "design_and_measures": {
            "kind": "blocked", "unit": "school", "randomised": True, "assignment": {},
            "outcomes": {"maths": {"label": "Maths", "family": "attainment", "scale": "continuous",
                                   "measured_on": "pupil", "units_label": "control SD"}},
        },
        "sample_formation_and_analysis": {
            "keep": [], "models": {"itt": {"label": "ITT model", "covariates": ["baseline"]}},
        },
        "descriptive_statistics": {"equivalence": []},
        "results": {"estimates": [ESTIMATE, {**ESTIMATE, "estimand": "joint test"}]},
        "attrition": [{"outcome": "maths", "year": 2020, "level": "pupils", "overall": 0.242,
                       "differential": 0.018, "verdict": "low"}],
        **changed,
    }  # fmt: skip
    return record


def _table(record: dict[str, Any], name: str) -> Table:
    blocks = study_record_section(record).blocks
    found = [one for one in blocks if isinstance(one, Exhibit) and one.name == f"record-{name}"]
    assert isinstance(found[0].content, Table)
    return found[0].content


def _items(record: dict[str, Any], name: str) -> dict[str, str]:
    cells = _table(record, name).cells
    return dict(zip(cells["item"], cells["value"], strict=True))


def test_the_record_has_eight_tables_and_is_an_annex() -> None:
    section = study_record_section(_record())
    assert section.annex
    assert len(section.blocks) == 8


def test_a_table_without_rows_is_said_to_be_empty() -> None:
    told = [
        one.text for one in study_record_section(_record()).blocks if isinstance(one, Paragraph)
    ]
    assert told == ["Descriptive statistics at baseline: nothing is on record."]


def test_what_is_not_known_is_told_apart_from_what_there_is_none_of() -> None:
    assert _items(_record(), "registration") == {"Registry": NOT_KNOWN, "Deviations": "none"}
    assert _items(_record(), "sample")["Follow up years"] == "none"
    assert _items(_record(), "design")["Check of the assignment"] == NOT_KNOWN


def test_results_are_those_of_effects_and_name_the_outcome_by_its_label() -> None:
    cells = _table(_record(), "results").cells
    assert list(cells["outcome"]) == ["Maths"]
    assert list(cells["observations"]) == ["5,926"]
    assert list(cells["effect size"]) == ["0.08"]


def test_attrition_is_in_per_cent_and_percentage_points() -> None:
    row = _table(_record(), "attrition").cells.iloc[0]
    assert row["overall (%)"] == "24.2"
    assert row["differential (pp)"] == "1.8"
