"""Worst-case bounds against R."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference.gold import dataset, entry
from schooltrial.models.missing_outcomes.horowitz_manski_bounds import bound_by_horowitz_manski

if TYPE_CHECKING:
    from reference.conftest import Agreement

NAME = "bounds.horowitz_manski"


def test_worst_case_bounds_of_an_outcome_from_0_to_20_equal_r(agreement: Agreement) -> None:
    frame = dataset("lee_attrition")
    ours = bound_by_horowitz_manski(frame["y"].where(frame["s"] == 1), frame["z"], (0.0, 20.0))
    theirs = entry(NAME)["values"]
    agreement(NAME, "lower", ours.lower, theirs["lower"], rel=1e-12)
    agreement(NAME, "upper", ours.upper, theirs["upper"], rel=1e-12)
