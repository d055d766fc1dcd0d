"""Faults that stop a study, collected and reported in one message."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from dis import opmap

SHOWN = 20

FEW, EXAMPLES = 5, 3
"""Rows with one fault that are shown one by one; where there are more, those that are quoted."""

VARYING = re.compile(r"\"[^\"]*\"|'[^']*'|\d+")
"""What differs between the words of one fault in two rows: values and numbers."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, where, and what to do about it.

    Attributes
    ----------
    file : str
        File, as the user knows it.
    found : str
        What is wrong, with the value.
    expected : str
        What was expected instead.
    remedy : str
        What the user can do.
    row : int or None
        Line of the file, the header being line 1; None where the fault is of the whole file.
    column : str or None
        Column of the file, or key of the protocol with the keys above it.
    rows : int
        How many rows of the file it is the fault of.
    """

    file: str
    found: str
    expected: str
    remedy: str
    row: int | None = None
    column: str | None = None
    rows: int = 1

    def __str__(self) -> str:
        where = [self.file]
        if self.row is not None:
            where.append(f"{'line' if self.is_of_a_protocol else 'row'} {self.row}")
        if self.column is not None:
            kind = "key" if self.is_of_a_protocol else "column"
            where.append(f"{kind} {self.column!r}")
        lines = [f"{', '.join(where)}: {self.found}"]
        lines += [f"    expected: {self.expected}"] if self.expected else []
        lines += [f"    fix:      {_sentence(self.remedy)}"] if self.remedy else []
        return "\n".join(lines)

    @property
    def is_of_a_protocol(self) -> bool:
        """Whether it is in a protocol, and not in a file of data."""
        return self.file.endswith((".yaml", ".yml"))

    @property
    def kind(self) -> tuple[object, ...]:
        """What it shares with the faults that repeat it in other rows."""
        texts = [VARYING.sub("…", text) for text in (self.expected, self.remedy)]
        return (self.file, self.column, *texts)


def _sentence(remedy: str) -> str:
    """Return a remedy as a sentence; a path or a command at its end gets no full stop."""
    last = remedy.rsplit(None, 1)[-1]
    stop = "" if remedy[-1] in ".?!…" or "/" in last else "."
    return remedy[0].upper() + remedy[1:] + stop


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a breakdown
    """Raised with every fault that was found, so that all can be fixed at once."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(self._message())

    def _message(self) -> str:
        told = list(_gathered(self.faults))
        count = len(told)
        head = "1 error was found" if count == 1 else f"{count:,} errors were found"
        shown = [f"  - {fault}" for fault in told[:SHOWN]]
        if count > SHOWN:
            shown.append(f"  … and {count - SHOWN:,} more; fix these first.")
        return "\n".join([f"Refused: {head}. This step wrote no files.", *shown])

    def __reduce__(self) -> tuple[type[Refusal], tuple[tuple[Fault, ...]]]:
        return Refusal, (self.faults,)


def _gathered(faults: Sequence[Fault]) -> Iterator[Fault]:
    """Yield the faults, those that many rows of a file repeat as one: a count, and the first."""
    alike: dict[tuple[object, ...], list[Fault]] = {}
    for at, fault in enumerate(faults):
        of_rows = fault.row is not None or fault.rows > 1
        kind = fault.kind if of_rows and not fault.is_of_a_protocol else (at,)
        alike.setdefault(kind, []).append(fault)
    for group in alike.values():
        shown = [fault for fault in group if fault.row is not None][:SHOWN]
        if len(group) <= FEW or not shown:
            yield from group
            continue
        rows = sum(fault.rows for fault in group)
        remedy = shown[0].remedy
        if any(fault.remedy != remedy for fault in group):
            remedy += "; likewise for the others"
        end = " …" if rows > len(shown) else ""
        found = f"{rows:,} rows are at fault: {_examples(shown)}{end}"
        yield replace(shown[0], found=found, remedy=remedy, row=None, rows=rows)


def _examples(shown: Sequence[Fault]) -> str:
    """Return what is wrong with the first rows of many, and the lines of some others."""
    if len({fault.found for fault in shown}) == 1:
        return f"{shown[0].found} (rows {_rows(shown)})"
    first = "; ".join(f"row {fault.row}: {fault.found}" for fault in shown[:EXAMPLES])
    others = shown[EXAMPLES:]
    return f"{first}; and rows {_rows(others)}" if others else first


def _rows(faults: Sequence[Fault]) -> str:
    return ", ".join(str(fault.row) for fault in faults)


@contextmanager
def refused_as(what: str) -> Iterator[None]:
    """Turn the error of an estimator into a refusal that names what was being done.

    The estimators' own messages say themselves what was expected, and the remedy. What a library
    of numbers says of its matrices is no help to a reader of a protocol: other words take its
    place.
    """
    try:
        yield
    except (ValueError, ArithmeticError) as error:
        found = words_of(error)
        expected = "data from which the model can be estimated"
        remedy = "see the message above; then check `where`, `covariates` and `blocks` of the model"
        raise Refusal([Fault(what, found, expected, remedy)]) from error


NOT_COMPUTED = (
    "the model could not be computed: some of its columns, or their variances, are copies of one "
    "another or do not vary. Check for a covariate that is (nearly) constant, a copy of another, "
    "or missing for nearly all rows; for an outcome with almost no variation; and for a group, "
    "block or cluster with only one or two rows"
)
"""What is said where a library, not the estimator, gave up."""


def words_of(error: ValueError | ArithmeticError) -> str:
    """Return what an error says to a reader: its own words, if this package raised it."""
    return str(error) if is_our_own(error) else NOT_COMPUTED


def is_our_own(error: BaseException) -> bool:
    """Return whether a statement of this package raised an error, with words for the reader.

    Functions written in C leave no frame: then the last one is ours, and what it was at is no
    ``raise``.
    """
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None or not isinstance(error, ValueError) or type(error).__name__ == "LinAlgError":
        return False
    module = str(last.tb_frame.f_globals.get("__name__", ""))
    raised = last.tb_frame.f_code.co_code[last.tb_lasti] == opmap["RAISE_VARARGS"]
    return raised and not module.startswith(LIBRARIES)


LIBRARIES = (
    "numpy.", "scipy.", "pandas.", "linearmodels.", "numba.", "diff_diff.", "statsmodels.",
    "formulaic.",
)  # fmt: skip
"""Packages whose messages speak of matrices and frames."""


@contextmanager
def naming_files(files: Mapping[str, str]) -> Iterator[None]:
    """Name the raw files next to a standard table with a fault in its rows.

    Parameters
    ----------
    files : mapping
        How a fault names the table → its files.
    """
    try:
        yield
    except Refusal as refusal:
        told = [
            replace(fault, file=f"{fault.file} ({files[fault.file]})")
            if fault.file in files
            else fault
            for fault in refusal.faults
        ]
        raise Refusal(told) from refusal


def refuse(faults: Sequence[Fault]) -> None:
    """Raise ``Refusal`` if there is any fault."""
    if faults:
        raise Refusal(faults)


class UserError(Exception):
    """Raised where what was asked for cannot be had: the message says why, and what can be."""


class StepFailedError(Exception):
    """Raised where a step of a run broke down, by a fault of the project: with what its log holds.

    Where this error itself was raised says nothing.
    """


def unknown(kind: str, name: str, known: Iterable[str]) -> UserError:
    """Return the error of a name that is not known, with the one that was probably meant."""
    names = [str(one) for one in known]
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    remedy = f"did you mean {close[0]!r}? " if close else ""
    listed = ", ".join(names[:SHOWN]) + (" …" if len(names) > SHOWN else "")
    return UserError(f"no {kind} {name!r}; {remedy}known {_several(kind)}: {listed or 'none'}")


def _several(kind: str) -> str:
    """Return the plural of a kind: of ``outcome of pupils`` that of its first word."""
    word, space, after = kind.rstrip(":").partition(" ")
    irregular = {"study": "studies"}
    return irregular.get(word, f"{word}s") + space + after
