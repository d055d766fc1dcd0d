"""In which year each school began, where schools begin in different years."""

from __future__ import annotations

import re
from collections.abc import Sequence

from schooltrial.proposal.proposed import FEW, Proposal
from schooltrial.proposal.roles import CONTROL, column_of, plain, year_of
from schooltrial.proposal.seen import NOT_OBSERVED, SeenColumn
from schooltrial.proposal.waves import Wave
from schooltrial.refusal import UserError
from schooltrial.wording import listed

NEVER = re.compile(r"never.*|not[ _-]?(yet|in)?[ _-]?(treated|started|joined)?|-+|99+|later.*")
"""What a list says of a school that does not begin, beside a blank and the names of controls."""

ARMS = [("control", "Not in these years", ""), ("programme", "Programme", "")]
"""Groups of a list that says nothing but when each school began."""


def find_roll_out(found: Proposal, waves: Sequence[Wave]) -> bool:
    """Find in which year each school began; return whether a list says it.

    Parameters
    ----------
    found : Proposal
        Where the list, its groups and the first years are put.
    waves : sequence of Wave
        The files.

    Raises
    ------
    UserError
        Where all schools begin: of the last to begin the user must say what they are.
    """
    wave = next((one for one in waves if column_of("cohort", one.last)), None)
    if wave is None:
        return False
    begins, school = (column_of(role, wave.first) for role in ("cohort", "school"))
    if begins is None or school is None or not school.is_unique:
        return False
    years, never = _read(begins)
    if not years or len(set(years.values())) > FEW:
        return False
    if not never:
        raise UserError(
            f"the column {begins.name!r} of {wave.first.shown} says for every school in which year "
            "it began, and leaves none that did not begin in these years. Leave the cell of those "
            "empty that began last, and give files of the years before these began; see "
            "docs/how-to/staggered-roll-out.md."
        )
    found.assignment, found.unit_column, found.arms = wave, school.name, list(ARMS)
    _take(found, begins, years, never)
    block = None if found.unblocked else column_of("block", wave.first)
    found.block = block.name if block is not None else ""
    return True


def takes_roll_out(found: Proposal, begins: SeenColumn, arm: SeenColumn) -> bool:
    """Take the years in which schools began if they go with the groups; return whether they do.

    Parameters
    ----------
    found : Proposal
        Whose groups are known, the control group first.
    begins, arm : SeenColumn
        Of the list.
    """
    years, never = _read(begins)
    if not never or len(set(years.values())) < 2 or found.unit != "school" or found.by_pupil:
        return False
    control = found.arms[0][2].casefold()
    pairs = zip(begins.cells, arm.cells, strict=True)
    if any((one.strip() in years) == (group.strip().casefold() == control) for one, group in pairs):
        return False
    _take(found, begins, years, never)
    return True


def _take(
    found: Proposal, begins: SeenColumn, years: dict[str, int], never: list[str]
) -> None:  # fmt: skip
    found.kind, found.cohort_column = "staggered", begins.name
    found.cohorts, found.never = years, never
    found.guesses["kind"] = f"the column {begins.name!r} says in which year each school began"
    found.guesses["randomised"] = (
        "say true if it was randomised in which year each school began, or whether it did"
    )


def leave_out_later_years(found: Proposal) -> None:
    """Take schools that begin after the last year of scores for schools that do not begin.

    Raises
    ------
    UserError
        Where no school is left that begins, or scores of the years before are lacking.
    """
    last = max(found.programme)
    later = [text for text, year in found.cohorts.items() if year > last]
    found.never += later
    found.cohorts = {text: year for text, year in found.cohorts.items() if year <= last}
    if later:
        found.guesses["cohort"] = f"schools that begin after {last} count as not beginning"
    if not found.cohorts or not found.baseline:
        raise UserError(
            f"schools begin in different years ({found.cohort_column}), and the scores are of "
            f"{listed([str(year) for year in [*found.baseline, *found.programme]])}: a staggered "
            "design needs scores of every year from before the first school began. Add the files."
        )


def _read(begins: SeenColumn) -> tuple[dict[str, int], list[str]]:
    """Return text → first year, and the texts of schools that do not begin; a blank cell is one.

    Nothing where some text is neither.
    """
    years: dict[str, int] = {}
    never = [""] if any(not cell.strip() for cell in begins.cells) else []
    for text in begins.counts:
        year = year_of(text)
        if year is not None:
            years[text] = year
        elif text.lower() in NOT_OBSERVED or NEVER.fullmatch(plain(text).replace("_", " ")) or (
            CONTROL.fullmatch(text)
        ):  # fmt: skip
            never.append(text)
        else:
            return {}, []
    return years, never
