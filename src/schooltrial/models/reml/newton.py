"""Newton's method for variance ratios, with the boundary looked at separately.

The search runs in the Cholesky factor θ of the ratios (λ = θ² for a single one), in which a ratio
of zero is an inner point and the likelihood is smooth across it. Derivatives are exact. Whether the
search has ended well is seen in two ways that do not depend on each other: the gradient and
curvature there, and a comparison with the fit in which a small, or doubtful, component is zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from schooltrial.arrays import FloatArray
from schooltrial.models.reml.profile_likelihood import Profile
from schooltrial.models.reml.relative_covariance import CholeskyRatio

MAX_STEPS = 60


STEP_ENOUGH = 1e-6  # relative; Newton's next step would be of the order of its square


LONGEST_STEP = 2.0  # in multiples of θ


NEARLY_ZERO = 1e-3  # θ below which the fit with the component at zero is tried


AS_GOOD = 1e-9  # deviances that differ by no more are the same fit; zero is then the answer


DECREMENT_ENOUGH = 1e-8  # in units of the deviance


@dataclass(frozen=True)
class Search:
    """Where the search ended, and how.

    Attributes
    ----------
    profile : Profile
        The likelihood at the end.
    theta : array, shape (r,)
        Cholesky factor of λ.
    iterations : int
        Newton steps taken, restarts included.
    evaluations : int
        Likelihoods computed.
    gradient : float
        Largest derivative of the deviance in a free θ.
    decrement : float
        Newton decrement g'H⁻¹g over the free θ: about twice what d could still fall.
    singular : bool
        Whether a component is exactly zero (or a correlation exactly ±1).
    converged : bool
        Whether steps, gradient and boundary all say so.
    message : str
        What happened, in words.
    """

    profile: Profile
    theta: FloatArray
    iterations: int
    evaluations: int
    gradient: float
    decrement: float
    singular: bool
    converged: bool
    message: str


class _Run:
    """Evaluations of one search, counted."""

    def __init__(self, evaluate: Callable[[FloatArray], Profile], shape: CholeskyRatio) -> None:
        self.evaluate = evaluate
        self.shape = shape
        self.evaluations = 0
        self.iterations = 0
        self._last: dict[bytes, tuple[Profile, FloatArray, FloatArray]] = {}

    def at(self, theta: FloatArray) -> tuple[Profile, FloatArray, FloatArray]:
        """Return the profile at θ with gradient and Hessian in θ."""
        key = theta.tobytes()
        if key in self._last:
            return self._last[key]
        self.evaluations += 1
        here = self.evaluate(self.shape.ratio(theta))
        gradient, hessian = self.shape.carried(theta, here.gradient, here.hessian)
        self._last[key] = here, gradient, hessian
        return here, gradient, hessian

    def falls_away(self, theta: FloatArray, zeroed: list[int]) -> bool:
        """Return whether the deviance falls as components that are zero are let go.

        Their gradient in θ is zero there by construction; the curvature decides.
        """
        hessian = self.at(theta)[2][np.ix_(zeroed, zeroed)]
        lowest = hessian[0, 0] if len(zeroed) == 1 else np.linalg.eigvalsh(hessian)[0]
        return bool(lowest < -1e-9 * max(1.0, float(np.abs(hessian).max())))

    def newton(self, theta: FloatArray, free: FloatArray) -> tuple[FloatArray, bool]:
        """Run Newton's method over the free components; return θ and whether steps died out."""
        at = np.flatnonzero(free)
        square = at[:, None], at
        here, gradient, hessian = self.at(theta)
        for _ in range(MAX_STEPS if len(at) else 0):
            step = _downhill(hessian[square], gradient[at])
            longest = float(np.abs(step / np.maximum(np.abs(theta[at]), 0.5)).max())
            if longest > LONGEST_STEP:
                step *= LONGEST_STEP / longest
            rounding = 1e-11 * (1.0 + abs(here.deviance))
            for _halving in range(40):
                trial = theta.copy()
                trial[at] += step
                there = self.at(trial)
                fall = 1e-2 * float(gradient[at] @ step)  # negative: what is asked for at least
                if there[0].deviance <= here.deviance + fall + rounding:
                    break
                step *= 0.5
            self.iterations += 1
            theta, (here, gradient, hessian) = trial, there
            if float(np.abs(step / np.maximum(np.abs(theta[at]), 1e-2)).max()) < STEP_ENOUGH:
                return theta, True
        return theta, len(at) == 0


def _downhill(hessian: FloatArray, gradient: FloatArray) -> FloatArray:
    """Return Newton's step, with negative curvature turned round."""
    if len(gradient) == 1:
        curvature = max(abs(float(hessian[0, 0])), 1e-12 * abs(float(gradient[0])), 1e-300)
        return -gradient / curvature
    if len(gradient) == 2:
        (a, b), (_, d), (g, h) = hessian[0].tolist(), hessian[1].tolist(), gradient.tolist()
        determinant = a * d - b * b
        if a > 0 and determinant > 1e-10 * a * d:
            return np.array([(b * h - d * g) / determinant, (b * g - a * h) / determinant])
    values, vectors = np.linalg.eigh(hessian)
    size = np.maximum(np.abs(values), max(1e-10 * float(np.abs(values).max()), 1e-300))
    step: FloatArray = -(vectors @ ((vectors.T @ gradient) / size))
    return step


def search_ratios(
    evaluate: Callable[[FloatArray], Profile], shape: CholeskyRatio, start: FloatArray
) -> Search:
    """Find the variance ratios that minimise the profiled deviance.

    Parameters
    ----------
    evaluate : function of λ
        Returns the profiled likelihood.
    shape : CholeskyRatio
        How θ makes λ, and which θ lie on a boundary at zero.
    start : array, shape (r,)
        θ to begin at, off the boundary.
    """
    run = _Run(evaluate, shape)
    free = np.ones(len(start), dtype=bool)
    no_worse: set[int] = set()  # zeros as good as the optimum that Newton settled at beside them
    theta, settled = run.newton(np.asarray(start, dtype=float), free)
    theta, settled = _off_false_zeros(run, theta, settled)
    for k in shape.boundary:
        zeroed = list(shape.zeroed_with(k))
        at_zero = shape.with_zero(theta, k)
        if abs(theta[k]) > NEARLY_ZERO and run.falls_away(at_zero, zeroed):
            continue
        fewer = free.copy()
        fewer[zeroed] = False
        candidate, candidate_settled = run.newton(at_zero, fewer)
        if run.at(candidate)[0].deviance <= run.at(theta)[0].deviance + AS_GOOD:
            no_worse |= set(zeroed) if settled else set()
            theta, free, settled = shape.positive(candidate), fewer, candidate_settled
    return _judged(run, theta, free, settled, no_worse)


def _off_false_zeros(run: _Run, theta: FloatArray, settled: bool) -> tuple[FloatArray, bool]:
    """Leave a θ of zero at which the deviance has a maximum, where a long step may have landed."""
    free = np.ones(len(theta), dtype=bool)
    for k in run.shape.boundary:
        at_zero = run.shape.with_zero(theta, k)
        if abs(theta[k]) > NEARLY_ZERO or not run.falls_away(at_zero, [k]):
            continue
        trial = theta.copy()
        trial[k] = 0.5
        while run.at(trial)[0].deviance >= run.at(at_zero)[0].deviance and trial[k] > NEARLY_ZERO:
            trial[k] *= 0.5
        theta, settled = run.newton(trial, free)
    return run.shape.positive(theta), settled


def _judged(
    run: _Run, theta: FloatArray, free: FloatArray, settled: bool, no_worse: set[int]
) -> Search:
    here, gradient, hessian = run.at(theta)
    own = gradient[free]
    largest = float(np.max(np.abs(own), initial=0.0))
    decrement, curved = 0.0, True
    if len(own):
        values, vectors = np.linalg.eigh(hessian[np.ix_(free, free)])
        curved = bool(values.min() > 0)
        decrement = float(np.sum((vectors.T @ own) ** 2 / np.maximum(np.abs(values), 1e-300)))
    flat = decrement < DECREMENT_ENOUGH
    singular = not bool(free.all())
    zeroed = [k for k, is_free in enumerate(free) if not is_free]
    held = no_worse.issuperset(zeroed) or not run.falls_away(theta, zeroed)
    faults = [
        fault
        for fine, fault in (
            (settled, f"steps did not die out in {run.iterations} iterations"),
            (flat, f"the gradient is still {largest:.3g}"),
            (curved, "the likelihood is not curved downwards at the end"),
            (held, "the likelihood rises away from the component that was put at zero"),
        )
        if not fine
    ]
    message = "a variance component is on its boundary" if singular else "interior optimum"
    return Search(
        profile=here,
        theta=theta,
        iterations=run.iterations,
        evaluations=run.evaluations,
        gradient=largest,
        decrement=decrement,
        singular=singular,
        converged=not faults,
        message="not converged: " + "; ".join(faults) if faults else message,
    )
