"""The individuals that an estimate counts, and how joiners are known, in the words of a reader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schooltrial.protocol.content.filters import years_named
from schooltrial.protocol.content.sections import PANELS, Years, all_years, last_before


def people_counted(model: Mapping[str, Any], outcome: Mapping[str, Any], years: Years) -> str:
    """Return what an estimate counts; a panel, or a model of several years, counts each in each.

    Parameters
    ----------
    model, outcome, years : mapping
        Of the protocol.

    Returns
    -------
    str
        ``pupils``, ``teachers``, ``pupil-years`` or ``teacher-years``.
    """
    person = "teacher" if outcome["measured_on"] == "teacher" else "pupil"
    named = years_named(model["where"], all_years(years)) or all_years(years)
    several = model["estimator"] in PANELS or len(named) > 1
    return f"{person}-years" if several else f"{person}s"


def joined_words(protocol: Mapping[str, Any], people: str) -> str:
    """Return what is known of joiners where the rosters are the files of the scores; else nothing.

    Who has no row in an earlier file of scores may have been there and not in the file.

    Parameters
    ----------
    protocol : mapping
        The protocol's sections.
    people : str
        Who joined: ``pupils``.
    """
    tables = protocol.get("tables", {})
    rosters, scores = (
        {reading["file"] for reading in tables.get(name, ())} for name in ("pupils", "scores")
    )
    if people != "pupils" or not rosters & scores or not protocol["years"]["baseline"]:
        return ""
    before = last_before(protocol["years"])
    return f"have no record of {before} in the file of scores and are counted as joiners"
