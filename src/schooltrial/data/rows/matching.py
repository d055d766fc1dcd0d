"""Link rows by an identifier, as it is spelt: positions, and the rows at them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc


def texts(values: pd.Series | pd.Index) -> pa.Array:
    """Return identifiers as one Arrow array of texts; a missing one is null."""
    array = pa.array(values.astype("str").array, pa.large_string())
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def as_text(values: pd.Series) -> pd.Series:
    """Return a category as texts; each name is made once."""
    names = values.cat.categories.astype("str").array
    codes = values.cat.codes.to_numpy()
    return pd.Series(names.take(codes, allow_fill=True), index=values.index, name=values.name)


def positions(values: pa.Array, among: pa.Array) -> np.ndarray:
    """Return the position of each identifier in another array, −1 if it is not there."""
    found = pc.index_in(values, value_set=among, skip_nulls=True)
    at: np.ndarray = pc.fill_null(found, -1).to_numpy(zero_copy_only=False)
    return at


def rows_at(frame: pd.DataFrame, at: np.ndarray, index: pd.Index) -> pd.DataFrame:
    """Return the rows at positions, missing if the position is negative."""
    if len(frame) == 0:
        return frame.reindex(pd.RangeIndex(len(at))).set_index(index)
    if not (at < 0).any():
        return frame.take(at).set_index(index)
    columns = {
        name: pd.api.extensions.take(
            frame[name].to_numpy()
            if isinstance(frame[name].dtype, np.dtype)
            else frame[name].array,
            at,
            allow_fill=True,
        )
        for name in frame
    }
    return pd.DataFrame(columns, index=index)


def sorted_within(frame: pd.DataFrame, school: np.ndarray, unit: str) -> pd.DataFrame:
    """Return rows in the order of a school's number, then of the unit's identifier."""
    identifiers = texts(frame[unit])
    rising = len(frame) < 2 or pc.all(pc.less_equal(identifiers[:-1], identifiers[1:])).as_py()
    first = np.arange(len(frame)) if rising else pc.sort_indices(identifiers).to_numpy()
    order = first[np.argsort(school[first], kind="stable")]
    return frame.take(order).reset_index(drop=True)
