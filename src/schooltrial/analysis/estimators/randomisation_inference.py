"""A test of the effect by re-drawing the assignment with the design that was used."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from schooltrial.analysis.design_matrix import DesignMatrix, side_by_side, with_block_effects
from schooltrial.analysis.fitting import FittedModel, OutcomeFit, PlannedModel, fit_outcomes
from schooltrial.models.assignment.design import rerandomised
from schooltrial.models.assignment.draws import EXACT_UP_TO
from schooltrial.models.assignment.of_schools import school_assignment
from schooltrial.models.inference.estimate import noted, without_test
from schooltrial.models.randomisation_inference.inference import randomisation_inference
from schooltrial.models.randomisation_inference.result import RandomisationTest
from schooltrial.protocol.content.sections import Design
from schooltrial.random_streams import stream
from schooltrial.randomisation.criterion import CriterionKnown, draw_criterion
from schooltrial.randomisation.record import AssignmentRecord


@dataclass(frozen=True)
class Lottery:
    """The randomisation of a trial, as randomisation inference repeats it.

    Attributes
    ----------
    arms : tuple of str
        Control first.
    blocked : bool
        Whether units were drawn within blocks.
    known : CriterionKnown
        The criterion of balance that draws had to meet, where there was one.
    """

    arms: tuple[str, ...]
    blocked: bool
    known: CriterionKnown

    @classmethod
    def of(
        cls,
        assignment: pd.DataFrame,
        design: Design,
        frame: pd.DataFrame | None,
        record: AssignmentRecord | None,
    ) -> Lottery:
        """Return the lottery of a list, by the protocol's ``design``, its frame and its record."""
        arms = tuple(arm["name"] for arm in design["arms"])
        known = draw_criterion(assignment, design, frame, record)
        return cls(arms, design["kind"] not in ("complete", "simple"), known)


def fit_planned(
    plan: PlannedModel, sample: pd.DataFrame, *, lottery: Lottery, seed: int
) -> FittedModel[RandomisationTest]:
    """Test the model's effect on each of its outcomes: effect, p-value, inverted interval.

    Re-draws are held to the criterion of balance of a re-randomised design. Where it cannot be used
    there is an effect and no p-value, with a note that says why.

    Parameters
    ----------
    plan : PlannedModel
        ``blocks``, ``replications`` and ``arms`` are of this estimator.
    sample : DataFrame
        The analysed sample of pupils or teachers.
    lottery : Lottery
        What is drawn anew.
    seed : int
        Of the study.
    """
    model, known = plan.model, lottery.known
    arms = model["arms"] or list(lottery.arms)

    def fit(matrix: DesignMatrix, outcome: str) -> OutcomeFit[RandomisationTest]:
        columns, dropped = with_block_effects(matrix, fixed=model["blocks"] == "fixed")
        # Effects of blocks that units were not drawn in are covariates like others.
        entered = matrix.columns if lottery.blocked else columns
        covariates = [term for term in entered if term in columns and term != "treated"]
        treated = matrix.rows["treated"].to_numpy()
        block = matrix.rows["block"].to_numpy() if lottery.blocked else None
        units = school_assignment(matrix.unit, treated, block)
        redrawn = units.design(arms=(0.0, 1.0), one_arm_blocks=True)
        if known.criterion:
            rule = known.criterion.among([str(unit) for unit in redrawn.units], arms)
            redrawn = rerandomised(redrawn, rule)
        test = randomisation_inference(
            matrix.outcome, treated, matrix.unit,
            covariates=side_by_side(columns, covariates, len(matrix.rows)),
            block=block, block_effects=model["blocks"] == "fixed", design=redrawn,
            draws=1 if known.unusable else model["replications"],
            exact_up_to=0 if known.unusable else EXACT_UP_TO,
            seed=stream(seed, plan.name, outcome), covariate_names=covariates,
            outcome_names=[outcome],
            weights=matrix.weights,
        )  # fmt: skip
        rows = list(test.estimates(level=model["confidence_level"]))
        lone = ", ".join(units.with_one_arm())
        if lone:
            rows = noted(rows, f"blocks with one group left are not re-randomised: {lone}")
        if known.unusable:
            method = f"randomisation inference, {test.statistic}, no re-randomisations"
            rows = without_test(rows, method, known.unusable)
        drawn = 0 if known.unusable else test.distribution.drawn
        return OutcomeFit(rows, {"dropped": dropped, "draws": drawn}, test)

    return fit_outcomes(sample, plan, fit)
