"""The individuals or units that an estimate counts, in the words of a reader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schooltrial.protocol.content.filters import years_named
from schooltrial.protocol.content.sections import PANELS, Years, all_years


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
