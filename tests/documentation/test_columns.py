"""Columns of CSV files: one name for each thing, and one meaning for each name."""

from __future__ import annotations

import re
from collections import Counter
from importlib import import_module

import pytest

from schooltrial.models.inference.result import ROW_COLUMNS
from schooltrial.protocol.form.strict_yaml import parse_yaml
from support.small_trial import ROOT

GROUPS = parse_yaml((ROOT / "src/schooltrial/study/columns.yaml").read_text("utf-8"))

NAMES = [name for columns in GROUPS.values() for name in columns]

OTHER_TERMS = {
    "p": "p_value", "pval": "p_value", "se": "std_error", "lower": "conf_low", "upper": "conf_high",
    "low": "conf_low, bin_low", "high": "conf_high, bin_high", "wanted": "target_power",
    "exaggeration": "type_m", "draws": "replications", "draw": "replication",
    "redraws": "replications", "people": "n_individuals, counted", "units": "n_units",
    "pupils": "n_pupils", "schools": "n_schools", "blocks": "n_blocks", "teachers": "n_teachers",
    "intervention": "treated", "limit": "threshold", "raw": "column", "name": "label, term",
    "quantile": "bin_low",
}  # fmt: skip
"""Part of a name that says what another term says → that term."""

ALLOWED = re.compile(
    r"n_(?:\w+_)?(?:units|pupils|schools|blocks)|n_pupils_\w+|\w+_p_value|p_value|"
    r"(?:\w+_)?(?:conf|band|bin)_(?:low|high)|units_label|mean_(?:from_pupils|of_schools)|"
    r"sd_of_schools|(?:sd|statistic)_name"
)
"""Names in which such a part has a place."""

WRITTEN = [
    "analysis.rerandomised_statistics.COLUMNS", "checks.assignment.findings.TEST_COLUMNS",
    "checks.attrition.missing_outcomes.COLUMNS", "checks.attrition.rates.COLUMNS",
    "checks.attrition.selective_attrition.COLUMNS",
    "checks.balance.equivalence.EQUIVALENCE_COLUMNS",
    "checks.balance.omnibus.OMNIBUS_COLUMNS", "checks.balance.standardised_differences.COLUMNS",
    "checks.data_quality.codebook.COLUMNS", "checks.data_quality.codebook.MEAN_COLUMNS",
    "checks.data_quality.missingness.MISSING", "checks.data_quality.oddities.DISTRIBUTION",
    "checks.data_quality.oddities.HEAPING", "checks.data_quality.outliers.OUTLIERS",
    "checks.flow.boxes.COLUMNS", "checks.flow.enrolment.COLUMNS",
    "checks.goodman_bacon.comparisons_table.COLUMNS",
    "checks.implementation.contrast.CONTRAST", "checks.implementation.costs.COLUMNS",
    "checks.implementation.dosage.DOSAGE", "checks.implementation.fidelity.FIDELITY",
    "checks.parallel_trends.panel_models.COLUMNS",
    "checks.parallel_trends.panel_models.PLACEBO_COLUMNS", "checks.power.table.COLUMNS",
    "data.ledger.ledger.FLOW_COLUMNS", "data.ledger.ledger.LEDGER_COLUMNS",
    "data.linking.table_links.LINKING", "exhibits.figures.attrition_boundary.COLUMNS",
    "exhibits.figures.cohorts.COLUMNS", "exhibits.figures.event_study.COLUMNS",
    "exhibits.figures.parallel_trends.COLUMNS", "exhibits.figures.placebos.COLUMNS",
    "exhibits.figures.power_curve.COLUMNS", "exhibits.figures.school_means.COLUMNS",
    "exhibits.figures.timeline.COLUMNS", "report.tables.steps.STEP_COLUMNS",
]  # fmt: skip
"""Lists of columns as the modules write them; the studies of the project are read whole in
``tests/e2e/test_default_studies.py``."""


def test_each_column_has_one_line_and_no_two_mean_the_same() -> None:
    assert [name for name, times in Counter(NAMES).items() if times > 1] == []
    meanings = Counter(one["meaning"] for columns in GROUPS.values() for one in columns.values())
    assert [meaning for meaning, times in meanings.items() if times > 1] == []


def test_a_meaning_is_a_sentence_of_its_own() -> None:
    for columns in GROUPS.values():
        for name, one in columns.items():
            assert set(one) <= {"meaning", "unit"}, name
            assert re.fullmatch(r"[A-Z`np][^\n]{3,110}\.", one["meaning"]), name


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_not_made_of_another_word_for_a_thing_that_has_a_term(name: str) -> None:
    odd = {part: OTHER_TERMS[part] for part in name.split("_") if part in OTHER_TERMS}
    assert not odd or ALLOWED.fullmatch(name), f"{name}: say {odd}"


@pytest.mark.parametrize(
    "name",
    ["treated_units", "units_control", "p", "adjusted_se", "p_f", "power_wanted", "low", "draws"],
)
def test_names_that_were_synonyms_would_be_found(name: str) -> None:
    assert any(part in OTHER_TERMS for part in name.split("_"))
    assert not ALLOWED.fullmatch(name)


@pytest.mark.parametrize("place", WRITTEN)
def test_every_column_that_a_module_writes_has_its_meaning(place: str) -> None:
    module, _, constant = place.rpartition(".")
    columns = getattr(import_module(f"schooltrial.{module}"), constant)
    assert sorted(set(columns) - set(NAMES)) == []


def test_the_columns_of_estimates_have_their_meaning() -> None:
    assert sorted(set(ROW_COLUMNS) - set(NAMES)) == []
