"""Outcomes that the protocol makes of others: ratios, sums, means, gains and indices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from schooltrial.data.ledger.ledger import Ledger
from schooltrial.data.rows.filters import matches
from schooltrial.data.variables.standardisation import cells_of, standardise
from schooltrial.protocol.content.filters import named_variables
from schooltrial.protocol.content.made_variables import components, is_read, with_components
from schooltrial.protocol.content.sections import Index, Outcome, OutlierRule
from schooltrial.refusal import Fault, refuse
from schooltrial.wording import exact

Earlier = Callable[[str, int], pd.Series]
"""Outcome and year → what was measured then, by the number of the person (``_unit``)."""


@dataclass(frozen=True)
class Making:
    """What outcomes are made by.

    Attributes
    ----------
    level : str
        Whose outcomes they are.
    control : str
        Name of the control group.
    within : sequence of str
        Columns within which the parts of an index are standardised.
    earlier : callable
        What was measured in an earlier year.
    """

    level: str
    control: str
    within: Sequence[str]
    earlier: Earlier


def make_outcomes(
    frame: pd.DataFrame, outcomes: Mapping[str, Outcome], making: Making, ledger: Ledger
) -> pd.DataFrame:
    """Return a frame with all outcomes as measured, before any is standardised.

    What is outside a range, is an outlier, or is of somebody outside the outcome's population is
    set aside before other outcomes are made of it.

    Parameters
    ----------
    frame : DataFrame
        Rows of one year, with the outcomes that were read.
    outcomes : mapping
        Outcomes of the level.
    making : Making
    ledger : Ledger
        What is told of values that are set aside.

    Raises
    ------
    Refusal
        Where a value is outside its range and the protocol says ``refuse``, or the parts of an
        index have no inverse covariance matrix.
    """
    made = frame.copy()
    _refuse_lacking(made, outcomes, making.level)
    for name, outcome in with_components(outcomes, outcomes).items():
        if not is_read(outcome):
            made[name] = _composite(made, name, outcome, making)
        elif name not in made:
            made[name] = np.nan
        made[name] = _in_range(made, name, outcome, making.level, ledger)
        made[name] = _without_outliers(made, name, outcome, making.level, ledger)
        made[name] = _of_population(made, name, outcome)
    return made


def add_ratios(frame: pd.DataFrame, outcomes: Mapping[str, Outcome]) -> pd.DataFrame:
    """Add the outcomes that are ratios of two variables; over zero there is no ratio."""
    made = frame.copy()
    for name, outcome in outcomes.items():
        if outcome["ratio"] is not None:
            made[name] = _ratio(made, outcome)
        elif name not in made:
            made[name] = float("nan")
    return made


def _refuse_lacking(frame: pd.DataFrame, outcomes: Mapping[str, Outcome], level: str) -> None:
    """Refuse outcomes made of variables that these rows do not have."""
    refuse(
        [
            Fault(
                f"{level}s table",
                f"outcome {name!r} uses {variable!r}, but no {level} has a value",
                f"a variable of {level}s or their schools",
                f"read {variable!r} into `tables.{level}s`, or name another variable",
                column=f"outcomes.{name}",
            )
            for name, outcome in outcomes.items()
            for variable in dict.fromkeys(
                [
                    *(part for part in components(outcome) if part not in outcomes),
                    *named_variables(outcome["population"]),
                    *(outcome["outliers"]["within"] if outcome["outliers"] else ()),
                ]
            )
            if variable not in frame
        ]
    )  # fmt: skip


def _composite(frame: pd.DataFrame, name: str, outcome: Outcome, making: Making) -> pd.Series:
    if outcome["ratio"]:
        return _ratio(frame, outcome)
    if outcome["gain_from"]:
        part, year = outcome["gain_from"]["outcome"], outcome["gain_from"]["year"]
        later = pd.Series(frame["year"].to_numpy("int64") > year, index=frame.index)
        if not later.any():
            return pd.Series(np.nan, index=frame.index)
        before = frame["_unit"].map(making.earlier(part, year)).astype("float64")
        return (frame[part].astype("float64") - before).where(later)
    if outcome["index_of"]:
        return _index(frame, name, outcome["index_of"], making)
    parts = outcome["sum_of"] or outcome["mean_of"]
    total = frame[parts].astype("float64").sum(axis=1, skipna=False)
    return total / len(parts) if outcome["mean_of"] else total


def _ratio(frame: pd.DataFrame, outcome: Outcome) -> pd.Series:
    rule = outcome["ratio"]
    assert rule is not None
    below = frame[rule["denominator"]].astype("float64")
    above = frame[rule["numerator"]].astype("float64")
    return rule["times"] * above / below.where(below > 0)


def _index(frame: pd.DataFrame, name: str, rule: Index, making: Making) -> pd.Series:
    within = [column for column in making.within if column in frame]
    reference = (frame["arm"] == making.control).to_numpy(bool)
    signs = [-1.0 if part in rule["reverse"] else 1.0 for part in rule["outcomes"]]
    scores = np.column_stack(
        [
            sign * standardise(frame, part, within=within, reference=reference).to_numpy()
            for part, sign in zip(rule["outcomes"], signs, strict=True)
        ]
    )
    if rule["weights"] == "equal":
        group, _ = pd.factorize(frame["arm"])
        cell = cells_of(frame, within)
        cell = np.where((group < 0) | (cell < 0), -1, cell * (group.max(initial=0) + 1) + group)
        found = mean_of_z_scores(scores, cell)
    else:
        weights = anderson_weights(scores[frame["arm"].notna().to_numpy()])
        if weights is None:
            refuse(
                [
                    Fault(
                        f"{making.level}s table", f"the parts of {name}, "
                        f"{', '.join(rule['outcomes'])}, are linearly dependent, or too few pupils "
                        f"have two of them in {frame['year'].iloc[0]}",
                        "parts with an invertible covariance matrix",
                        "delete one of the parts, or set `weights: equal`",
                        column=f"outcomes.{name}.index_of",
                    )
                ]
            )  # fmt: skip
            raise AssertionError("refused above")
        found = weighted_index(scores, weights)
    return pd.Series(found, index=frame.index)


def mean_of_z_scores(scores: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return the mean of z-scores of Kling, Liebman and Katz (2007, Econometrica 75(1), p. 89).

    A score that is missing is the mean of the row's group (arm, within grade and year), where the
    row has any score; so the effect on the index is the mean of the effects on its parts.

    Parameters
    ----------
    scores : ndarray (n, k)
        Each with mean 0 and SD 1 in the control group; NaN where missing.
    group : ndarray of int (n,)
        Number of each row's group; −1 where it is in none, and nothing stands in.
    """
    filled = scores.copy()
    for column in filled.T:
        lacking = np.isnan(column) & (group >= 0)
        if lacking.any():
            known = ~np.isnan(column) & (group >= 0)
            many = int(group.max()) + 1
            count = np.bincount(group[known], minlength=many)
            total = np.bincount(group[known], weights=column[known], minlength=many)
            with np.errstate(invalid="ignore"):
                column[lacking] = (total / count)[group[lacking]]
    seen = ~np.isnan(scores).all(axis=1)
    return weighted_index(np.where(seen[:, None], filled, np.nan), np.ones(scores.shape[1]))


def anderson_weights(scores: np.ndarray) -> np.ndarray | None:
    """Return the sums of the rows of the inverse covariance matrix (Anderson 2008, JASA 103, 1485).

    Each covariance is over the rows that have both scores. None where there is no inverse.
    """
    covariance = pd.DataFrame(scores).cov(min_periods=2).to_numpy()
    if not np.isfinite(covariance).all():
        return None
    values, vectors = np.linalg.eigh(covariance)
    if values[0] <= 1e-10 * values[-1]:
        return None
    weights: np.ndarray = (vectors / values) @ vectors.T @ np.ones(len(values))
    return weights


def weighted_index(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weighted mean of the scores that a row has; missing if it has none."""
    seen = ~np.isnan(scores)
    total = np.where(seen, scores, 0.0) @ weights
    with np.errstate(invalid="ignore", divide="ignore"):
        found: np.ndarray = np.where(seen.any(axis=1), total / (seen @ weights), np.nan)
    return found


def _in_range(
    frame: pd.DataFrame, name: str, outcome: Outcome, level: str, ledger: Ledger
) -> pd.Series:
    """Return an outcome that is made of others with what is outside its range set aside."""
    values: pd.Series = frame[name]
    if is_read(outcome) or outcome["range"] is None:
        return values
    low, high = outcome["range"]
    outside = ((values < low) | (values > high)).to_numpy(dtype=bool)
    reason = f"{name} outside {exact(low)} to {exact(high)}"
    what = "ratio" if outcome["ratio"] else "value"
    if outside.any() and outcome["out_of_range"] == "refuse":
        first = exact(values[outside].iloc[0])
        found = f"{reason} in {int(outside.sum())} rows, such as {first}"
        remedy = "correct the columns that it is made from, or set `out_of_range: missing`"
        refuse([Fault(f"{level}s table", found, f"a {what} in its range", remedy, column=name)])
    step = "ratios in range" if outcome["ratio"] else "outcomes in range"
    ledger.leave(frame, outside, step=step, reason=reason, level=_measured(level))
    return values.mask(outside)


def _without_outliers(
    frame: pd.DataFrame, name: str, outcome: Outcome, level: str, ledger: Ledger
) -> pd.Series:
    """Return an outcome without its outliers, each of which is logged."""
    rule, values = outcome["outliers"], frame[name]
    if rule is None:
        return values
    outside = outliers(frame, name, rule)
    groups = f" of their {', '.join(rule['within'])}" if rule["within"] else ""
    reason = f"{name} more than {exact(rule['beyond_sd'])} SD from the mean{groups}"
    ledger.leave(frame, outside, step="outliers", reason=reason, level=_measured(level))
    return values.mask(outside)


def outliers(frame: pd.DataFrame, name: str, rule: OutlierRule) -> np.ndarray:
    """Return which values are further from the mean of their group than the rule allows."""
    within = [column for column in ("year", *rule["within"]) if column in frame]
    counted = frame["arm"].notna().to_numpy() if "arm" in frame else np.ones(len(frame), bool)
    scores = standardise(frame, name, within=within, reference=counted).to_numpy()
    found: np.ndarray = np.abs(scores) > rule["beyond_sd"]
    return found


def _of_population(frame: pd.DataFrame, name: str, outcome: Outcome) -> pd.Series:
    if not outcome["population"]:
        return frame[name]
    return frame[name].where(matches(frame, outcome["population"]))


def _measured(level: str) -> str:
    return {"teacher": "observation", "school": "school score"}.get(level, "score")
