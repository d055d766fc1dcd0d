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
from schooltrial.protocol.model_keys import SOME_READ

Rows = Literal["sample", "cells"]
Need = Literal["lottery", "seed", "taken_up", "years"]

OF_ALL = ("label", "estimator", "role", "outcomes", "where", "arms", "subgroups", "where_label",
          "confidence_level")  # fmt: skip
"""Keys of a model that mean something to every estimator."""

OF_PEOPLE = ("blocks", "bounded_cells")
"""Further keys of a model of pupils, teachers or schools."""


def read_keys(estimator: str, *others: str) -> tuple[str, ...]:
    """Return the keys that an estimator reads: those of all, those of some, and others."""
    some = [key for key, spec in SOME_READ.items() if estimator in spec.readers]
    return (*OF_ALL, *some, *others)


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
        multilevel.fit_planned, "sample", (), read_keys("multilevel", *OF_PEOPLE),
    ),
    "cluster_robust": Estimator(
        cluster_robust.fit_planned, "sample", (), read_keys("cluster_robust", *OF_PEOPLE),
    ),
    "complier_effect": Estimator(
        complier_effect.fit_planned, "sample", ("taken_up",),
        read_keys("complier_effect", *OF_PEOPLE),
    ),
    "randomisation_inference": Estimator(
        randomisation_inference.fit_planned, "sample", ("lottery", "seed"),
        read_keys("randomisation_inference", *OF_PEOPLE),
    ),
    "wild_bootstrap": Estimator(
        wild_bootstrap.fit_planned, "sample", ("seed",), read_keys("wild_bootstrap", *OF_PEOPLE),
    ),
    "difference_in_differences": Estimator(
        difference_in_differences.fit_planned, "cells", ("years",),
        read_keys("difference_in_differences", "bounded_cells"),
    ),
    "staggered_adoption": Estimator(
        staggered_adoption.fit_planned, "cells", (),
        read_keys("staggered_adoption", "bounded_cells"),
    ),
}  # fmt: skip
"""Name in protocols → estimator."""
