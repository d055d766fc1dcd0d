"""The log adds up to the raw files, and what it holds puts their cells back."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from schooltrial.data.cells.cleaning_log import (
    CHANGED,
    CHANGES_STORED,
    NOT_SHOWN,
    LogEntry,
    escaped,
    to_frame,
)
from schooltrial.data.tables.reading import Study
from schooltrial.data.tables.schema import table_schema
from schooltrial.data.tables.standard_tables import Batch, read_batches
from support.sections import reading
from support.small_trial import SmallTrial
from support.standard_study import outcome

CODES = {"F": "F", "M": "M"}
PUPILS = {
    "file": "roster.csv",
    "missing": ["", "ABS"],
    "duplicate_rows": "keep_one",
    "duplicate_keys": {"keep": "smallest", "by": "days"},
    "columns": {
        "pupil": {"column": "id", "width": 3, "pad": True},
        "year": {"column": "year"},
        "school": {"column": "school"},
        "sex": {"column": "sex", "type": "category", "ignore_case": True, "codes": CODES},
        "days": {"column": "days", "type": "integer", "suppressed": "missing"},
        "level": {"column": "level", "type": "integer", "placeholder_years": [2020]},
    },
}  # fmt: skip
SCORES = {
    "file": "roster.csv",
    "missing": ["", "ABS"],
    "duplicate_rows": "keep_one",
    "duplicate_keys": {"keep": "last"},
    "columns": {
        "pupil": {"column": "id", "width": 3, "pad": True},
        "year": {"column": "year"},
    },
    "outcomes": {
        "maths": {"column": "days", "type": "integer", "suppressed": "bounds"},
        "reading": {"column": "level", "type": "integer"},
    },
}
OUTCOMES = {
    "maths": outcome(range=[0, 50]),
    "reading": outcome(range=[0, 500]),
}
HEADER = ["id", "year", "school", "sex", "days", "level"]
ROW = st.tuples(
    st.sampled_from(["7", "007", "12", "012", "345", " 7"]),
    st.sampled_from(["2019", "2020"]),
    st.sampled_from(["S1", "S2", " S1", "=S1+1", ""]),
    st.sampled_from(["F", "f", "M", " m ", "ABS", ""]),
    st.sampled_from(["1", "70", "*", "<10", "20-29", "ABS", ""]),
    st.sampled_from(["1", "999", "ABS", ""]),
)


def _batch(folder: Path, name: str, spec: dict[str, Any], rows: list[tuple[str, ...]]) -> Batch:
    lines = [",".join(cells) for cells in [HEADER, *rows]]
    folder.joinpath("roster.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    study = Study({name: [reading(**spec)]}, OUTCOMES, [2019, 2020])
    (batch,) = read_batches(study, folder)
    assert batch.faults == []
    return batch


def _frame(batch: Batch, name: str, spec: dict[str, Any]) -> pd.DataFrame:
    stored = table_schema(name, [reading(**spec)]).stored
    frame: pd.DataFrame = pa.concat_tables(batch.tables[name]).cast(stored).to_pandas()
    return frame


def _changes(batch: Batch) -> pd.DataFrame:
    tables = [table.cast(CHANGES_STORED) for table in batch.changes]
    joined = pa.concat_tables(tables) if tables else CHANGES_STORED.empty_table()
    frame: pd.DataFrame = joined.to_pandas()
    return frame


@given(st.lists(ROW, min_size=1, max_size=25))
def test_rows_read_less_rows_removed_are_the_rows_of_the_table(
    tmp_path_factory: Any, rows: list[tuple[str, ...]]
) -> None:
    folder = tmp_path_factory.mktemp("log")
    for name, spec, times in (("pupils", PUPILS, 1), ("scores", SCORES, 2)):
        batch = _batch(folder, name, spec, rows)
        (file,) = batch.files
        assert file.rows == len(rows)
        removed = sum(entry.rows for entry in batch.log)
        assert (file.rows - removed) * times == len(_frame(batch, name, spec))
        changes = _changes(batch)
        counted = {(e.column, e.rule): e.cells + e.rows for e in batch.log if e.before != e.after}
        found = changes.groupby(["column", "rule"]).size().to_dict()
        assert found == counted


@given(st.lists(ROW, min_size=1, max_size=25))
def test_putting_the_changes_back_gives_the_raw_cells(
    tmp_path_factory: Any, rows: list[tuple[str, ...]]
) -> None:
    batch = _batch(tmp_path_factory.mktemp("back"), "pupils", PUPILS, rows)
    raw = pd.DataFrame(rows, columns=HEADER, index=np.arange(2, len(rows) + 2))
    changes = _changes(batch)
    rows_out = changes[changes["column"] == ""]
    kept = raw.index.difference(rows_out["row"])
    table = _frame(batch, "pupils", PUPILS).astype("str").rename(columns={"pupil": "id"})
    table = table.mask(table.isna() | table.isin(["<NA>", "nan"]), "")
    numbers = {"id": str, "year": str}
    key = pd.MultiIndex.from_frame(table[list(numbers)])
    raw_key = raw.loc[kept, "id"].str.strip().str.zfill(3), raw.loc[kept, "year"]
    back = table.set_axis(key).loc[pd.MultiIndex.from_arrays(raw_key)].set_axis(kept)[HEADER]
    cells = changes[(changes["column"] != "") & changes["row"].isin(kept)]
    for change in cells.iloc[::-1].itertuples():
        assert back.at[change.row, change.column] == change.after
        back.at[change.row, change.column] = change.before
    for change in rows_out.iloc[::-1].itertuples():
        twin = int(str(change.after).split()[1])
        held = json.loads(change.before) if change.before else back.loc[twin].to_dict()
        back.loc[change.row] = held
    pd.testing.assert_frame_equal(back.sort_index(), raw, check_dtype=False)


def test_text_that_a_spreadsheet_would_run_is_written_after_an_apostrophe() -> None:
    entry = LogEntry("pupils", "r.csv", "=name", "rule", 1, 0, "=cmd()", "-x")
    row = to_frame([entry]).iloc[0]
    assert (row["column"], row["before"], row["after"]) == ("'=name", "'=cmd()", "'-x")
    assert [escaped(text) for text in ("+1", "@a", "-5", "a=b", "")] == [
        "'+1",
        "'@a",
        "-5",
        "a=b",
        "",
    ]


def test_the_log_shows_what_schools_were_called_and_never_what_people_were(
    trial: SmallTrial,
) -> None:
    trial.reading("pupils")["columns"]["pupil"] |= {"width": 4, "pad": True}
    trial.set("roster_2019.csv", 2, "pupil_id", "1")
    trial.set("roster_2019.csv", 3, "pupil_id", " 0002")
    trial.set("roster_2019.csv", 3, "school_code", " S1")
    trial.obtain()
    log = pd.read_csv(trial.path("cleaning_log.csv"), keep_default_na=False)
    shown = {(row["column"], row["before"], row["after"]) for _, row in log.iterrows()}
    assert shown == {("pupil_id", NOT_SHOWN, CHANGED), ("school_code", " S1", "S1")}
    changes = pd.read_parquet(trial.path("changes.parquet"))
    assert {"1", " 0002"} <= set(changes["before"])
