"""The long estimates table has the same columns whatever the estimator."""

from collections.abc import Callable
from math import isnan, log

import numpy as np
import pandas as pd
import pytest

from schooltrial.analysis.design_matrix import build_design_matrix
from schooltrial.analysis.estimates_table import (
    COLUMNS,
    Labels,
    labels_of,
    pupil_effect_size,
    row,
    table,
)
from schooltrial.models.effect_size.pupil_level import small_sample_correction
from schooltrial.models.inference.estimate import f_estimate, t_estimate
from schooltrial.protocol.content.levels import NO_SCHOOL
from schooltrial.protocol.content.sections import Model, Outcome
from schooltrial.protocol.form.schema_validation import with_defaults
from support.small_trial import schema

Make = Callable[..., Model]
LABELS = Labels("study", "model", "score", "girls", 12, 6, 12, 6)
FOUND = t_estimate("treated", 0.2, 0.1, 10, n_individuals=240, n_schools=12, method="OLS")


def _outcome(scale: str) -> Outcome:
    node = schema()["properties"]["outcomes"]["additionalProperties"]
    made: Outcome = with_defaults({"label": "", "family": "", "scale": scale}, node, schema())
    return made


def test_the_columns_are_those_of_the_contract() -> None:
    stated = (
        "study, model, outcome, estimand, subgroup, term, estimate, std_error, df, statistic, "
        "p_value, conf_low, conf_high, band_low, band_high, effect_size, es_conf_low, "
        "es_conf_high, n_individuals, n_units, n_treated_units, n_schools, n_treated_schools, "
        "method, converged, note"
    )
    assert stated.split(", ") == COLUMNS
    assert list(table([]).columns) == COLUMNS
    assert list(table([row(LABELS, FOUND, "ITT")]).columns) == COLUMNS


def test_a_row_holds_what_the_estimate_says() -> None:
    made = row(LABELS, FOUND, "ITT")
    assert (made["study"], made["subgroup"], made["n_treated_schools"]) == ("study", "girls", 6)
    assert (made["estimate"], made["std_error"], made["df"]) == (0.2, 0.1, 10)
    assert (made["conf_low"], made["conf_high"]) == (FOUND.conf_low, FOUND.conf_high)
    assert isnan(float(str(made["effect_size"])))
    assert made["note"] == ""


def test_a_joint_test_keeps_the_note_with_its_degrees_of_freedom() -> None:
    test = f_estimate("both", 3.0, 2, 34, n_individuals=1, n_schools=1, method="Wald")
    assert row(LABELS, test, "joint test")["note"] == "F(2, 34)"


def test_a_continuous_effect_is_divided_by_the_pooled_sd_of_the_pupils_analysed(
    sample: pd.DataFrame, model: Make
) -> None:
    design = build_design_matrix(sample, model(), "score")
    arms = [sample.loc[sample["treated"] == arm, "score"] for arm in (0, 1)]
    sd = np.sqrt(sum(part.var() * (len(part) - 1) for part in arms) / (len(sample) - 2))
    made = row(LABELS, FOUND, "ITT", pupil_effect_size(FOUND, design, _outcome("continuous")))
    scale = small_sample_correction(240) / sd
    assert made["effect_size"] == pytest.approx(0.2 * scale)
    assert made["es_conf_low"] == pytest.approx(FOUND.conf_low * scale)
    assert made["es_conf_high"] == pytest.approx(FOUND.conf_high * scale)
    assert "Hedges g" in str(made["note"])


def test_a_binary_effect_is_a_difference_of_logits_over_1_65(
    sample: pd.DataFrame, model: Make
) -> None:
    design = build_design_matrix(sample, model(), "passed")
    share = float(sample.loc[sample["treated"] == 0, "passed"].mean())
    effect = pupil_effect_size(FOUND, design, _outcome("binary"))
    logits = [log(p / (1 - p)) for p in (share, share + 0.2)]
    assert effect.effect_size == pytest.approx((logits[1] - logits[0]) / 1.65, rel=1e-9)
    assert "Cox" in effect.rule


@pytest.mark.parametrize("share", [0.0, 1.0, 0.9])
def test_a_binary_effect_at_the_border_has_no_index_and_the_note_says_so(
    sample: pd.DataFrame, model: Make, share: float
) -> None:
    rank = sample.groupby("treated").cumcount() / (len(sample) / 2)
    passed = (rank < share).astype(float)
    design = build_design_matrix(sample.assign(passed=passed), model(), "passed")
    effect = pupil_effect_size(FOUND, design, _outcome("binary"))
    assert isnan(effect.effect_size)
    assert row(LABELS, FOUND, "ITT", effect)["note"] == "no Cox index: a share of 0 or 1"


def test_treated_schools_are_counted_among_the_rows_analysed(
    sample: pd.DataFrame, model: Make
) -> None:
    design = build_design_matrix(
        sample[sample["school"] != "S1"], model(where_label="some"), "score"
    )
    labels = labels_of("s", "m", model(where_label="some"), "score", design.rows)
    assert labels == Labels("s", "m", "score", "some", 11, 5, 11, 5)


def test_units_inside_schools_are_counted_and_schools_belong_to_no_group(
    sample: pd.DataFrame, model: Make
) -> None:
    inside = sample.assign(cluster=sample["school"], school="A")
    inside.loc[inside["cluster"].isin(["S0", "S1", "S2"]), "school"] = "B"
    labels = labels_of("s", "m", model(), "score", inside)
    assert (labels.n_units, labels.n_treated_units, labels.n_schools) == (12, 6, 2)
    assert isnan(labels.n_treated_schools)
    nowhere = labels_of("s", "m", model(), "score", inside.assign(school=NO_SCHOOL))
    assert (nowhere.n_units, nowhere.n_treated_units, nowhere.n_schools) == (12, 6, 0)


def test_cells_of_schools_are_of_units_unless_a_school_has_two_groups_in_a_year(
    model: Make,
) -> None:
    cells = pd.DataFrame({
        "school": ["A", "A", "B", "B"], "year": [1, 2, 1, 2], "treated": [0.0, 0.0, 1.0, 1.0]
    })  # fmt: skip
    labels = labels_of("s", "m", model(), "score", cells)
    assert labels == Labels("s", "m", "score", "all", 2, 1, 2, 1)
    crossed = labels_of("s", "m", model(), "score", cells.assign(treated=[0.0, 1.0, 1.0, 0.0]))
    assert (crossed.n_units, crossed.n_treated_units) == (2, 2)
    split = labels_of("s", "m", model(), "score", cells.assign(year=1, treated=[0.0, 1.0] * 2))
    assert split.n_schools == 2
    assert all(map(isnan, (split.n_units, split.n_treated_units, split.n_treated_schools)))
