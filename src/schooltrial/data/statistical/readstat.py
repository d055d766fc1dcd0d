"""Read SPSS, SAS and Stata files by ReadStat, in a process of its own.

ReadStat is written in C, and a damaged file can make it crash. A crash of its own process is
refused like any other unreadable file; it would otherwise end the run without a message.
"""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyreadstat

Reader = Literal["read_sav", "read_por", "read_xport", "read_sas7bdat", "read_dta"]
"""A function of pyreadstat."""


LIBRARY = str(Path(__file__).parents[3])
"""Where this library is, so that the other process imports the same."""


@dataclass(frozen=True)
class FileFacts:
    """What a file says of its columns.

    Attributes
    ----------
    value_labels : dict
        Column → value → label.
    missing_ranges : dict
        Column → ranges of values that are declared missing.
    storage_width : dict
        Column → bytes of a value.
    types : dict
        Column → type of its values, in ReadStat's words.
    variable_labels : dict
        Column → what the file calls it in words; columns without such words are left out.
    title : str
        What the file calls itself; empty if it does not.
    """

    value_labels: dict[str, dict[Any, Any]]
    missing_ranges: dict[str, list[dict[str, Any]]]
    storage_width: dict[str, int]
    types: dict[str, str]
    variable_labels: dict[str, str]
    title: str = ""


def read_apart(reader: Reader, source: str | bytes, **keys: Any) -> tuple[pd.DataFrame, FileFacts]:
    """Return the values of a file, and what it says of its columns.

    Parameters
    ----------
    reader : str
        A function of pyreadstat.
    source : str or bytes
        Path of the file, or its content.
    **keys
        Arguments of that function.

    Raises
    ------
    ValueError
        Where the file cannot be read, or ReadStat breaks down on it.
    """
    library = os.pathsep.join([LIBRARY, *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-m", "schooltrial.data.statistical.readstat"],
        input=pickle.dumps((reader, source, keys)), capture_output=True, check=False,
        env={**os.environ, "PYTHONPATH": library},
    )  # fmt: skip
    if done.returncode:
        raise ValueError("the file is damaged")
    found = pickle.loads(done.stdout)  # written by the process above
    if isinstance(found, str):
        raise ValueError(found)
    frame, *facts = found
    return frame, FileFacts(*facts)


def main() -> int:
    """Answer one request on standard input: a frame and its facts, or what went wrong."""
    reader, source, keys = pickle.load(sys.stdin.buffer)
    try:
        held = io.BytesIO(source) if isinstance(source, bytes) else source
        frame, about = getattr(pyreadstat, reader)(held, **keys)
        found: Any = (
            frame, about.variable_value_labels, about.missing_ranges,
            about.variable_storage_width, about.readstat_variable_types,
            {name: text for name, text in about.column_names_to_labels.items() if text},
            about.file_label or "",
        )  # fmt: skip
    except Exception as error:  # ReadStat's errors, and those of its conversions, are many
        found = str(error).strip() or type(error).__name__
    sys.stdout.buffer.write(pickle.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
