"""Faults of the kind that real files have, planted in known numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schooltrial.random_streams import stream
from schooltrial.simulate.base.parameters import Names


def record(fault: str, file: str, count: int, what: str) -> dict[str, Any]:
    """Return the entry of one fault in the truth."""
    return {"fault": fault, "file": file, "count": count, "what": what}


def rename_columns(
    renamed: Sequence[tuple[str, str, str]], files: dict[str, pd.DataFrame]
) -> list[dict[str, Any]]:
    """Rename columns (file, column, its name in that file) in place, and return the record."""
    found = []
    for file, column, name in renamed:
        if file not in files or column not in files[file]:
            raise ValueError(
                f"renamed_columns names column '{column}' of '{file}', which the trial does not "
                f"write; its files are {', '.join(sorted(files))}."
            )
        files[file] = files[file].rename(columns={column: name})
        found.append(record("renamed_column", file, 1, f"'{column}' is called '{name}'"))
    return found


def encode(
    odd: Names, files: dict[str, pd.DataFrame]
) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Return the encoding of every file, and the record of those that are not plain UTF-8."""
    told = dict(odd)
    unknown = sorted(set(told) - set(files))
    if unknown:
        raise ValueError(
            f"encodings names '{unknown[0]}', which the trial does not write; its files are "
            f"{', '.join(sorted(files))}."
        )
    encodings = {file: str(told.get(file, "utf-8")) for file in files}
    found = [record("encoding", file, 1, f"written as {how}") for file, how in told.items()]
    return encodings, found


def pick(n: int, count: int, fault: str, file: str, seed: int) -> NDArray[np.int64]:
    """Return ``count`` distinct places of ``n``, from the stream of this fault and file."""
    if count > n:
        raise ValueError(
            f"{fault} asks for {count} in '{file}', which has {n} places for it; lower {fault}."
        )
    return np.asarray(stream(seed, fault, file).choice(n, count, replace=False))
