"""Which models of a study have a two-way effect that is decomposed; imports no numbers."""

from __future__ import annotations

from collections.abc import Mapping

from schooltrial.protocol.content.sections import Model


def decomposed_models(models: Mapping[str, Model], design: str) -> dict[str, Model]:
    """Return the models whose two-way effect is decomposed.

    All of difference-in-differences, and the primary ones of staggered adoption, whose two-way
    effect a reader may want to compare; none unless schools begin in different years.

    Parameters
    ----------
    models : mapping of str to Model
    design : str
        The design's `kind`.
    """
    return {
        name: model
        for name, model in models.items()
        if design == "staggered"
        and (
            model["estimator"] == "difference_in_differences"
            or (model["estimator"] == "staggered_adoption" and model["role"] == "primary")
        )
    }
