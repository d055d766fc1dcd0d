"""The plan of a study of which some models were estimated, although another one was refused."""

from __future__ import annotations

from collections.abc import Mapping

from schooltrial.protocol.plan import keep_first_of
from schooltrial.study.study import Study


def record_first_plans(studies: Mapping[str, Study]) -> None:
    """Record the plan of each study that has estimates of a model, where a run of it failed.

    The rule that stacks the estimates records the plan. It does not run where a model was refused,
    but the estimates of the other models may have been seen.

    Parameters
    ----------
    studies : mapping
        Name → study.
    """
    for study in studies.values():
        models = study.protocol.models()
        estimated = any(study.paths.estimates_of(model).is_file() for model in models)
        if estimated and not study.protocol.rehearsal and not study.blinding.until():
            keep_first_of(study.protocol, str(study.paths.check("plan_first.json")))
