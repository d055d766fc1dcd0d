"""Values that have a label in their file, and codes that the file itself declares missing.

Labels are read in place of codes only where the protocol asks for them, and only in columns of
text; a column of numbers keeps its codes. Two codes may share a label, but not where identifiers
are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from schooltrial.data.cells.text_columns import Mask, TextColumn


@dataclass(frozen=True)
class ValueLabels:
    """What a file says of the distinct values of one of its columns.

    Attributes
    ----------
    codes : sequence of str
        The values as they are held.
    labels : sequence of str or None
        Their labels; None where a value has none, or labels are not asked for.
    declared : array of bool
        Those that the file declares missing.
    """

    codes: list[str]
    labels: list[str | None]
    declared: Mask

    @classmethod
    def of(
        cls, column: TextColumn, labels: Mapping[str, str], declared: Iterable[str]
    ) -> ValueLabels:
        """Return what is known of the values of a column."""
        codes = [str(text) for text in column.texts.to_pylist()]
        missing = set(declared)
        absent = np.array([code.strip() in missing for code in codes], dtype=bool)
        return cls(codes, [labels.get(code) for code in codes], absent)

    def applied(self, column: TextColumn) -> TextColumn:
        """Return the column with labels in place of codes; two of its texts may be alike."""
        if not any(label is not None for label in self.labels):
            return column
        texts = [code if label is None else label for code, label in self._pairs()]
        return TextColumn(pa.array(texts, pa.string()), column.row_numbers())

    def listed(self, texts: Iterable[str]) -> Mask:
        """Return which values have a label that is one of these texts."""
        known = set(texts)
        return np.array(
            [label is not None and label.strip() in known for label in self.labels], dtype=bool
        )

    def labelled(self) -> Mask:
        """Return which values have a label."""
        return np.array([label is not None for label in self.labels], dtype=bool)

    def shared(self) -> list[tuple[str, str, str]]:
        """Return two codes and their label where both have the same one."""
        first: dict[str, str] = {}
        found = []
        for code, label in self._pairs():
            text = (code if label is None else label).strip()
            if first.setdefault(text, code) != code:
                found.append((first[text], code, text))
        return found

    def shown(self, texts: pd.Series) -> pd.Series:
        """Return the codes in place of labels, as the file holds them."""
        return pd.Series(self.codes, index=texts.index, dtype="str")

    def _pairs(self) -> Iterable[tuple[str, str | None]]:
        return zip(self.codes, self.labels, strict=True)
