"""Which effects of a study would be estimated without a standard error, and why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from schooltrial.pipeline.written_rows import read_rows
from schooltrial.protocol.content.sections import Content, labels
from schooltrial.report.headlines import HEADLINES
from schooltrial.study.layout import Layout


def models_without_error(content: Content, name: str) -> Iterator[str]:
    """Yield a sentence on each model and outcome of which an effect has no standard error.

    A run does not refuse such a model: it estimates the effect and leaves the error blank, such as
    where there are as many covariates as schools.

    Parameters
    ----------
    content : Content
        Of the protocol.
    name : str
        Of the study, whose models were fitted in the working folder.
    """
    paths, named = Layout(Path("results") / name), labels(content)
    for model in content["models"]:
        reasons: dict[str, str] = {}
        for row in read_rows(paths.estimates_of(model)):
            if row["estimand"] not in HEADLINES:
                continue  # ratios of effects have an interval without an error, or none on purpose
            if row["estimate"] and not row["std_error"] and not row["p_value"] and row["note"]:
                reasons.setdefault(row["outcome"], row["note"].split("; ")[0])
        for outcome, reason in reasons.items():
            yield (
                f"{named.get(outcome, outcome)} ({model}) will have no interval: {reason}. "
                "A run does not refuse this; change the model first"
            )
