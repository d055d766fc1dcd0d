"""What chance can say of a list without its seed: order, identifiers, and baseline outcomes.

Each test refers to re-draws of the design (numbers by arm of each block as they were drawn, the
criterion of balance where there was one), and so is exact for any design. A list that was made by
looking at scores or at the order of a register is caught by them; two units that changed places are
not, unless they were chosen for what is tested: for that, the record of the draw is needed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schooltrial.checks.assignment_findings import DOUBT, PASSED, UNTESTED, Finding
from schooltrial.models.adjusted_difference_draws import numbers_as_drawn
from schooltrial.models.assignment_design import AcceptanceRule, AssignmentDesign
from schooltrial.models.assignment_draws import EXACT_UP_TO
from schooltrial.models.list_order import OrderTest, rank_test, runs_test
from schooltrial.models.mahalanobis_balance import omnibus_balance
from schooltrial.models.randomisation_inference import DRAWS
from schooltrial.streams import stream


@dataclass(frozen=True, slots=True)
class Redraws:
    """How tests re-draw.

    Attributes
    ----------
    draws, exact_up_to, seed : int
        As for `randomisation_inference.randomisation_inference`.
    """

    draws: int = DRAWS
    exact_up_to: int = EXACT_UP_TO
    seed: int = 0


def chance_tests(
    units: pd.DataFrame,
    arms: tuple[str, ...],
    covariates: pd.DataFrame | None,
    redraws: Redraws,
    rule: AcceptanceRule | None = None,
) -> list[Finding]:
    """Return the tests, each with its p-value and not yet with a verdict (see `with_verdicts`).

    Parameters
    ----------
    units : DataFrame
        ``unit, block, arm`` of units that stand once, in the order of the list.
    arms : tuple of str
        Control first.
    covariates : DataFrame, optional
        Baseline variables by unit (index), numbers; what is missing takes its block's mean.
    redraws : Redraws
    rule : callable, optional
        The criterion by which draws were repeated.
    """
    present = tuple(arm for arm in arms if (units["arm"] == arm).any())
    design = numbers_as_drawn(units["unit"], units["arm"], units["block"], present, rule)
    if len(present) < 2 or design.possible < 2:
        told = "no other assignment of these units has the same numbers by arm"
        return [Finding(check, told, UNTESTED) for check in ("order of the list", "baseline")]
    found: list[Finding] = []
    by_name = np.argsort(natural_order(list(units["unit"])))
    by_row = np.arange(len(units))
    # A list sorted by name, as people or as computers sort, has no order of its own.
    if not np.array_equal(by_name, by_row) and not units["unit"].is_monotonic_increasing:
        found += _order_tests("order of the list", design, units, by_row, redraws)
    found += _order_tests("identifier", design, units, by_name, redraws)
    found.append(_baseline(design, units, covariates, redraws))
    return found


def _order_tests(
    what: str,
    design: AssignmentDesign,
    units: pd.DataFrame,
    position: NDArray[np.intp],
    redraws: Redraws,
) -> list[Finding]:
    options = {"draws": redraws.draws, "exact_up_to": redraws.exact_up_to}
    rng = stream(redraws.seed, "verify", what)
    ranks = rank_test(design, units["arm"], position, seed=rng, **options)
    runs = runs_test(design, units["arm"], position, seed=rng, **options)
    return [
        _order(f"{what}: ranks", "standardised rank sum, squared", ranks),
        _order(f"{what}: runs", "runs of one arm", runs),
    ]


def _order(check: str, what: str, test: OrderTest) -> Finding:
    told = f"{what}: {test.statistic:.4g}, expected {test.expected:.4g}"
    return Finding(check, told, UNTESTED, test.statistic, p=test.p_value)


def _baseline(
    design: AssignmentDesign,
    units: pd.DataFrame,
    covariates: pd.DataFrame | None,
    redraws: Redraws,
) -> Finding:
    check = "baseline"
    if covariates is None or covariates.shape[1] == 0:
        return Finding(check, "no baseline variable of units was given", UNTESTED)
    matrix, filled = filled_by_block(
        covariates.reindex(units["unit"]).to_numpy(dtype="float64"), units["block"]
    )
    test = omnibus_balance(
        design, units["arm"], matrix, draws=redraws.draws, exact_up_to=redraws.exact_up_to,
        seed=stream(redraws.seed, "verify", check),
    )  # fmt: skip
    if test.rank == 0:
        return Finding(check, "no baseline variable varies inside blocks", UNTESTED)
    told = f"Mahalanobis {test.statistic:.4g} of {test.n_covariates} variables, expected "
    told += f"{test.rank} (their rank)"
    reason = f"{filled} missing values took the mean of their block" if filled else ""
    return Finding(check, told, UNTESTED, test.statistic, p=test.p_value, reason=reason)


def with_verdicts(tests: Sequence[Finding], alpha: float) -> list[Finding]:
    """Return the findings with verdicts: in doubt where p is below ``alpha`` over their number.

    So an honest list meets any doubt at all with a probability of at most ``alpha`` (Bonferroni).
    """
    made = sum(np.isfinite(test.p) for test in tests)
    level = alpha / max(made, 1)
    judged = []
    for test in tests:
        if not np.isfinite(test.p):
            judged.append(test)
            continue
        doubtful = test.p < level
        words = [test.reason] if test.reason else []
        if doubtful:
            words.append(f"a lottery gives this in {test.p:.2g} of draws")
        judged.append(
            Finding(
                test.check, test.finding, DOUBT if doubtful else PASSED, test.value, level, test.p,
                "; ".join(words),
            )
        )  # fmt: skip
    return judged


def filled_by_block(
    matrix: NDArray[np.float64], block: pd.Series
) -> tuple[NDArray[np.float64], int]:
    """Return covariates without gaps, and how many there were.

    What is missing takes the mean of its block, or of all where the block has none: a rule that
    does not look at arms, so that tests by re-randomisation stay exact.
    """
    frame = pd.DataFrame(matrix)
    missing = int(frame.isna().to_numpy().sum())
    if missing:
        frame = frame.fillna(frame.groupby(block.to_numpy()).transform("mean"))
        frame = frame.fillna(frame.mean()).fillna(0.0)
    return frame.to_numpy(), missing


def natural_order(names: Sequence[str]) -> NDArray[np.intp]:
    """Return the positions that sort names as people do: S2 before S10."""
    keys = [
        [
            (0, int(part), "") if part.isdigit() else (1, 0, part)
            for part in re.split(r"(\d+)", name)
        ]
        for name in names
    ]
    return np.array(sorted(range(len(names)), key=keys.__getitem__), dtype=np.intp)
