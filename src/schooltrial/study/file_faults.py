"""What is wrong with files and their links where something before them is wrong: for one round."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa

from schooltrial.data.files.file_names import expand_years
from schooltrial.data.files.misspelt_columns import naming_lines
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
from schooltrial.refusal import Fault, Refusal, refuse
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
    return _of_links(study, *_read(study))


def faults_of_files(study: Study) -> tuple[Fault, ...]:
    """Return the faults of the files of a study, and those of links as far as they can be judged.

    Parameters
    ----------
    study : Study
        Its files, as seen from the working folder.
    """
    if study.blinding.until() or study.raw.simulated or study.raw.to_fetch():
        return ()
    content, read = study.protocol.content, _read(study)
    faults = list(dict.fromkeys(fault for batch in read[1] for fault in batch.faults))
    try:
        years = measured_years(content["years"])
        with naming_lines(content["tables"], years, study.protocol_file()):
            refuse(faults)
    except Refusal as refusal:
        return (*refusal.faults, *_of_links(study, *read))
    return _of_links(study, *read)


def _read(study: Study) -> tuple[ReadStudy, list[Batch]]:
    content = study.protocol.content
    read = ReadStudy(
        study.blinding.tables_read(), content["outcomes"], measured_years(content["years"]),
        content["design"]["unit"], content["cleaning"],
        [str(arm["name"]) for arm in content["design"]["arms"]], content["limits"],
    )  # fmt: skip
    return read, list(read_batches(read, Path(study.raw.folder()), study.raw.fetched()))


def _of_links(study: Study, read: ReadStudy, batches: list[Batch]) -> tuple[Fault, ...]:
    harmless = set(_linking_nothing(read))
    faults = [fault for batch in batches for fault in batch.faults]
    if any(batch.unread for batch in batches):
        return ()
    if not all((fault.file, fault.column) in harmless for fault in faults):
        return ()
    raw, baseline = study.raw, baseline_year(study.protocol.content)
    rules = SampleRules.of(study.before_fitting(), baseline=baseline, secret="")
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
