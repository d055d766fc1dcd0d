"""The definitions of cluster-robust inference, written out with n × n matrices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Literal:
    """Least squares of y on X with weights w, clusters g and errors of equal variance."""

    y: FloatArray
    X: FloatArray
    g: NDArray[np.int_]
    w: FloatArray

    @property
    def bread(self) -> FloatArray:
        return np.asarray(np.linalg.inv(self.X.T @ (self.w[:, None] * self.X)))

    @property
    def beta(self) -> FloatArray:
        return np.asarray(self.bread @ self.X.T @ (self.w * self.y))

    @property
    def annihilator(self) -> FloatArray:
        return np.asarray(np.eye(len(self.y)) - self.X @ self.bread @ self.X.T * self.w)

    def groups(self) -> list[NDArray[np.intp]]:
        return [np.flatnonzero(self.g == label) for label in np.unique(self.g)]

    def adjusters(self, kind: str) -> list[FloatArray]:
        """A_j: a symmetric inverse root of [(I − H)(I − H)']_jj, or (I − H_jj)⁻¹."""
        R = self.annihilator
        if kind == "CR3":
            inverses = (np.linalg.inv(R[np.ix_(rows, rows)]) for rows in self.groups())
            return [np.asarray(inverse, dtype=np.float64) for inverse in inverses]
        adjusters = []
        for rows in self.groups():
            values, vectors = np.linalg.eigh((R @ R.T)[np.ix_(rows, rows)])
            usable = values > 1e-9
            scale = np.where(usable, np.where(usable, values, 1.0) ** -0.5, 0.0)
            root = (vectors * scale) @ vectors.T
            adjusters.append(root if kind == "CR2" else np.eye(len(rows)))
        return adjusters

    def forms(self, kind: str, C: FloatArray) -> FloatArray:
        """p_j of every cluster and contrast, (J, q, N): the variance is Σ (p_j'e)²."""
        R, forms = self.annihilator, []
        for rows, A in zip(self.groups(), self.adjusters(kind), strict=True):
            a = A.T @ (self.w[rows, None] * self.X[rows]) @ self.bread @ C.T
            forms.append((R[rows].T @ a).T)
        return np.array(forms)

    def covariance(self, kind: str) -> FloatArray:
        scores = self.forms(kind, np.eye(self.X.shape[1])) @ self.y
        return np.asarray(scores.T @ scores)

    def df(self, kind: str, c: FloatArray) -> float:
        p = self.forms(kind, c[None])[:, 0]
        P = p @ p.T
        return float(np.trace(P) ** 2 / np.sum(P**2))

    def eta(self, kind: str, C: FloatArray) -> float:
        """Degrees of freedom of the approximate Hotelling test."""
        p = self.forms(kind, C)
        omega = np.einsum("isn,itn->st", p, p)
        values, vectors = np.linalg.eigh(omega)
        p = np.einsum("st,itn->isn", (vectors * values**-0.5) @ vectors.T, p)
        P = np.einsum("isn,jtn->stij", p, p)
        q = len(C)
        variance = 0.0
        for s in range(q):
            for t in range(q):
                variance += np.sum(P[s, s] * P[t, t] + P[s, t] * P[t, s])
        return q * (q + 1) / float(variance)
