"""Numbers of possible assignments against R's randomizr."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reference.gold import entry
from schooltrial.models.assignment.design import complete_design, probability_design

if TYPE_CHECKING:
    from reference.conftest import Agreement


def test_four_of_ten_units_can_be_drawn_in_210_ways(agreement: Agreement) -> None:
    theirs = entry("randomizr.complete")["values"]
    design = complete_design(10, treated=4)
    agreement("randomizr.complete", "permutations", design.possible, theirs["num_permutations"])
    agreement(
        "randomizr.complete", "probability", design.probabilities()[:, 1],
        np.full(10, theirs["prob_1"]), rel=1e-12,
    )  # fmt: skip


def test_a_share_of_an_odd_block_makes_the_number_treated_random(agreement: Agreement) -> None:
    name = "randomizr.block_prob"
    theirs = entry(name)["values"]
    block = np.repeat([1, 2, 3], [7, 8, 5])
    design = probability_design(20, {1: 0.5, 2: 0.5, 3: 0.4}, block)
    agreement(name, "permutations", design.possible, theirs["num_permutations"])
    shares = np.unique(design.probabilities(), axis=0)
    agreement(name, "probabilities", shares, theirs["probabilities_matrix"], rel=1e-12)
