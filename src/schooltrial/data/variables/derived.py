"""Variables that the protocol makes from those that were read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from schooltrial.data.rows.filters import matches
from schooltrial.data.variables.standardisation import cells_of, standardise
from schooltrial.protocol.content.filters import named_variables
from schooltrial.protocol.content.made_variables import WITHIN_GROUPS, sources
from schooltrial.protocol.content.sections import DerivedVariable


def add_variables(
    frame: pd.DataFrame, variables: Mapping[str, DerivedVariable], *, control: str = ""
) -> pd.DataFrame:
    """Add the declared variables, in the order declared.

    A variable whose sources are not (or not yet) in the frame is left out: pupils have no variables
    of teachers, and baseline scores come later than other variables.

    Parameters
    ----------
    frame : DataFrame
    variables : mapping
        Section of the protocol.
    control : str
        Name of the control group, for variables that are measured by it.
    """
    made = frame.copy()
    for name, rule in variables.items():
        needed = [*sources(rule), *(name for name in rule["within"] if name != "year")]
        needed += named_variables(rule["compared_with"])
        if rule["reference"] == "control":
            needed = [*needed, "arm"]
        if name not in made and all(source in made for source in needed):
            made[name] = _made(made, rule, control)
    return made


def add_variables_again(
    frame: pd.DataFrame, variables: Mapping[str, DerivedVariable], *, control: str
) -> pd.DataFrame:
    """Return a frame with its ranks and z-scores made of the rows that are left.

    What rests on them is made again too; a frame without such variables is returned as it is.
    """
    ranked = {name for name, rule in variables.items() if rule.get("as") in WITHIN_GROUPS}
    again: set[str] = set()
    for name, rule in variables.items():
        if name in ranked or set(sources(rule)) & again:
            again.add(name)
    kept = frame.drop(columns=[name for name in again if name in frame])
    return add_variables(kept, variables, control=control) if again else frame


def over_zero(
    frame: pd.DataFrame, variables: Mapping[str, DerivedVariable]
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the variables that are ratios, and which rows have none because of a zero below."""
    for name, rule in variables.items():
        if rule.get("as") == "ratio" and name in frame:
            yield name, (_numbers(frame, sources(rule)[1]) == 0)


def _made(frame: pd.DataFrame, rule: DerivedVariable, control: str) -> Any:
    kind = rule.get("as", "")
    if rule["where"]:
        return matches(frame, rule["where"]).astype("float64")
    names = sources(rule)
    if kind == "is_missing":
        return frame[names].isna().any(axis=1).astype("float64")
    if kind:
        return _computed(frame, kind, names, rule, control)
    [source] = names
    condition = {"at_least": rule["at_least"]} if "at_least" in rule else [rule.get("equals")]
    inside = matches(frame, {source: condition}).astype("float64")
    return inside.mask(frame[source].isna())


def _computed(
    frame: pd.DataFrame, kind: str, names: list[str], rule: DerivedVariable, control: str
) -> np.ndarray:
    columns = [_numbers(frame, name) for name in names]
    first, last = columns[0], columns[-1]
    if kind in WITHIN_GROUPS:
        reference = np.ones(len(frame), dtype=bool)
        if rule["reference"] == "control":
            reference = (frame["arm"] == control).to_numpy(bool)
        if rule["compared_with"]:
            reference = reference & matches(frame, rule["compared_with"]).to_numpy(bool)
        within = [name for name in ("year", *rule["within"]) if name in frame]
        if kind == "z_score":
            scores = frame[within].assign(_value=first)
            z = standardise(scores, "_value", within=within, reference=reference)
            return np.asarray(z, dtype="float64")
        return percentile_ranks(first, cells_of(frame, within), reference)
    with np.errstate(all="ignore"):
        if kind == "power":
            made = first ** np.float64(rule["exponent"])
        elif kind == "ratio":
            made = first / np.where(last == 0, np.nan, last)
        elif kind == "difference":
            made = first - last
        elif kind == "product":
            made = np.prod(columns, axis=0)
        else:
            made = np.sum(columns, axis=0) / (len(columns) if kind == "mean" else 1)
    found: np.ndarray = np.where(np.isfinite(made), made, np.nan)
    return found


def _numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    numbers: np.ndarray = frame[name].to_numpy("float64", na_value=np.nan)
    return numbers


def percentile_ranks(values: np.ndarray, cell: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return the percentile rank of each value among the reference values of its cell.

    100 (b + e/2) / n, where n reference values are known in the cell, b of them are below the
    value and e are equal to it; ties share a rank. Missing where the value is, or n is 0.

    Parameters
    ----------
    values : ndarray of float
    cell : ndarray of int
        Number of each row's cell; −1 where it is in none.
    reference : ndarray of bool
        Rows with whose values each is compared.
    """
    ranks = np.full(len(values), np.nan)
    known = ~np.isnan(values) & (cell >= 0)
    order = np.flatnonzero(known)[np.argsort(cell[known], kind="stable")]
    starts = np.flatnonzero(np.diff(cell[order], prepend=-1))
    for rows in np.split(order, starts[1:]) if len(order) else ():
        others = np.sort(values[rows][reference[rows]])
        if len(others):
            below = np.searchsorted(others, values[rows], "left")
            up_to = np.searchsorted(others, values[rows], "right")
            ranks[rows] = 50.0 * (below + up_to) / len(others)
    return ranks
