r"""Variance of an effect from contributions of rows, added up by independent cluster.

With :math:`\psi_c` the sum of the contributions of cluster c and m_h the clusters of group h (the
treated, and those compared with),

.. math:: V = \sum_h V_h, \qquad V_h = \frac{m_h}{m_h - 1}\sum_{c \in h} \psi_c^2,
          \qquad \nu = V^2 / \sum_h \frac{V_h^2}{m_h - 1}

(Welch 1947). Where a cluster holds rows of both groups, all clusters are one group.
"""

from __future__ import annotations

from math import fsum, nan, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from schooltrial.arrays import FloatArray


def clustered_error(
    contributions: FloatArray, clusters: npt.NDArray[Any], treated: npt.NDArray[np.bool_]
) -> tuple[float, float]:
    """Return the standard error and its degrees of freedom; NaN if a group is one cluster.

    Parameters
    ----------
    contributions : array (n,)
    clusters : array (n,)
        Label of each row's cluster.
    treated : bool array (n,)
        Rows of the treated.
    """
    _, code = np.unique(clusters, return_inverse=True)
    sums = np.bincount(code, contributions)
    own = np.bincount(code, treated) > 0
    others = np.bincount(code, ~treated) > 0
    crossed = bool((own & others).any())
    parts = []
    for group in [np.ones(len(sums), dtype=bool)] if crossed else [own, others]:
        m = int(group.sum())
        if m < 2:
            return nan, nan
        parts.append((m / (m - 1) * float((sums[group] ** 2).sum()), m - 1))
    variance = fsum(part for part, _ in parts)
    if not variance > 0:
        return nan, nan
    return sqrt(variance), variance**2 / fsum(part**2 / free for part, free in parts)
