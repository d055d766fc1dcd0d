"""The protocol: a pre-analysis plan as data, validated before anything is read.

A protocol is a YAML file that answers to ``schema.yaml`` beside this module. Reading it
fills every default, so that what follows never asks whether a key is there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from schooltrial.protocol.consistency.idle_sections import idle_section_faults
from schooltrial.protocol.consistency.references import reference_faults
from schooltrial.protocol.content.column_map import write_missing_as_texts
from schooltrial.protocol.content.completion import compare_modelled_arms, complete_design
from schooltrial.protocol.content.filters import conjunction
from schooltrial.protocol.content.sections import (
    Content,
    Model,
    Protocol,
    Subgroup,
    Years,
    default_unit,
    measured_years,
    years_of_model,
)
from schooltrial.protocol.form.mending import mended
from schooltrial.protocol.form.renamed_keys import renaming_faults, reword
from schooltrial.protocol.form.schema_validation import number_faults, schema_faults, with_defaults
from schooltrial.protocol.form.strict_yaml import located, parse_file, parse_yaml
from schooltrial.refusal import Fault, Refusal, refuse

SCHEMA = Path(__file__).with_name("schema.yaml")


def read_schema() -> dict[str, Any]:
    """Read the JSON Schema that protocols answer to."""
    return cast(dict[str, Any], parse_yaml(SCHEMA.read_text("utf-8")))


def read_protocol(path: Path, schema: Mapping[str, Any], shown: str | None = None) -> Protocol:
    """Read a protocol: validate it and fill in its defaults.

    Parameters
    ----------
    path : pathlib.Path
        The YAML file.
    schema : mapping
        The JSON Schema, parsed.
    shown : str, optional
        How messages name the file.

    Raises
    ------
    Refusal
        With all the faults of the file: unknown or missing keys (with the key that was probably
        meant), wrong types, and names that refer to nothing.
    """
    shown = shown or path.name
    if not path.is_file():
        others = sorted(other.name for other in path.parent.glob("*.yaml"))
        close = get_close_matches(path.name, others, n=1)
        remedy = f"did you mean {close[0]!r}?" if close else "check the path"
        refuse([Fault(shown, "no such file", "a protocol (YAML)", remedy)])
    raw = path.read_bytes()
    content, text = parse_file(raw, shown)
    if not isinstance(content, dict):
        refuse(
            [
                Fault(
                    shown,
                    "the file holds no keys",
                    "the sections of a protocol",
                    "see `schooltrial help`",
                )
            ]
        )
    words = reword(content)
    content = words.content
    old = renaming_faults(words.found, shown)

    def refuse_all(faults: Sequence[Fault]) -> None:
        others = [replace(one, column=words.written(one.column or "") or None) for one in faults]
        refuse(located([*old, *others], text))

    faults = [*schema_faults(content, schema, shown), *number_faults(content, shown)]
    if faults:
        refuse_all([*faults, *_further_faults(content, schema, shown)])
    filled = _completed(content, schema)
    refuse_all(list(_faults_of_meaning(filled, content, shown)))
    compare_modelled_arms(filled)
    every = with_subgroup_models(filled["models"], filled["subgroups"])
    later = models_to_come(every, filled["years"])
    filled["models"] = {name: model for name, model in every.items() if name not in later}
    return Protocol(filled, hashlib.sha256(raw).hexdigest(), path.resolve(), later)


DECIDE_READING = frozenset((
    "raw_folder", "tables", "years", "design", "outcomes", "variables", "cleaning", "limits",
    "simulation", "study.name",
))  # fmt: skip
"""Sections by which files are read."""


def read_as_meant(
    path: Path, schema: Mapping[str, Any], faults: Sequence[Fault]
) -> Protocol | None:
    """Return what of a refused protocol says how files are read, to look through them as well.

    Parameters
    ----------
    path, schema
        As in `read_protocol`.
    faults : sequence of Fault
        Those that it was refused with.

    Returns
    -------
    Protocol or None
        Without models. None where an error could have to do with how files are read. It serves for
        nothing but to find the faults of the files.
    """
    keys = [fault.column or "" for fault in faults]
    if any(not key or _decides(key) for key in keys) or not path.is_file():
        return None
    raw = path.read_bytes()
    try:
        content, _ = parse_file(raw, path.name)
    except Refusal:
        return None
    sound = {section.split(".")[0] for section in DECIDE_READING}
    written = reword(content).content
    meant = {name: written[name] for name in written if name in sound}
    try:
        filled = _completed({**meant, "models": {}}, schema)
    except (LookupError, TypeError, ValueError):
        return None
    return Protocol(filled, hashlib.sha256(raw).hexdigest(), path.resolve())


def _decides(key: str) -> bool:
    return any(f"{key}.".startswith(f"{section}.") for section in DECIDE_READING)


def _completed(content: Mapping[str, Any], schema: Mapping[str, Any]) -> Content:
    """Return a protocol whose form is right with every default filled in."""
    filled: Content = with_defaults(content, schema, schema)
    for outcome in filled["outcomes"].values():
        outcome["units_label"] = outcome["units_label"] or default_unit(outcome)
    complete_design(filled)
    for readings in filled["tables"].values():
        for reading in readings:
            write_missing_as_texts(reading)
    return filled


def _faults_of_meaning(filled: Content, content: Mapping[str, Any], shown: str) -> Iterator[Fault]:
    """Yield names that refer to nothing, and keys and sections that do nothing."""
    written = {name: frozenset(model) for name, model in content["models"].items()}
    yield from reference_faults(filled, shown, written)
    yield from idle_section_faults(filled, content, shown)


def _further_faults(
    content: Mapping[str, Any], schema: Mapping[str, Any], shown: str
) -> list[Fault]:
    """Return errors of meaning with errors of form, if it is clear what was meant.

    What is said of a key that was mended is left out: its fault of form says enough.
    """
    found = mended(content, schema)
    if found is None:
        return []
    meant, keys = found
    try:
        faults = list(_faults_of_meaning(_completed(meant, schema), meant, shown))
    except (LookupError, TypeError, ValueError):
        return []  # meaning rests on what could not be mended
    return [
        fault
        for fault in faults
        if not any(f"{fault.column}.".startswith(f"{key}.") for key in keys)
    ]


def models_to_come(models: Mapping[str, Model], years: Years) -> dict[str, Model]:
    """Return the models whose filter keeps only years of which there are no data yet.

    If all are such, there are none: nothing but the monitoring page can be made of the study.
    """
    there = measured_years(years)
    later = {
        name: model
        for name, model in models.items()
        if (named := years_of_model(model, years)) and not set(named) & set(there)
    }
    return later if len(later) < len(models) else {}


def with_subgroup_models(
    models: Mapping[str, Model], subgroups: Mapping[str, Subgroup]
) -> dict[str, Model]:
    """Return the models, each followed by those that its `subgroups` asks for.

    A further model is the same one, for those in the subgroup; it is never the primary one.
    """
    every: dict[str, Model] = {}
    for name, model in models.items():
        every[name] = model
        for subgroup in model["subgroups"]:
            chosen = subgroups[subgroup]
            role = "secondary" if model["role"] == "primary" else model["role"]
            every[f"{name}__{subgroup}"] = {
                **model,
                "label": f"{model['label']}: {chosen['label']}",
                "role": role,
                "where": conjunction(model["where"], chosen["where"]),
                "where_label": chosen["label"],
                "subgroups": [],
            }
    return every
