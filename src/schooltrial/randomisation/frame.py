"""The frame of a draw: its units, before they are drawn."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd

from schooltrial.protocol.content.sections import Design, frame_columns
from schooltrial.refusal import Fault, refuse


def read_frame(path: str, design: Design) -> pd.DataFrame:
    """Return the eligible list, with unit and block as text.

    Raises
    ------
    Refusal
        Where the file is not there, is not text in UTF-8, holds nothing, or has rows of unequal
        length.
    """
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        expected = "the eligible list that `design.randomisation.eligible_list` names"
        refuse([Fault(path, "there is no such file", expected, "correct the name, or delete the "
                      "key; a relative path begins at the folder of the protocol")])  # fmt: skip
        raise
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        found = f"the byte 0x{content[error.start]:02x}, which is not UTF-8"
        refuse([Fault(path, found, "text in UTF-8", "save the eligible list as UTF-8", row=row)])
        raise
    if not text.strip():
        remedy = "write a header and one row for each unit"
        refuse([Fault(path, "the file is empty", "the eligible list", remedy)])
    columns = dict.fromkeys(frame_columns(design).values(), "str")
    try:
        return pd.read_csv(io.StringIO(text), dtype=columns)
    except pd.errors.ParserError as error:
        remedy = "write each row with as many cells as the header has"
        refuse([Fault(path, f"the rows differ in length: {error}", "a table", remedy)])
        raise
