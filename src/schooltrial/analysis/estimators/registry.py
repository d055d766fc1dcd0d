"""All estimators by the names that protocols give them, and what each needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from schooltrial.analysis.estimators import (
    cluster_robust,
    complier_effect,
    difference_in_differences,
    multilevel,
    randomisation_inference,
    staggered_adoption,
    wild_bootstrap,
)
from schooltrial.analysis.fitting import FittedModel
from schooltrial.protocol.consistency.model_keys import keys_read

Rows = Literal["sample", "cells"]
Need = Literal["lottery", "seed", "taken_up", "years", "randomised", "drawn_by_lot"]


@dataclass(frozen=True)
class Estimator:
    """One estimator, as a model of the protocol reaches it.

    Attributes
    ----------
    fit : callable
        Takes a ``PlannedModel``, the rows, and by name what else it needs.
    rows : str
        ``"sample"``: pupils or teachers; ``"cells"``: school by year.
    needs : tuple of str
        What it takes of the study beside the model: the lottery, the seed, the column of take-up,
        the years, and whether chance drew its units.
    keys : tuple of str
        Keys of a model that it reads; another would change nothing.
    """

    fit: Callable[..., FittedModel[Any]]
    rows: Rows
    needs: tuple[Need, ...]
    keys: tuple[str, ...]


ESTIMATORS: dict[str, Estimator] = {
    "multilevel": Estimator(
        multilevel.fit_planned, "sample", (), keys_read("multilevel"),
    ),
    "cluster_robust": Estimator(
        cluster_robust.fit_planned, "sample", (), keys_read("cluster_robust"),
    ),
    "complier_effect": Estimator(
        complier_effect.fit_planned, "sample", ("taken_up",),
        keys_read("complier_effect"),
    ),
    "randomisation_inference": Estimator(
        randomisation_inference.fit_planned, "sample", ("lottery", "seed"),
        keys_read("randomisation_inference"),
    ),
    "wild_bootstrap": Estimator(
        wild_bootstrap.fit_planned, "sample", ("seed",), keys_read("wild_bootstrap"),
    ),
    "difference_in_differences": Estimator(
        difference_in_differences.fit_planned, "cells", ("years", "randomised"),
        keys_read("difference_in_differences"),
    ),
    "staggered_adoption": Estimator(
        staggered_adoption.fit_planned, "cells", ("seed", "years", "drawn_by_lot"),
        keys_read("staggered_adoption"),
    ),
}  # fmt: skip
"""Name in protocols → estimator."""
