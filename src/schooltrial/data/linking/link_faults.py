"""Identifiers that do not match between two tables: in which files, and how they are put right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from schooltrial.data.linking.column_lines import column_line
from schooltrial.data.linking.key_sources import Sources
from schooltrial.data.linking.other_columns import column_holding
from schooltrial.data.linking.table_links import EXPECTED, TABLES, Link, LinkedKeys
from schooltrial.data.rows.key_matches import MOST, Alike, KeyMatch
from schooltrial.data.rows.matching import positions
from schooltrial.data.spelling.respelling import keys_to_respell
from schooltrial.data.spelling.variants import differences
from schooltrial.protocol.content.sections import Cleaning
from schooltrial.refusal import Fault
from schooltrial.wording import listed, percent, plural

SHOWN_PAIRS = 3


FEWEST = 2
"""Identifiers without a match from which a low share is more than one odd row."""


WHO = {
    "scores": "{n} with scores",
    "observations": "{n} with observations",
    "implementation": "{n} in the implementation log",
    "assignment": "{n} in the allocation list",
    "pupils": "{n} in these enrolment records",
    "teachers": "{n} in these enrolment records",
}


def mismatch_faults(keys: LinkedKeys, cleaning: Cleaning, sources: Sources) -> Iterator[Fault]:
    """Yield where the identifiers of two tables do not match as they should.

    Parameters
    ----------
    keys : LinkedKeys
        What was looked up.
    cleaning : Cleaning
        The section of the protocol.
    sources : Sources
        The files that messages name.
    """
    spelt = cleaning["alike_identifiers"] == "refuse"
    told: set[tuple[str, ...]] = set()
    for link in keys.links:
        first, second = link.match.keys, link.match.among
        files = sources.files(first.table, first.year), sources.files(second.table, second.year)
        place = (first.table, second.table, first.variable, *files)
        back = (second.table, first.table, first.variable)
        if place in told or (first.year is None and any(one[:3] == back for one in told)):
            continue  # outcomes are parts of their year; and both ways are one mismatch
        fault = _alike_fault(link, sources) if spelt and link.match.alike.count else None
        fault = fault or _share_fault(link, sources, keys)
        if fault is not None:
            told.add(place)
            yield fault
    if spelt:
        for level, pairs in keys.respelt.items():
            yield _respelt_fault(level, pairs, sources)


def _alike_fault(link: Link, sources: Sources) -> Fault:
    """Tell of identifiers that are those of another table, spelt in another way."""
    match, alike = link.match, link.match.alike
    keys, among = match.keys, match.among
    here = sources.files(keys.table, keys.year, keys.outcome)
    there = sources.files(among.table, among.year)
    pairs = [
        f"{a!r} here is {b!r} there"
        for a, b in zip(alike.names[:SHOWN_PAIRS], alike.others[:SHOWN_PAIRS], strict=True)
    ]
    found = (
        f"{plural(alike.count, keys.variable)} of {len(keys.names):,} "
        f"{'is' if alike.count == 1 else 'are'} not in {there}, but would match if both files "
        f"spelled identifiers alike: they differ by {listed(alike.differ)} "
        f"({'; '.join(pairs)}{' …' if alike.count > SHOWN_PAIRS else ''})"
    )
    return Fault(
        here, found, f"each {keys.variable} spelled alike in {here} and {there}",
        _respelling(alike, keys.table, keys.variable, among.table, keys.year, among.year, sources)
        + "\n              If they are different identifiers, set "
        "`cleaning: {alike_identifiers: distinct}`",
        column=sources.column(keys.table, keys.variable, keys.year),
    )  # fmt: skip


def _respelling(
    alike: Alike, table: str, variable: str, other: str, year: int | None,
    other_year: int | None, sources: Sources,
) -> str:  # fmt: skip
    """Return how one of the two files is to be read, so that both spell identifiers alike."""
    keys = keys_to_respell(
        alike.names, alike.others, alike.differ, alike.count, (alike.width, alike.other_width)
    )
    if keys is not None:
        places = ((table, year), (other, other_year))
        lines = [
            _column_line(*place, variable, sources, of_side)
            for of_side, place in zip(keys, places, strict=True)
            if of_side
        ]
        return "; and ".join(lines)
    return (
        f"spell {variable} in {sources.files(table, year)} as in {sources.files(other, other_year)}"
        f": they differ by {listed(alike.differ)}"
    )


def _column_line(
    table: str, year: int | None, variable: str, sources: Sources, keys: Sequence[str]
) -> str:
    return column_line(
        table, variable, sources.column(table, variable, year), sources.files(table, year), keys
    )


def _share_fault(link: Link, sources: Sources, every: LinkedKeys) -> Fault | None:
    """Tell of tables in which too few identifiers of another are found."""
    match = link.match
    keys, among = match.keys, match.among
    looked_up = int((~match.known).sum())
    missing = int(match.unmatched.sum())
    if not looked_up:
        return None
    too_few = link.least is not None and match.share < link.least and missing >= FEWEST
    nobody = link.some and not match.matched.any()
    apart = (
        link.apart is not None
        and match.share < link.apart
        and match.share_found < link.apart
    )  # fmt: skip
    two_ways = (
        link.both is not None
        and match.share < link.both
        and missing >= FEWEST
        and link.n_others >= max(FEWEST, MOST * missing)
    )
    if not (too_few or nobody or apart or two_ways):
        return None
    here = sources.files(keys.table, keys.year, keys.outcome)
    there = sources.files(among.table, among.year)
    if keys.table == "assignment":
        there = sources.files(among.table)
    who = WHO.get(keys.table, "{n} of this table").format(n=f"{keys.variable}s")
    of = f" for {keys.outcome}" if keys.outcome else ""
    found = (
        f"{missing:,} of {looked_up:,} {who}{of} are not in {there}, such as "
        f"{listed([repr(one) for one in match.examples()])}; identifiers there are like "
        f"{listed([repr(one) for one in match.others()]) or 'nothing: there are none'}. Found: "
        f"{percent(match.share)} of those here, {percent(match.share_found)} of those there"
    )
    expected = f"the same {keys.variable} identifiers in both files"
    if too_few:
        expected = (
            f"at least {percent(link.least or 0)} of them there (`cleaning.match_at_least`); "
            "unmatched identifiers are not attrition"
        )
    elif two_ways and not nobody:
        found += f"; {plural(link.n_others, keys.variable)} there are not in {here}"
        expected = (
            f"at least {percent(link.both or 0)} of them there (`cleaning.match_at_least`), or no "
            f"others there (unmatched {keys.variable}s in both files may be the same)"
        )
    return Fault(
        here, found, expected, _share_remedy(link, sources, every),
        column=sources.column(keys.table, keys.variable, keys.year),
    )  # fmt: skip


def _share_remedy(link: Link, sources: Sources, every: LinkedKeys) -> str:
    match = link.match
    keys, among = match.keys, match.among
    lines = [
        f"read the column with the same {keys.variable} identifiers in both files, or ask for the "
        "list that links the two"
    ]
    other = _other_column(match, sources)
    if other:
        lines[0] = other
    elsewhere = _other_year(match, every)
    if elsewhere:
        lines.append(elsewhere)
    if keys.variable == "school" and "crosswalk" not in sources.by_table:
        lines.append("if schools changed their identifiers, add the changes as "
        "`tables.crosswalk`")  # fmt: skip
    if (keys.table, among.table) == ("pupils", "teachers"):
        lines.append(
            "if the enrolment records name other teachers than the table of teachers, read them as "
            "another variable, such as `class_teacher`"
        )
    if keys.table in EXPECTED and link.least is not None:
        if keys.table == "assignment" and link.n_others:
            lines.append(
                f"if {sources.files(among.table)} should contain only the {keys.variable}s of the "
                f"list, filter the others when it is read, as in `where: {{district: [ours]}}`"
            )
        if keys.table != "assignment":
            file = sources.files(keys.table, keys.year, keys.outcome)
            lines.append(
                f"if {file} also has rows of other districts, schools or years, filter them when "
                f"it is read, as in `where: {{district: [ours]}}`"
            )
        if match.share >= MOST or (keys.table == "assignment" and match.matched.any()):
            share = int(match.share * 100) / 100
            lines.append(
                "if they really have no match, accept it: `cleaning: {match_at_least: "
                f"{{{keys.table}: {share:.2f}}}}}`; unmatched rows are counted in "
                "checks/linking.csv"
            )
    elif among.table == "assignment":
        lines.append(
            "if so few matches are correct, accept it: `cleaning: {match_at_least: {assignment: "
            "0}}`"
        )
    return "\n              ".join(
        f"{line[0].upper() if at else line[0]}{line[1:]}{'.' if at < len(lines) - 1 else ''}"
        for at, line in enumerate(lines)
    )


def _other_column(match: KeyMatch, sources: Sources) -> str:
    """Name another column of one of the two files that holds the other's identifiers, if any."""
    keys, among = match.keys, match.among
    for one, other in ((keys, among), (among, keys)):
        column, file = column_holding(sources.raw, other.names, one.table, one.year)
        if column and column != sources.column(one.table, one.variable, one.year):
            line = column_line(one.table, one.variable, column, file, ())
            there = sources.files(other.table, other.year)
            return f"column {column!r} of {file} has the identifiers of {there}: {line}"
    return ""


def _other_year(match: KeyMatch, keys: LinkedKeys) -> str:
    """Say on the roster of which other year most of the unmatched people are, if they are."""
    level = match.keys.variable
    history = keys.histories.get(level)
    if match.keys.table != TABLES.get(level, ("", ""))[1] or history is None:
        return ""
    missing = match.keys.names.take(pa.array(np.flatnonzero(match.unmatched)))
    number = positions(missing, history.units)
    for year, roster in history.years.items():
        there = int(np.isin(number[number >= 0], roster.unit).sum())
        if year != match.keys.year and there > len(missing) * MOST:
            return (
                f"most of them are in the enrolment records of {year}: ask whether a part of the "
                "records of "
                f"{match.keys.year} is missing; if the scores are of {year}, correct `year`, or "
                "the name of the file"
            )
    return ""


def _respelt_fault(level: str, pairs: Sequence[tuple[str, int, str, int]], sources: Sources) -> (
    Fault
):  # fmt: skip
    """Tell of people whose identifier one year's roster spells in another way than another's."""
    table, _ = TABLES[level]
    _, first_year, _, year = pairs[0]
    here, there = sources.files(table, year), sources.files(table, first_year)
    differ = list(dict.fromkeys(what for a, _, b, _ in pairs for what in differences(a, b)))
    shown = "; ".join(
        f"{b!r} in {of_b}, {a!r} in {of_a}" for a, of_a, b, of_b in pairs[:SHOWN_PAIRS]
    )
    mine = [(b, a) for a, of_a, b, of_b in pairs if (of_a, of_b) == (first_year, year)]
    widths = [{len(one[at]) for one in mine} for at in (0, 1)]
    alike = Alike(
        [b for b, _ in mine], [a for _, a in mine], len(pairs), differ,
        *(next(iter(found)) if len(found) == 1 else None for found in widths),
    )  # fmt: skip
    found = (
        f"{plural(len(pairs), level)} of {there} would also be in {here} if both files spelled "
        f"identifiers alike: they differ by {listed(differ)} "
        f"({shown}{' …' if len(pairs) > SHOWN_PAIRS else ''})"
    )
    return Fault(
        here, found, f"each {level} spelled alike in every year",
        _respelling(alike, table, level, table, year, first_year, sources)
        + "\n              If they are different identifiers, set "
        "`cleaning: {alike_identifiers: distinct}`",
        column=sources.column(table, level, year),
    )  # fmt: skip
