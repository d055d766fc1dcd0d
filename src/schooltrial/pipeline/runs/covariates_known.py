"""For how many of those analysed the covariates of each model are known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from schooltrial.pipeline.written_rows import read_rows
from schooltrial.protocol.content.sections import Content, labels
from schooltrial.study.layout import Layout
from schooltrial.wording import listed

MOSTLY_KNOWN = 0.5
"""Share of those analysed with a value of a covariate, below which a reader is warned."""


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
    paths, named = Layout(Path("results") / name), labels(content)
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
