"""Effects of panel models as the report shows them: by cohort, by year, and before."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from schooltrial.analysis.panel.post_programme import ADJUSTED, AFTER
from schooltrial.data.rows.analysed import OF_PANELS
from schooltrial.document.numbers import interval, number
from schooltrial.document.tables import Column, Table, tabulate
from schooltrial.exhibits.figures.event_study import MANY
from schooltrial.exhibits.tables.plain_labels import YES_NO, yes_no_variables
from schooltrial.protocol.content.sections import Years, measured_years, programme_lasts
from schooltrial.protocol.content.shown_units import PERCENTAGE_POINTS, as_shown, is_binary
from schooltrial.wording import listed, part_notes, plural

OVERALL, COHORTS, GROUPS = "overall", "by cohort", "by group"
SINCE, BEFORE = "by year since the programme began", "before the programme began"
YEARS, CALENDAR = "by year", "by calendar year"
ALONE = "programme years only, groups compared as randomised"
ALONE_NAMED = {AFTER: "Programme", ADJUSTED: "Adjusted for the years before"}

PARTS = {
    "ATT": OVERALL,
    AFTER: ALONE,
    ADJUSTED: ALONE,
    "effect by group": GROUPS,
    "difference in effect": GROUPS,
    "joint test": GROUPS,
    "event study": YEARS,
    "calendar year": CALENDAR,
    "pre-trend test": BEFORE,
    "pre-trend slope": BEFORE,
    "permutation check": "permutation check",
}
"""Estimand → the part of the table that shows it.

Group-time effects are in the CSV alone; persistence has a table of its own.
"""

OF_PRIMARY = ("calendar year", "permutation check")
"""Estimands that only tables of primary models show; the CSV has those of all models."""

ORDER = (
    OVERALL, ALONE, COHORTS, GROUPS, SINCE, CALENDAR, YEARS, BEFORE,
    "permutation check",
)  # fmt: skip

YEAR_BEFORE = "each year before the programme with the year before it"
"""The base of an event study where it varies, as the figure's data say."""

OF_COHORT = re.compile(r"treated\[cohort=(\d+)\]")
OF_TIME = re.compile(r"treated\[(since|year)(=|<=|>=)(-?\d+)\]")
OF_F = re.compile(r"\bF\((\d+), ([\d.]+)\)")
OF_ROW = ("no standard error", "no F")
"""How notes begin that are of one row, though it is the overall effect."""

OF_GROUP = re.compile(r"treated\[([^=\]]+)=([^\]]+)\]")

COLUMNS = [
    Column("Effect"),
    Column("Estimate", "number", key="estimate"),
    Column("SE", "number", key="std_error", optional=True),
    Column("df", "number", 1),
    Column("CI", "told", key="Interval"),
    Column("Simultaneous band", "told", optional=True, key="Band"),
    Column("p", "p", key="p_value"),
    Column("Intervention schools", "count", key="n_treated_schools"),
    Column("Schools", "count", key="n_schools"),
    Column("Pupil-years", "count", key="n_individuals", optional=True),
    Column("Note", key="own", optional=True),
]


@dataclass(frozen=True)
class PanelTable:
    """What one panel model found, as the report shows it.

    Attributes
    ----------
    label : str
        Of the model.
    primary : bool
        Whether its table is open when the page is.
    table : Table
    notes : tuple of str
        What holds for all rows: method, and what a reader must know.
    """

    label: str
    primary: bool
    table: Table
    notes: tuple[str, ...]


def panels_shown(
    estimates: pd.DataFrame,
    outcomes: Mapping[str, Any],
    models: Mapping[str, Any],
    labels: Mapping[str, str],
    diagnostics: Mapping[str, Any],
) -> list[PanelTable]:
    """Return the table of each panel model, in protocol order.

    Parameters
    ----------
    estimates : DataFrame
        The long table.
    outcomes, models : mapping
        The protocol's sections.
    labels : mapping
        Variable → its name in exhibits.
    diagnostics : mapping
        Model → outcome → what the fit says of itself.
    """
    found = []
    for name, model in models.items():
        parts = [one for one in PARTS if model["role"] == "primary" or one not in OF_PRIMARY]
        rows = estimates[(estimates["model"] == name) & estimates["estimand"].isin(parts)]
        if model["estimator"] in OF_PANELS and len(rows):
            found.append(_table(rows, outcomes, model, labels, diagnostics.get(name, {})))
    return found


def _table(
    rows: pd.DataFrame,
    outcomes: Mapping[str, Any],
    model: Mapping[str, Any],
    labels: Mapping[str, str],
    diagnostics: Mapping[str, Any],
) -> PanelTable:
    """Return the rows of a model in the order in which a reader asks for them."""
    order = {outcome: at for at, outcome in enumerate(outcomes)}
    sizes = ["estimate", "std_error", "conf_low", "conf_high", "band_low", "band_high"]
    rows = as_shown(rows, outcomes, sizes)
    rows = rows.assign(
        part=[_part(*pair) for pair in zip(rows["estimand"], rows["term"], strict=True)],
        at=rows["outcome"].map(order),
    )
    rows["place"] = rows["part"].map({part: at for at, part in enumerate(ORDER)})
    rows = rows.sort_values(["at", "place"], kind="stable", ignore_index=True)
    named = {outcome: section["label"] for outcome, section in outcomes.items()}
    rows["note"] = [
        OF_F.sub(lambda f: f"F({f[1]}, {number(float(f[2]), 1)})", note)
        for note in rows["note"].fillna("")
    ]
    below, own = _notes(rows, named)
    # A model of several covariances has a row for each, told apart by the method.
    again = rows.duplicated(["outcome", "estimand", "term"], keep=False)
    own = [
        "; ".join(filter(None, [method, note])) if several else note
        for several, method, note in zip(again, rows["method"], own, strict=True)
    ]
    yes_no = yes_no_variables(rows["term"].astype("str"))
    told = rows.assign(
        Effect=[
            ALONE_NAMED.get(estimand) or _named(term, labels, yes_no)
            for estimand, term in zip(rows["estimand"], rows["term"], strict=True)
        ],
        Interval=_intervals(rows, "conf"),
        Band=_intervals(rows, "band"),
        own=own,
    )
    # A unit is named where it is not that of the outcome in other tables of the study.
    head = {
        name: f"{named[name]} ({PERCENTAGE_POINTS})" if is_binary(section) else named[name]
        for name, section in outcomes.items()
    }
    groups = [f"{head[row['outcome']]}, {row['part']}" for _, row in rows.iterrows()]
    for count in ("n_treated_schools", "n_schools", "n_individuals"):
        told[count] = told[count].astype("Int64")
    table = tabulate(model["label"], told, COLUMNS, group=groups)
    notes = [_methods(rows["method"].dropna()), *below, *_ratios(diagnostics, named)]
    return PanelTable(
        model["label"],
        model["role"] == "primary",
        table,
        tuple(f"{_sentence(note)}." for note in notes),
    )


def _notes(rows: pd.DataFrame, named: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return the notes that go below the table, and what stays in each row.

    What all rows of a part bear is said once; what the overall effect bears is true of all rows of
    its outcome, but for why it has no standard error.
    """
    shared, own = part_notes(list(rows["note"]))
    notes = pd.Series(own, index=rows.index)
    borne: dict[str, list[str]] = {}
    effects = notes[rows["estimand"] != "pre-trend test"]  # which has reasons of its own
    for part, mine in effects.groupby(rows["part"], sort=False):
        alike, left = part_notes(list(mine))
        notes[mine.index] = left
        for note in alike:
            borne.setdefault(note, []).append(str(part))
    for note, parts in borne.items():
        others = [part for part in parts if part != OVERALL]
        shared.append(f"{listed(others)}: {note}" if others == parts else note)
    for at in rows.index[(rows["part"] == OVERALL) & (rows["term"] == "treated")]:
        parts = [part for part in notes[at].split("; ") if part]
        common = [part for part in parts if not part.startswith(OF_ROW)]
        shared += [f"{named[rows.loc[at, 'outcome']]}: {part}" for part in common]
        notes[at] = "; ".join(part for part in parts if part not in common)
    return shared, list(notes)


def _methods(methods: pd.Series) -> str:
    """Return the methods of all rows: what they have in common once, then what differs."""
    found = list(dict.fromkeys(methods))
    starts = {method.split("; ")[0] for method in found}
    if len(found) < 2 or len(starts) > 1:
        return "; ".join(found)
    (start,) = starts
    return f"{start}: {'; '.join(method.removeprefix(f'{start}; ') for method in found)}"


def _ratios(diagnostics: Mapping[str, Any], named: Mapping[str, str]) -> list[str]:
    """Say of each outcome how the two variances of cohorts compare."""
    told = []
    for outcome, found in diagnostics.items():
        ratios = found.get("std_error_own_over_two_regimes") or {}
        each = [
            f"{number(ratio, 2)} ({_named(term, {}).lower()})" for term, ratio in ratios.items()
        ]
        if each:
            told.append(
                f"{named[outcome]}: standard errors from the variance of each cohort alone, as a "
                f"multiple of those that pool the treated cohorts: {', '.join(each)}"
            )
    return told


def _intervals(rows: pd.DataFrame, ends: str) -> list[str]:
    """Return intervals; nothing where the table has none."""
    bounds = rows.reindex(columns=[f"{ends}_low", f"{ends}_high"])
    return [interval(low, high) for low, high in bounds.itertuples(index=False)]


def _part(estimand: str, term: str) -> str:
    """Return the part of the table in which a row is."""
    if estimand == "effect by group" and OF_COHORT.fullmatch(term):
        return COHORTS
    time = OF_TIME.fullmatch(term)
    if estimand == "event study" and time and time[1] == "since":
        return BEFORE if int(time[3]) < 0 else SINCE
    return PARTS[estimand]


def _named(term: str, labels: Mapping[str, str], yes_no: frozenset[str] = frozenset()) -> str:
    """Return a term in words: ``treated[since=2]`` is "2 years later"."""
    if term == "treated":
        return "Programme"
    cohort, time, group = (one.fullmatch(term) for one in (OF_COHORT, OF_TIME, OF_GROUP))
    if cohort:
        return f"Began {cohort[1]}"
    if time:
        when = _when(int(time[3])) if time[1] == "since" else time[3]
        return when + {"=": "", "<=": " and earlier", ">=": " and later"}[time[2]]
    if group:
        level = YES_NO[group[2]] if group[1] in yes_no else group[2]
        return f"{labels.get(group[1], group[1])}: {level}"
    return _sentence(term)


def _when(since: int) -> str:
    if since == 0:
        return "First year"
    years = "1 year" if abs(since) == 1 else f"{abs(since)} years"
    return f"{years} later" if since > 0 else f"{years} before"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def base_sentences(points: pd.DataFrame) -> str:
    """Return what the points of an event study are compared with, and what carries them.

    Parameters
    ----------
    points : DataFrame
        What the figure draws, of ``figures/event_study.csv``.
    """
    if points.empty:
        return ""
    bases: dict[str, list[str]] = {}
    for label, base in points.groupby("model_label", sort=False)["base"].first().items():
        bases.setdefault(str(base), []).append(str(label))
    first, *others = sorted(bases, key=lambda base: -len(bases[base]))
    told = [f"{_sentence(_base(first))}"]
    told += [f"in {listed([f'“{label}”' for label in bases[base]])}, {_base(base)}"
             for base in others]  # fmt: skip
    rules = list(dict.fromkeys(method.split("; ")[-1] for method in points["method"].dropna()))
    sentences = ["; ".join(told) + "."]
    sentences += [f"Intervals: {'; '.join(rules)}."] if rules else []
    main = points[points["model_label"] == points["model_label"].iloc[0]]
    carried = main["n_treated_schools"].dropna().astype("int64")
    if len(carried) and main["outcome"].nunique() <= MANY:
        least, most = int(carried.min()), int(carried.max())
        many = f"{least:,}" if least == most else f"{least:,} to {most:,}"
        which = "each point" if len(main) == len(points) else "each point of the first model"
        sentences.append(
            f"Below {which} whose year is named is its number of intervention schools: {many}."
        )
    return " ".join(sentences)


def _base(base: str) -> str:
    """Say what each year is compared with."""
    if base == YEAR_BEFORE:
        return (
            "each year before the programme is compared with the year before it, each year since "
            "with the last year before the programme"
        )
    return f"each year is compared with {base}"


def cohort_starts(means: pd.DataFrame) -> list[int]:
    """Return the years in which cohorts began, of ``figures/cohorts.csv``."""
    starts = pd.to_numeric(means["cohort"], errors="coerce").dropna()
    return sorted({int(start) for start in starts})


def programme_lengths(years: Years, starts: Sequence[int]) -> dict[int, int]:
    """Return cohort → for how many years its programme lasts; those of which it is not known lack.

    Parameters
    ----------
    years : Years
        The protocol's section.
    starts : sequence of int
        Years in which cohorts began.
    """
    lasts = programme_lasts(years)
    lengths = {start: lasts.get(start) if isinstance(lasts, dict) else lasts for start in starts}
    return {start: length for start, length in lengths.items() if length is not None}


@dataclass(frozen=True)
class CohortYears:
    """A cohort with outcomes, and when its programme ran.

    Attributes
    ----------
    start : int
        First year of its programme.
    schools : int
        Its schools with outcomes.
    programme, follow_up : tuple of int
        Measured years of its programme, and after it; all from the start on are of the programme
        where it is not known how long it lasts.
    """

    start: int
    schools: int
    programme: tuple[int, ...]
    follow_up: tuple[int, ...]


def cohort_years(means: pd.DataFrame, years: Years) -> tuple[CohortYears, ...]:
    """Return the cohorts of a staggered study.

    Parameters
    ----------
    means : DataFrame
        What the figure of cohorts draws, of ``figures/cohorts.csv``.
    years : Years
        The protocol's section.
    """
    starts = pd.to_numeric(means["cohort"], errors="coerce")
    sizes = means["n_schools"].groupby(starts).max()
    lengths = programme_lengths(years, [int(start) for start in sizes.index])
    found = []
    for start, size in sizes.items():
        since = [year for year in measured_years(years) if year >= int(start)]
        end = int(start) + lengths.get(int(start), len(since) + max(since, default=0))
        found.append(CohortYears(
            int(start), int(size), tuple(year for year in since if year < end),
            tuple(year for year in since if year >= end),
        ))  # fmt: skip
    return tuple(found)


def programme_by_cohort(years: Years, starts: Sequence[int]) -> str:
    """Return the programme's years of each cohort, where it is known how long it lasts.

    Parameters
    ----------
    years : Years
        The protocol's section.
    starts : sequence of int
        Years in which cohorts began.
    """
    known = programme_lengths(years, starts)
    if not starts or len(known) < len(starts):
        return ""
    spans = [
        f"{start}{f'–{start + length - 1}' if length > 1 else ''} (cohort {start})"
        for start, length in known.items()
    ]
    last = max(measured_years(years), default=0)
    ended = any(start + length <= last for start, length in known.items())
    later = " Later years of a cohort are after the programme." if ended else ""
    return f"Programme: {listed(spans)}.{later}"


def cohorts_sentence(means: pd.DataFrame) -> str:
    """Return when each cohort began and with how many schools; nothing where all began together.

    Parameters
    ----------
    means : DataFrame
        What the figure of cohorts draws, of ``figures/cohorts.csv``.
    """
    if means.empty:
        return ""
    starts = pd.to_numeric(means["cohort"], errors="coerce")
    sizes = means["n_schools"].groupby(starts).max()
    each = [f"{start:.0f} ({plural(int(size), 'school')})" for start, size in sizes.items()]
    return f"Cohorts with outcomes began in {listed(each)}." if each else ""
