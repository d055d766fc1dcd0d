"""Steps and reasons of the exclusions log that the participant flow finds again by their text."""

from __future__ import annotations

from schooltrial.wording import plural_of

CLOSED = "the school had closed"


MERGED = "the school had merged with another school of the study"


WITHHELD = "every value of the school was suppressed, or only a bound"


NO_VALUE = "no value of the school in the panel in that year"


NOT_ENROLLED = "without an enrolment record in the study in that year"


SCHOOLS_WITH_SCORES = "schools with scores"
"""Step at which schools without published values leave."""


def no_pupil_of(unit: str) -> str:
    """Return the reason of a randomised unit of which a year's sample has no pupil."""
    return f"no pupil of the {unit} in the sample in that year"


def not_enrolled_in(year: int) -> str:
    """Return the reason of an individual who is on no roster of a year."""
    return f"without an enrolment record in the study in {year}"


def units_seen(unit: str) -> str:
    """Return the step at which randomised units without data in a year leave."""
    held = "an enrolment record" if unit == "teacher" else "pupils"
    return f"{plural_of(unit)} with {held}"


def follow_up_step(since: int | None, year: int) -> str:
    """Return the step at which individuals leave who were not followed up to a year.

    Parameters
    ----------
    since : int or None
        Baseline year; None where the individuals were themselves assigned.
    year : int
        Year of the analysis.
    """
    return f"followed up: {'assignment' if since is None else since} to {year}"
