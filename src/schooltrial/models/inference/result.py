"""What can be asked of every fit, whatever the estimator.

A fit says how one row of estimates is made; what an analyst asks of it (coefficients, intervals,
tests, a frame, a summary) rests on those rows and is written here once. Frames and series are those
of pandas, which is imported when one is asked for.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import import_module
from math import nan
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Protocol

import numpy as np
from numpy.typing import ArrayLike

from schooltrial.arrays import FloatArray
from schooltrial.models.inference.estimate import Estimate
from schooltrial.models.inference.hypothesis import (
    Hypothesis,
    read_hypothesis,
    read_weights,
    select_rows,
)

if TYPE_CHECKING:
    import pandas as pd

    from schooltrial.exhibits.style.coefficient_plot import Plot
    from schooltrial.models.effect_size.pupil_level import EffectSize

ROW_COLUMNS = (
    "study", "model", "outcome", "estimand", "subgroup", "term", "estimate", "std_error", "df",
    "statistic", "p_value", "conf_low", "conf_high", "band_low", "band_high",
    "effect_size", "es_conf_low", "es_conf_high", "n_individuals", "n_units", "n_treated_units",
    "n_schools", "n_treated_schools", "method", "converged", "note",
)  # fmt: skip
"""Columns of a study's table of estimates, in their order."""

PLOT = "schooltrial.exhibits.style.coefficient_plot"
"""Module that draws coefficients. It is asked for by name when a fit is plotted: drawings rest on
models, and no rule plots a fit by itself."""

SHOWN_TERMS = 5
"""Coefficients that the short form of a fit shows."""


class KeptRows(Protocol):
    """The rows that a fit was made of, where they were kept: a fit by formula keeps them."""

    @property
    def formula(self) -> str:
        """The model as it was written."""

    @property
    def outcome_name(self) -> str:
        """Name of the outcome."""

    @property
    def outcome(self) -> FloatArray:
        """The outcome of each row."""

    @property
    def treatment_terms(self) -> tuple[str, ...]:
        """The coefficients that carry the effect."""

    @property
    def estimand(self) -> str:
        """What the treatment terms are of: ITT, CACE."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out on the way to the fit."""

    @property
    def n_treated_clusters(self) -> float:
        """Number of clusters with treated rows; NaN if not known."""

    @property
    def clustered_by_school(self) -> bool:
        """Whether the clusters are schools."""

    def predict(
        self, names: Sequence[str], coefficients: FloatArray, data: Any | None = None
    ) -> FloatArray:
        """Return the fixed part of the model for each row, or for the rows of new data."""

    def groups(self, level: str, data: Any | None = None) -> Any:
        """Return the group (school, block) of each row, or of each row of new data."""

    def effect_size(
        self, estimate: Estimate, *, kind: str, level_of: str, icc: float | None
    ) -> EffectSize:
        """Return an effect in standard deviations of these rows."""


@dataclass(frozen=True)
class Summary:
    """A fit in words and a table; prints as text, and as HTML in a notebook."""

    text: str
    html: str

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """A fit: its estimates, and what follows from them.

    Attributes
    ----------
    rows : KeptRows or None
        The rows of a fit by formula; None where arrays were given.

    Notes
    -----
    ``names``, ``coefficients``, ``n_rows`` (pupils, or cells of a panel) and ``n_clusters`` are
    those of each estimator.
    """

    rows: KeptRows | None = field(default=None, kw_only=True)

    if TYPE_CHECKING:
        # Types only: a property that stood here would be taken for the default of the
        # field of that name which an estimator declares.
        @property
        def names(self) -> tuple[str, ...]:
            """Return the names of the coefficients."""

        @property
        def coefficients(self) -> FloatArray:
            """Return the coefficients, in the order of their names."""

        @property
        def n_rows(self) -> int:
            """Return the number of rows in the fit."""

        @property
        def n_clusters(self) -> int:
            """Return the number of clusters, or randomised units, in the fit."""

        @property
        def method(self) -> str:
            """Return what was computed, in words."""

    @property
    def converged(self) -> bool:
        """Whether the fit may be reported; only a search can fail."""
        return True

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes on the numbers, among them the rows that were left out."""
        kept = () if self.rows is None else self.rows.notes
        return (*kept, *self._remarks())

    def _remarks(self) -> tuple[str, ...]:
        return ()

    def _refuse(self, what: str, why: str = "") -> NoReturn:
        raise ValueError(f"{what} cannot be had from {self._kind_of_fit()}{why and ': '}{why}")

    def _kind_of_fit(self) -> str:
        return "this estimator"

    def _refuse_choice(self, vcov: str | None, df: str | None) -> None:
        """Raise where the estimator has one variance and one reference only."""
        for name, value in (("vcov", vcov), ("df", df)):
            if value is not None:
                self._refuse(f"{name}={value!r}", f"it has one of its own; leave `{name}` out")

    def position(self, term: str) -> int:
        """Return the position of a coefficient, or say which there are."""
        if term in self.names:
            return self.names.index(term)
        near = get_close_matches(term, self.names, 1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"there is no coefficient {term!r}; there are {', '.join(self.names)}{meant}"
        )

    def _selected(self, terms: str | Sequence[str] | None) -> tuple[tuple[str, ...], FloatArray]:
        chosen = self.names if terms is None else (terms,) if isinstance(terms, str) else terms
        return tuple(chosen), select_rows(chosen, self.names, self.position)

    def estimates(
        self,
        terms: str | Sequence[str] | None = None,
        *,
        vcov: str | None = None,
        df: str | None = None,
        level: float = 0.95,
    ) -> tuple[Estimate, ...]:
        """Return a row for each coefficient, on which all else rests.

        Parameters
        ----------
        terms : str or sequence of str, optional
            Coefficients wanted.
        vcov, df : str, optional
            Variance and reference distribution; the estimator says which there are.
        level : float
            Of the confidence intervals.
        """
        chosen, matrix = self._selected(terms)
        return self._combined(chosen, matrix, vcov=vcov, df=df, level=level)

    def _combined(
        self,
        terms: Sequence[str],
        matrix: FloatArray,
        *,
        vcov: str | None = None,
        df: str | None = None,
        level: float = 0.95,
    ) -> tuple[Estimate, ...]:
        """Return the rows of linear combinations Cβ, a row of ``matrix`` for each."""
        self._refuse("a combination of coefficients")

    def _tested(
        self,
        hypothesis: Hypothesis,
        *,
        name: str,
        vcov: str | None = None,
        df: str | None = None,
    ) -> Estimate:
        """Return the row of a joint test."""
        self._refuse("a test of a hypothesis about coefficients")

    def contrast(
        self,
        weights: Mapping[str, float] | ArrayLike,
        *,
        name: str = "contrast",
        **how: Any,
    ) -> Estimate:
        """Return the row of a linear combination c'β of the coefficients.

        Parameters
        ----------
        weights : mapping of str to float, or (p,) array_like
            ``{"a": 1, "b": -1}``, or a weight for every coefficient.
        name : str
            Name of the row.
        **how
            As for ``estimates``.
        """
        row = read_weights(weights, self.names, self.position)
        return self._combined((name,), row[None, :], **{"level": 0.95, **how})[0]

    def test(
        self,
        hypothesis: Sequence[str] | str | ArrayLike,
        *,
        vcov: str | None = None,
        df: str | None = None,
        name: str | None = None,
    ) -> Estimate:
        """Test a linear hypothesis about the coefficients.

        Parameters
        ----------
        hypothesis : str, sequence of str or (q, p) array_like
            ``"a = b"``, ``"a = 0.1, b = 0"``, names that are all zero, or a matrix of contrasts.
        vcov, df : str, optional
            As for ``estimates``.
        name : str, optional
            Name of the row; the hypothesis itself by default.
        """
        read = read_hypothesis(hypothesis, self.names, self.position)
        length = np.linalg.norm(read.matrix, axis=1)
        if not length.all() or np.linalg.matrix_rank(read.matrix / length[:, None]) < len(length):
            raise ValueError(
                "some contrasts of the hypothesis follow from the others; leave those out"
            )
        return self._tested(read, name=name or read.label, vcov=vcov, df=df)

    def covariance(self, *, vcov: str | None = None) -> FloatArray:
        """Return the covariance matrix of the coefficients, (p, p)."""
        self._refuse("a covariance of coefficients")

    @property
    def params(self) -> pd.Series:
        """Coefficients by name."""
        return self.coef()

    @property
    def std_errors(self) -> pd.Series:
        """Standard errors by name, as the estimator has them by default."""
        return self.std_error()

    def plot(self, terms: str | Sequence[str] | None = None, **how: Any) -> Plot:
        """Plot coefficients with their confidence intervals.

        Parameters
        ----------
        terms : str or sequence of str, optional
            Coefficients drawn; those of the treatment by default.
        **how
            As for ``estimates``.
        """
        rows = self.estimates(self._leading_terms() if terms is None else terms, **how)
        title = type(self).__name__ if self.rows is None else self.rows.formula
        drawn: Plot = import_module(PLOT).plot_estimates({title: rows}, title)
        return drawn

    def coef(self) -> pd.Series:
        """Return the coefficients by name."""
        return self._series(self.coefficients, "estimate")

    def std_error(self, **how: Any) -> pd.Series:
        """Return the standard errors by name; ``how`` as for ``estimates``."""
        return self._series([row.std_error for row in self._all(how)], "std_error")

    def p_value(self, **how: Any) -> pd.Series:
        """Return the two-sided p-values by name; ``how`` as for ``estimates``."""
        return self._series([row.p_value for row in self._all(how)], "p_value")

    def conf_int(
        self, terms: str | Sequence[str] | None = None, *, level: float = 0.95, **how: Any
    ) -> pd.DataFrame:
        """Return the confidence intervals: a row for each coefficient, columns low and high."""
        import pandas as pd

        rows = self.estimates(self.names if terms is None else terms, level=level, **how)
        return pd.DataFrame(
            {"low": [row.conf_low for row in rows], "high": [row.conf_high for row in rows]},
            index=[row.term for row in rows],
        )

    def _all(self, how: Mapping[str, Any]) -> tuple[Estimate, ...]:
        return self.estimates(self.names, **how)

    def _series(self, values: ArrayLike, name: str) -> pd.Series:
        import pandas as pd

        return pd.Series(np.asarray(values, dtype=np.float64), index=list(self.names), name=name)

    def effect_size(
        self,
        term: str = "treated",
        *,
        kind: Literal["hedges_g", "glass_delta", "cox_index"] = "hedges_g",
        level_of: Literal["pupil", "cluster"] = "pupil",
        icc: float | None = None,
        **how: Any,
    ) -> EffectSize:
        """Return a coefficient in standard deviations of the outcome.

        Parameters
        ----------
        term : str
            Coefficient.
        kind : {"hedges_g", "glass_delta", "cox_index"}
            By the pooled SD, by that of the untreated, or for an outcome of zeros and ones.
        level_of : {"pupil", "cluster"}
            ``cluster`` allows for schools (What Works Clearinghouse), which takes ``icc``.
        icc : float, optional
            Intraclass correlation; a multilevel fit has its own.
        **how
            As for ``estimates``.
        """
        rows = self._kept("an effect size")
        row = self.estimates([term], **how)[0]
        return rows.effect_size(row, kind=kind, level_of=level_of, icc=icc)

    def predict(self, data: Any | None = None, *, random_effects: bool = False) -> FloatArray:
        """Return what the model expects of each row, or of each row of new data.

        Parameters
        ----------
        data : frame or mapping of str to array, optional
            New rows, with the columns of the formula.
        random_effects : bool
            Whether to add the predicted effects of schools and blocks (multilevel fits).
        """
        if random_effects:
            self._refuse("an effect of each school", "its model has none")
        return self._kept("a prediction").predict(self.names, self.coefficients, data)

    def fitted(self, *, random_effects: bool = False) -> FloatArray:
        """Return what the model expects of each of its rows."""
        return self.predict(random_effects=random_effects)

    def residuals(self, *, random_effects: bool = False) -> FloatArray:
        """Return outcome less what the model expects."""
        expected = self.fitted(random_effects=random_effects)
        return self._kept("a residual").outcome - expected

    def _kept(self, what: str) -> KeptRows:
        if self.rows is None:
            self._refuse(what, "arrays were given and not kept; fit by formula to keep the rows")
        return self.rows

    def diagnostics(self) -> Mapping[str, object]:
        """Return what the fit says of itself, in plain values."""
        return {"converged": self.converged, "notes": list(self.notes)}

    def to_frame(
        self, terms: str | Sequence[str] | None = None, *, model: str = "", **how: Any
    ) -> pd.DataFrame:
        """Return estimates with the columns of a study's table, so that fits stack.

        Parameters
        ----------
        terms : str or sequence of str, optional
            As for ``estimates``.
        model : str
            Name of the model, for the column of that name.
        **how
            As for ``estimates``.
        """
        import pandas as pd

        found = [self._record(row, model) for row in self.estimates(terms, **how)]
        return pd.DataFrame(found, columns=list(ROW_COLUMNS))

    def _record(self, row: Estimate, model: str) -> dict[str, object]:
        rows, sized = self.rows, (nan, nan, nan, "")
        is_effect = rows is not None and row.term in rows.treatment_terms
        if rows is not None and is_effect:
            g = rows.effect_size(row, kind="", level_of="pupil", icc=None)
            sized = (g.effect_size, g.conf_low, g.conf_high, g.rule)
        notes = [row.note, *(() if rows is None else rows.notes), sized[3]]
        values = (
            "", model, "" if rows is None else rows.outcome_name,
            rows.estimand if rows is not None and is_effect else "", "", row.term,
            row.estimate, row.std_error, row.df, row.statistic, row.p_value,
            row.conf_low, row.conf_high, row.band_low, row.band_high, *sized[:3],
            row.n_individuals, row.n_schools, self._treated(row),
            *self._schools(row),
            row.method, row.converged, "; ".join(filter(None, notes)),
        )  # fmt: skip
        return dict(zip(ROW_COLUMNS, values, strict=True))

    def _treated(self, row: Estimate) -> float:
        """Return the number of treated clusters behind a row; NaN if not known."""
        if row.n_treated_schools is not None:
            return row.n_treated_schools
        return nan if self.rows is None else self.rows.n_treated_clusters

    def _schools(self, row: Estimate) -> tuple[float, float]:
        """Return the number of schools, and of treated ones; NaN if the clusters may be others."""
        by_school = self.rows is not None and self.rows.clustered_by_school
        if not by_school and row.n_treated_schools is None:
            return nan, nan
        return row.n_schools, self._treated(row)

    def summary(self, terms: str | Sequence[str] | None = None, **how: Any) -> Summary:
        """Return the fit in words and a table; all coefficients by default."""
        rows = self.estimates(self.names if terms is None else terms, **how)
        lines = [*self._headline(rows), *self._more_lines(), *_notes(self.notes)]
        cells = _cells(rows, float(how.get("level", 0.95)))
        return Summary(
            "\n".join([lines[0], *lines[1:], "", *_aligned(cells)]),
            "<p>" + "<br>".join(map(html.escape, lines)) + "</p>" + _html_table(cells),
        )

    def _headline(self, rows: Sequence[Estimate]) -> list[str]:
        name = type(self).__name__
        method = rows[0].method if rows else self.method
        counts = f"{self.n_rows:,} rows in {self.n_clusters:,} clusters"
        title = name if self.rows is None else f"{name}: {self.rows.formula}"
        state = [] if self.converged else ["NOT CONVERGED: do not report these numbers"]
        return [title, method, counts, *state]

    def _more_lines(self) -> list[str]:
        """Return the notes of a summary on this kind of fit, besides its coefficients."""
        return []

    def _leading_terms(self) -> tuple[str, ...]:
        """Return the terms that the short form shows: those of the treatment, where known."""
        known = () if self.rows is None else self.rows.treatment_terms
        named = tuple(name for name in self.names if name.split("[")[0] == "treated")
        others = tuple(name for name in self.names if name != "(Intercept)")
        return known or named or others

    def __repr__(self) -> str:
        leading = self._leading_terms()
        shown = leading[:SHOWN_TERMS]
        try:
            rows = self.estimates(shown)
        except ValueError as error:
            return f"{type(self).__name__}: {error}"
        table = _aligned(_cells(rows, 0.95)) if rows else []
        left = len(self.names) - len(rows)
        more = [f"and {left} more: summary() shows all"] if left > 0 else []
        notes = _notes(self.notes)
        if len(notes) > 1:
            others = "1 more note" if len(notes) == 2 else f"{len(notes) - 1} more notes"
            notes = [f"{notes[0]} (and {others})"]
        return "\n".join([*self._headline(rows), *table, *more, *notes])


def _notes(notes: Sequence[str]) -> list[str]:
    return [f"note: {' '.join(note.split())}" for note in notes]


def _cells(rows: Sequence[Estimate], level: float) -> list[list[str]]:
    ends = f"{100 * level:.10g} %"
    head = ["", "estimate", "std. error", "statistic", "df", "p", f"{ends} low", f"{ends} high"]
    return [head] + [
        [
            row.term, *(f"{value:.4g}" for value in (
                row.estimate, row.std_error, row.statistic, row.df, row.p_value,
                row.conf_low, row.conf_high,
            )),
        ]
        for row in rows
    ]  # fmt: skip


def _aligned(cells: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
        for row in cells
    ]


def _html_table(cells: Sequence[Sequence[str]]) -> str:
    def line(row: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) + "</tr>"

    body = "".join(line(row, "td") for row in cells[1:])
    return f"<table><thead>{line(cells[0], 'th')}</thead><tbody>{body}</tbody></table>"
