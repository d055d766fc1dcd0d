"""How every table looks as HTML, in exhibits and on pages, the same on every run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

import pandas as pd
from markupsafe import Markup

from schooltrial.document.inline_code import with_code
from schooltrial.document.numbers import is_whole, number, p_text, significant
from schooltrial.document.table_layout import PRINTED, printed_size

Row = TypeVar("Row")

Kind = Literal[
    "text", "code", "told", "number", "quantity", "significant", "count", "percent", "p"
]  # fmt: skip

STYLE = Markup("""\
.wide { overflow-x: auto; }
table.plain { border-collapse: collapse; font: .86rem/1.5 "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; }
table.plain caption { text-align: left; font-weight: bold; padding: .3rem 0; }
table.plain th, table.plain td { text-align: left; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid #d5d5d5; vertical-align: top; }
table.plain tbody th { font-weight: normal; } table.plain tbody th.group { font-weight: bold; padding-top: .8rem; }
table.plain td.n, table.plain th.n { text-align: right; font-variant-numeric: tabular-nums; }
.notes p { font: .82rem/1.4 "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; color: #4a4a4a; margin: 0 0 .4rem; }
""")  # noqa: E501
"""What a fragment that holds a table alone needs; pages have their own style."""


@dataclass(frozen=True)
class Column:
    """One column of a table, and how its cells are written.

    Attributes
    ----------
    name : str
        Heading.
    kind : str
        ``text``; ``code`` (checksums); ``told``, numbers that are already words, as ``3 of 4``;
        ``number`` with fixed decimals; ``quantity``, without decimals where all of the column are
        whole; ``significant`` digits; ``count``, by thousands; ``percent``, of a share; ``p``. All
        but text and code stand to the right.
    digits : int
        Decimals, or digits that count.
    key : str
        Column of the data, where it is neither the name nor the name with underscores.
    optional : bool
        Left out where it holds nothing.
    """

    name: str
    kind: Kind = "text"
    digits: int = 3
    key: str = ""
    optional: bool = False

    @property
    def right(self) -> bool:
        """Whether the cells are set to the right."""
        return self.kind not in ("text", "code")

    def values(self, frame: pd.DataFrame) -> list[Any]:
        """Return the cells of the data; none of an optional column that the data lack."""
        key = self.key or self.name
        key = key if key in frame else key.replace(" ", "_")
        if self.optional and key not in frame:
            return [None] * len(frame)
        return list(frame[key])

    def cells(self, frame: pd.DataFrame) -> list[str]:
        """Return the cells as a reader sees them, nothing where missing."""
        values = self.values(frame)
        digits = self.digits
        if self.kind == "quantity" and all(pd.isna(v) or is_whole(v) for v in values):
            digits = 0
        return ["" if pd.isna(value) else self._written(value, digits) for value in values]

    def _written(self, value: Any, digits: int) -> str:
        match self.kind:
            case "number" | "quantity":
                return number(value, digits)
            case "percent":
                return number(100 * value, digits)
            case "significant":
                return significant(value, digits)
            case "count":
                return f"{value:,}"
            case "p":
                return p_text(value)
            case "code":
                return Markup("<code>{}</code>").format(value)
            case _:
                return value if isinstance(value, Markup) else str(value)


@dataclass(frozen=True)
class Table:
    """A table as readers see it; a template that names it shows it.

    Attributes
    ----------
    title : str
    columns : tuple of Column
        Those that are shown; the first heads the rows.
    cells : DataFrame of str
        By the names of the columns; markup stays what it is, and text becomes none but code.
    group : tuple of str
        Heading of each row's group; empty where rows are not grouped.
    anchors : tuple of str
        What links to each row can point at; empty where none does.
    stacked : bool
        Whether a narrow page shows each row as a list of headings and cells.
    """

    title: str
    columns: tuple[Column, ...]
    cells: pd.DataFrame
    group: tuple[str, ...] = ()
    anchors: tuple[str, ...] = ()
    stacked: bool = False

    def __len__(self) -> int:
        return len(self.cells)

    def __html__(self) -> str:
        """Return the table for a page whose text says what it is."""
        return self.boxed(self.title)

    def boxed(self, name: str) -> Markup:
        """Return the table in its box, called by a name that no other of the page has."""
        return _box(self, Markup('<caption class="unseen">{}</caption>').format(name), name)


def naming_control(columns: Sequence[Column], control: str) -> list[Column]:
    """Return columns whose headings call the group without the programme by its name.

    Parameters
    ----------
    columns : sequence of Column
        Their headings say "control".
    control : str
        "control" in a trial, "comparison" where groups were not randomised.
    """
    named = {"control": control, "Control": control.capitalize()}
    return [
        replace(column, name=" ".join(_renamed(word, named) for word in column.name.split(" ")))
        for column in columns
    ]


def _renamed(word: str, named: Mapping[str, str]) -> str:
    bare = word.rstrip(",:")
    return named.get(bare, bare) + word[len(bare) :]


def tabulate(
    title: str,
    frame: pd.DataFrame,
    columns: Sequence[Column],
    *,
    group: Sequence[str] = (),
    anchors: Sequence[str] = (),
) -> Table:
    """Return the columns of the data as a table; optional ones only where they hold something."""
    written = [(column, column.cells(frame)) for column in columns]
    kept = [(column, cells) for column, cells in written if any(cells) or not column.optional]
    rows = zip(*(cells for _, cells in kept), strict=True)
    told = pd.DataFrame(rows, columns=[column.name for column, _ in kept], dtype="object")
    return Table(title, tuple(column for column, _ in kept), told, tuple(group), tuple(anchors))


@dataclass(frozen=True)
class NotedTable:
    """A table with the notes that belong below it.

    Attributes
    ----------
    name : str
        Of its files.
    table : Table
    notes : tuple of str
    number : str
        ``3``, or ``A1`` in an annex; empty outside a document.
    caption : str
        What is said between title and table.
    """

    name: str
    table: Table
    notes: tuple[str, ...] = ()
    number: str = ""
    caption: str = ""

    @property
    def title(self) -> str:
        """Its title, after its number if it has one."""
        return f"Table {self.number}. {self.table.title}" if self.number else self.table.title


def row_groups(table: Table) -> Iterator[tuple[str, list[list[str]]]]:
    """Yield each group of rows with its heading, as plain text; without groups, one unnamed."""
    rows = [
        [plain_text(cell) for cell in row] for row in table.cells.itertuples(index=False, name=None)
    ]
    return _grouped(rows, table.group)


def _grouped(rows: list[Row], groups: Sequence[str]) -> Iterator[tuple[str, list[Row]]]:
    """Yield rows by group, in the order in which groups occur; without groups, all unnamed."""
    if not groups:
        yield "", rows
    for group in dict.fromkeys(groups):
        yield group, [row for row, of in zip(rows, groups, strict=True) if of == group]


def plain_text(cell: str) -> str:
    """Return a cell as words alone; code is between backticks."""
    if not isinstance(cell, Markup):
        return cell
    code = cell.replace(Markup("<code>"), Markup("`")).replace(Markup("</code>"), Markup("`"))
    return str(code.replace(Markup("<br>"), Markup(" ")).striptags())


def study_foot(study: Mapping[str, Any]) -> str:
    """Return the line below every exhibit: SYNTHETIC DATA where so, study, and protocol if any."""
    label = "SYNTHETIC DATA. " if study["synthetic"] else ""
    protocol = f" Protocol {study['protocol'][:12]}" if study["protocol"] else ""
    return f"{label}{study['title']}.{protocol}"


def fragment(noted: NotedTable, study: Mapping[str, Any]) -> str:
    """Return a table as HTML for a page of its own, with its notes and the study's line."""
    table, name, notes = noted.table, noted.name, noted.notes
    last = study_foot(study)
    caption = Markup("<caption>{}</caption>").format(table.title)
    style = Markup("<style>\n{}</style>\n").format(STYLE)
    below = Markup("\n").join(
        Markup("<p>{}</p>").format(with_code(note)) for note in [*notes, last]
    )
    return style + Markup('<div id="{}">\n{}<div class="notes">{}</div></div>\n').format(
        name, _box(table, caption, table.title), below
    )


def _box(table: Table, caption: Markup, name: str) -> Markup:
    """Return a table in a box of its own, which scrolls where the page is too narrow."""
    heads = [
        _cell(column, column.name, _role(table, "columnheader"), "col") for column in table.columns
    ]
    box = Markup('<div class="wide" role="region" aria-label="{}" tabindex="0">')
    named = " stacked" if table.stacked else ""
    size = printed_size([column.name for column in table.columns], _texts(table))
    named += "" if size else " divided"
    style = Markup(' style="--printed: {:.1f}pt"').format(size) if size and size < PRINTED else ""
    row, group = _role(table, "row"), _role(table, "rowgroup")
    lines = [
        box.format(name)
        + Markup('<table class="plain{}"{}{}>{}').format(
            named, Markup(style), _role(table, "table"), caption
        ),
        Markup("<thead{}><tr{}>{}</tr></thead>").format(group, row, Markup("").join(heads)),
        *_bodies(table),
    ]
    return Markup("\n").join(lines) + Markup("</table></div>\n")


def _texts(table: Table) -> list[list[str]]:
    """Return the cells as a reader sees them."""
    rows = table.cells.itertuples(index=False, name=None)
    return [
        [str(Markup(cell).striptags()) if isinstance(cell, Markup) else str(cell) for cell in row]
        for row in rows
    ]


def _role(table: Table, role: str) -> Markup:
    """Return the role of a part of a table, for screen readers, where its look is no table's."""
    return Markup(' role="{}"').format(role) if table.stacked else Markup("")


def _bodies(table: Table) -> Iterator[Markup]:
    """Yield the rows of each group below its heading."""
    head = Markup('<tr{}><th class="group" scope="rowgroup" colspan="{}"{}>{}</th></tr>')
    of_group, row, cell = (_role(table, role) for role in ("rowgroup", "row", "rowheader"))
    for group, rows in _grouped(list(_rows(table)), table.group):
        above = [head.format(row, len(table.columns), cell, group)] if table.group else []
        told = Markup("\n").join([*above, *rows])
        yield Markup("<tbody{}>\n{}\n</tbody>").format(of_group, told)


def _rows(table: Table) -> Iterator[Markup]:
    anchors = table.anchors or [""] * len(table)
    for anchor, row in zip(anchors, table.cells.itertuples(index=False, name=None), strict=True):
        first, *others = zip(table.columns, row, strict=True)
        head = _role(table, "rowheader")
        cells = [
            _cell(*first, head, "row"),
            *(_cell(*one, _labelled(table, *one)) for one in others),
        ]
        named = Markup(' id="{}"').format(anchor) if anchor else ""
        yield Markup("<tr{}{}>{}</tr>").format(named, _role(table, "row"), Markup("").join(cells))


def _labelled(table: Table, column: Column, text: str) -> Markup:
    """Return what shows a cell's heading next to it where rows are stacked; none if it is empty."""
    if not table.stacked or not text.strip():
        return _role(table, "cell")
    return _role(table, "cell") + Markup(' data-label="{}"').format(column.name)


def _cell(column: Column, text: str, more: Markup, heads: Literal["", "col", "row"] = "") -> Markup:
    """Return a cell with its attributes and, where it heads others, the way in which it does."""
    heads = heads if text.strip() else ""  # what has no words heads nothing
    tag = Markup("th" if heads else "td")
    side = Markup(' class="n"') if column.right else ""
    scope = Markup(' scope="{}"').format(heads) if heads else ""
    lines = Markup("<br>").join(with_code(line) for line in _lines(text))
    return Markup("<{}{}{}{}>{}</{}>").format(tag, side, scope, more, lines, tag)


def _lines(text: str) -> list[str]:
    """Return the lines of a cell."""
    return [text] if isinstance(text, Markup) else text.split("\n")
