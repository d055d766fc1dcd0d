"""Time and memory of the clean stage: standard tables of many pupil-years to the sample.

``clean.py [--pupils 1000000] [--years 10] [--folder FOLDER]`` writes synthetic standard tables of
so many pupils a year, as obtain does (a row group per year), then runs the script of the rule in
an interpreter of its own, and prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src"), str(ROOT / "workflow" / "scripts")]

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
from benchmarks.fresh_process import _peak_gigabytes  # noqa: E402

FIRST_YEAR, GRADES, SCHOOLS = 2012, 6, 2000
OUTCOMES = ("maths", "reading", "science")
OUTPUTS = {
    "sample": "sample.parquet", "panel": "school_panel.parquet", "ledger": "ledger.csv",
    "flow": "flow.csv", "mobility": "mobility.csv", "aggregates": "aggregates.csv",
    "teacher_sample": "teacher_sample.parquet", "bounded": "bounded_cells.parquet",
    "school_sample": "school_sample.parquet", "linking": "linking.csv",
}  # fmt: skip


def write_tables(folder: Path, pupils: int, years: int) -> None:
    """Write synthetic standard tables: each year a sixth of the pupils is new, 3% change school."""
    rng = np.random.default_rng(20)
    schools = np.array([f"S{at:05d}" for at in range(SCHOOLS)], object)
    names = pd.Series(schools, dtype="str")
    district = pd.Categorical.from_codes(np.arange(SCHOOLS) % 3, ["north", "centre", "south"])
    pd.DataFrame({"school": names, "district": district}).to_parquet(
        folder / "schools.parquet", index=False
    )
    lot = pd.Categorical.from_codes(np.arange(SCHOOLS) % 2, ["control", "programme"])
    block = pd.Series((np.arange(SCHOOLS) // 20).astype(str), dtype="str")
    assigned = pd.DataFrame({"school": names, "block": block, "arm": lot})
    assigned[: SCHOOLS * 9 // 10].to_parquet(folder / "assignment.parquet", index=False)
    entrants = pupils // GRADES
    home = rng.integers(0, SCHOOLS, entrants * (GRADES + years))
    ability = rng.normal(size=len(home))
    parts: dict[str, pq.ParquetWriter] = {}
    for at in range(years):
        who = np.arange(at * entrants, (at + GRADES) * entrants)
        moved = rng.random(len(who)) < 0.03
        home[who[moved]] = rng.integers(0, SCHOOLS, int(moved.sum()))
        for name, frame in _year(rng, FIRST_YEAR + at, who, home[who], ability[who], names):
            made = pa.Table.from_pandas(frame, preserve_index=False)
            if name not in parts:
                parts[name] = pq.ParquetWriter(folder / f"{name}.parquet", made.schema)
            parts[name].write_table(made)
    for writer in parts.values():
        writer.close()


def _year(
    rng: np.random.Generator,
    year: int,
    who: np.ndarray,
    home: np.ndarray,
    ability: np.ndarray,
    schools: pd.Series,
) -> list[tuple[str, pd.DataFrame]]:
    n = len(who)
    pupil = pd.Series([f"P{at:09d}" for at in who], dtype="str")
    when = pd.array(np.full(n, year), "Int64")
    grade = 3 + (who[::-1] - who[0]) // (n // GRADES)
    roster = pd.DataFrame(
        {
            "pupil": pupil,
            "year": when,
            "school": schools.take(home).reset_index(drop=True),
            "grade": pd.array(grade, "Int64"),
            "sex": pd.Categorical.from_codes(who % 2, ["female", "male"]),
            "disadvantaged": (rng.random(n) < 0.6).astype("float64"),
            "days_enrolled": pd.array(np.full(n, 176), "Int64"),
            "days_present": pd.array(rng.integers(140, 177, n), "Int64"),
        }
    )
    tested = pd.concat(
        [
            pd.DataFrame(
                {
                    "pupil": pupil,
                    "year": when,
                    "outcome": pd.Categorical([name] * n, categories=OUTCOMES),
                    "value": 200 + 10 * ability + rng.normal(0, 8, n),
                }
            )[rng.random(n) < 0.94]
            for name in OUTCOMES
        ],
        ignore_index=True,
    )
    return [("pupils", roster), ("scores", tested)]


def clean(folder: Path) -> dict[str, float]:
    """Run the script of the rule on the tables of a folder; return seconds and peak memory."""
    from clean_sample import main
    from schooltrial.protocol.form.schema_validation import with_defaults
    from schooltrial.protocol.reading import read_schema

    schema = read_schema()
    years = sorted(pd.read_parquet(folder / "pupils.parquet", columns=["year"])["year"].unique())
    before, last = [int(year) for year in years[:4]], int(years[-1])
    score = {"label": "", "family": "", "standardise": "control", "baseline_year": before[-1]}
    days = {"numerator": "days_present", "denominator": "days_enrolled", "times": 100}
    declared = dict.fromkeys(OUTCOMES, score) | {
        "attendance": {"label": "", "family": "", "ratio": days}
    }
    fitted = {
        "label": "", "estimator": "multilevel", "role": "primary", "outcomes": list(OUTCOMES),
        "where": {"year": [last]}, "covariates": ["baseline", "disadvantaged"],
    }  # fmt: skip
    arms = [{"name": name, "label": name} for name in ("control", "programme")]
    stated = {
        "design": {"kind": "complete", "arms": arms},
        "years": {"baseline": before, "programme": [int(year) for year in years[4:]]},
        "variables": {"male": {"from": "sex", "equals": "male"}},
        "outcomes": declared,
        "sample": {"keep": {"grade": list(range(3, 9))}},
        "models": {"itt": fitted},
    }
    paths: dict[str, Any] = {
        name: str(folder / f"{name}.parquet")
        for name in ("schools", "assignment", "pupils", "scores")
    } | {name: str(folder / file) for name, file in OUTPUTS.items()}
    began = time.perf_counter()
    main(
        **paths,
        protocol=with_defaults(stated, schema, schema),
        baseline=before[-1],
        blinded=None,
        sources={},
    )
    seconds = time.perf_counter() - began
    rows = sum(
        pq.read_metadata(folder / f"{name}.parquet").num_rows for name in ("pupils", "scores")
    )
    return {"seconds": seconds, "gigabytes": _peak_gigabytes(), "rows": rows}


def measure(folder: Path) -> dict[str, float]:
    """Return what `clean` measures, in an interpreter of its own."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).resolve()), "--run", str(folder)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _command() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pupils", type=int, default=1_000_000)
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--run", type=Path, default=None)
    return parser.parse_args()


if __name__ == "__main__":
    command = _command()
    if command.run:
        print(json.dumps(clean(command.run)))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            place = command.folder or Path(scratch)
            if not (place / "scores.parquet").exists():
                place.mkdir(parents=True, exist_ok=True)
                write_tables(place, command.pupils, command.years)
            print(json.dumps(measure(place)))
