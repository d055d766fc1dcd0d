"""The columns of a two-way panel model, built from its section and the cells of one outcome."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from schooltrial.analysis.panel.panel_cells import covariate_bases
from schooltrial.data.rows.covariates import count_missing, covariate_columns
from schooltrial.data.rows.filters import has_level, levels
from schooltrial.models.panel.difference_in_differences import PanelFit, two_way_effects
from schooltrial.models.panel.treatment_terms import (
    cohort_event_indicators,
    cohort_indicator,
    event_indicators,
    programme_indicator,
)
from schooltrial.protocol.content.sections import Model, clusters_of, weight_variable
from schooltrial.wording import plural

Array = npt.NDArray[np.float64]
Columns = dict[str, Array]


@dataclass(frozen=True)
class PanelColumns:
    """One outcome's cells, and the model's columns other than treatment.

    Attributes
    ----------
    rows : DataFrame (n rows)
        The cells that are complete.
    covariates : dict of str to array (n,)
        Columns by name.
    fixed_effects : dict of str to array (n,)
        Labels of effects beside those of school and year.
    model : Model
    notes : tuple of str
        What a reader must know of the cells.
    """

    rows: pd.DataFrame
    covariates: Columns
    fixed_effects: dict[str, npt.NDArray[Any]]
    model: Model
    notes: tuple[str, ...] = field(default=())

    @property
    def splits(self) -> list[str]:
        """The variables that split the effect."""
        return [name for name in (self.model["effects_by"], self.model["moderator"]) if name]

    @property
    def unit(self) -> npt.NDArray[Any]:
        """The school of every cell, or its part at one level where pupils split the effect."""
        school = self.rows["school"].astype("str")
        for name in self.splits:
            if _varies_in_schools(self.rows, name):
                school = school + "|" + self.rows[name].astype("str")
        return np.asarray(school.to_numpy(dtype=object))

    @property
    def cluster(self) -> npt.NDArray[Any] | tuple[npt.NDArray[Any], npt.NDArray[Any]] | None:
        """The clusters of every cell; None if they are the units."""
        named = clusters_of(self.model)
        if len(named) == 2:
            first, second = (self.rows[name].to_numpy() for name in named)
            return first, second
        if named:
            return np.asarray(self.rows[named[0]].to_numpy())
        parts = any(_varies_in_schools(self.rows, name) for name in self.splits)
        return np.asarray(self.rows["school"].to_numpy()) if parts else None

    @property
    def n_pupils(self) -> Array | None:
        """The pupils of every cell, where they are known of all."""
        counted = self.rows["n_pupils"]
        return None if counted.isna().any() else np.asarray(counted.to_numpy("float64"))

    @property
    def weights(self) -> Array | None:
        """The weights of the cells; None for those by pupils where they are known, or alike."""
        if self.model["weights"] in (None, "pupils"):
            return None
        if self.model["weights"] == "schools":
            return np.ones(len(self.rows))
        return np.asarray(self.rows[self.model["weights"]].to_numpy("float64"))

    def inside(self, kept: npt.NDArray[np.bool_]) -> PanelColumns:
        """Return the columns of some of the cells."""
        return replace(
            self,
            rows=self.rows[kept].reset_index(drop=True),
            covariates={name: column[kept] for name, column in self.covariates.items()},
            fixed_effects={name: labels[kept] for name, labels in self.fixed_effects.items()},
        )

    def seen_twice(self) -> PanelColumns:
        """Return the cells of schools that are seen in several years; the others inform nothing."""
        unit = pd.Series(self.unit)
        return self.inside((unit.groupby(unit).transform("size") > 1).to_numpy())

    def by_year(self, names: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
        """Return labels of variables × year."""
        year = self.rows["year"].astype("str")
        return {
            f"{name}:year": (self.rows[name].astype("str") + "|" + year).to_numpy(dtype=object)
            for name in names
        }

    def fit(self, treatment: Columns, *, split: bool = False) -> PanelFit:
        """Regress the outcome on treatment and all else that the model has.

        Parameters
        ----------
        treatment : dict of str to array (n,)
            Treatment terms.
        split : bool
            Whether they differ by the variables that split the effect, whose levels then have year
            effects of their own.
        """
        effects = {**self.fixed_effects, **(self.by_year(self.splits) if split else {})}
        return self._fitted(treatment, effects)

    def fit_events(self, treatment: Columns) -> PanelFit:
        """Regress the outcome on the events, less those that the data cannot tell apart."""
        return self._fitted(treatment, self.fixed_effects, undetermined="leave out")

    def _fitted(
        self,
        treatment: Columns,
        effects: dict[str, npt.NDArray[Any]],
        undetermined: Literal["refuse", "leave out"] = "refuse",
    ) -> PanelFit:
        return two_way_effects(
            self.rows["mean"].to_numpy("float64"),
            np.column_stack(list(treatment.values())),
            names=list(treatment),
            school=self.unit,
            year=self.rows["year"].to_numpy("int64"),
            n_pupils=self.n_pupils,
            weights=self.weights,
            cluster=self.cluster,
            covariates=self.covariates,
            fixed_effects=list(effects.values()),
            unit_trends=self.model["unit_trends"],
            undetermined=undetermined,
        )

    def programme(self, active: Sequence[int]) -> Array:
        """Return the column of treatment in the programme's years, or from the own cohort on."""
        year = self.rows["year"].to_numpy("int64")
        if self.model["active_from"] is None:
            treated = self.rows["treated"].to_numpy("float64")
            return programme_indicator(treated, year, active)[0][:, 0]
        column = cohort_indicator(self._cohort(), year)[0][:, 0]
        if self.model["active_years"]:
            column = column * np.isin(year, self.model["active_years"])
        return np.asarray(column)

    def events(self, reference: int, begins: int) -> Columns:
        """Return the columns of the event study."""
        year, window = self.rows["year"].to_numpy("int64"), self.model["event_window"]
        ends = (window[0], window[1]) if window else None
        if self.model["active_from"] is None:
            treated = self.rows["treated"].to_numpy("float64")
            columns, names = event_indicators(treated, year, reference, ends, begins)
        else:
            columns, names = cohort_event_indicators(self._cohort(), year, ends)
        return dict(zip(names, columns.T, strict=True))

    def split(self, treated: Array) -> tuple[Columns, list[str]]:
        """Return the treatment terms of one column by level, and the notes on levels left out.

        A level at which no school is compared, or none is treated, has no effect that can be told.
        """
        parts: list[tuple[str, Array]] = [("", treated)]
        notes: list[str] = []
        by, moderator = self.model["effects_by"], self.model["moderator"]
        if by:
            kept, notes = self._told(by, treated)
            parts = [
                (f"{by}={level}", treated * has_level(self.rows[by], level).to_numpy("float64"))
                for level in kept
            ]
        found = {(f"treated[{name}]" if name else "treated"): column for name, column in parts}
        if moderator:
            kept, more = self._told(moderator, treated)
            notes += more
            for level in kept[1:]:
                at = has_level(self.rows[moderator], level).to_numpy("float64")
                for name, column in parts:
                    label = ", ".join(filter(None, [name, f"{moderator}={level}"]))
                    found[f"treated[{label}]"] = np.asarray(column * at)
        return found, notes

    def _told(self, name: str, treated: Array) -> tuple[list[str], list[str]]:
        kept, notes = [], []
        for level in levels(self.rows[name]):
            inside = has_level(self.rows[name], level).to_numpy("bool")
            unit = self.unit[inside]
            having = len(set(unit[treated[inside] > 0]))
            if 0 < having < len(set(unit)):
                kept.append(level)
                continue
            whom = "is treated" if having == 0 else "is left to compare with"
            notes.append(f"no effect at {name}={level}: no school there {whom}")
        if not kept:
            raise ValueError(
                f"no level of {name!r} has both treated schools and others: {'; '.join(notes)}. "
                "Make the levels coarser, or remove the key"
            )
        return kept, notes

    def _cohort(self) -> Array:
        named = self.model["active_from"] or "cohort"
        first = self.rows[named].to_numpy("float64", na_value=np.nan)
        return np.asarray(first)


def build_panel_columns(cells: pd.DataFrame, model: Model, outcome: str) -> PanelColumns:
    """Build the columns of one outcome's cells.

    Parameters
    ----------
    cells : DataFrame
        Its cells of school and year, with a mean.
    model : Model
    outcome : str

    Raises
    ------
    ValueError
        Where weights are no positive numbers, a covariate is missing that the model refuses, or an
        effect does not vary within schools and years.
    """
    rows = cells.reset_index(drop=True)
    notes: list[str] = []
    bases = covariate_bases(model, outcome)
    rows = _complete(rows, [base for base, _ in bases], model, outcome)
    covariates, told = _covariates(rows, bases)
    notes += told
    _refuse_weights(rows, model, outcome)
    if model["weights"] is None and rows["n_pupils"].isna().any():
        lacking = int(rows["n_pupils"].isna().sum())
        notes.append(
            f"every cell counts alike: {lacking:,} of {len(rows):,} have no number of pupils"
        )
    elif model["weights"] == "schools":
        notes.append("every school and year counts alike")
    elif weight_variable(model):
        notes.append(f"weighted by {weight_variable(model)}")
    effects = {}
    for term in model["fixed_effects"]:
        parts = [rows[name].astype("str") for name in term.split(":")]
        labels = parts[0].str.cat(parts[1:], sep="|") if parts[1:] else parts[0]
        _refuse_constant(labels, rows, term)
        effects[term] = labels.to_numpy(dtype=object)
    return PanelColumns(rows, covariates, effects, model, tuple(notes))


def _complete(rows: pd.DataFrame, bases: Sequence[str], model: Model, outcome: str) -> pd.DataFrame:
    """Return the cells that have the covariates, unless the model replaces missing ones."""
    if model["missing_covariates"] == "indicator":
        return rows
    named = dict.fromkeys(part for base in bases for part in base.split(":") if part in rows)
    counts = count_missing(rows, list(named))
    if counts and model["missing_covariates"] == "refuse":
        lacking = ", ".join(f"{name} {count:,}" for name, count in counts.items())
        raise ValueError(
            f"outcome {outcome!r}: covariates are missing in some of the {len(rows):,} cells: "
            f"{lacking}; the model has `missing_covariates: refuse`. Complete the files, or set "
            "`missing_covariates: indicator` or `drop`"
        )
    return rows[rows[list(named)].notna().all(axis=1)].reset_index(drop=True)


def _covariates(rows: pd.DataFrame, bases: Sequence[tuple[str, bool]]) -> tuple[Columns, list[str]]:
    """Return the columns of covariates, crossed with years where they are, and notes on them."""
    found: Columns = {}
    constant: list[str] = []
    school = pd.factorize(rows["school"].astype("str"))[0]
    years = sorted(rows["year"].unique())
    for base, by_year in bases:
        for name, column in columns_of_base(rows, base):
            if by_year:
                found |= {
                    f"{name}:year={year}": column * (rows["year"] == year).to_numpy("float64")
                    for year in years[1:]
                }
            elif _is_constant(column, school):
                constant.append(base)
            else:
                found[name] = column
    notes = []
    if constant:
        named = list(dict.fromkeys(constant))
        notes.append(
            f"left out: {', '.join(named)} (the same in all years of a school, so that its effect "
            f"holds it; write `{named[0]}:year` for an effect of it in each year)"
        )
    return found, notes


def columns_of_base(rows: pd.DataFrame, base: str) -> Iterator[tuple[str, Array]]:
    """Yield the columns of a covariate: as cells of pupils hold their means, or coded here."""
    parts = base.split(":")
    held = [
        str(name) for name in rows
        if str(name).startswith(f"{base}=")
        or (len(parts) > 1 and str(name).startswith(f"{parts[0]}=") and str(name).count(":") > 0)
    ]  # fmt: skip
    if held:
        names = [base, *held] if base in rows else held
        yield from ((name, rows[name].to_numpy("float64")) for name in names)
    else:
        yield from covariate_columns(rows, [base]).items()


def _is_constant(column: Array, school: npt.NDArray[np.intp]) -> bool:
    """Return whether a column has one value in all years of each school."""
    count = np.maximum(np.bincount(school), 1)
    inside = column - (np.bincount(school, weights=column) / count)[school]
    return float(inside @ inside) <= 1e-18 * max(float(column @ column), 1e-300)


def _varies_in_schools(rows: pd.DataFrame, name: str) -> bool:
    """Return whether schools have cells at several levels of a variable in one year."""
    return bool(rows[["school", "year"]].astype("str").duplicated().any()) and bool(
        rows[["school", name]].astype("str").drop_duplicates()["school"].duplicated().any()
    )


def _refuse_weights(rows: pd.DataFrame, model: Model, outcome: str) -> None:
    """Raise where a weight is no positive number."""
    if model["weights"] == "pupils" and rows["n_pupils"].isna().any():
        lacking = int(rows["n_pupils"].isna().sum())
        raise ValueError(
            f"`weights: pupils`, and {lacking:,} of {len(rows):,} cells have no number of pupils. "
            "Read `n_pupils` of the file of school scores, or set `weights: schools`"
        )
    name = weight_variable(model)
    if name is None:
        return
    known = pd.to_numeric(rows[name], errors="coerce")
    wrong = rows[~(known > 0).to_numpy("bool")]
    if len(wrong):
        one = wrong.iloc[0]
        raise ValueError(
            f"outcome {outcome!r}: `weights: {name}` must be above 0 in every cell, and is "
            f"{one[name]!r} for school {one['school']} in {one['year']} "
            f"({plural(len(wrong), 'cell')} of {len(rows):,}). Leave these out by `where`, or name "
            "another variable"
        )


def _refuse_constant(labels: pd.Series, rows: pd.DataFrame, term: str) -> None:
    """Raise where the effects of schools hold a fixed effect already."""
    pairs = pd.DataFrame({"school": rows["school"].astype("str"), "label": labels})
    if not pairs.drop_duplicates()["school"].duplicated().any():
        raise ValueError(
            f"`fixed_effects: [{term}]` adds nothing: {term} is the same in all years of a school, "
            f"whose effect is in the model. Write `{term}:year` for an effect of each {term} and "
            "year, or remove it"
        )
