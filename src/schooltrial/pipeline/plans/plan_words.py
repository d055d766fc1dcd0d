"""What the plan of a study is, whether it is recorded, and how many guesses are left in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from schooltrial.pipeline.written_rows import read_rows
from schooltrial.protocol.content.sections import Content, Model, Protocol, has_grades, labels
from schooltrial.protocol.content.shown_units import effect_unit
from schooltrial.study.layout import Layout
from schooltrial.wording import listed, plural, year_spans

CONTROL_SD = "control SD"
"""Unit of an outcome that is standardised by the control group, as the protocol calls it."""

GUESSED = re.compile(r"#\s*GUESS\b")
"""A remark of a proposed protocol that a reader has not confirmed."""


def plan_in_words(plan: Protocol, groups: str = "") -> Iterator[str]:
    """Yield the primary outcomes and models, the blocks, the groups and the years of a plan.

    Parameters
    ----------
    plan : Protocol
    groups : str, optional
        The units of each group, from `groups_in_words`.
    """
    content = plan.content
    outcomes = content["outcomes"]
    yield "The plan:"
    for name, outcome in outcomes.items():
        if outcome["primary"]:
            before = list(outcome["baseline_measures"] or [])
            if not before and outcome["baseline_year"]:
                before = [f"the score of {outcome['baseline_year']}"]
            test = f"; pre-test: {listed(before)}" if before else "; no pre-test"
            yield f"  primary outcome: {outcome['label']} ({name}){test}"
    for name, model in content["models"].items():
        if model["role"] == "primary":
            yield f"  primary model: {_model_in_words(name, model, content)}"
    kind, label = content["design"]["kind"], content["design"]["block_label"]
    within = f", within {label}" if kind in ("blocked", "paired") else ""
    how = "" if content["design"]["randomised"] else ", not randomised"
    how = how or (", randomised" if kind == "staggered" else "")
    yield f"  design: {kind}{how}{within}{f'; {groups}' if groups else ''}"
    yield f"  programme: {year_spans(content['years']['programme'])}"
    left = guesses_left(plan)
    if left:
        yield f"Warning: {left}"


def _model_in_words(name: str, model: Model, content: Content) -> str:
    """Return the estimator of a model, what it adjusts for and the unit of its effects."""
    named = labels(content) | {"baseline": "the score before"}
    adjusted = [named.get(one, one) for one in model["covariates"]]
    if model["blocks"] != "none" and content["design"]["kind"] in ("blocked", "paired"):
        adjusted.append(content["design"]["block_label"])
    units = dict.fromkeys(effect_unit(content["outcomes"][one]) for one in model["outcomes"])
    words = ["SD of the control group" if unit == CONTROL_SD else unit for unit in units]
    told = f"adjusted for {listed(adjusted)}" if adjusted else "not adjusted"
    estimator = model["estimator"].replace("_", " ")
    within = ", within each grade" if CONTROL_SD in units and has_grades(content) else ""
    return f"{estimator} ({name}); {told}; effect in {listed(words)}{within}"


def groups_in_words(paths: Layout, arms: Mapping[str, str]) -> str:
    """Return how many units each group has; empty where they were not counted.

    Parameters
    ----------
    paths : Layout
        Of a study that was checked.
    arms : mapping
        Group → its label.
    """
    boxes = read_rows(paths.check("flow_boxes.csv"))
    rows = [row for row in boxes if row["text"].endswith(" allocated")]
    counts = [f"{int(row['n']):,} {arms[row['arm']]}" for row in rows if row["arm"] in arms]
    units = rows[0]["text"].removesuffix(" allocated") if counts else ""
    return f"{units}: {' + '.join(counts)}" if counts else ""


def guesses_left(plan: Protocol) -> str:
    """Return a sentence on the guesses that nobody has confirmed; empty if there are none."""
    count = len(GUESSED.findall(plan.path.read_text("utf-8")))
    if not count:
        return ""
    return (
        f"{plural(count, 'line')} of {plan.path.name} {'says' if count == 1 else 'say'} GUESS: "
        "read each, correct it, and delete the remark"
    )
