"""A protocol as it was probably meant: so that faults of form do not hide faults of meaning.

What a protocol refers to is looked up once its form is known to be right. A misspelt key would
hide every name that refers to nothing, and a user would find faults round by round. So faults of
form are mended in a copy, where it is clear how, and the copy is looked through too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from difflib import get_close_matches
from typing import Any

from schooltrial.protocol.form.json_schema import Validator

Path = tuple[str | int, ...]


class _NotMendedError(Exception):
    """It is not clear what was meant."""


def mended(content: Any, schema: Mapping[str, Any]) -> tuple[Any, list[str]] | None:
    """Return a copy without its errors of form, and the keys that were corrected.

    Returns
    -------
    tuple or None
        None where it is not clear what was meant.
    """
    copy = deepcopy(content)
    keys: list[str] = []
    try:
        for error in Validator(schema).iter_errors(content):
            keys += [".".join(map(str, path)) for path in _mend(copy, error)]
    except (_NotMendedError, LookupError, TypeError):
        return None
    return None if next(iter(Validator(schema).iter_errors(copy)), None) else (copy, keys)


def _mend(copy: Any, error: Any) -> Iterator[Path]:
    """Correct one error in the copy, and yield the places that changed."""
    path: Path = tuple(error.path)
    if error.validator == "additionalProperties":
        section = _at(copy, path)
        known = [key for key in error.schema.get("properties", {}) if key not in section]
        for key in sorted(set(error.instance) - set(error.schema.get("properties", {}))):
            value = section.pop(key)
            meant = get_close_matches(key, known, n=1, cutoff=0.6)
            if meant:
                section[meant[0]] = value
            yield (*path, key)
    elif error.validator == "required":
        for key in [key for key in error.validator_value if key not in error.instance]:
            if error.schema["properties"][key].get("type") != "string" or not path:
                raise _NotMendedError
            _at(copy, path)[key] = "x"  # a label or a title: nothing refers to it
            yield (*path, key)
    elif error.validator == "enum" and isinstance(error.instance, str):
        meant = get_close_matches(error.instance, map(str, error.validator_value), n=1, cutoff=0.8)
        if not meant:
            raise _NotMendedError
        _at(copy, path[:-1])[path[-1]] = meant[0]
        yield path
    elif error.validator == "type" and isinstance(_at(copy, path[:-1]), dict):
        kinds = error.validator_value
        kinds = [kinds] if isinstance(kinds, str) else kinds
        section = _at(copy, path[:-1])
        if "string" in kinds and isinstance(error.instance, bool | int | float):
            section[path[-1]] = str(error.instance)
        elif "array" in kinds and isinstance(error.instance, str | int):
            section[path[-1]] = [error.instance]
        else:
            del section[path[-1]]
        yield path
    else:
        raise _NotMendedError


def _at(content: Any, path: Sequence[str | int]) -> Any:
    for key in path:
        content = content[key]
    return content
