"""Fits side by side: what each says of the same terms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from schooltrial.document.formats.latex import latex_table
from schooltrial.document.formats.markdown import markdown_table
from schooltrial.document.formats.word import word_table
from schooltrial.document.numbers import interval, number, p_text
from schooltrial.document.tables import Column, NotedTable, Table, fragment
from schooltrial.exhibits.style.coefficient_plot import Plot, plot_estimates, shown_decimals
from schooltrial.exhibits.style.figures import foot_text
from schooltrial.models.inference.estimate import Estimate
from schooltrial.protocol.content.sections import StudyLine
from schooltrial.refusal import UserError, unknown
from schooltrial.study.opened.refit import Refit

ROWS = ("estimate", "std_error", "p_value", "conf_low", "conf_high", "n_individuals", "n_schools",
        "method")  # fmt: skip

SAVED = (".csv", ".html", ".tex", ".docx", ".md")
"""Files that a comparison can be saved as."""

NO_STUDY: StudyLine = {"title": "Models fitted with schooltrial", "synthetic": False,
                       "protocol": ""}  # fmt: skip


class Fitted(Protocol):
    """Whatever gives rows of estimates: a result of any estimator, or a refit."""

    def estimates(self) -> Iterable[Estimate]:
        """Return its estimates."""


@dataclass(frozen=True, repr=False)
class Comparison:
    """Fits side by side; prints as text, shows as a table in a notebook, and can be saved.

    Attributes
    ----------
    rows : dict
        Heading of a fit → label of a term → its row.
    status : dict
        Heading → whether the fit was planned; empty for fits of no study.
    line : StudyLine
        What stands below the table: study, protocol, whether its data are synthetic.
    """

    rows: dict[str, dict[str, Estimate]]
    status: dict[str, str]
    line: StudyLine

    @property
    def terms(self) -> list[str]:
        """The terms, in the order in which they are met."""
        return list(dict.fromkeys(term for rows in self.rows.values() for term in rows))

    @property
    def exploratory(self) -> bool:
        """Whether any fit was not planned."""
        return any(told != "as planned" for told in self.status.values())

    def to_frame(self) -> pd.DataFrame:
        """Return the numbers: rows by term and by what is reported of it, a column for each fit.

        Reported are estimate, standard error, p-value, interval, pupils, schools and method; cells
        are empty where a fit has no such term. Where a fit was not planned, a last row says which.
        """
        index = [(term, what) for term in self.terms for what in ROWS]
        columns: dict[str, list[Any]] = {
            head: [getattr(rows[term], what) if term in rows else "" for term, what in index]
            for head, rows in self.rows.items()
        }
        if self.exploratory:
            index.append(("", "status"))
            for head, column in columns.items():
                column.append(self.status.get(head, ""))
        rows = pd.MultiIndex.from_tuples(index, names=["term", ""])
        return pd.DataFrame(columns, index=rows, dtype=object)

    def table(self) -> NotedTable:
        """Return the comparison as a table for print: estimate, standard error, interval, p, n."""
        heads = ["Term", *self.rows]
        lines: list[list[str]] = []
        groups: list[str] = []
        for term in self.terms:
            found = [rows.get(term) for rows in self.rows.values()]
            for name, written in _written(found).items():
                lines.append([name, *written])
                groups.append(term)
        columns = tuple(Column(head, "told" if at else "text") for at, head in enumerate(heads))
        cells = pd.DataFrame(lines, columns=heads, dtype="object")
        notes = [f"{head}: {self._method(head)}" for head in self.rows]
        return NotedTable(
            "comparison", Table("Models side by side", columns, cells, tuple(groups)), tuple(notes)
        )

    def _method(self, head: str) -> str:
        methods = list(dict.fromkeys(row.method for row in self.rows[head].values()))
        return ". ".join([*([self.status[head]] if head in self.status else []), *methods]) + "."

    def plot(self) -> Plot:
        """Plot the estimates of all fits with their confidence intervals."""
        drawn = {
            head: [_renamed(row, term) for term, row in rows.items()]
            for head, rows in self.rows.items()
        }
        return plot_estimates(drawn, "Models side by side", foot_text(self.line))

    def save(self, path: str | Path) -> Path:
        """Save the comparison as CSV, HTML, LaTeX, Word or Markdown, by the file's ending.

        Parameters
        ----------
        path : str or pathlib.Path
            A name that ends in .csv, .html, .tex, .docx or .md.

        Raises
        ------
        UserError
            Where it ends otherwise.
        """
        file = Path(path)
        if file.suffix not in SAVED:
            raise UserError(f"{file.name}: a comparison is saved as {', '.join(SAVED)}")
        if file.suffix == ".docx":
            file.write_bytes(word_table(self.table(), self.line))
            return file
        if file.suffix == ".csv":
            text = self.to_frame().to_csv(float_format="%.10g")
        else:
            write = {".html": fragment, ".tex": latex_table, ".md": markdown_table}[file.suffix]
            text = write(self.table(), self.line)
        file.write_text(text, "utf-8", newline="\n")
        return file

    def __repr__(self) -> str:
        noted = self.table()
        cells = [[column.name for column in noted.table.columns]]
        for term, line in zip(
            noted.table.group, noted.table.cells.to_numpy().tolist(), strict=True
        ):
            if line[0] == "Estimate":
                cells.append([term, *[""] * len(self.rows)])
            cells.append([f"  {line[0]}", *line[1:]])
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
            for row in cells
        ]
        return "\n".join([*lines, *noted.notes])

    def _repr_html_(self) -> str:
        return fragment(self.table(), self.line)


def compare(
    *fits: Mapping[str, Fitted] | Fitted, terms: Sequence[str] | None = None, **named: Fitted
) -> Comparison:
    """Compare fits side by side, a column for each.

    Parameters
    ----------
    *fits : mapping or fit
        Heading → fit, or fits alone, which are numbered: results of any estimator, models of a
        study, and what ``study.refit`` returns.
    terms : sequence of str, optional
        The terms compared; by default all, in the order in which they are met.
    **named : fit
        Fits by heading: ``compare(planned=a, changed=b)``.

    Returns
    -------
    Comparison
        Prints as a table; ``to_frame()`` has the numbers, ``save("models.docx")`` a document.

    Notes
    -----
    A term that a fit has twice, with two kinds of standard error for example, has a row for each,
    which is named by what their methods do not share.

    Raises
    ------
    UserError
        Where no fit is given, and where none has a term that is asked for.
    """
    given = _by_heading(fits) | named
    if not given:
        raise UserError("there is nothing to compare: give two fits, as in compare(a, b)")
    found = {head: _labelled(list(fit.estimates())) for head, fit in given.items()}
    known = list(dict.fromkeys(row.term for rows in found.values() for row in rows.values()))
    for term in terms or ():
        if term not in known:
            raise unknown("term", term, known)
    wanted = list(terms) if terms else known
    chosen = {
        head: {
            label: row for term in wanted for label, row in rows.items() if row.term == term
        }
        for head, rows in found.items()
    }  # fmt: skip
    lines = [line for fit in given.values() if (line := getattr(fit, "line", None))]
    status = {head: str(told) for head, fit in given.items() if (told := _status(fit))}
    return Comparison(chosen, status, lines[0] if lines else NO_STUDY)


def _status(fit: Fitted) -> str:
    return fit.status if isinstance(fit, Refit) else str(getattr(fit, "status", ""))


def _by_heading(fits: Sequence[Mapping[str, Fitted] | Fitted]) -> dict[str, Fitted]:
    found: dict[str, Fitted] = {}
    for fit in fits:
        if isinstance(fit, Mapping):
            found |= fit
        else:
            found[f"({len(found) + 1})"] = fit
    return found


def _labelled(rows: Sequence[Estimate]) -> dict[str, Estimate]:
    """Return rows by term; a repeated term is qualified by its method."""
    labels: dict[str, Estimate] = {}
    for row in rows:
        same = [other for other in rows if other.term == row.term]
        label = row.term
        if len(same) > 1:
            shared = set.intersection(*(set(_parts(other.method)) for other in same))
            own = ", ".join(part for part in _parts(row.method) if part not in shared)
            label = f"{row.term} ({own})" if own else row.term
        number_of = 2
        while label in labels:
            label, number_of = f"{row.term} ({number_of})", number_of + 1
        labels[label] = row
    return labels


def _parts(method: str) -> list[str]:
    return [part.strip() for part in re.split(r"[,;]", method) if part.strip()]


def _renamed(row: Estimate, term: str) -> Estimate:
    values = {name: getattr(row, name) for name in Estimate.__dataclass_fields__}
    return Estimate(**{**values, "term": term})


def _written(found: Sequence[Estimate | None]) -> dict[str, list[str]]:
    """Return what a table shows of a term, a cell for each fit; empty if a fit lacks it."""
    known = [row for row in found if row is not None]
    digits = shown_decimals([row.estimate for row in known])

    def cells(write: Any) -> list[str]:
        return ["" if row is None else write(row) for row in found]

    return {
        "Estimate": cells(lambda row: number(row.estimate, digits)),
        "Standard error": cells(lambda row: number(row.std_error, digits)),
        "95% CI": cells(
            lambda row: (
                "" if pd.isna(row.conf_low) else interval(row.conf_low, row.conf_high, digits)
            )
        ),
        "p": cells(lambda row: p_text(row.p_value)),
        "Records": cells(
            lambda row: (
                f"{row.n_individuals:,.0f}" if row.n_individuals == row.n_individuals else ""
            )
        ),
    }
