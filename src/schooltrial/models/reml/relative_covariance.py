"""Ratios of (co)variances to the residual variance, through their Cholesky factor θ.

A single ratio is λ = θ². An intercept and a slope that may be correlated have

    Λ = LL',  L = [[θ1, 0], [θ2, θ3]]:   Λ00 = θ1², Λ01 = θ1θ2, Λ11 = θ2² + θ3².

Λ is then never indefinite, zero is an inner point of θ, and λ(θ) is quadratic, so that derivatives
in λ carry over exactly: d_θ = J'd_λ, d_θθ = J'd_λλ J + Σ_i d_λi K_i.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from schooltrial.arrays import FloatArray


@dataclass(frozen=True)
class CholeskyRatio:
    """How θ makes λ.

    Attributes
    ----------
    blocks : tuple of int
        1 for a single ratio, 2 for an intercept and slope with a covariance. A block of 2 has three
        parameters: θ in the order θ1, θ2, θ3 and λ in the order Λ00, Λ01, Λ11.
    """

    blocks: tuple[int, ...]

    @cached_property
    def _curvature(self) -> FloatArray:
        """K, shape (r, r, r): λ_i = ½ θ'K_iθ."""
        size = sum(1 if block == 1 else 3 for block in self.blocks)
        K = np.zeros((size, size, size))
        k = 0
        for block in self.blocks:
            K[k, k, k] = 2.0
            if block == 2:
                K[k + 1, k, k + 1] = K[k + 1, k + 1, k] = 1.0
                K[k + 2, k + 1, k + 1] = K[k + 2, k + 2, k + 2] = 2.0
            k += 1 if block == 1 else 3
        return K

    @cached_property
    def boundary(self) -> tuple[int, ...]:
        """Positions in θ at which zero makes Λ singular."""
        positions: list[int] = []
        k = 0
        for block in self.blocks:
            positions += [k] if block == 1 else [k + 2, k]
            k += 1 if block == 1 else 3
        return tuple(positions)

    def ratio(self, theta: FloatArray) -> FloatArray:
        """Return λ at θ."""
        if self._single:
            return theta * theta
        return 0.5 * (self._curvature @ theta @ theta)

    def carried(
        self, theta: FloatArray, gradient: FloatArray, hessian: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return gradient and Hessian in θ, from those in λ."""
        r = len(theta)
        if self._single:
            twice = 2.0 * theta
            in_theta = hessian * (twice[:, None] * twice)
            in_theta.ravel()[:: r + 1] += 2.0 * gradient
            return twice * gradient, in_theta
        jacobian = self._curvature @ theta
        bent = (gradient @ self._curvature.reshape(r, -1)).reshape(r, r)
        return jacobian.T @ gradient, jacobian.T @ hessian @ jacobian + bent

    @cached_property
    def _single(self) -> bool:
        return all(block == 1 for block in self.blocks)

    def positive(self, theta: FloatArray) -> FloatArray:
        """Return the θ that makes the same λ and is not negative on the diagonal of L."""
        out = theta.copy()
        k = 0
        for block in self.blocks:
            if block == 1:
                out[k] = abs(out[k])
            else:
                if out[k] < 0:
                    out[k], out[k + 1] = -out[k], -out[k + 1]
                out[k + 2] = abs(out[k + 2])
            k += 1 if block == 1 else 3
        return out

    def zeroed_with(self, k: int) -> tuple[int, ...]:
        """Return the positions of θ that are zero when the k-th is: the covariance goes too."""
        return (k, k + 1) if self._opens_pair(k) else (k,)

    def with_zero(self, theta: FloatArray, k: int) -> FloatArray:
        """Return θ with the k-th component zero and the variance of a slope as it was."""
        out = theta.copy()
        if self._opens_pair(k):
            out[k + 2] = np.hypot(out[k + 1], out[k + 2])
        out[list(self.zeroed_with(k))] = 0.0
        return out

    def _opens_pair(self, k: int) -> bool:
        at = 0
        for block in self.blocks:
            if at == k:
                return block == 2
            at += 1 if block == 1 else 3
        return False
