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

Rows = Literal["sample", "cells"]
Need = Literal["lottery", "seed", "taken_up", "years"]

OF_ALL = ("label", "estimator", "role", "outcomes", "where", "arms", "subgroups", "where_label",
          "confidence_level")  # fmt: skip
"""Keys of a model that mean something to every estimator."""

OF_PEOPLE = (
    "covariates",
    "missing_covariates",
    "blocks",
    "active_years",
    "active_from",
    "effects_by",
    "moderator",
    "weights",
    "bounded_cells",
)
"""Keys that build the columns of a model of pupils or teachers."""


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
        the years.
    keys : tuple of str
        Keys of a model that it reads; another would change nothing.
    """

    fit: Callable[..., FittedModel[Any]]
    rows: Rows
    needs: tuple[Need, ...]
    keys: tuple[str, ...]


ESTIMATORS: dict[str, Estimator] = {
    "multilevel": Estimator(
        multilevel.fit_planned, "sample", (), (*OF_ALL, *OF_PEOPLE, "random_levels", "df"),
    ),
    "cluster_robust": Estimator(
        cluster_robust.fit_planned, "sample", (),
        (*OF_ALL, *OF_PEOPLE, "cluster", "fixed_effects", "covariance", "tests"),
    ),
    "complier_effect": Estimator(
        complier_effect.fit_planned, "sample", ("taken_up",),
        (*OF_ALL, *OF_PEOPLE, "cluster", "fixed_effects"),
    ),
    "randomisation_inference": Estimator(
        randomisation_inference.fit_planned, "sample", ("lottery", "seed"),
        (*OF_ALL, *OF_PEOPLE, "replications"),
    ),
    "wild_bootstrap": Estimator(
        wild_bootstrap.fit_planned, "sample", ("seed",),
        (*OF_ALL, *OF_PEOPLE, "cluster", "replications"),
    ),
    "difference_in_differences": Estimator(
        difference_in_differences.fit_planned, "cells", ("years",),
        (*OF_ALL, "active_years", "cluster", "bounded_cells"),
    ),
    "staggered_adoption": Estimator(
        staggered_adoption.fit_planned, "cells", (),
        (*OF_ALL, "comparison_group", "bounded_cells"),
    ),
}  # fmt: skip
"""Name in protocols → estimator."""
