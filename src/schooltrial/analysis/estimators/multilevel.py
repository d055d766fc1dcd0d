"""A multilevel model by REML: pupils (or teachers) in clusters, perhaps in random blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from schooltrial.analysis.cluster_notes import crosses_schools, lacks_unit_level, used_again
from schooltrial.analysis.design_matrix import DesignMatrix, with_block_effects
from schooltrial.analysis.fitting import FittedModel, OutcomeFit, PlannedModel, fit_outcomes
from schooltrial.models.inference.estimate import noted
from schooltrial.models.moments.school_moments import compute_school_moments
from schooltrial.models.multilevel.r_squared import estimate_r_squared
from schooltrial.models.multilevel.result import MultilevelFit
from schooltrial.models.multilevel.three_level import fit_three_level
from schooltrial.models.multilevel.two_level import fit_two_level_moments
from schooltrial.protocol.content.sections import Model
from schooltrial.wording import plural_of

NO_LEVEL = "the unit that was assigned is no random level: standard errors are too small"


def fit_planned(plan: PlannedModel, sample: pd.DataFrame) -> FittedModel[MultilevelFit]:
    """Fit the model to each of its outcomes; the treatment terms are reported.

    Parameters
    ----------
    plan : PlannedModel
        ``blocks``, ``random_levels`` and ``df`` are of this estimator.
    sample : DataFrame
        The analysed sample of pupils or teachers.
    """
    model = plan.model

    def fit(design: DesignMatrix, outcome: str) -> OutcomeFit[MultilevelFit]:
        columns, dropped = with_block_effects(design, fixed=model["blocks"] == "fixed")
        levels = _random_levels(design, model)
        people = f"{plan.outcomes[outcome]['measured_on']}s"
        fitted = _fit(design, columns, outcome, levels, f"{people} in {levels[0].plural}")
        rows = fitted.estimates(
            design.treatment_terms, df=model["df"], level=model["confidence_level"]
        )
        named = model["random_levels"]
        if named and crosses_schools(design.rows, named[-1]):
            rows = tuple(noted(rows, used_again(named[-1])))
        if named and lacks_unit_level(design.rows, [level.groups for level in levels]):
            rows = tuple(noted(rows, NO_LEVEL))
        told = {"dropped": dropped, **_diagnosis(fitted, model["confidence_level"])}
        return OutcomeFit(rows, told, fitted)

    return fit_outcomes(sample, plan, fit)


@dataclass(frozen=True)
class RandomLevel:
    """The groups of one random level.

    Attributes
    ----------
    name, plural : str
        What the level is called in the result, and in the words of its structure.
    groups : array (n,)
        The group of every row.
    """

    name: str
    plural: str
    groups: npt.NDArray[Any]


def _random_levels(design: DesignMatrix, model: Model) -> list[RandomLevel]:
    """Return the random levels, the innermost first; a level is nested in those above it.

    Raises
    ------
    ValueError
        Where every row is a group of its own, or all rows are one group.
    """
    rows, named = design.rows, model["random_levels"]
    if named:
        levels = [
            RandomLevel(name, name, _nested(rows, [*reversed(named[at:])]))
            for at, name in enumerate(named)
        ]
    else:
        levels = [RandomLevel("school", _clusters(rows), design.unit)]
    if model["blocks"] == "random":
        levels.append(RandomLevel("block", "block", rows["block"].to_numpy()))
    count = len(np.unique(levels[0].groups))
    if count == len(rows):
        what = f"{named[0]!r}" if named else "the unit that was assigned"
        raise ValueError(
            f"each of the {count:,} rows is a group of its own in {what}, so that its random level "
            "is the residual. Name a level that holds several rows (`random_levels: [school]`), or "
            "take `estimator: cluster_robust`"
        )
    return levels


def _nested(rows: pd.DataFrame, names: Sequence[str]) -> npt.NDArray[Any]:
    """Return each row's group by the labels of all levels, the outermost first: ``12/A``."""
    if len(names) == 1:
        return np.asarray(rows[names[0]].to_numpy())
    pairs = pd.MultiIndex.from_frame(rows[list(names)].astype("str"))
    code, found = pd.factorize(pairs)
    labels = np.array(["/".join(pair) for pair in found], dtype=object)
    return np.asarray(labels[code])


def _fit(
    design: DesignMatrix,
    columns: Mapping[str, Any],
    outcome: str,
    levels: Sequence[RandomLevel],
    nesting: str,
) -> MultilevelFit:
    inner, upper = levels[0], levels[1] if len(levels) > 1 else None
    moments = compute_school_moments(
        [*columns.values(), design.outcome],
        inner.groups,
        names=[*columns, outcome],
        weights=design.weights,
        group=None if upper is None else upper.groups,
        intercept=True,
    )
    if upper is not None:
        return fit_three_level(moments, level=upper.name, nesting=nesting, inner=inner.name)
    return fit_two_level_moments(moments, nesting=nesting, level=inner.name)


def _clusters(rows: pd.DataFrame) -> str:
    """Return what the clusters are: schools, or the classes or teachers who were assigned."""
    named = rows["cluster"].astype("str")
    for unit in ("school", "class", "teacher"):
        if unit in rows and bool((rows[unit].astype("str") == named).all()):
            return plural_of(unit)
    return "groups"


def _diagnosis(fitted: MultilevelFit, level: float) -> dict[str, Any]:
    """Return what a reader of the report may ask of a fit."""
    icc = {part.level: [part.estimate, part.conf_low, part.conf_high] for part in fitted.icc(level)}
    return {
        **fitted.diagnostics(),
        "variances": {part.level: part.estimate for part in fitted.variance_components},
        "icc": icc,
        "r_squared": {part.level: part.r_squared for part in estimate_r_squared(fitted)},
    }
