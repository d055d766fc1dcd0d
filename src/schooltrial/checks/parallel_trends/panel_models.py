"""Which models are checked for parallel trends, and what the tables of the check hold."""

from __future__ import annotations

from collections.abc import Mapping

from schooltrial.protocol.content.sections import Model

COLUMNS = [
    "model", "outcome", "check", "term", "setting", "estimate", "std_error", "df", "p_value",
    "conf_low", "conf_high", "method", "note",
]  # fmt: skip
"""One row for each result."""

PLACEBO_COLUMNS = ["model", "outcome", "replication", "estimate"]
"""One row for each draw of placebo cohorts; draw 0 is the effect of the real ones."""

OF_PANELS = ("difference_in_differences", "staggered_adoption")


def checked_models(models: Mapping[str, Model]) -> dict[str, Model]:
    """Return the primary models whose effect assumes parallel trends."""
    return {
        name: model
        for name, model in models.items()
        if model["estimator"] in OF_PANELS and model["role"] == "primary"
    }
