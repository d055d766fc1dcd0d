"""What is wrong with the links of tables where cells are at fault too, for one round of errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa

from schooltrial.data.files.file_names import expand_years
from schooltrial.data.linking.key_sources import Sources
from schooltrial.data.sample.linked_tables import link_tables
from schooltrial.data.tables.keys import KEYS
from schooltrial.data.tables.left_out import all_left_out
from schooltrial.data.tables.reading import Study as ReadStudy
from schooltrial.data.tables.schema import table_schema
from schooltrial.data.tables.standard_tables import Batch, empty_table, read_batches
from schooltrial.protocol.content.column_map import all_columns, names_of_columns
from schooltrial.protocol.content.sample_rules import SampleRules
from schooltrial.protocol.content.sections import baseline_year, measured_years
from schooltrial.refusal import Fault, Refusal
from schooltrial.study.study import Study

DECIDES = ("assignment", "crosswalk")
"""Tables each column of which decides who belongs where."""


def faults_of_links(study: Study) -> tuple[Fault, ...]:
    """Return the faults of links of a study whose files have faults in cells that link nothing.

    The files are read again, the cells at fault being missing. Where an identifier, a group or a
    whole file is at fault, links cannot be judged, and nothing is returned.

    Parameters
    ----------
    study : Study
        Its files, as seen from the working folder.
    """
    if study.blinding.until() or study.protocol.absent:
        return ()
    content, tables = study.protocol.content, study.blinding.tables_read()
    read = ReadStudy(
        tables, content["outcomes"], measured_years(content["years"]), content["design"]["unit"],
        content["cleaning"], [str(arm["name"]) for arm in content["design"]["arms"]],
        content["limits"],
    )  # fmt: skip
    batches = list(read_batches(read, Path(study.raw.folder()), study.raw.fetched()))
    harmless = set(_linking_nothing(read))
    faults = [fault for batch in batches for fault in batch.faults]
    if any(batch.unread for batch in batches):
        return ()
    if not all((fault.file, fault.column) in harmless for fault in faults):
        return ()
    raw = study.raw
    rules = SampleRules.of(study.before_fitting(), baseline=baseline_year(content), secret="")
    left_out = all_left_out([rows for batch in batches for rows in batch.left_out])
    frames = {name: _whole(name, batches, read) for name in KEYS}
    try:
        link_tables(frames, rules, left_out, Sources(raw.key_sources(), raw.places()))
    except Refusal as refusal:
        return refusal.faults
    return ()


def _whole(name: str, batches: list[Batch], read: ReadStudy) -> pd.DataFrame:
    """Return the rows of a standard table; none where the study lacks it."""
    if name not in read.tables:
        return empty_table(name, read.unit)
    parts = [rows for batch in batches for rows in batch.tables.get(name, ())]
    stored = table_schema(name, read.tables[name]).stored
    return pa.concat_tables(parts).cast(stored).to_pandas()


def _linking_nothing(read: ReadStudy) -> Iterator[tuple[str, str]]:
    """Yield the columns of raw files, by file, whose cells decide of no link."""
    linking: set[tuple[str, str]] = set()
    others: list[tuple[str, str]] = []
    for table, readings in read.tables.items():
        for reading in readings:
            columns = [*all_columns(reading), *reading["outcomes"].items()]
            for variable, spec in columns:
                links = table in DECIDES or spec["type"] == "identifier" or variable == "arm"
                for file, _ in expand_years(reading, read.years):
                    named = [(file, name) for name in names_of_columns(spec)]
                    if links:
                        linking |= set(named)
                    else:
                        others += named
    yield from (place for place in others if place not in linking)
