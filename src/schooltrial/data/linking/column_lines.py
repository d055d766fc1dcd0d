"""Lines of a protocol that read a column of identifiers in another spelling."""

from __future__ import annotations

from collections.abc import Sequence


def column_line(table: str, variable: str, column: str, files: str, keys: Sequence[str]) -> str:
    """Return the line of a column map that reads identifiers in another spelling.

    Parameters
    ----------
    table, variable : str
        Standard table, and what is read.
    column, files : str
        The raw column, or several joined by ``+``, and the files that hold it.
    keys : sequence of str
        The keys that change the spelling, as YAML.
    """
    first, _, _ = table.partition(" or ")
    names = column.split(" + ")
    column = f"column: {names[0]}"
    if len(names) > 1 and any(key.startswith("width") for key in keys):
        # Which part has lost its zeros is not known; a part has a width of its own.
        padded = f"{{column: {names[0]}, width: 2, pad: true}}"
        column, keys = f"parts: [{', '.join([padded, *names[1:]])}]", ()
    elif len(names) > 1:
        column = f"parts: [{', '.join(names)}]"
    return (
        f"write under `tables.{first}`, for {files}: `{variable}: {{{', '.join([column, *keys])}}}`"
    )
