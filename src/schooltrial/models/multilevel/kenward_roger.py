"""Small-sample covariance and degrees of freedom of Kenward & Roger (1997), by cross-products.

Kenward & Roger (1997), Small sample inference for fixed effects from restricted maximum
likelihood, Biometrics 53(3): 983-997. With V = σ²(R + Σ λ_i G_i), the parameters are
γ = (σ², σ²λ_1, …), in which V is linear, and all that is needed are derivatives of C = σ²X'V⁻¹X
and of log|H| in λ:

    P_i  = C_i/σ⁴,   Q_ij = C_ij/(2σ⁶),   t_i = (log|H|)_i/σ²,   T_ij = −(log|H|)_ij/σ⁴,

the rows of σ² following from homogeneity of degree −1. No N × N matrix is formed. Then

    I_ij = ½[T_ij − 2 tr(ΦQ_ij) + tr(ΦP_iΦP_j)],   W = I⁻¹,
    Φ_A  = Φ + 2Φ[Σ W_ij(Q_ij − P_iΦP_j)]Φ.

V is differentiated in the variances and never in standard deviations, so that all stays defined
where a variance is estimated at zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from schooltrial.arrays import FloatArray
from schooltrial.models.reml.profile_likelihood import Profile


@dataclass(frozen=True)
class KenwardRoger:
    """The adjusted covariance and what degrees of freedom are made of.

    Attributes
    ----------
    phi : array, shape (p, p)
        Model-based covariance Φ = σ²C⁻¹.
    adjusted : array, shape (p, p)
        Φ_A.
    phi_p_phi : array, shape (s, p, p)
        ΦP_iΦ for the s = r + 1 (co)variances, σ² first.
    weights : array, shape (s, s)
        W, the covariance of the (co)variances by their expected information.
    """

    phi: FloatArray
    adjusted: FloatArray
    phi_p_phi: FloatArray
    weights: FloatArray

    def degrees(self, contrasts: FloatArray) -> FloatArray:
        """Return the df of each contrast, 2/(d'Wd) with d_i = c'ΦP_iΦc / c'Φc.

        Parameters
        ----------
        contrasts : array, shape (k, p)
        """
        variance = ((contrasts @ self.phi) * contrasts).sum(axis=-1)
        product = ((contrasts @ self.phi_p_phi) * contrasts).sum(axis=-1)
        nothing = np.full_like(product, np.nan)  # a contrast without variance has no df
        d = np.divide(product, variance, out=nothing, where=variance != 0)
        df: FloatArray = 2.0 / ((self.weights @ d) * d).sum(axis=0)
        return df


@dataclass(frozen=True)
class ScaledF:
    """An approximate F test of several contrasts at once.

    Attributes
    ----------
    statistic : float
        F, scaling included.
    df_num, df_denom : int, float
        Degrees of freedom.
    scaling : float
        The factor λ of Kenward & Roger.
    """

    statistic: float
    df_num: int
    df_denom: float
    scaling: float


def adjust_covariance(profile: Profile, n_rows: int) -> KenwardRoger:
    """Return the adjusted covariance at a REML fit.

    Parameters
    ----------
    profile : Profile
        The likelihood at the estimates.
    n_rows : int
        Pupils N.

    Raises
    ------
    ValueError
        When the fit is by ML: the adjustment is for REML.
    """
    if not profile.reml:
        raise ValueError(
            "Kenward-Roger needs a REML fit and this one is by ML; expected reml=True: fit by "
            "REML, or ask for Satterthwaite degrees of freedom"
        )
    phi = profile.sigma2 * profile.inverse
    P, Q, T = _information_pieces(profile, n_rows)
    phi_p = phi @ P
    phi_p_phi = phi_p @ phi
    size = len(P)
    flat = phi_p.reshape(size, -1)
    turned = phi_p.transpose(0, 2, 1).reshape(size, -1)
    trace_q = Q.reshape(size, size, -1) @ phi.ravel()
    information = 0.5 * (T - 2.0 * trace_q + flat @ turned.T)
    weights = np.linalg.inv(information)
    weights = 0.5 * (weights + weights.T)
    p = len(phi)
    middle = (weights.ravel() @ Q.reshape(size * size, -1)).reshape(p, p)
    weighted_p = (weights @ P.reshape(size, -1)).reshape(size, p, p)
    middle -= (P @ phi @ weighted_p).sum(axis=0)
    adjusted = phi + 2.0 * phi @ middle @ phi
    return KenwardRoger(phi, 0.5 * (adjusted + adjusted.T), phi_p_phi, weights)


def expected_information(profile: Profile, n_rows: int) -> FloatArray:
    """Return the expected information of (σ², σ²λ_1, …), ½ tr(PV_iPV_j), shape (s, s).

    Parameters
    ----------
    profile : Profile
        The restricted likelihood at some λ.
    n_rows : int
        Pupils N.
    """
    phi = profile.sigma2 * profile.inverse
    P, Q, T = _information_pieces(profile, n_rows)
    size = len(P)
    phi_p = phi @ P
    trace_q = Q.reshape(size, size, -1) @ phi.ravel()
    turned = phi_p.transpose(0, 2, 1).reshape(size, -1)
    return np.asarray(0.5 * (T - 2.0 * trace_q + phi_p.reshape(size, -1) @ turned.T))


def _information_pieces(profile: Profile, n_rows: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return P (s, p, p), Q (s, s, p, p) and T (s, s), the row of σ² by homogeneity."""
    products, s2 = profile.products, profile.sigma2
    p, r = len(profile.beta), len(profile.ratio)
    gamma = s2 * profile.ratio
    P = np.empty((r + 1, p, p))
    Q = np.empty((r + 1, r + 1, p, p))
    T = np.empty((r + 1, r + 1))
    t = np.empty(r + 1)
    P[1:] = products.M1[:, :p, :p] / s2**2
    Q[1:, 1:] = products.M2[:, :, :p, :p] / (2.0 * s2**3)
    t[1:] = products.logdet1 / s2
    T[1:, 1:] = -products.logdet2 / s2**2
    P[0] = -(products.M[:p, :p] / s2 + _combined(gamma, P[1:])) / s2
    t[0] = (n_rows - gamma @ t[1:]) / s2
    for k in range(1, r + 1):
        Q[0, k] = Q[k, 0] = -(P[k] + _combined(gamma, Q[1:, k])) / s2
        T[0, k] = T[k, 0] = (t[k] - gamma @ T[1:, k]) / s2
    Q[0, 0] = -(P[0] + _combined(gamma, Q[1:, 0])) / s2
    T[0, 0] = (t[0] - gamma @ T[1:, 0]) / s2
    return P, Q, T


def _combined(gamma: FloatArray, matrices: FloatArray) -> FloatArray:
    """Return Σ_i γ_i A_i."""
    p = matrices.shape[-1]
    return (gamma @ matrices.reshape(len(gamma), -1)).reshape(p, p)


def scaled_f(adjustment: KenwardRoger, contrasts: FloatArray, estimates: FloatArray) -> ScaledF:
    """Test contrasts jointly by the scaled F of Kenward & Roger (1997, section 3 and 5).

    Parameters
    ----------
    adjustment : KenwardRoger
        From the fit.
    contrasts : array, shape (k, p)
        Linearly independent rows L.
    estimates : array, shape (k,)
        Lβ less its value under the hypothesis.
    """
    k = len(contrasts)
    phi, W = adjustment.phi, adjustment.weights
    theta = contrasts.T @ np.linalg.solve(contrasts @ phi @ contrasts.T, contrasts)
    turned = theta @ adjustment.phi_p_phi
    traces = np.trace(turned, axis1=1, axis2=2)
    size = len(W)
    flat = turned.reshape(size, -1)
    pairs = flat @ turned.transpose(0, 2, 1).reshape(size, -1).T
    A1 = float(traces @ W @ traces)
    A2 = float(np.sum(W * pairs))
    B = (A1 + 6.0 * A2) / (2.0 * k)
    g = ((k + 1) * A1 - (k + 4) * A2) / ((k + 2) * A2)
    below = 3.0 * k + 2.0 * (1.0 - g)
    c1, c2, c3 = g / below, (k - g) / below, (k + 2 - g) / below
    mean = 1.0 / (1.0 - A2 / k)
    variance = (2.0 / k) * (1.0 + c1 * B) / ((1.0 - c2 * B) ** 2 * (1.0 - c3 * B))
    ratio = variance / (2.0 * mean**2)
    df = 4.0 + (k + 2) / (k * ratio - 1.0)
    scaling = df / (mean * (df - 2.0))
    if k == 1:
        df, scaling = 2.0 / A2, 1.0  # the exact solution, free of the rounding above
    between = contrasts @ adjustment.adjusted @ contrasts.T
    statistic = scaling / k * float(estimates @ np.linalg.solve(between, estimates))
    return ScaledF(statistic, k, float(df), float(scaling))
