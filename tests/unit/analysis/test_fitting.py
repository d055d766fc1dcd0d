"""Claims about the rows that a model's fits become."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from schooltrial.analysis.design_matrix import DesignMatrix
from schooltrial.analysis.fitting import OutcomeFit, PlannedModel, fit_outcomes
from schooltrial.models.inference.estimate import t_estimate
from schooltrial.protocol.content.sections import Model, Outcome
from schooltrial.protocol.form.schema_validation import with_defaults
from support.small_trial import schema


def test_an_arms_row_counts_the_people_and_schools_of_the_two_arms_that_it_compares(
    sample: pd.DataFrame, model: Callable[..., Model]
) -> None:
    arm = np.array(["control", "coaching", "institute"])[np.arange(12) % 3]
    named = sample["school"].map({f"S{at}": arm[at] for at in range(12)})
    rows = sample.assign(arm=named, treated=(named != "control").astype(float))
    rows = rows[~((rows["arm"] == "institute") & (rows.index % 2 == 0))]
    node = schema()["properties"]["outcomes"]["additionalProperties"]
    outcome: Outcome = with_defaults({"label": "", "family": ""}, node, schema())

    def fit(design: DesignMatrix, _: str) -> OutcomeFit[None]:
        every = len(design.rows)
        estimates = [
            t_estimate(term, 0.2, 0.1, 9, n_individuals=every, n_schools=12, method="OLS")
            for term in design.treatment_terms
        ]
        return OutcomeFit(estimates, {}, None)

    fitted = fit_outcomes(rows, PlannedModel("s", "m", model(), {"score": outcome}), fit)
    told = fitted.table.set_index("term")
    for name in ("coaching", "institute"):
        inside = rows[rows["arm"].isin(["control", name])].dropna(subset=["score"])
        row = told.loc[f"treated[arm={name}]"]
        assert row["n_individuals"] == len(inside)
        assert (row["n_units"], row["n_treated_units"]) == (8, 4)
        assert (row["n_schools"], row["n_treated_schools"]) == (8, 4)
