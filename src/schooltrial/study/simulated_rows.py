"""The rows of a rehearsal whose files are not there yet, added to its standard tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from schooltrial.data.files.file_names import expand_years
from schooltrial.data.tables.keys import FILLED
from schooltrial.data.tables.parquet import append_rows
from schooltrial.data.tables.schema import table_schema
from schooltrial.protocol.content.column_map import Reading, Tables
from schooltrial.protocol.content.sections import Outcome
from schooltrial.protocol.rehearsal import Redraw
from schooltrial.random_streams import stream
from schooltrial.refusal import Fault, refuse
from schooltrial.simulate.absent_waves import outcome_of_year, roster_of_year
from schooltrial.study.absent_files import SIMULATED

OF_OUTCOMES = (
    ("scores", "pupil", "pupils"),
    ("observations", "teacher", "teachers"),
    ("school_scores", "school", "assignment"),
)
"""Table of outcomes, whose it is, and the table that lists them."""


def simulate_absent(
    tables: Tables, outcomes: Mapping[str, Outcome], years: Sequence[int], redraw: Redraw,
    standard: Mapping[str, str],
) -> dict[str, int]:  # fmt: skip
    """Add the rows of files that are not there: people of the nearest year, simulated outcomes.

    Returns
    -------
    dict of str to int
        Standard table → rows that were simulated.
    """
    before = {name: pq.read_metadata(standard[name]).num_rows for name in SIMULATED}
    absent: dict[str, list[tuple[int, Reading]]] = {}
    for name in SIMULATED:
        for reading in tables.get(name, []):
            for file, year in expand_years(reading, years):
                if file in redraw["absent"]:
                    every = [year] if year is not None else years
                    absent.setdefault(name, []).extend((one, reading) for one in every)
    for name in ("pupils", "teachers"):
        for year in sorted({year for year, _ in absent.get(name, [])}):
            roster = pd.read_parquet(standard[name])
            if roster.empty:
                remedy = "add a file of this table, from which others can be simulated"
                absence = "there is no list of any year"
                refuse([Fault(f"{name} table", absence, "a list of them", remedy)])
            append_rows(Path(standard[name]), roster_of_year(roster, name.removesuffix("s"), year))
    for name, identifier, list_of in OF_OUTCOMES:
        generator = stream(redraw["seed"], "rehearsal", name)
        for year, reading in sorted(absent.get(name, []), key=lambda pair: pair[0]):
            people = pd.read_parquet(standard[list_of])
            if "year" in people:
                people = people[people["year"] == year]
            known = pd.read_parquet(standard[name])
            schema = table_schema(name, tables[name])
            measured = _measured(reading) or list(schema.levels["outcome"])
            rows = pd.concat(
                (
                    outcome_of_year(
                        people, known, identifier, year, outcome, outcomes.get(outcome), generator
                    )
                    for outcome in measured
                ),
                ignore_index=True,
            )
            append_rows(Path(standard[name]), rows.assign(**FILLED.get(name, {})))
    after = {name: pq.read_metadata(standard[name]).num_rows for name in SIMULATED}
    return {name: after[name] - before[name] for name in SIMULATED if after[name] > before[name]}


def _measured(reading: Reading) -> list[str]:
    """Return the outcomes of a reading; none where it does not name them."""
    if reading["outcomes"]:
        return list(reading["outcomes"])
    codes = reading["columns"]["outcome"]["codes"]
    return list(dict.fromkeys(str(outcome) for outcome in codes.values()))
