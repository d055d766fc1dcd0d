"""Variables and outcomes that the protocol makes from those that were read."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from schooltrial.data.ledger.ledger import Ledger
from schooltrial.data.rows.filters import matches
from schooltrial.protocol.sections import DerivedVariable, Outcome
from schooltrial.refusal import Fault, refuse
from schooltrial.wording import exact


def add_variables(frame: pd.DataFrame, variables: Mapping[str, DerivedVariable]) -> pd.DataFrame:
    """Add the declared variables: 1 where a variable is at least, or equals, a value, else 0.

    A variable whose source is not (or not yet) in the frame is left out: pupils have no variables
    of teachers, and baseline scores come later than other variables.
    """
    made = frame.copy()
    for name, rule in variables.items():
        if rule["from"] not in made or name in made:
            continue
        source = made[rule["from"]]
        if "at_least" in rule:
            inside = (source >= rule["at_least"]).fillna(False).astype(bool)
        else:
            inside = matches(made, {rule["from"]: [rule["equals"]]})
        made[name] = inside.astype("float64").mask(source.isna())
    return made


def add_ratios(frame: pd.DataFrame, outcomes: Mapping[str, Outcome]) -> pd.DataFrame:
    """Add the outcomes that are ratios of two variables; over zero there is no ratio."""
    made = frame.copy()
    for name, outcome in outcomes.items():
        rule = outcome["ratio"]
        if rule is not None:
            below = made[rule["denominator"]].astype("float64")
            above = made[rule["numerator"]].astype("float64")
            made[name] = rule["times"] * above / below.where(below > 0)
        elif name not in made:
            made[name] = float("nan")
    return made


def within_ranges(
    frame: pd.DataFrame, outcomes: Mapping[str, Outcome], level: str, ledger: Ledger
) -> pd.DataFrame:
    """Return ratios with those outside their range missing, each told to the ledger.

    Raises
    ------
    Refusal
        Where the outcome's ``out_of_range`` is ``refuse``.
    """
    kept, kind = frame.copy(), "observation" if level == "teacher" else "score"
    for name, outcome in outcomes.items():
        if outcome["ratio"] is None or outcome["range"] is None:
            continue
        low, high = outcome["range"]
        outside = ((kept[name] < low) | (kept[name] > high)).to_numpy(dtype=bool)
        reason = f"{name} outside {exact(low)} to {exact(high)}"
        if outside.any() and outcome["out_of_range"] == "refuse":
            first = exact(kept[name][outside].iloc[0])
            found = f"{reason} in {int(outside.sum())} rows, such as {first}"
            remedy = "correct the columns that it is made of, or set `out_of_range: missing`"
            refuse([Fault(f"{level}s table", found, "a ratio in its range", remedy, column=name)])
        ledger.leave(kept, outside, step="ratios in range", reason=reason, level=kind)
        kept[name] = kept[name].mask(outside)
    return kept
