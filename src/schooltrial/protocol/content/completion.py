"""What a protocol leaves unsaid and its other sections say: the year of files, whether schools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schooltrial.protocol.content.column_map import Reading, all_columns, carries_year
from schooltrial.protocol.content.levels import names_schools
from schooltrial.protocol.content.sections import Content, all_years, frame_columns, modelled_arms
from schooltrial.protocol.content.variables import IDENTIFYING


def complete_design(content: Content) -> None:
    """Fill, in place, what follows from the sections together.

    A study of one year needs no year in its files: every row is of that year. A trial has schools
    where any table names one. Then the columns of the eligible list follow from the design.
    """
    years = all_years(content["years"])
    if len(years) == 1:
        for table, readings in content["tables"].items():
            for reading in readings if "year" in IDENTIFYING[table] else ():
                if not _tells_year(reading):
                    reading["year"] = years[0]
    design = content["design"]
    if design["schools"] is None:
        design["schools"] = schools_read(content["tables"])
    design["randomisation"] = {**design["randomisation"], **frame_columns(design)}


def compare_modelled_arms(content: Content) -> None:
    """Have, in place, every model compare the groups that are in models, where some are in none."""
    design = content["design"]
    arms = [arm["name"] for arm in modelled_arms(design)]
    if len(arms) == len(design["arms"]):
        return
    for model in content["models"].values():
        model["arms"] = model["arms"] or arms


def _tells_year(reading: Reading) -> bool:
    return carries_year(reading) or any(name == "year" for name, _ in all_columns(reading))


def schools_read(tables: Mapping[str, Sequence[Reading]]) -> bool:
    """Return whether any table of a protocol reads a school."""
    return names_schools({
        table: {name for reading in readings for name, _ in all_columns(reading)}
        for table, readings in tables.items()
    })  # fmt: skip
