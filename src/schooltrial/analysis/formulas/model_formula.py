"""A model as an analyst writes it, and its columns: ``maths ~ treated + male | block``.

The first part is a formula of formulaic (R's, Patsy's): names, ``:``, ``*``, ``C(…)``, functions of
numpy. After a ``|`` stand effects to be absorbed, and then, for an effect on those whom the
assignment moves, ``participation ~ assignment``: the three parts of R's fixest.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from math import nan
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import pandas as pd
from formulaic import Formula
from formulaic.errors import FormulaicError
from formulaic.parser.types import Factor, Term
from formulaic.transforms import TRANSFORMS
from formulaic.utils.variables import get_required_variables

from schooltrial.analysis.design_matrix import indicators
from schooltrial.analysis.estimates_table import NO_EFFECT_SIZE
from schooltrial.data.rows.filters import has_level, levels
from schooltrial.models.effect_size.cluster_level import cluster_effect_size
from schooltrial.models.effect_size.pupil_level import (
    EffectSize,
    cox_effect_size,
    hedges_effect_size,
    pooled_pupil_sd,
    standardise,
)
from schooltrial.models.inference.estimate import Estimate
from schooltrial.models.least_squares.clusters import cluster_rows

Array = npt.NDArray[np.float64]

INTERCEPT = "(Intercept)"
SWEEPS, SETTLED = 10_000, 1e-12
"""At most so many rounds to find several absorbed effects, until none moves by this share."""


@dataclass(frozen=True)
class ModelFormula:
    """The parts of a model.

    Attributes
    ----------
    text : str
        As it was written.
    outcome, regressors : str
        Left and right of the first ``~``.
    absorbed : tuple of str
        Columns whose effects are swept out.
    endogenous, instruments : str
        Of the last part; empty where there is none.
    """

    text: str
    outcome: str
    regressors: str
    absorbed: tuple[str, ...] = ()
    endogenous: str = ""
    instruments: str = ""

    def variables(self) -> list[str]:
        """Return the columns of the data that the model needs, in the order of the formula."""
        sides = [self.outcome, self.regressors, self.endogenous, self.instruments]
        needed = {name for side in sides if side for name in _variables(side, self.text)}
        order = {name: self.text.find(name) for name in needed}
        return [*sorted(needed, key=lambda name: (order[name], name)), *self.absorbed]


def parse_formula(text: str) -> ModelFormula:
    """Read ``outcome ~ regressors | absorbed | participation ~ assignment``.

    Raises
    ------
    ValueError
        Where it cannot be read, with what is wrong.
    """
    parts = [part.strip() for part in _split(text, "|")]
    outcome, regressors = _two_sides(parts[0], text)
    found = ModelFormula(text, outcome, regressors)
    for part in parts[1:]:
        if "~" in part:
            endogenous, instruments = _two_sides(part, text)
            found = replace(found, endogenous=endogenous, instruments=instruments)
        elif found.absorbed or found.endogenous:
            raise _unreadable(text, f"there is one part too many: {part!r}")
        elif part not in ("0", "1"):
            names = [name.strip().strip("`") for name in part.split("+")]
            if not all(names):
                raise _unreadable(text, f"{part!r} does not name the effects to absorb")
            found = replace(found, absorbed=tuple(names))
    for side in (found.regressors, found.endogenous, found.instruments):
        if side:
            _parsed(side, text)
    return found


def _split(text: str, mark: str) -> list[str]:
    """Return the parts between marks that are outside brackets and backticks."""
    parts, depth, quoted = [""], 0, False
    for letter in text:
        quoted = quoted != (letter == "`")
        depth += (letter in "([{") - (letter in ")]}")
        if letter == mark and not quoted and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _two_sides(part: str, text: str) -> tuple[str, str]:
    sides = [side.strip() for side in _split(part, "~")]
    if len(sides) != 2 or not all(sides):
        raise _unreadable(text, f"{part!r} must have one ~, and something on both its sides")
    return sides[0], sides[1]


def _parsed(side: str, text: str) -> Any:
    try:
        return Formula(side)
    except (FormulaicError, SyntaxError) as error:
        said = str(error).strip().splitlines()
        raise _unreadable(text, said[0].rstrip(".") if said else "") from error


def _variables(side: str, text: str) -> set[str]:
    """Return the columns of the data that a side needs."""
    return {name for term in _parsed(side, text) for name in term_variables(term)}


def term_variables(term: Term) -> set[str]:
    """Return the columns of the data that a term needs, those inside a function too."""
    return {name for factor in term.factors for name in _factor_variables(factor)}


def _factor_variables(factor: Factor) -> set[str]:
    """Return the columns that a factor names; formulaic itself does not see inside ``poly``."""
    found = set(factor.required_variables)
    if factor.eval_method is Factor.EvalMethod.PYTHON:
        found |= get_required_variables(factor.expr)
    columns = {one for one in found if "." in one or one.roles != {"callable"}}
    return {str(one.root) for one in columns if one.root not in TRANSFORMS}


def _unreadable(text: str, why: str) -> ValueError:
    return ValueError(
        f"the formula {text!r} cannot be read: {why}. Write it as 'outcome ~ treated + covariate', "
        "with '| block' after it for effects to absorb"
    )


@dataclass(frozen=True, eq=False)
class FormulaRows:
    """The rows of a fit by formula, and the way from data to the columns of its model.

    Attributes
    ----------
    model : ModelFormula
        The model as it was written.
    frame : DataFrame
        The complete rows.
    outcome : array (n,)
        The outcome.
    columns : dict of str to array (n,)
        Regressors by name, ``(Intercept)`` among them where there is one.
    treatment : str
        The column of the data that says who was treated.
    treatment_terms : tuple of str
        The coefficients that carry the effect.
    notes : tuple of str
        Rows and columns that were left out.
    spec : formulaic.ModelSpec
        Makes the columns of new data.
    levels_of : tuple of (str, str)
        Column and level of each indicator that was added to the formula: fixed effects of blocks.
    group_columns : dict of str to str
        Level (school, block) → column of the data.
    weights, cluster : str or None
        Columns of the data.
    estimand : str
        What the treatment terms are of.
    added : tuple of str
        Columns of the data that are regressors beside the formula's: participation.
    """

    model: ModelFormula
    frame: pd.DataFrame
    outcome: Array
    columns: dict[str, Array]
    treatment: str
    treatment_terms: tuple[str, ...]
    notes: tuple[str, ...]
    spec: Any
    levels_of: tuple[tuple[str, str], ...] = ()
    group_columns: Mapping[str, str] = field(default_factory=dict)
    weights: str | None = None
    cluster: str | None = None
    estimand: str = "ITT"
    added: tuple[str, ...] = ()

    @property
    def formula(self) -> str:
        """The model as it was written."""
        return self.model.text

    @property
    def outcome_name(self) -> str:
        """Name of the outcome."""
        return self.model.outcome

    @overload
    def values(self, name: str) -> npt.NDArray[Any]: ...
    @overload
    def values(self, name: str | None) -> npt.NDArray[Any] | None: ...
    def values(self, name: str | None) -> npt.NDArray[Any] | None:
        """Return a column of the data for the complete rows; None if no column is asked for."""
        return None if name is None else np.asarray(self.frame[name].to_numpy())

    def numbers(self, name: str | None) -> Array | None:
        """Return a column of weights or the like as numbers."""
        return None if name is None else _numbers(self.frame[name], name)

    @property
    def treated(self) -> Array | None:
        """Who was treated, as zeros and ones; None if the treatment is something else."""
        values = self.frame[self.treatment] if self.treatment in self.frame else pd.Series()
        is_flag = pd.api.types.is_numeric_dtype(values) and set(values.unique()) == {0, 1}
        return values.to_numpy("float64") if is_flag else None

    @property
    def n_treated_clusters(self) -> float:
        """Number of clusters with treated rows (of rows, without clusters); NaN if not known."""
        treated = self.treated
        if treated is None:
            return nan
        kept = self.frame[treated == 1]
        return len(kept) if self.cluster is None else int(kept[self.cluster].nunique())

    @property
    def clustered_by_school(self) -> bool:
        """Whether the clusters are the column ``school``."""
        return self.cluster == "school"

    def columns_of(self, data: Any) -> tuple[pd.DataFrame, dict[str, Array]]:
        """Return new data and the columns of the model for them."""
        needed = _variables(self.model.regressors, self.model.text)
        needed |= {*self.model.absorbed, *(name for name, _ in self.levels_of), *self.added}
        frame = read_data(data, sorted(needed))
        blocks = {name for name, _ in self.levels_of}
        _refuse_new_levels(frame, self.frame, sorted(needed - {*self.model.absorbed}), blocks)
        added = {
            f"{name}={level}": has_level(frame[name], level).to_numpy("float64")
            for name, level in self.levels_of
        }
        matrix = self.spec.get_model_matrix(frame, na_action="ignore")
        added |= {name: frame[name].to_numpy("float64") for name in self.added}
        return frame, {**added, **_named(matrix)}

    def predict(self, names: Sequence[str], coefficients: Array, data: Any | None = None) -> Array:
        """Return what the model expects: regressors, and effects that were absorbed."""
        frame, columns = (self.frame, self.columns) if data is None else self.columns_of(data)
        expected = _weighted_sum(columns, names, coefficients)
        if self.model.absorbed:
            left = self.outcome - _weighted_sum(self.columns, names, coefficients)
            for name, effects in self._absorbed(left).items():
                expected = expected + frame[name].map(effects).to_numpy("float64")
        return expected

    def _absorbed(self, left: Array) -> dict[str, dict[Any, float]]:
        """Return the effect of each level of the absorbed columns, by rounds of means."""
        weights = self.numbers(self.weights)
        w = np.ones(len(left)) if weights is None else weights
        groups = {name: cluster_rows(self.frame[name].to_numpy()) for name in self.model.absorbed}
        effects = {name: np.zeros(group.count) for name, group in groups.items()}
        rest = left.copy()
        for _ in range(SWEEPS):
            moved = 0.0
            for name, group in groups.items():
                weight = np.bincount(group.codes, w, group.count)
                step = np.bincount(group.codes, w * rest, group.count) / weight
                effects[name] += step
                rest = rest - step[group.codes]
                moved = max(moved, float(np.abs(step).max()))
            if len(groups) == 1 or moved <= SETTLED * float(np.abs(left).max()):
                break
        return {
            name: dict(zip(group.labels.tolist(), effects[name].tolist(), strict=True))
            for name, group in groups.items()
        }

    def groups(self, level: str, data: Any | None = None) -> Any:
        """Return the school or block of each row, or of each row of new data."""
        column = self.group_columns[level]
        frame = self.frame if data is None else read_data(data, [column])
        return frame[column].tolist()

    def effect_size(
        self, estimate: Estimate, *, kind: str, level_of: str, icc: float | None
    ) -> EffectSize:
        """Return an effect in standard deviations of these rows; see ``Result.effect_size``.

        Without a kind, an outcome of zeros and ones has a Cox index and any other Hedges' g; where
        there is neither, the result says nothing.
        """
        treated, y = self.treated, self.outcome
        chosen = kind or ("cox_index" if set(np.unique(y)) <= {0.0, 1.0} else "hedges_g")
        if treated is None:
            if not kind:
                return NO_EFFECT_SIZE
            raise ValueError(
                f"an effect size compares rows with {self.treatment!r} 0 and 1; it has other values"
            )
        if chosen == "cox_index":
            share = float(np.mean(y[treated == 0]))
            if not kind and not (0 < share < 1 and 0 < share + estimate.estimate < 1):
                return replace(NO_EFFECT_SIZE, rule="no Cox index: a share of 0 or 1")
            return cox_effect_size(estimate, share)
        if chosen == "glass_delta":
            sd = float(np.std(y[treated == 0], ddof=1))
            return standardise(estimate, sd, rule="Glass's delta, SD of the untreated")
        sd = pooled_pupil_sd(y, treated)
        if level_of == "pupil":
            return hedges_effect_size(estimate, sd)
        if icc is None:
            raise ValueError(
                "an effect size that allows for schools needs their intraclass correlation: give "
                "`icc`, or fit a multilevel model, which has its own"
            )
        return cluster_effect_size(estimate, sd, icc)


def _weighted_sum(columns: Mapping[str, Array], names: Sequence[str], coefficients: Array) -> Array:
    total = np.zeros(len(next(iter(columns.values()))))
    for name, coefficient in zip(names, coefficients, strict=True):
        total = total + columns[name] * coefficient
    return total


def read_rows(
    formula: str | ModelFormula,
    data: Any,
    *,
    cluster: str | None = None,
    weights: str | None = None,
    blocks: str | None = None,
    fixed_blocks: bool = False,
    estimand: str = "ITT",
) -> FormulaRows:
    """Return the complete rows of a model and its columns.

    Parameters
    ----------
    formula : str or ModelFormula
        The model.
    data : frame or mapping of str to array
        Pupils, or whoever the rows are of.
    cluster, weights, blocks : str, optional
        Further columns that a row must have.
    fixed_blocks : bool
        Whether to add an indicator for each block but the first, before the regressors.
    estimand : str
        What the treatment terms are of.

    Raises
    ------
    ValueError
        For a column that the data lack, an outcome that is text, a formula that cannot be read,
        or data without a complete row.
    """
    model = parse_formula(formula) if isinstance(formula, str) else formula
    needed = list(dict.fromkeys([*model.variables(), *filter(None, (cluster, weights, blocks))]))
    frame, notes = _complete(read_data(data, needed)[needed])
    refuse_infinite(frame)
    if weights is not None:
        _refuse_weights(_numbers(frame[weights], weights), weights)
    outcome = _numbers(_outcome_of(model, frame), model.outcome)
    exogenous = _matrix(model.regressors, model.text, frame)
    columns = _named(exogenous)
    refuse_infinite(pd.DataFrame(columns), "term")
    if model.absorbed:
        columns.pop(INTERCEPT, None)
    added = indicators(frame[blocks]) if blocks is not None and fixed_blocks else {}
    level_pairs = (
        tuple((str(blocks), level) for level in levels(frame[blocks])[1:]) if added else ()
    )
    treatment = _treatment(model)
    return FormulaRows(
        model, frame, outcome, {**added, **columns}, treatment,
        _terms_with(exogenous.model_spec, treatment), notes, exogenous.model_spec,
        levels_of=level_pairs, weights=weights, cluster=cluster, estimand=estimand,
    )  # fmt: skip


def side_columns(side: str, rows: FormulaRows) -> dict[str, Array]:
    """Return the columns of ``a + b`` for the rows of a model, without an intercept."""
    columns = _named(_matrix(side, rows.formula, rows.frame))
    columns.pop(INTERCEPT, None)
    refuse_infinite(pd.DataFrame(columns), "term")
    return columns


def _matrix(side: str, text: str, frame: pd.DataFrame) -> Any:
    return matrix_of(_parsed(side, text), text, frame)


def matrix_of(terms: Formula, text: str, frame: pd.DataFrame) -> Any:
    """Return the columns of terms; a function that has no value leaves NaN, to be refused.

    Raises
    ------
    ValueError
        Where a term of the formula cannot be computed, such as a function that is not known.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        try:
            return terms.get_model_matrix(frame, na_action="ignore")
        except FormulaicError as error:
            told = str(error.__cause__ or error).strip().splitlines()[0].rstrip(".")
            raise ValueError(
                f"the formula {text!r} cannot be computed: {told}. Use columns, `:`, `*`, `C(…)`, "
                "and functions of numpy such as `np.log(…)`"
            ) from error


def read_data(data: Any, needed: Iterable[str]) -> pd.DataFrame:
    """Return data as a frame, having seen that the columns are there.

    Raises
    ------
    ValueError
        With the name of the column that is not, and the nearest that is.
    """
    given = data.to_pandas() if hasattr(data, "to_pandas") else data
    frame = given if isinstance(given, pd.DataFrame) else pd.DataFrame(dict(given))
    there = [str(name) for name in frame.columns]
    for name in needed:
        if name not in there:
            near = get_close_matches(name, there, 1, 0.5)
            meant = f"did you mean {near[0]!r}? They have" if near else "they have"
            raise ValueError(f"the data have no column {name!r}; {meant} {', '.join(there)}")
    return frame


def _complete(frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the rows that lack nothing, flags as numbers, and what to say of the others."""
    lacking = frame.isna()
    rows = frame[~lacking.any(axis=1)].reset_index(drop=True)
    counts = {str(name): int(count) for name, count in lacking.sum().items() if count}
    told = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    left = len(frame) - len(rows)
    if rows.empty:
        raise ValueError(
            f"none of the {len(frame):,} rows is complete"
            + (f"; missing values: {told}" if told else "")
        )
    flags = {name: "float64" for name in rows if pd.api.types.is_bool_dtype(rows[name])}
    note = f"{left:,} of {len(frame):,} rows are left out for missing values: {told}"
    return rows.astype(flags), (note,) if left else ()


def refuse_infinite(frame: pd.DataFrame, what: str = "column") -> None:
    """Raise where a value is infinite or missing: a fit would drop its column, or fail later."""
    for name in frame:
        values = frame[name]
        if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            continue
        infinite = ~np.isfinite(values.to_numpy("float64"))
        if infinite.any():
            raise ValueError(
                f"the {what} {str(name)!r} is not finite in {int(infinite.sum()):,} of "
                f"{len(frame):,} rows; make those values missing, or leave the rows out"
            )


def _refuse_weights(weights: Array, name: str) -> None:
    """Raise where a weight is not above zero."""
    odd = weights[~(weights > 0)]
    if len(odd):
        raise ValueError(
            f"the weights {name!r} are not above zero in {len(odd):,} of {len(weights):,} rows, "
            f"such as {odd[0]:g}; leave out the rows that should not count"
        )


def _refuse_new_levels(
    frame: pd.DataFrame, fitted: pd.DataFrame, names: Iterable[str], blocks: Collection[str]
) -> None:
    """Raise where new data have a category, or a block, that the fit has not seen.

    It would otherwise be taken for the level that the others are compared with.
    """
    for name in names:
        if name not in fitted:
            continue
        if name not in blocks and pd.api.types.is_numeric_dtype(fitted[name]):
            continue
        seen = levels(fitted[name])
        new = [level for level in levels(frame[name]) if level not in seen]
        if new:
            raise ValueError(
                f"the column {name!r} has the value {new[0]!r}, which the fit has not seen; it saw "
                f"{', '.join(map(repr, seen[:8]))}{' …' if len(seen) > 8 else ''}"
            )


def _outcome_of(model: ModelFormula, frame: pd.DataFrame) -> pd.Series:
    if model.outcome.strip("`") in frame:
        return frame[model.outcome.strip("`")]
    matrix = _matrix(f"0 + {model.outcome}", model.text, frame)
    if matrix.shape[1] != 1:
        raise ValueError(
            f"the outcome {model.outcome!r} makes {matrix.shape[1]} columns; it must be one"
        )
    refuse_infinite(matrix, "outcome")
    return matrix.iloc[:, 0]


def _numbers(values: pd.Series, name: str) -> Array:
    if not pd.api.types.is_numeric_dtype(values):
        example = str(values.iloc[0])
        raise ValueError(
            f"the column {name!r} holds text ({example!r} in its first row), where numbers are "
            "needed; convert it first"
        )
    return np.asarray(values.to_numpy("float64"))


def _named(matrix: pd.DataFrame) -> dict[str, Array]:
    """Return the columns by name: ``grade=4`` for the level that formulaic calls grade[T.4]."""
    return {
        plain_name(str(name)): np.asarray(matrix[name].to_numpy("float64"))
        for name in matrix.columns
    }


def plain_name(name: str) -> str:
    """Return the name of a column as results have it: ``grade=4``, not ``C(grade)[T.4]``."""
    if name == "Intercept":
        return INTERCEPT
    return (
        re.sub(r"C\(([^(),]+)\)(?=\[)", r"\1", name)
        .replace("[T.", "[")
        .replace("[", "=")
        .replace("]", "")
    )


def _treatment(model: ModelFormula) -> str:
    """Return who was treated: ``treated`` where it is named, else the first name of its part."""
    side = model.instruments or model.regressors
    named = sorted(_variables(side, model.text))
    if "treated" in named or not named:
        return "treated"
    return min(named, key=side.find)


def _terms_with(spec: Any, variable: str) -> tuple[str, ...]:
    """Return the names of the columns that hold a variable."""
    names = list(spec.column_names)
    return tuple(
        plain_name(str(names[at]))
        for term, variables in spec.term_variables.items()
        if variable in {str(name) for name in variables}
        for at in spec.term_indices[term]
    )
