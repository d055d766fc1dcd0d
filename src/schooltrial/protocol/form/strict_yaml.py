"""YAML as a protocol is written in it: keys are text, and nothing means two things.

Readers of YAML take some plain texts differently: ``010`` is eight to some and ten to others,
``20:19`` a number to base sixty or a text. Anchors can make a short file unfold without end. All
of this is refused, with its line, rather than read as one of what it could mean.
"""

from __future__ import annotations

import math
import pickle
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import yaml

from schooltrial.refusal import Fault, refuse

DEEPEST = 50
"""Sections within sections; the deepest key of a protocol stands at nine."""


LONGEST = 40
"""Digits of a number; a seed of 128 bits has 39."""


WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*)")


DECIMAL = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")


LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")


NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Characters that an escape can write, and no file name or page can hold."""


STANDARD = "tag:yaml.org,2002:"


IN_QUOTES = "write the number in plain digits; put a text in quotes"


class _Strict(yaml.SafeLoader):  # type: ignore[misc]
    """A loader that keeps keys and days as text, and refuses what could mean two things."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Refuse aliases, anchors and tags before they are followed, and endless nesting."""
        event = self.peek_event()
        told = self._not_allowed(event)
        if told is None and self.depth >= DEEPEST:
            told = f"more than {DEEPEST} nested sections"
        if told is not None:
            raise yaml.composer.ComposerError(None, None, told, event.start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    @staticmethod
    def _not_allowed(event: Any) -> str | None:
        if isinstance(event, yaml.AliasEvent):
            return f"the alias *{event.anchor}; write out its content"
        if getattr(event, "anchor", None) is not None:
            return f"the anchor &{event.anchor}; anchors and tags are not allowed in a protocol"
        if getattr(event, "tag", None) is not None:
            return f"the tag {event.tag}; anchors and tags are not allowed in a protocol"
        return None


def _wrong(node: yaml.Node, told: str) -> yaml.YAMLError:
    return yaml.constructor.ConstructorError(None, None, told, node.start_mark)


def _mapping(loader: _Strict, node: yaml.MappingNode) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise _wrong(key_node, "a list or section is in the place of a key")
        key = _text_of(key_node)
        if key in found:
            raise _wrong(key_node, f"the key {key!r} is given twice")
        found[key] = loader.construct_object(value_node, deep=True)
    return found


def _whole(loader: _Strict, node: yaml.ScalarNode) -> int:
    if not WHOLE.fullmatch(node.value):
        raise _wrong(
            node, f"{node.value!r} is a number to some programs and text to others; {IN_QUOTES}"
        )
    if len(node.value) > LONGEST:
        raise _wrong(node, f"a number of {len(node.value):,} digits; {IN_QUOTES}")
    return int(node.value)


def _decimal(loader: _Strict, node: yaml.ScalarNode) -> float:
    if not DECIMAL.fullmatch(node.value):
        raise _wrong(node, f"{node.value!r} is not a number in plain digits; {IN_QUOTES}")
    if not math.isfinite(found := float(node.value)):
        raise _wrong(node, f"a number that is too large ({len(node.value):,} digits)")
    return found


def _text(loader: _Strict, node: yaml.ScalarNode) -> str:
    if node.style is None and LEADING_ZERO.fullmatch(node.value):
        raise _wrong(
            node, f"{node.value!r} is a number to some programs and text to others; {IN_QUOTES}"
        )
    return _text_of(node)


def _text_of(node: yaml.ScalarNode) -> str:
    if found := NO_TEXT.search(node.value):
        raise _wrong(node, f"the character U+{ord(found[0]):04X}, which is not allowed in text")
    return str(node.value)


for _name, _construct in (
    ("map", _mapping), ("int", _whole), ("float", _decimal), ("str", _text), ("timestamp", _text),
):  # fmt: skip
    _Strict.add_constructor(STANDARD + _name, _construct)


def parse_yaml(text: str) -> Any:
    """Parse YAML; what could mean two things is an error, and keys are always text.

    Each call returns content of its own; a text that was parsed before, such as the schema, which
    takes long, is not parsed again.
    """
    return pickle.loads(_parsed(text))


@lru_cache(maxsize=8)
def _parsed(text: str) -> bytes:
    return pickle.dumps(yaml.load(text, Loader=_Strict))


def compose_yaml(text: str) -> yaml.Node:
    """Return the nodes of a YAML text, each with its place in the text."""
    return yaml.compose(text, Loader=_Strict)


def parse_file(raw: bytes, shown: str) -> tuple[Any, str]:
    """Return the content and the text of a YAML file, or refuse it with the line at fault."""
    try:
        text = raw.decode("utf-8")
        return parse_yaml(text), text
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        problem = getattr(error, "problem", None) or str(error)
        row = None if line is None else line + 1
        found = f"not readable as YAML: {problem}"
        refuse([Fault(shown, found, "YAML in UTF-8", "fix that line", row=row)])
        raise AssertionError("refused above") from error


def _key_rows(node: yaml.Node, above: str = "") -> Iterator[tuple[str, int]]:
    """Yield every key, with its path and its line."""
    if isinstance(node, yaml.MappingNode):
        children = [(str(key.value), key, value) for key, value in node.value]
    elif isinstance(node, yaml.SequenceNode):
        children = [(str(at), value, value) for at, value in enumerate(node.value)]
    else:
        return
    for name, mark, child in children:
        yield f"{above}{name}", mark.start_mark.line + 1
        yield from _key_rows(child, f"{above}{name}.")


def located(faults: Sequence[Fault], text: str) -> list[Fault]:
    """Return faults with the line of their key, or of the nearest key above one that is missing."""
    rows = dict(_key_rows(compose_yaml(text))) if faults else {}

    def row(path: str) -> int | None:
        while path not in rows and "." in path:
            path = path.rpartition(".")[0]
        return rows.get(path)

    return [replace(fault, row=row(fault.column or "")) for fault in faults]
