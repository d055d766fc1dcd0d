"""What a check warns of in models that were fitted, and that a run would not refuse."""

from __future__ import annotations

import json
from collections.abc import Iterator

from schooltrial.pipeline.written_rows import read_rows
from schooltrial.protocol.content.sections import Content, labels
from schooltrial.report.findings.headlines import HEADLINES
from schooltrial.study.layout import Layout
from schooltrial.study.study import RESULTS
from schooltrial.wording import listed

MOSTLY_KNOWN = 0.5
"""Share of those analysed with a value of a covariate, below which a reader is warned."""


def warnings_of_fits(content: Content, name: str) -> Iterator[str]:
    """Yield what is to be asked of the models of a study, a sentence each.

    Parameters
    ----------
    content : Content
        Of the protocol.
    name : str
        Of the study, whose models were fitted in the working folder.
    """
    yield from covariates_unknown(content, name)
    yield from models_without_error(content, name)


def covariates_unknown(content: Content, name: str) -> Iterator[str]:
    """Yield a sentence on each covariate that most of those analysed lack, models alike together.

    A covariate that is missing is replaced by a constant and an indicator, so that a model is
    fitted even if the wrong column, or the wrong year, was taken for the pre-test.

    Parameters
    ----------
    content : Content
        Of the protocol.
    name : str
        Of the study, whose models were fitted in the working folder.
    """
    paths, named = Layout(RESULTS / name), labels(content)
    of_models: dict[str, list[str]] = {}
    for model in content["models"]:
        if len(content["design"]["arms"]) > 2:
            continue  # the rows of several groups are not counted as one
        told = paths.estimates_of(model, "json")
        diagnostics = json.loads(told.read_text("utf-8")) if told.is_file() else {}
        analysed = {
            row["outcome"]: int(row["n_individuals"] or row["n_units"])
            for row in read_rows(paths.estimates_of(model))
            if row["subgroup"] == "all"
        }
        for outcome, facts in diagnostics.items():
            if content["outcomes"][outcome]["measured_on"] == "school":
                continue  # its rows are schools, and people are counted
            every = analysed.get(outcome, 0)
            for variable, missing in facts.get("indicated", {}).items():
                if every and every - missing < MOSTLY_KNOWN * every:
                    what = named.get(variable, variable)
                    if variable == f"{outcome}_before":
                        what = f"the score before of {named.get(outcome, outcome)}"
                    known = f"{what} is known for {every - missing:,} of {every:,} analysed"
                    of_models.setdefault(known, []).append(model)
    for known, models in of_models.items():
        yield f"{known} ({listed(models)}): is it the right column, and the right year?"


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
    paths, named = Layout(RESULTS / name), labels(content)
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
