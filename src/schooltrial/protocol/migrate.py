"""``python -m schooltrial.protocol.migrate``: rewrite protocols that have keys in old words.

The text is edited in place: only the old words change, and every other byte stays, with the
comments, the quotes, the order and the line ends.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from schooltrial.protocol.form.renamed_keys import (
    OldWord,
    Place,
    find_renaming,
    given_twice,
    shown_place,
)
from schooltrial.protocol.form.strict_yaml import compose_yaml, parse_file
from schooltrial.refusal import Fault, Refusal, refuse


@dataclass(frozen=True)
class Edit:
    """One word of a text and its new word.

    Attributes
    ----------
    start, end : int
        Which characters of the text are replaced.
    text : str
        What replaces them.
    row : int
        Line, the first being 1.
    word : OldWord
    """

    start: int
    end: int
    text: str
    row: int
    word: OldWord

    def __str__(self) -> str:
        if self.word.renaming.of_value:
            place = shown_place(self.word.renamed)
            return f"line {self.row}: {place}: {self.word.renaming.old} → {self.text.strip(QUOTES)}"
        return f"line {self.row}: {shown_place(self.word.place)} → {self.word.renaming.new}"


QUOTES = "\"'"


def find_edits(text: str) -> list[Edit]:
    """Return the edits that put a protocol into the new words, in the order of the text.

    Parameters
    ----------
    text : str
        YAML that a protocol can be read from.
    """
    return sorted(_edits_of(compose_yaml(text), (), ()), key=lambda edit: edit.start)


def _edits_of(node: yaml.Node, place: Place, renamed: Place) -> Iterator[Edit]:
    if isinstance(node, yaml.SequenceNode):
        for at, item in enumerate(node.value):
            yield from _edits_of(item, (*place, at), (*renamed, at))
    elif isinstance(node, yaml.MappingNode):
        keys = {key.value for key, _ in node.value}
        for key, value in node.value:
            one = find_renaming(renamed, key.value)
            below = (*renamed, one.new if one else key.value)
            if one:
                word = OldWord((*place, key.value), below, one, one.new in keys)
                yield _edit(key, word)
            yield from _edits_of(value, (*place, key.value), below)
    elif one := find_renaming(renamed, str(node.value), of_value=True):
        yield _edit(node, OldWord(place, renamed, one))


def _edit(node: Any, word: OldWord) -> Edit:
    quote = node.style if node.style in ("'", '"') else ""
    start, end = node.start_mark, node.end_mark
    return Edit(start.index, end.index, f"{quote}{word.renaming.new}{quote}", start.line + 1, word)


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """Return a text with its edits, which do not overlap, made."""
    parts, at = [], 0
    for edit in edits:
        parts += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*parts, text[at:]])


def migrate_files(files: Sequence[str], check: bool = False) -> int:
    """Rewrite protocols, and print what changed; where one cannot be, none is.

    Parameters
    ----------
    files : sequence of str
    check : bool, optional
        Whether to print what would change, and write nothing.

    Returns
    -------
    int
        How many old words there were.
    """
    planned = _planned(files)
    for file, (text, edits) in planned.items():
        if edits and not check:
            _write(Path(file), apply_edits(text, edits))
        done = "to rename" if check else "renamed"
        words = "1 word" if len(edits) == 1 else f"{len(edits)} words"
        print(f"{file}: {f'{words} {done}' if edits else 'no old words'}")
        for edit in edits:
            print(f"  {edit}")
    return sum(len(edits) for _, edits in planned.values())


def _planned(files: Sequence[str]) -> dict[str, tuple[str, list[Edit]]]:
    """Return file → its text and edits, or refuse with all that is wrong with any of them."""
    planned: dict[str, tuple[str, list[Edit]]] = {}
    faults: list[Fault] = []
    for file in dict.fromkeys(files):
        try:
            text = _read(file)
        except Refusal as refusal:
            faults += refusal.faults
            continue
        edits = find_edits(text)
        faults += [_with_row(edit, file) for edit in edits if edit.word.both]
        planned[file] = text, edits
    refuse(faults)
    return planned


def _with_row(edit: Edit, file: str) -> Fault:
    fault = given_twice(edit.word, file)
    return Fault(file, fault.found, fault.expected, fault.remedy, edit.row, fault.column)


def _read(file: str) -> str:
    if not Path(file).is_file():
        refuse([Fault(file, "no such file", "a protocol (YAML)", "check the path")])
    try:
        raw = Path(file).read_bytes()
    except OSError as error:
        refuse([Fault(file, f"not readable: {error.strerror}", "a protocol (YAML)", ALLOW)])
    content, text = parse_file(raw, file)
    if not isinstance(content, dict):
        found, remedy = "the file holds no keys", "check the path of the protocol"
        refuse([Fault(file, found, "the sections of a protocol", remedy)])
    return text


ALLOW = (
    "change the permissions of the file and its folder, or copy it to a folder where you can write"
)


def _write(path: Path, text: str) -> None:
    """Replace a file whole or not at all; a link goes on pointing at it."""
    path = path.resolve()
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        unfinished.write_bytes(text.encode("utf-8"))
        shutil.copymode(path, unfinished)
        os.replace(unfinished, path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        found = f"cannot be written: {error.strerror}"
        refuse([Fault(str(path), found, "a file that may be changed", ALLOW)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns
    -------
    int
        0; 1 where a file was refused, and where ``--check`` found old words.
    """
    parser = argparse.ArgumentParser(
        prog="python -m schooltrial.protocol.migrate",
        description="Rename keys of protocols that have new names. Comments and layout are kept.",
    )
    parser.add_argument("files", nargs="+", metavar="trial.yaml", help="protocols to rewrite")
    parser.add_argument(
        "--check", action="store_true",
        help="print what would change and write nothing; exit code 1 if there are keys to rename",
    )  # fmt: skip
    given = parser.parse_args(arguments)
    try:
        count = migrate_files(given.files, given.check)
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return int(given.check and count > 0)


if __name__ == "__main__":
    sys.exit(main())
