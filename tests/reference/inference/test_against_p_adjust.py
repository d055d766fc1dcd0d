"""Adjusted p-values against R's p.adjust, and sharpened q-values against the grid search."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reference.gold import entry
from schooltrial.models.inference.multiple_testing import (
    benjamini_hochberg,
    benjamini_yekutieli,
    bonferroni,
    hochberg,
    holm,
    sharpened_q,
)

if TYPE_CHECKING:
    from reference.conftest import Agreement

OURS = {
    "bonferroni": bonferroni,
    "holm": holm,
    "hochberg": hochberg,
    "BH": benjamini_hochberg,
    "BY": benjamini_yekutieli,
}
# Left out: Hommel and the two Šidák rules, which no protocol of ours may ask for.
LEFT_OUT = {"hommel", "sidak_single_step", "holm_sidak"}


def test_adjusted_p_values_equal_p_adjust(agreement: Agreement) -> None:
    theirs = entry("multiplicity.p_adjust")["values"]
    assert set(theirs) == {"p", *OURS, *LEFT_OUT}
    for name, adjust in OURS.items():
        agreement("multiplicity.p_adjust", name, adjust(theirs["p"]), theirs[name], rel=1e-12)


def test_sharpened_q_values_rounded_up_to_the_grid_are_those_of_the_search(
    agreement: Agreement,
) -> None:
    name = "multiplicity.bky_sharpened_q"
    theirs = entry(name)["values"]
    exact = sharpened_q(theirs["p"])
    # Ours solves for q; the search stops at the first multiple of .001 that rejects.
    on_grid = np.ceil(exact * 1000) / 1000
    agreement(name, "q, on the grid", on_grid, theirs["q"], rel=1e-12)
    agreement(name, "q", exact, theirs["q"], abs=0.001)
