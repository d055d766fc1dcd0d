"""Are the groups alike at baseline? Standardised differences of pupils, teachers and schools."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import fsum, sqrt
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schooltrial.checks.balance.adjusted_differences import (
    Adjusted,
    Arms,
    Redrawing,
    adjusted_difference,
    redrawn_balance,
)
from schooltrial.checks.balance.compared_columns import (
    ALL,
    compared_rows,
    is_constant,
    mirrored,
    school_rows,
)
from schooltrial.data.rows.coding import Covariate, code_columns
from schooltrial.data.rows.filters import matches
from schooltrial.models.effect_size.pupil_level import cox_index, small_sample_correction
from schooltrial.protocol.content.filters import named_variables
from schooltrial.random_streams import stream
from schooltrial.randomisation.units import unit_column

COLUMNS = [
    "level", "variable", "category", "label", "n_control", "n_treated", "missing",
    "mean_control", "mean_treated", "sd_control", "sd_treated", "difference",
    "standardised_difference", "sd_used", "band",
    "sample", "arm", "kind", "sd_name", "n_control_units", "n_treated_units", "missing_control",
    "missing_treated", "wwc_effect_size", "wwc_measure", "wwc_band", "adjusted_difference",
    "adjusted_standardised", "adjusted_std_error", "adjusted_df", "adjusted_p_value",
    "rerandomisation_p_value",
    "replications", "exact", "variance_ratio", "distribution_distance", "note",
]  # fmt: skip


RANDOMISED, ASSIGNED, ANALYSED = "randomised", "assigned", "analysed"


FEWEST_FOR_SD = 3
"""Values of two groups that a pooled SD needs: one degree of freedom."""


Comparison = tuple[str, "pd.Series[bool]", "pd.Series[float]"]


@dataclass(frozen=True)
class BalanceRows:
    """The rows that are compared, by level.

    Attributes
    ----------
    sample : str
        randomised (in the tables assigned, where there was no lottery) or analysed.
    pupil, school, teacher : DataFrame
        Each with ``treated``, and ``arm``, ``block`` and ``cluster`` (or ``school``) where they are
        known; empty where a level is not compared.
    """

    sample: str
    pupil: pd.DataFrame
    school: pd.DataFrame
    teacher: pd.DataFrame

    def levels(self, settings: Mapping[str, Any]) -> Iterator[tuple[str, pd.DataFrame, list[str]]]:
        """Yield level, rows, and the variables that are compared there."""
        for level in ("pupil", "school", "teacher"):
            frame: pd.DataFrame = getattr(self, level)
            wanted = list(settings.get(f"{level}_variables") or [])
            # What is known of all schools is not always carried to the rows of those analysed.
            wanted = [name for name in wanted if name in frame]
            yield level, frame, wanted


def balance_rows(
    pupils: pd.DataFrame,
    settings: Mapping[str, Any],
    year: int | None,
    *,
    sample: str = RANDOMISED,
    schools: pd.DataFrame | None = None,
    teachers: pd.DataFrame | None = None,
) -> BalanceRows:
    """Return the rows of a sample, by level.

    Parameters
    ----------
    pupils : DataFrame
        Pupil × year.
    settings : mapping
        The protocol's ``balance`` section.
    year : int or None
        Baseline year; None where the rows are those to compare, whatever their year.
    sample : str
    schools : DataFrame, optional
        All schools assigned (see `compared_columns.school_rows`).
    teachers : DataFrame, optional
        Teacher × year.
    """
    then = compared_rows(pupils, settings, year)
    taught = pd.DataFrame()
    if teachers is not None and len(teachers):
        taught = teachers if year is None else teachers[teachers["year"] == year]
    school = school_rows(then, list(settings["school_variables"]), schools)
    return BalanceRows(sample, then, school, taught)


def balance(
    pupils: pd.DataFrame, settings: Mapping[str, Any], labels: Mapping[str, str], year: int
) -> pd.DataFrame:
    """Compare the groups in the baseline year, pupils and schools; see `balance_table`."""
    return balance_table(balance_rows(pupils, settings, year), settings, labels)


def balance_table(
    rows: BalanceRows,
    settings: Mapping[str, Any],
    labels: Mapping[str, str],
    *,
    arms: Sequence[str] | None = None,
    redrawing: Redrawing | None = None,
    populations: Mapping[str, Mapping[str, Any]] | None = None,
) -> pd.DataFrame:
    """Compare each group with control, variable by variable.

    Parameters
    ----------
    rows : BalanceRows
    settings : mapping
        The protocol's ``balance`` section.
    labels : mapping
        Variable → name in exhibits.
    arms : sequence of str, optional
        Names, control first: each is compared with the control group. By default all that are
        ``treated`` are taken together.
    redrawing : Redrawing, optional
        How assignments are re-drawn.
    populations : mapping, optional
        Outcome → the filter of those whose outcome it is; the others are not counted as missing.

    Returns
    -------
    DataFrame
        One row per variable; a categorical variable has one per level, each an indicator. The
        standardised difference keeps its sign, treated minus control, and is divided by the pooled
        SD of the two groups (of the indicator, for a level or a flag), of pupils or of school means
        as ``level`` says; it is infinite where neither group varies and they differ. ``band`` holds
        that of pupils to the bounds of What Works Clearinghouse (satisfied, adjustment needed, not
        satisfied); school means have none.

        ``wwc_effect_size`` is the measure of WWC: Hedges' g with ω for numbers, and for a flag or a
        level the Cox index (``wwc_measure`` says which; where a share is 0 or 1, the standardised
        difference stands in). ``adjusted_*``: net of block effects, CR2 with Satterthwaite's df,
        units drawn as clusters; ``rerandomisation_p_value`` re-draws that difference.
        ``variance_ratio`` is treated over control, missing where control does not vary;
        ``distribution_distance`` the largest gap between the arms' distribution functions
        (Kolmogorov-Smirnov).
    """
    redrawing = redrawing or Redrawing()
    found = [
        row
        for level, frame, variables in rows.levels(settings)
        for arm, inside, treated in _comparisons(frame, arms)
        for row in _compare(
            rows.sample, level, arm, frame[inside], treated[inside],
            code_columns(frame[inside], variables, levels="all", labels=labels),
            settings, redrawing, _outside(frame[inside], variables, populations or {}),
        )
    ]  # fmt: skip
    return pd.DataFrame(found, columns=COLUMNS)


def _comparisons(frame: pd.DataFrame, arms: Sequence[str] | None) -> Iterator[Comparison]:
    """Yield the group, the rows of it and of control, and the indicator of the group."""
    if "treated" not in frame:
        return
    if arms is None or "arm" not in frame:
        yield "", frame["treated"].notna(), frame["treated"].astype("float64")
        return
    own = frame["arm"].astype("str")
    for arm in arms[1:]:
        yield arm, own.isin([arms[0], arm]), (own == arm).astype("float64")


def two_arms(frame: pd.DataFrame, treated: pd.Series) -> Arms:
    """Return the assignment of rows of two groups."""
    block = frame["block"].astype("str") if "block" in frame else pd.Series(ALL, frame.index)
    return Arms(
        treated.to_numpy(dtype="float64"),
        frame[unit_column(frame)].astype("str").to_numpy(dtype=object),
        block.to_numpy(dtype=object),
    )


def _compare(
    sample: str,
    level: str,
    arm: str,
    frame: pd.DataFrame,
    treated: pd.Series,
    columns: Sequence[Covariate],
    settings: Mapping[str, Any],
    redrawing: Redrawing,
    outside: Mapping[str, NDArray[np.bool_]],
) -> Iterator[list[Any]]:
    if not columns:
        return
    arms = two_arms(frame, treated)
    redrawn = redrawn_balance(
        columns, arms, redrawing, stream(redrawing.seed, "balance", sample, level, arm), arm
    )
    again = mirrored(columns)
    for at, (column, p) in enumerate(zip(columns, redrawn.p_values, strict=True)):
        if at in again:
            continue
        values = column.values
        others = outside.get(column.name, np.zeros(len(values), dtype=bool))
        raw = _difference(values, treated, settings, level, others)
        adjusted = adjusted_difference(values, arms)
        notes = (undefined_note(column, treated, level), adjusted.note, redrawn.note)
        yield [
            level, column.name, column.category, column.label, *raw,
            sample, arm, column.kind, f"pooled SD of the two groups, {_of(column, level)}",
            *_counts(values, treated, arms.unit, others),
            *_wwc(column, treated, raw, settings, level),
            *_net(adjusted, raw[9]), p, redrawn.draws, redrawn.exact,
            *_distribution(column, treated),
            "; ".join(said for said in notes if said),
        ]  # fmt: skip


def plain_differences(
    sample: str,
    level: str,
    frame: pd.DataFrame,
    columns: Sequence[Covariate],
    settings: Mapping[str, Any],
    arms: Sequence[str],
) -> Iterator[dict[str, Any]]:
    """Yield the columns of `balance_table` that need no model and no draw, group by group.

    Parameters
    ----------
    sample, level : str
        What the rows are.
    frame : DataFrame
        Rows with ``arm``, ``treated`` and what was assigned.
    columns : sequence of Covariate
        What is compared, by the rows of the frame.
    settings : mapping
        The protocol's ``balance`` section.
    arms : sequence of str
        Names, control first.
    """
    for arm, inside, treated in _comparisons(frame, arms):
        unit, z = two_arms(frame[inside], treated[inside]).unit, treated[inside]
        for whole in columns:
            column = replace(whole, values=whole.values[inside])
            others = np.zeros(len(column.values), dtype=bool)
            raw = _difference(column.values, z, settings, level, others)
            found = [
                level, column.name, column.category, column.label, *raw, sample, arm, column.kind,
                f"pooled SD of the two groups, {_of(column, level)}",
                *_counts(column.values, z, unit, others), *_wwc(column, z, raw, settings, level),
            ]  # fmt: skip
            named = dict(zip(COLUMNS, found, strict=False))
            yield {**named, "note": undefined_note(column, z, level)}


def undefined_note(column: Covariate, treated: pd.Series, level: str) -> str:
    """Return why a standardised difference is infinite or not known; empty if it is a number."""
    values = column.values
    control, programme = (values[(treated == arm) & values.notna()] for arm in (0, 1))
    lacking = [
        name for name, part in (("control", control), ("intervention", programme)) if part.empty
    ]
    if lacking:
        where = f"the {lacking[0]} group" if len(lacking) == 1 else "either group"
        return f"not known: no {level} of {where} has a value"
    if len(control) + len(programme) < FEWEST_FOR_SD:
        return f"not known: one {level} in each group, so there is no SD"
    constant = [is_constant(part) for part in (control, programme)]
    if all(constant) and not is_constant(pd.concat([control, programme])):
        return "infinite: each group has one value, and they differ"
    is_share = column.kind in ("flag", "level") and level != "school"
    if is_share and any(constant) and not all(constant):
        return "Cox index infinite, as a share is 0 or 1: standardised difference in its place"
    return ""


def _outside(
    frame: pd.DataFrame,
    variables: Sequence[str],
    populations: Mapping[str, Mapping[str, Any]],
) -> dict[str, NDArray[np.bool_]]:
    """Return outcome → the rows of those whose outcome it is not."""
    return {
        name: ~matches(frame, populations[name]).to_numpy(bool)
        for name in variables
        if populations.get(name)
        and all(variable in frame for variable in named_variables(populations[name]))
    }


def _of(column: Covariate, level: str) -> str:
    what = "school means" if level == "school" and column.kind != "level" else f"{level}s"
    return what if column.kind == "number" else f"{what}, of the indicator"


def _difference(
    values: pd.Series,
    treated: pd.Series,
    settings: Mapping[str, Any],
    level: str,
    others: NDArray[np.bool_],
) -> list[Any]:
    control, programme = (values[(treated == arm) & values.notna()] for arm in (0, 1))
    sds = [part.std() for part in (control, programme)]
    pooled = _pooled_sd(control, programme)
    difference = programme.mean() - control.mean()
    standardised = difference / pooled if pooled > 0 else np.nan
    if pooled == 0:
        # Disjoint arms, each at a value of its own, are as unbalanced as can be.
        apart = not is_constant(pd.concat([control, programme]))
        standardised = np.copysign(np.inf, difference) if apart else 0.0
        difference = difference if apart else 0.0
    missing = int((values.isna() & ~others).sum())
    return [
        len(control), len(programme), missing, control.mean(), programme.mean(), *sds, difference,
        standardised, pooled,
        _band(standardised, settings, level),
    ]  # fmt: skip


def _counts(
    values: pd.Series, treated: pd.Series, unit: Any, others: NDArray[np.bool_]
) -> list[int]:
    """Return the units that have the variable, and the rows that lack it, by group."""
    known, z = values.notna().to_numpy(), treated.to_numpy()
    units = [int(pd.unique(unit[known & (z == arm)]).size) for arm in (0, 1)]
    return units + [int((~known & ~others & (z == arm)).sum()) for arm in (0, 1)]


def _wwc(
    column: Covariate, treated: pd.Series, raw: Sequence[Any], settings: Mapping[str, Any],
    level: str,
) -> tuple[float, str, str]:  # fmt: skip
    """Return the effect size that What Works Clearinghouse compares, its name, and its band."""
    n, means, standardised = raw[0] + raw[1], (raw[3], raw[4]), raw[8]
    size, name = standardised, "standardised difference"
    if column.kind in ("flag", "level") and level != "school":
        if all(0 < share < 1 for share in means):
            size, name = cox_index(means[1], means[0]), "Cox index"
    elif n > 3:
        size, name = standardised * small_sample_correction(n), "Hedges' g"
    return size, name, _band(size, settings, level)


def _net(adjusted: Adjusted, sd: float) -> list[float]:
    standardised = adjusted.difference / sd if sd > 0 else np.nan
    if sd == 0 and adjusted.difference:
        standardised = np.copysign(np.inf, adjusted.difference)
    return [
        adjusted.difference, standardised, adjusted.std_error, adjusted.df, adjusted.p_value
    ]  # fmt: skip


def _distribution(column: Covariate, treated: pd.Series) -> list[float]:
    """Return the ratio of variances, and the distance of the two distributions."""
    values = column.values
    control, programme = (values[(treated == arm) & values.notna()] for arm in (0, 1))
    if min(len(control), len(programme)) == 0:
        return [np.nan, np.nan]
    variances = [part.var() if len(part) > 1 else np.nan for part in (control, programme)]
    ratio = variances[1] / variances[0] if variances[0] > 0 else np.nan
    return [ratio, _kolmogorov(np.sort(programme.to_numpy()), np.sort(control.to_numpy()))]


def _kolmogorov(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the largest gap between the distribution functions of two sorted samples."""
    at = np.concatenate([one, other])
    below = [np.searchsorted(part, at, side="right") / len(part) for part in (one, other)]
    return float(np.abs(below[0] - below[1]).max())


def _pooled_sd(control: pd.Series, programme: pd.Series) -> float:
    """Return the pooled SD; just 0 where neither group varies, so that rounding does not show."""
    parts = (control, programme)
    if min(map(len, parts)) == 0 or sum(map(len, parts)) < FEWEST_FOR_SD:
        return np.nan
    if all(is_constant(part) for part in parts):
        return 0.0
    squares = fsum(part.var() * (len(part) - 1) for part in parts if len(part) > 1)
    return sqrt(squares / (len(control) + len(programme) - 2))


def _band(standardised: float, settings: Mapping[str, Any], level: str) -> str:
    """Return the band of pupils and teachers; the standard has none for school means."""
    if level == "school":
        return ""
    return band(standardised, settings["equivalent_to"], settings["adjust_to"])


def band(standardised: float, satisfied: float, adjustable: float) -> str:
    """Return the What Works Clearinghouse band of a standardised baseline difference."""
    size = abs(standardised)
    if np.isnan(size):
        return "not defined"
    if size <= satisfied:
        return "satisfied"
    return "adjustment needed" if size <= adjustable else "not satisfied"
