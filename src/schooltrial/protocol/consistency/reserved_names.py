"""Names that the pipeline gives itself, and that nothing of a protocol may bear too.

A sample has one column of a name. Were an outcome called `cluster`, standard errors would be
clustered on it; a covariate called `treated` would be the treatment, and drop out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from schooltrial.protocol.consistency.declared_names import Names
from schooltrial.protocol.content.column_map import Reading, all_columns
from schooltrial.protocol.content.sections import Content
from schooltrial.protocol.content.variables import NAMING
from schooltrial.refusal import Fault

MADE = ("treated", "cluster")
"""Columns of a sample that the pipeline makes."""

ASSIGNED = ("arm", "block", "cohort", "year", "from_year")
"""Columns of a sample that say when a row is of, and what its unit was assigned to."""

NO_VALUE = ("nan", "null", "inf", "true", "false")
"""Words that programs which read the tables of results take for no text."""

ALL_ARMS = "all"
"""What tables write where a row is of every group."""

KEYWORD = "baseline"
"""What stands, among covariates, for the outcome's own baseline."""


def reserved_name_faults(
    content: Content, names: Names, made: Mapping[str, str]
) -> Iterator[Fault]:
    """Yield outcomes, variables, groups and models with a name that is taken.

    Parameters
    ----------
    content : Content
        The protocol, completed.
    names : Names
    made : mapping
        Variable that an outcome with a baseline year makes → that outcome.
    """
    structural = (*MADE, *ASSIGNED, *sorted(NAMING))
    for outcome in content["outcomes"]:
        if outcome in structural:
            yield _taken(names, f"outcomes.{outcome}", outcome, _of_sample(outcome))
        if outcome in made:
            yield _taken(names, f"outcomes.{outcome}", outcome, _of_outcome(made[outcome]))
    for variable in content["variables"]:
        place = f"variables.{variable}"
        if variable in structural and variable not in names.columns:
            yield _taken(names, place, variable, _of_sample(variable))
        if variable in made:
            yield _taken(names, place, variable, _of_outcome(made[variable]))
        if variable in names.outcomes:
            yield _taken(names, place, variable, "is also the name of an outcome")
    for place, variable in _read(content):
        if variable in MADE:
            yield _taken(names, place, variable, _of_sample(variable))
        if variable in made:
            yield _taken(names, place, variable, _of_outcome(made[variable]))
    if KEYWORD in names.columns or KEYWORD in content["variables"]:
        for name, model in content["models"].items():
            if KEYWORD in model["covariates"]:
                yield _taken(
                    names, f"models.{name}.covariates", KEYWORD,
                    "is a variable of this protocol, but among covariates it means the outcome's "
                    "own baseline",
                )  # fmt: skip
    yield from _word_faults(content, names)


def _word_faults(content: Content, names: Names) -> Iterator[Fault]:
    named = (
        *(
            (f"design.arms.{at}.name", arm["name"])
            for at, arm in enumerate(content["design"]["arms"])
        ),
        *((f"outcomes.{name}", name) for name in content["outcomes"]),
        *((f"variables.{name}", name) for name in content["variables"]),
        *((f"models.{name}", name) for name in content["models"]),
    )
    for place, name in named:
        if name in NO_VALUE:
            yield _taken(
                names, place, name, "is a word that programs read as missing or as true/false"
            )
        if name == ALL_ARMS and place.startswith("design."):
            yield _taken(names, place, name, "is used in results for all groups together")


def _read(content: Content) -> Iterator[tuple[str, str]]:
    """Yield where each variable is read, and its name."""
    readings: Iterator[tuple[str, int, Reading]] = (
        (table, at, reading)
        for table, listed in content["tables"].items()
        for at, reading in enumerate(listed)
    )
    for table, at, reading in readings:
        for variable, _ in all_columns(reading):
            yield f"tables.{table}.{at}.columns.{variable}", variable


def _of_sample(name: str) -> str:
    return f"is already a column of every sample, for the {WORDS.get(name, name)}"


def _of_outcome(outcome: str) -> str:
    return f"is the variable that `baseline_year` of outcome {outcome!r} makes"


WORDS = {
    "treated": "treatment",
    "cluster": "randomised unit",
    "from_year": "year",
    "from_school": "school",
    "to_school": "school",
}
"""What a column holds, where its name does not say it."""


def _taken(names: Names, place: str, name: str, why: str) -> Fault:
    return Fault(
        names.shown, f"the name {name!r} {why}", "a unique name",
        f"rename it wherever the protocol names it, such as `{name}_measured`; columns of raw "
        "files keep their names", column=place,
    )  # fmt: skip
