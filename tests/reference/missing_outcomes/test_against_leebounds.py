"""Lee's bounds under five rules of trimming, their standard errors, and tightening, against R."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from reference.gold import dataset, entry
from schooltrial.models.missing_outcomes.lee_bounds import LeeBounds, bound_by_lee
from schooltrial.models.missing_outcomes.trimmed_mean import Trimming

if TYPE_CHECKING:
    from reference.conftest import Agreement

ENTRIES = pytest.mark.parametrize("name", ["lee.integer", "lee.attrition"])
RULES: dict[Trimming, str] = {
    "floor": "floor",
    "ceiling": "ceiling",
    "round": "round",
    "type-2": "quantile_type2",
    "type-7": "quantile_type7",
}


def _bounds(name: str, **keys: Any) -> tuple[LeeBounds, pd.DataFrame]:
    frame = dataset(entry(name)["dataset"])
    return bound_by_lee(frame["y"].where(frame["s"] == 1), frame["z"], **keys), frame


@ENTRIES
def test_responses_share_and_fractional_bounds_equal_lee_2009(
    name: str, agreement: Agreement
) -> None:
    found, _ = _bounds(name)
    (cell,), theirs = found.cells, entry(name)["values"]
    assert cell.trimmed_arm == theirs["trimmed_group"]
    for quantity, ours in {
        "q1": cell.response_treated,
        "q0": cell.response_control,
        "trimmed_share": cell.trimmed_share,
    }.items():
        agreement(name, quantity, ours, theirs[quantity], rel=1e-10)
    agreement(name, "lower", found.bounds.lower, theirs["fractional"]["lower"], rel=1e-10)
    agreement(name, "upper", found.bounds.upper, theirs["fractional"]["upper"], rel=1e-10)


@ENTRIES
@pytest.mark.parametrize("rule", RULES)
def test_each_rule_of_trimming_cuts_where_r_does(
    name: str, rule: Trimming, agreement: Agreement
) -> None:
    found, _ = _bounds(name, trimming=rule)
    theirs = entry(name)["values"]["alternatives"][RULES[rule]]
    agreement(name, f"{rule} lower", found.bounds.lower, theirs["lower"], rel=1e-12)
    agreement(name, f"{rule} upper", found.bounds.upper, theirs["upper"], rel=1e-12)
    if "cut_low" in theirs:
        cell = found.cells[0]
        cuts = [cell.cut_low, cell.cut_high]
        agreement(name, f"{rule} cuts", cuts, [theirs["cut_low"], theirs["cut_high"]], rel=1e-12)


@ENTRIES
def test_analytic_standard_errors_and_interval_equal_proposition_3_and_imbens_manski(
    name: str, agreement: Agreement
) -> None:
    bounds = _bounds(name, trimming="type-2")[0].bounds
    theirs = entry(name)["values"]["analytic"]
    agreement(name, "se_lower", bounds.se_lower, theirs["se_lower"], rel=1e-10)
    agreement(name, "se_upper", bounds.se_upper, theirs["se_upper"], rel=1e-10)
    agreement(name, "critical", bounds.critical, theirs["imbens_manski_c"], rel=1e-10)
    ours = [bounds.conf_low, bounds.conf_high]
    agreement(name, "interval", ours, theirs["imbens_manski_ci"], rel=1e-10)


def test_bounds_tightened_by_a_covariate_equal_lee_2009(agreement: Agreement) -> None:
    name = "lee.attrition"
    theirs = entry(name)["values"]["tightened_by_x"]
    frame = dataset("lee_attrition")
    found, _ = _bounds(name, cells=frame["x"], cell_weights="observed")
    agreement(name, "weights", [c.weight for c in found.cells], theirs["weights"], rel=1e-10)
    for cell, expected in zip(found.cells, theirs["cells"], strict=True):
        ours = [cell.response_treated, cell.response_control, cell.lower, cell.upper]
        want = [expected["q1"], expected["q0"], *expected["fractional"].values()]
        agreement(name, f"cell {cell.cell}", ours, want, rel=1e-10)
    agreement(name, "tightened lower", found.bounds.lower, theirs["lower"], rel=1e-10)
    agreement(name, "tightened upper", found.bounds.upper, theirs["upper"], rel=1e-10)


def test_the_interval_with_clusters_of_one_is_lees_but_for_the_small_sample_factor() -> None:
    frame = dataset("lee_attrition")
    plain = _bounds("lee.attrition")[0].bounds
    single = _bounds("lee.attrition", cluster=np.arange(len(frame)))[0].bounds
    size = frame["z"].value_counts()
    factors = np.sqrt(size / (size - 1))
    for ours, theirs in ((single.se_lower, plain.se_lower), (single.se_upper, plain.se_upper)):
        assert theirs * factors.min() < ours < theirs * factors.max()
