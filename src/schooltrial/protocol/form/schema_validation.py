"""Check a protocol by its schema, and fill in the defaults that the schema declares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from difflib import get_close_matches
from typing import Any

from schooltrial.protocol.form.json_schema import Validator
from schooltrial.refusal import Fault


def _see(where: str) -> str:
    """Return where a key is explained; places in a list are left out."""
    key = ".".join(part for part in where.split(".") if part and not part.isdigit())
    return f"see `schooltrial help {key}`" if key else "see `schooltrial help`"


IN_WORDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "a section with keys",
    "string": "a text",
}
"""Type of the schema → what it is called in messages."""

LARGEST = 2**53
"""Up to here floating point holds every whole number."""


def resolve(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the node with its ``$ref`` followed; keys next to the reference win."""
    if "$ref" not in node:
        return node
    target = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
    return {**target, **{key: value for key, value in node.items() if key != "$ref"}}


def with_defaults(value: Any, node: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    """Return a value with every default that its part of the schema declares filled in."""
    node = resolve(node, schema)
    if isinstance(value, dict):
        properties: Mapping[str, Any] = node.get("properties", {})
        others = node.get("additionalProperties")
        filled = {
            key: with_defaults(
                item, properties.get(key) or (others if isinstance(others, dict) else {}), schema
            )
            for key, item in value.items()
        }
        for key, child in properties.items():
            resolved = resolve(child, schema)
            if key not in filled and "default" in resolved:
                filled[key] = with_defaults(deepcopy(resolved["default"]), resolved, schema)
        return filled
    if isinstance(value, list) and "items" in node:
        return [with_defaults(item, node["items"], schema) for item in value]
    return value


def schema_faults(content: Any, schema: Mapping[str, Any], shown: str) -> Iterator[Fault]:
    """Yield what the schema does not allow, with the key that was probably meant."""
    errors = Validator(schema).iter_errors(content)
    told: set[Fault] = set()
    for error in sorted(errors, key=lambda e: list(map(str, e.path))):
        for fault in _faults_of(error, schema, shown):
            if fault not in told:
                told.add(fault)
                yield fault


def _faults_of(error: Any, schema: Mapping[str, Any], shown: str) -> Iterator[Fault]:
    where = ".".join(map(str, error.path))
    place = where or "the protocol"
    known = list(resolve(error.schema, schema).get("properties", {}))
    if error.validator == "additionalProperties":
        for key in sorted(set(error.instance) - set(known)):
            close = get_close_matches(key, known, n=1, cutoff=0.6)
            remedy = f"did you mean {close[0]!r}?" if close else f"delete it; {_see(where)}"
            found, expected = f"unknown key {key!r} in {place}", "one of " + ", ".join(known)
            yield Fault(shown, found, expected, remedy, column=_below(where, key))
    elif error.validator == "required":
        for key in [key for key in error.validator_value if key not in error.instance]:
            described = error.schema["properties"][key].get("description", key)
            remedy = f"add it; {_see(_below(where, key))}"
            yield Fault(
                shown, f"the key {key!r} is missing in {place}", described, remedy,
                column=_below(where, key),
            )  # fmt: skip
    else:
        yield Fault(
            shown, f"{place}: {_found(error)}", _expected(error), _remedy(error, where),
            column=where or None,
        )  # fmt: skip


def _below(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _found(error: Any) -> str:
    """Say what is there; a whole section is not repeated."""
    if error.validator == "oneOf":
        given = [key for part in error.validator_value for key in part["required"]]
        there = [key for key in given if key in error.instance]
        return ("has " + " and ".join(there)) if there else "has none of " + ", ".join(given)
    if error.validator == "enum":
        return f"the value {error.instance!r}"
    if error.validator in ("pattern", "format"):
        return f"the text {error.instance!r}"
    if error.validator == "type":
        there = error.instance
        return "a section or list" if isinstance(there, dict | list) else f"the value {there!r}"
    return str(error.message)


def _remedy(error: Any, where: str) -> str:
    """Say what to do: YAML reads a text of digits as a number, and ``no`` as false."""
    if error.validator == "enum":
        close = get_close_matches(str(error.instance), map(str, error.validator_value), n=1)
        if close:
            return f"did you mean {close[0]!r}?"
    if str(error.schema.get("format", "")).startswith("date"):
        without = ", or leave the key out" if "default" in error.schema else ""
        return f"write the day as YYYY-MM-DD{without}; {_see(where)}"
    text = error.validator == "type" and "string" in error.validator_value
    if text and isinstance(error.instance, bool):
        shown = "Yes" if error.instance else "No"
        words = f"write another word than yes, no, true, false, or put it in quotes: '{shown}'"
        return f"{words}; {_see(where)}"
    if text and isinstance(error.instance, int | float):
        return f"put it in quotes if it is text; {_see(where)}"
    return f"correct it; {_see(where)}"


def _expected(error: Any) -> str:
    """Say in words what the schema allows there."""
    allowed = error.validator_value
    described = error.schema.get("description", "") if isinstance(error.schema, dict) else ""
    if error.validator == "enum":
        return "one of " + ", ".join(map(str, allowed))
    if error.validator == "oneOf":
        return "exactly one of " + ", ".join(key for part in allowed for key in part["required"])
    if error.validator == "format":
        return f"a day that exists, as YYYY-MM-DD: {described}"
    if error.validator == "pattern" and str(allowed).startswith("^[a-z]"):
        return "a name of lower-case letters, digits and underscores that begins with a letter"
    if error.validator == "type":
        kinds = allowed if isinstance(allowed, list) else [allowed]
        kind = " or ".join(IN_WORDS[one] for one in kinds if one != "null")
        return f"{kind}: {described}" if described else kind
    return described or f"{error.validator} {allowed}"


def number_faults(content: Any, shown: str, where: str = "") -> Iterator[Fault]:
    """Yield whole numbers that tables cannot hold to the last digit; seeds may be any."""
    if isinstance(content, dict):
        for key, value in content.items():
            if key != "seed":
                yield from number_faults(value, shown, _below(where, key))
    elif isinstance(content, list):
        for at, value in enumerate(content):
            yield from number_faults(value, shown, _below(where, str(at)))
    elif isinstance(content, int) and abs(content) > LARGEST:
        yield Fault(
            shown, f"{where} is the number {content}", f"a number up to {LARGEST:,}",
            "put it in quotes if it is text", column=where,
        )  # fmt: skip
