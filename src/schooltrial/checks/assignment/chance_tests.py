"""What chance can say of a list without its seed: order, identifiers, and baseline outcomes.

Each test refers to re-draws of the design (numbers by group of each block as they were drawn, the
criterion of balance where there was one), and so is exact for any design. A list that was made by
looking at scores or at the order of a register is caught by them; two units that changed places are
not, unless they were chosen for what is tested: for that, the randomisation record is needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schooltrial.checks.assignment.findings import DOUBT, NOTED, PASSED, UNTESTED, Finding
from schooltrial.checks.assignment.order_of_list import (
    NAMES,
    ROWS,
    identifiers_name_arms,
    natural_order,
)
from schooltrial.models.assignment.design import AssignmentDesign
from schooltrial.models.assignment.draws import EXACT_UP_TO
from schooltrial.models.randomisation_inference.covariate_differences import numbers_as_drawn
from schooltrial.models.randomisation_inference.inference import DRAWS
from schooltrial.models.randomisation_inference.list_order import OrderTest, rank_test, runs_test
from schooltrial.models.randomisation_inference.mahalanobis import omnibus_balance
from schooltrial.random_streams import stream
from schooltrial.randomisation.criterion import CriterionKnown
from schooltrial.wording import chance, signed

BASELINE, OWN = "baseline", "baseline of"


@dataclass(frozen=True, slots=True)
class Redraws:
    """How tests re-randomise.

    Attributes
    ----------
    draws, exact_up_to, seed : int
        As for `randomisation_inference.randomisation_inference`.
    """

    draws: int = DRAWS
    exact_up_to: int = EXACT_UP_TO
    seed: int = 0


def run_chance_tests(
    units: pd.DataFrame,
    arms: tuple[str, ...],
    covariates: pd.DataFrame | None,
    redraws: Redraws,
    criterion: CriterionKnown | None = None,
    baselines: pd.DataFrame | None = None,
    names: Mapping[str, str] | None = None,
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
    criterion : CriterionKnown, optional
        The criterion by which draws were repeated. Where it cannot be used the tests re-draw
        without it, and say so: differences of what was balanced then seem smaller than they are.
    baselines : DataFrame, optional
        Baselines of the primary outcomes by unit (index), each tested on its own: a list made by
        looking at scores moves one of them, which a joint test of many variables may not see.
    names : mapping, optional
        Arm → what its group is called, where it is called otherwise.
    """
    known = criterion or CriterionKnown()
    present = tuple(arm for arm in arms if (units["arm"] == arm).any())
    rule = known.criterion.among(list(units["unit"]), present) if known.criterion else None
    design = numbers_as_drawn(units["unit"], units["arm"], units["block"], present, rule)
    if len(present) < 2 or design.possible < 2:
        told = "no other assignment of these units has the same numbers by group"
        return [Finding(check, told, UNTESTED) for check in ("order of the list", "baseline")]
    found: list[Finding] = []
    by_name = np.argsort(natural_order(list(units["unit"])))
    by_row = np.arange(len(units))
    if not np.array_equal(by_name, by_row):  # else it is the order of the identifiers
        found += _order_tests(ROWS, design, units, by_row, redraws)
    if identifiers_name_arms(units, present):
        told = "they name the group, so that they were given after the draw"
        found.append(Finding(NAMES, told, NOTED, reason="their order is no evidence of the draw"))
    else:
        found += _order_tests(NAMES, design, units, by_name, redraws)
    called = names or {}
    found.append(_baseline(BASELINE, design, units, covariates, redraws, called))
    if baselines is not None:
        found += [
            _baseline(f"{OWN} {name}", design, units, baselines[[name]], redraws, called)
            for name in baselines
        ]
    if known.unusable:
        told = known.unusable.replace("no re-randomisations", "re-randomised without the criterion")
        found = [
            replace(test, reason="; ".join(filter(None, [test.reason, told]))) for test in found
        ]
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
        _order(f"{what}: runs", "runs of one group", runs),
    ]


def _order(check: str, what: str, test: OrderTest) -> Finding:
    told = f"{what}: {test.statistic:.4g}, expected {test.expected:.4g}"
    return Finding(check, told, UNTESTED, test.statistic, p_value=test.p_value)


def _baseline(
    check: str,
    design: AssignmentDesign,
    units: pd.DataFrame,
    covariates: pd.DataFrame | None,
    redraws: Redraws,
    names: Mapping[str, str],
) -> Finding:
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
        return Finding(check, "no baseline variable varies within blocks", UNTESTED)
    told = f"Mahalanobis {test.statistic:.4g} of {test.n_covariates} variables, expected "
    told += f"{test.rank} (their rank)"
    if check != BASELINE:
        told = _by_arm(units, matrix[:, 0], design.arms, names)
    parts = [
        "all variables together" if check == BASELINE else "",
        f"{filled:,} missing values replaced by the mean of their block" if filled else "",
    ]
    reason = "; ".join(filter(None, parts))
    return Finding(check, told, UNTESTED, test.statistic, p_value=test.p_value, reason=reason)


def _by_arm(
    units: pd.DataFrame,
    values: NDArray[np.float64],
    arms: Sequence[Any],
    names: Mapping[str, str],
) -> str:
    """Return the difference of each group from control within blocks, in SDs within blocks."""
    inside = values - pd.Series(values).groupby(units["block"].to_numpy()).transform("mean")
    spread = float(np.sqrt((inside**2).sum() / max(len(units) - units["block"].nunique(), 1)))
    means = inside.groupby(units["arm"].to_numpy()).mean()
    gaps = [(arm, (means[arm] - means[arms[0]]) / spread) for arm in arms[1:]]
    base = names.get(arms[0], str(arms[0]))
    told = ", ".join(f"{names.get(arm, arm)} {signed(gap)} SD from {base}" for arm, gap in gaps)
    return f"{told}, within blocks"


def with_verdicts(
    tests: Sequence[Finding], alpha: float, no_evidence: Mapping[str, str] | None = None
) -> list[Finding]:
    """Return the findings with verdicts: in doubt where p is below its share of ``alpha``.

    The shares add up to ``alpha``, so that an honest list meets any doubt at all with no more than
    that probability (Bonferroni). Half goes to the baselines of primary outcomes, where there are
    any: it is there that a list which was made would be made.

    Parameters
    ----------
    tests : sequence of Finding
    alpha : float
        Probability that an honest list meets any doubt.
    no_evidence : mapping of str to str, optional
        First words of tests whose small p-values are noted and cast no doubt, and why.
    """
    made = [test for test in tests if np.isfinite(test.p_value)]
    own = sum(test.check.startswith(OWN) for test in made)
    half = alpha / 2 if 0 < own < len(made) else alpha
    judged = []
    for test in tests:
        if not np.isfinite(test.p_value):
            judged.append(test)
            continue
        level = half / (own if test.check.startswith(OWN) else len(made) - own)
        doubtful = test.p_value < level
        words = [test.reason] if test.reason else []
        why = next(
            (w for name, w in (no_evidence or {}).items() if test.check.startswith(name)), ""
        )
        if doubtful:
            words.append(why or f"randomisation gives this in {chance(test.p_value)} of cases")
        verdict = (NOTED if why else DOUBT) if doubtful else PASSED
        judged.append(
            Finding(
                test.check, test.finding, verdict, test.value, level, test.p_value, "; ".join(words)
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
