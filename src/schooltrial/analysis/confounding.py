"""Effects that the groups of a model determine, so that the data cannot tell the two apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from schooltrial.analysis.design_matrix import DesignMatrix
from schooltrial.models.inference.outcome_variation import FITTED_EXACTLY
from schooltrial.protocol.content.sections import Model

KEYS = {"block": "`blocks: none`"}
"""Group → what leaves its effects out of a model, where that is not `fixed_effects`."""


def absorbed_groups(model: Model) -> list[str]:
    """Return the columns whose effects a model takes out: its fixed effects, and the blocks."""
    return [*model["fixed_effects"], *(["block"] if model["blocks"] == "fixed" else [])]


def tells_arms_apart(
    design: DesignMatrix, model: Model, covariate: npt.NDArray[np.float64]
) -> bool:
    """Return whether a covariate is the treatment under another name, within blocks if need be.

    Parameters
    ----------
    design : DesignMatrix
        The columns of the model.
    model : Model
    covariate : array (n,)
        One of them.
    """
    groups = absorbed_groups(model)
    if len(groups) > 1:
        return False
    labels = design.rows[groups[0]].astype("str") if groups else np.zeros(len(covariate))
    codes = np.unique(np.asarray(labels), return_inverse=True)[1]
    size = np.bincount(codes)
    treated = [design.columns[term] for term in design.treatment_terms]
    inside = [
        column - (np.bincount(codes, weights=column) / size)[codes]
        for column in (covariate, *treated)
    ]
    found, others = inside[0], np.column_stack(inside[1:])
    if float(found @ found) <= FITTED_EXACTLY * float(covariate @ covariate):
        return False
    left = found - others @ np.linalg.lstsq(others, found, rcond=None)[0]
    return float(left @ left) <= FITTED_EXACTLY * float(found @ found)


def refuse_confounded(design: DesignMatrix, groups: Sequence[str]) -> None:
    """Raise where a treatment term does not vary within the groups of a fixed effect.

    Parameters
    ----------
    design : DesignMatrix
        The columns of the model.
    groups : sequence of str
        Columns of its rows whose effects the model takes out.

    Raises
    ------
    ValueError
        With the term, the groups, and what to change.
    """
    for name in groups:
        codes = np.unique(design.rows[name].astype("str").to_numpy(), return_inverse=True)[1]
        size = np.bincount(codes)
        for term in design.treatment_terms:
            column = design.columns[term]
            inside = column - (np.bincount(codes, weights=column) / size)[codes]
            if float(inside @ inside) > FITTED_EXACTLY * float(column @ column):
                continue
            remedy = KEYS.get(name, f"Take {name!r} out of `fixed_effects`")
            raise ValueError(
                f"the effect {term!r} cannot be separated from the effects of {name!r}: each of "
                f"its {len(size):,} levels is in one group only. {_sentence(remedy)}, or name a "
                "column with fewer levels, each in both groups"
            )


def _sentence(remedy: str) -> str:
    return f"Set {remedy}" if remedy.startswith("`") else remedy
