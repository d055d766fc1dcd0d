"""Omnibus balance by re-randomisation on the small sets of R, against every assignment in turn."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from reference.gold import dataset, entry
from schooltrial.models.assignment.design import design_as_assigned
from schooltrial.models.randomisation_inference.mahalanobis import omnibus_balance

if TYPE_CHECKING:
    from reference.conftest import Agreement


def _assignments(z: NDArray[np.int64], block: NDArray[np.int64]) -> Iterator[NDArray[np.float64]]:
    """Yield every assignment with the numbers treated of each block, in plain loops."""
    members = [np.flatnonzero(block == b) for b in np.unique(block)]
    choices = [combinations(rows, int(z[rows].sum())) for rows in members]
    for chosen in product(*choices):
        treated = np.zeros(len(z))
        treated[np.concatenate(chosen)] = 1.0
        yield treated


def _brute_force(
    x: NDArray[np.float64], z: NDArray[np.int64], block: NDArray[np.int64]
) -> tuple[float, float, int]:
    """Return M, its exact p and the number of assignments, M from the enumerated covariance."""
    every = np.array(list(_assignments(z, block)))
    sums = every @ x
    gaps = sums - sums.mean(axis=0)
    inverse = np.linalg.pinv(gaps.T @ gaps / len(gaps), rcond=1e-10)
    distances = np.array([gap @ inverse @ gap for gap in gaps])
    own = z @ x - sums.mean(axis=0)
    statistic = float(own @ inverse @ own)
    return statistic, float((distances >= statistic * (1 - 1e-9)).mean()), len(every)


def _units(name: str) -> tuple[pd.DataFrame, str, list[str], int]:
    if name == "ri_small_blocked":
        return dataset(name), "block", ["x", "y2", "y3"], 3
    if name == "ri_small_unequal":
        return dataset(name).assign(double=lambda data: 2 * data["y"]), "block", ["y", "double"], 1
    pupils = dataset("ri_small_cluster").groupby("school", as_index=False)
    schools = pupils.agg(z=("z", "first"), stratum=("stratum", "first"), y=("y", "mean"))
    sizes = dataset("ri_small_cluster").groupby("school").size().to_numpy()
    return schools.assign(size=sizes), "stratum", ["y", "size"], 2


@pytest.mark.parametrize(
    ("name", "key", "most"),
    [
        ("ri_small_blocked", "ri.blocked4x4", 1296),
        ("ri_small_unequal", "ri.unequal_blocks", 900),
        ("ri_small_cluster", "ri.clustered_strata", 36),
    ],
)
def test_omnibus_p_is_the_share_of_all_assignments(
    name: str, key: str, most: int, agreement: Agreement
) -> None:
    data, block, columns, rank = _units(name)
    x, z = data[columns].to_numpy(dtype=float), data["z"].to_numpy()
    statistic, p, count = _brute_force(x, z, data[block].to_numpy())
    found = omnibus_balance(
        design_as_assigned(np.arange(len(z)), z, data[block].to_numpy()), z, x
    )  # fmt: skip
    assert (found.exact, found.draws, count) == (True, most, most)
    assert found.rank <= rank
    agreement(key, "omnibus M", found.statistic, statistic, rel=1e-8)
    agreement(key, "omnibus p", found.p_value, p, abs=1e-13)


def test_one_covariate_has_the_p_of_the_rank_sum_that_r_enumerates(agreement: Agreement) -> None:
    # With one covariate in blocks of alike numbers M is the square of the blocked difference.
    data, name = dataset("ri_small_blocked"), "ri.blocked4x4"
    ranks = data.groupby("block")["y"].rank().to_numpy()
    theirs = entry(name)["values"]["rank_sum_within_block"]
    design = design_as_assigned(data["unit"], data["z"], data["block"])
    ours = omnibus_balance(design, data["z"], ranks)
    agreement(
        name,
        "omnibus of ranks",
        ours.p_value,
        2 * min(theirs["p_upper"], theirs["p_lower"]),
        abs=1e-13,
    )
