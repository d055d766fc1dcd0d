"""Sections of a protocol, completed from the schema as reading one does."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, cast

from schooltrial.protocol.content.column_map import JoinedFile, Reading
from schooltrial.protocol.content.sections import (
    Arm,
    Content,
    Design,
    Model,
    Outcome,
    frame_columns,
)
from schooltrial.protocol.form.schema_validation import with_defaults
from schooltrial.protocol.form.strict_yaml import parse_yaml
from support.small_trial import PROTOCOL, schema

ARMS: list[Arm] = [
    {"name": "control", "label": "Control", "share": None, "in_models": True},
    {"name": "programme", "label": "Programme", "share": None, "in_models": True},
]

READINGS = {"$ref": "#/$defs/readings"}


def section(name: str, **keys: Any) -> Any:
    """Return a section of these keys, its other keys by default."""
    return with_defaults(keys, schema()["properties"][name], schema())


def design(**keys: Any) -> Design:
    """Return a blocked design of schools and two groups, changed as the keys say."""
    made: Design = section("design", **{"kind": "blocked", "arms": copy.deepcopy(ARMS), **keys})
    made["randomisation"] = {**made["randomisation"], **frame_columns(made)}
    return made


def completed(content: Mapping[str, Any]) -> Content:
    """Return a protocol of these sections, all other keys by default."""
    made = cast(Content, with_defaults(dict(content), schema(), schema()))
    made["design"]["randomisation"] = {
        **made["design"]["randomisation"],
        **frame_columns(made["design"]),
    }
    return made


def planned_model(**keys: Any) -> Model:
    """Return a model of these keys, its other keys by default."""
    node = schema()["properties"]["models"]["additionalProperties"]
    return cast(Model, with_defaults({"label": "", **keys}, node, schema()))


def planned_outcome(**keys: Any) -> Outcome:
    """Return an outcome of these keys, its other keys by default."""
    node = schema()["properties"]["outcomes"]["additionalProperties"]
    return cast(Outcome, with_defaults({"label": "", "family": "", **keys}, node, schema()))


def reading(file: str, **keys: Any) -> Reading:
    """Return how a file is read, its other keys by default; without ``columns`` it has none."""
    every = with_defaults([{"file": file, "columns": {}, **keys}], READINGS, schema())
    return cast(Reading, every[0])


def joined_file(file: str, **keys: Any) -> JoinedFile:
    """Return a file that is joined to a reading, its other keys by default."""
    join = schema()["$defs"]["readings"]["items"]["properties"]["join"]["items"]
    return cast(JoinedFile, with_defaults({"file": file, **keys}, join, schema()))


def small_content() -> Content:
    """Return the protocol of the small trial, completed."""
    return completed(parse_yaml(PROTOCOL))
