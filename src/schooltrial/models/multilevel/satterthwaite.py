"""Satterthwaite degrees of freedom of contrasts in a linear mixed model.

    df = 2 (c'Φc)² / (g'A g),

with g the gradient of c'Φc in the (co)variances and A their covariance: the inverse of the observed
information, as in Fai & Cornelius (1996) and R's lmerTest (Kuznetsova, Brockhoff & Christensen
2017, Journal of Statistical Software 82(13), section 2.3), here with exact derivatives. The
parameters are (σ², λ); df do not depend on the choice, as long as the fit is an inner optimum.

On the boundary (a variance at zero) the likelihood is not flat, so that its curvature is not the
precision of the estimates. There the *expected* information takes the place of the observed, V is
differentiated in the variance, and the df are those of Kenward & Roger's formula. (Differentiating
in the standard deviation, as lmerTest does, loses the component and gives N − p df to a treatment
that was given to schools.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from schooltrial.arrays import FloatArray
from schooltrial.models.multilevel.kenward_roger import ScaledF
from schooltrial.models.reml.profile_likelihood import Profile


@dataclass(frozen=True)
class Satterthwaite:
    """Covariance of the variance parameters and gradients of Φ.

    Attributes
    ----------
    phi : array, shape (p, p)
        Φ = σ²C⁻¹.
    gradient : array, shape (s, p, p)
        Derivatives of Φ in (σ², λ).
    covariance : array, shape (s, s)
        A, of (σ², λ).
    """

    phi: FloatArray
    gradient: FloatArray
    covariance: FloatArray

    def degrees(self, contrasts: FloatArray) -> FloatArray:
        """Return the df of each contrast.

        Parameters
        ----------
        contrasts : array, shape (k, p)
        """
        variance = ((contrasts @ self.phi) * contrasts).sum(axis=-1)
        g = ((contrasts @ self.gradient) * contrasts).sum(axis=-1)
        df: FloatArray = 2.0 * variance**2 / ((self.covariance @ g) * g).sum(axis=0)
        return df


def prepare_satterthwaite(profile: Profile) -> Satterthwaite:
    """Return what Satterthwaite's df need, at an inner optimum.

    Parameters
    ----------
    profile : Profile
        The likelihood (REML or ML) at the estimates.

    Notes
    -----
    With D(σ², λ) = log|H| + log|C| + ν log σ² + RSS/σ² the second derivatives are ν/σ⁴ (at the
    optimum), −RSS_i/σ⁴, and (log|H|)_ij + (log|C|)_ij + RSS_ij/σ²; A = 2(D'')⁻¹.
    """
    s2, inverse = profile.sigma2, profile.inverse
    r, p = len(profile.ratio), len(profile.beta)
    curvature = np.empty((r + 1, r + 1))
    curvature[0, 0] = profile.degrees / s2**2
    curvature[0, 1:] = curvature[1:, 0] = -profile.rss1 / s2**2
    # the profiled Hessian is D_λλ with the share explained by σ² taken out; put it back
    curvature[1:, 1:] = profile.hessian + np.outer(profile.rss1, profile.rss1) / (
        s2**2 * profile.degrees
    )
    gradient = np.empty((r + 1, p, p))
    gradient[0] = inverse
    gradient[1:] = -s2 * (inverse @ profile.products.M1[:, :p, :p] @ inverse)
    covariance = 2.0 * np.linalg.inv(curvature)
    return Satterthwaite(s2 * inverse, gradient, covariance.astype(np.float64, copy=False))


def satterthwaite_f(t: FloatArray, df: FloatArray) -> ScaledF:
    """Combine independent t statistics into one F (Fai & Cornelius 1996).

    F = Σt²/k; its denominator df match the mean, E = Σ ν_m/(ν_m − 2) over ν_m > 2, as
    2E/(E − k), and are 2 when E ≤ k.

    Parameters
    ----------
    t, df : arrays, shape (k,)
        t statistics of orthogonalised contrasts, and their df.
    """
    k = len(t)
    if bool(np.all(np.abs(df - df[0]) < 1e-8)):
        return ScaledF(float(t @ t) / k, k, float(df[0]), 1.0)
    large = df[df > 2.0]
    mean = float(np.sum(large / (large - 2.0)))
    denominator = 2.0 * mean / (mean - k) if mean > k else 2.0
    return ScaledF(float(t @ t) / k, k, denominator, 1.0)
