"""The decomposition of two-way effects agrees with R."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from reference.gold import dataset, entry
from schooltrial.models.cohort_regressions.goodman_bacon import decompose_two_way_effect

Agreement = Callable[..., None]


def _panel() -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return outcomes by school and year, the years, and each school's cohort."""
    data = dataset("syn_panel")
    wide = data.pivot(index="school", columns="year", values="y")
    cohort = data.groupby("school")["first_treat"].first().loc[wide.index]
    return wide.to_numpy(), wide.columns.to_numpy(), cohort.to_numpy("int64")


def test_every_comparison_of_the_decomposition_and_its_weight_agree(agreement: Agreement) -> None:
    name = "bacon.decomposition"
    stored = entry(name)["values"]
    found = decompose_two_way_effect(*_panel())
    ours = {(one.treated_cohort, one.compared_cohort): one for one in found.comparisons}
    theirs = stored["comparisons"]
    in_order = [ours[row["treated"], row["control"]] for row in theirs]
    assert len(ours) == len(theirs) == 9
    for quantity in ("estimate", "weight"):
        agreement(name, quantity, [getattr(one, quantity) for one in in_order],
                  [row[quantity] for row in theirs], rel=1e-10)  # fmt: skip
    agreement(name, "two-way effect", found.estimate, stored["weighted_sum"], abs=1e-10)
