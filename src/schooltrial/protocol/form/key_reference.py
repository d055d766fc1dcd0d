"""What a key of the protocol means: its description, type, default, values and example."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from schooltrial.protocol.form.schema_validation import resolve
from schooltrial.refusal import UserError
from schooltrial.wording import listed

Node = Mapping[str, Any]

DEEPEST = 4
"""Sections within sections that are searched for a key."""

WORDS = {
    "object": "a section", "array": "a list", "string": "text", "number": "a number",
    "integer": "a whole number", "boolean": "true or false", "null": "nothing",
}  # fmt: skip
"""Type of JSON → what a reader calls it."""


def key_lines(schema: Node, path: str = "") -> list[str]:
    """Return the reference of a key as lines of text, with the keys below it.

    Parameters
    ----------
    schema : mapping
        The schema of protocols.
    path : str
        Keys from the top, with dots between them. Names that the user gives (of a model or an
        outcome) and places in a list may be among them or left out; empty: the whole protocol.

    Raises
    ------
    UserError
        There is no such key; the message says which was probably meant.
    """
    node = _found(schema, path)
    lines = [f"{path}: {node.get('description', '')}".rstrip(": ")] if path else []
    lines += [f"  {fact}" for fact in _facts(node)] if path else []
    below = dict(_below(schema, node))
    required = {key for part in _parts(schema, node) for key in part.get("required", [])}
    if below:
        lines += [""] * bool(lines) + ["Keys:"]
    for key, child in below.items():
        needed = " (required)" if key in required else ""
        described = resolve(child, schema).get("description", "")
        lines.append(f"  {key}{needed}: {described}".rstrip(": "))
    return lines


def _no_key(path: str, key: str, known: Mapping[str, Node]) -> UserError:
    """Return the error of a key that there is not, with a key that is spelt much like it."""
    close = get_close_matches(key, known, n=1, cutoff=ALIKE)
    meant = f"; did you mean {close[0]!r}?" if close else "."
    section = path.rpartition(".")[0]
    there = f"The keys of {section}" if section else "The sections of a protocol"
    return UserError(f"there is no key {path!r}{meant} {there}: {', '.join(known)}")


ALIKE = 0.75
"""Likeness of two words, above which one may be the other misspelt."""


def _found(schema: Node, path: str) -> Node:
    node = resolve(schema, schema)
    for key in [part for part in path.split(".") if part]:
        known = dict(_below(schema, node))
        if key in known:
            node = resolve(known[key], schema)
        elif not key.isdigit() and not _named_by_user(schema, node):
            elsewhere = places_of(schema, schema, key)
            if elsewhere:
                raise UserError(
                    f"no key {path!r}; {key!r} is a key of {listed(elsewhere)}: "
                    f"schooltrial help {elsewhere[0]}.{key}"
                )
            raise _no_key(path, key, known)
    return node


def places_of(schema: Node, node: Node, key: str, path: str = "", depth: int = 0) -> list[str]:
    """Return the sections, keys from the top with dots between, that have a key of that name."""
    found: list[str] = []
    for name, child in _below(schema, node):
        if name == key and path:
            found.append(path)
        elif depth < DEEPEST:
            below = f"{path}.{name}" if path else name
            found += places_of(schema, resolve(child, schema), key, below, depth + 1)
    return list(dict.fromkeys(found))


def _parts(schema: Node, node: Node) -> Iterator[Node]:
    """Yield a section, or what its list or its names hold, down to where keys are."""
    whole = resolve(node, schema)
    yield whole
    for inner in (whole.get("items"), whole.get("additionalProperties")):
        if isinstance(inner, Mapping):
            yield from _parts(schema, inner)


def _below(schema: Node, node: Node) -> Iterator[tuple[str, Node]]:
    """Yield the keys that a section may have."""
    for part in _parts(schema, node):
        yield from part.get("properties", {}).items()


def _named_by_user(schema: Node, node: Node) -> bool:
    """Return whether the keys of a section are names that the user gives."""
    return any(isinstance(part.get("additionalProperties"), Mapping)
               for part in _parts(schema, node))  # fmt: skip


def _facts(node: Node) -> Iterator[str]:
    """Yield what may be written, the default and an example, each as a line."""
    if "enum" in node:
        yield "One of: " + ", ".join(_value(one) for one in node["enum"]) + "."
    elif "type" in node:
        kinds = node["type"] if isinstance(node["type"], list) else [node["type"]]
        yield "Value: " + " or ".join(WORDS[kind] for kind in kinds) + "."
    if node.get("default") not in (None, "", {}, []):
        yield f"Default: {_value(node['default'])}."
    if "examples" in node:
        yield f"Example: {_value(node['examples'][0])}"


def _value(value: Any) -> str:
    """Return a value as a protocol may have it."""
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
