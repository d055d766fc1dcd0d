"""Which orders of a list are older than its draw, and so can speak against it.

Identifiers of a register are older than the draw: where they follow the groups, the groups followed
the register. The order of rows need not be: a file is sorted by group, by block and arm, or kept in
the order in which units were drawn, after any honest draw. Nor are identifiers such as T01 and C01,
which name the group: they were given after the draw.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

ROWS, NAMES = "order of the list", "identifier"
"""What tests of the order of rows, and of identifiers, are called; their names begin so."""


CODES = (
    ("c", "ctrl", "ctl", "con", "control", "comparison", "0"),
    ("t", "tr", "trt", "tx", "treat", "treated", "treatment", "i", "int", "intervention", "e",
     "exp", "p", "prog", "programme", "program", "1"),
)  # fmt: skip
"""How identifiers name the control group, and any other."""


def natural_order(names: Sequence[str]) -> NDArray[np.intp]:
    """Return the positions that sort names as people do: S2 before S10."""
    keys = [
        [
            (0, int(part), "") if part.isdigit() else (1, 0, part)
            for part in re.split(r"(\d+)", name)
        ]
        for name in names
    ]
    return np.array(sorted(range(len(names)), key=keys.__getitem__), dtype=np.intp)


def order_later_than_draw(units: pd.DataFrame) -> dict[str, str]:
    """Return the name of the tests of an order that may be later than the draw, and why.

    Parameters
    ----------
    units : DataFrame
        ``unit``, in the order of the list.
    """
    names = list(units["unit"])
    if names == sorted(names):  # the order of identifiers, as text
        return {}
    why = (
        "rows are not in the order of the identifiers: a file may have been sorted by group, or "
        "kept in the order of the draw, so that their order is no evidence"
    )
    return {ROWS: why}


def identifiers_name_arms(units: pd.DataFrame, arms: Sequence[str]) -> bool:
    """Return whether identifiers say in letters, or by 0 and 1, in which group a unit is.

    Parameters
    ----------
    units : DataFrame
        ``unit, arm``.
    arms : sequence of str
        Groups of the list, control first.
    """
    if len(arms) < 2 or units.empty:
        return False
    names = units["unit"].astype("str").str.casefold()
    letters = names.str.replace(r"[\d\W_]+", "", regex=True)
    parts = names.str.split(r"[\W_]+", regex=True)
    codes = [letters, letters.str[:1], letters.str[-1:], _without_common(letters)]
    codes += [parts.str[0], parts.str[-1]] if (parts.str.len() > 1).all() else []
    return any(_are_codes(code.fillna(""), units["arm"], arms) for code in codes)


def _without_common(texts: pd.Series) -> pd.Series:
    """Return texts without what all of them begin and end with."""
    several = sorted(set(texts))
    for _ in range(2):
        first, last = several[0], several[-1]
        same = 0
        while same < min(len(first), len(last)) and first[same] == last[same]:
            same += 1
        texts = texts.str[same:].str[::-1]  # the second time it is the end, turned round
        several = sorted(set(texts))
    return texts


def _are_codes(code: pd.Series, arm: pd.Series, arms: Sequence[str]) -> bool:
    pairs = pd.DataFrame({"code": code.to_numpy(), "arm": arm.astype("str").to_numpy()})
    pairs = pairs.drop_duplicates()
    if len(pairs) != len(arms) or pairs["code"].nunique() != len(arms):
        return False
    of_arm = dict(zip(pairs["arm"], pairs["code"], strict=True))
    return all(_names(of_arm.get(name, ""), name, at) for at, name in enumerate(arms)) or (
        len(arms) == 2 and any(_names(of_arm.get(a, ""), a, at) for at, a in enumerate(arms))
        and not any(of_arm.get(a, "") in CODES[at == 0] for at, a in enumerate(arms))
    )  # fmt: skip


def _names(code: str, arm: str, at: int) -> bool:
    """Return whether a code names a group: its first letters, or a word for its kind."""
    return bool(code) and (arm.casefold().startswith(code) or code in CODES[min(at, 1)])
