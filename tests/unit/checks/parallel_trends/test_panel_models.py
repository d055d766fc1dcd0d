"""Which models are checked for parallel trends."""

from __future__ import annotations

from schooltrial.checks.parallel_trends.panel_models import checked_models
from support.sections import planned_model


def test_primary_models_of_panels_are_checked_and_no_others() -> None:
    models = {
        f"{estimator}_{role}": planned_model(estimator=estimator, role=role, outcomes=["score"])
        for estimator in ("difference_in_differences", "staggered_adoption", "multilevel")
        for role in ("primary", "sensitivity")
    }
    assert list(checked_models(models)) == [
        "difference_in_differences_primary", "staggered_adoption_primary"
    ]  # fmt: skip
