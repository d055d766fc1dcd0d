"""Pupils in schools: H = R + λ ZZ', one random intercept for each school.

With w_j the school's weight (its pupils, without weights) and a_j = w_j/(1 + w_j λ),

    M   = A_w + Σ a_j z̄_j z̄_j',   M' = −Σ a_j² z̄_j z̄_j',   M'' = 2 Σ a_j³ z̄_j z̄_j',
    log|H| = Σ log(1 + w_j λ) − Σ log w_ij,   its derivatives Σ a_j and −Σ a_j².
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from schooltrial.arrays import FloatArray
from schooltrial.models.reml.profile_likelihood import WeightedProducts


@dataclass(frozen=True)
class RandomIntercept:
    """The two-level model, λ = σ²_u/σ²_e.

    Attributes
    ----------
    n_rows : int
        Pupils N.
    weight : array, shape (J,)
        School weights.
    mean : array, shape (J, q)
        School means of [X y].
    within : array, shape (q, q)
        Pooled within-school cross-products.
    sum_log_weight : float
        Σ log w_ij.
    """

    n_rows: int
    weight: FloatArray
    mean: FloatArray
    within: FloatArray
    sum_log_weight: float = 0.0

    @property
    def n_parameters(self) -> int:
        """Return 1."""
        return 1

    def products(self, ratio: FloatArray) -> WeightedProducts:
        """Return M and log|H| with derivatives at λ = ``ratio[0]``."""
        swelling = 1.0 + self.weight * ratio[0]
        a = self.weight / swelling
        z = self.mean
        az = z * a[:, None]
        aaz = az * a[:, None]
        return WeightedProducts(
            M=self.within + z.T @ az,
            M1=-(z.T @ aaz)[None],
            M2=2.0 * (az.T @ aaz)[None, None],
            logdet=float(np.log(swelling).sum()) - self.sum_log_weight,
            logdet1=np.array([a.sum()]),
            logdet2=np.array([[-(a @ a)]]),
        )
