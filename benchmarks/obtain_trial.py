"""The raw files of a synthetic district: a file a year of pupils with three scores, unquoted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv

FIRST_YEAR, GRADES, SCHOOLS = 2012, 6, 2000
NOT_TESTED = 0.05
HEADER = "pupil_id,school_code,grade,sex,disadvantaged,maths,reading,science"
PROTOCOL = """\
study: {{name: speed, title: A synthetic district, seed: 7}}
design:
  kind: blocked
  arms: [{{name: control, label: Control}}, {{name: programme, label: Programme}}]
years: {{baseline: {before}, programme: [{last}]}}
tables:
  schools:
    - file: schools.csv
      columns:
        school: {{column: school_code}}
        district: {{column: district, type: category, codes: {{"N": north, C: centre, S: south}},
          label: District}}
  assignment:
    - file: assignment.csv
      columns:
        school: {{column: school_code}}
        block: {{column: block, required: true}}
        arm: {{column: arm, type: category, codes: {{C: control, T: programme}}, required: true}}
  pupils:
    - file: "pupils_{{year}}.csv"
      columns:
        pupil: {{column: pupil_id}}
        school: {{column: school_code, required: true}}
        grade: {{column: grade, type: integer, range: [3, 8], label: Grade}}
        sex: {{column: sex, type: category, codes: {{F: female, M: male}}}}
        disadvantaged: {{column: disadvantaged, type: flag, codes: {{"Y": 1, "N": 0}},
          label: Disadvantaged}}
  scores:
    - file: "pupils_{{year}}.csv"
      missing: ["", "-99"]
      columns:
        pupil: {{column: pupil_id}}
      outcomes:
        maths: {{column: maths, type: number}}
        reading: {{column: reading, type: number}}
        science: {{column: science, type: number}}
variables:
  male: {{from: sex, equals: male, label: Male}}
outcomes:
  maths: {{label: Maths, family: tests, primary: true, range: [0, 999], standardise: control,
    baseline_year: {baseline}}}
  reading: {{label: Reading, family: tests, range: [0, 99.9], standardise: control,
    baseline_year: {baseline}}}
  science: {{label: Science, family: tests, range: [0, 99.99], standardise: control,
    baseline_year: {baseline}}}
sample: {{keep: {{grade: [3, 4, 5, 6, 7, 8]}}}}
balance: {{pupil_variables: [male, grade, maths], school_variables: [district, maths]}}
models:
  itt:
    label: Intention to treat
    estimator: multilevel
    role: primary
    outcomes: [maths, reading, science]
    where: {{year: [{last}]}}
    covariates: [baseline, disadvantaged]
"""


def write_trial(folder: Path, pupils: int, years: int) -> None:
    """Write raw files and protocol: each year a sixth of the pupils is new, 3% change school.

    Rows stand in the order of schools, as a district exports them. A twentieth of the scores is
    missing, half of them as an empty cell and half as -99.
    """
    rng = np.random.default_rng(20)
    every = list(range(FIRST_YEAR, FIRST_YEAR + years))
    protocol = PROTOCOL.format(before=every[:-1], last=every[-1], baseline=every[-2])
    folder.joinpath("protocol.yaml").write_text(protocol, encoding="utf-8")
    codes = [f"S{at:05d}" for at in range(SCHOOLS)]
    district = [f"{code},{'NCS'[at % 3]}\n" for at, code in enumerate(codes)]
    folder.joinpath("schools.csv").write_text("school_code,district\n" + "".join(district), "utf-8")
    lots = [f"{codes[at]},{at // 20},{'CT'[at % 2]}\n" for at in range(SCHOOLS * 9 // 10)]
    folder.joinpath("assignment.csv").write_text("school_code,block,arm\n" + "".join(lots), "utf-8")
    entrants = pupils // GRADES
    home = rng.integers(0, SCHOOLS, entrants * (GRADES + years))
    ability = rng.normal(size=len(home))
    for at, year in enumerate(every):
        who = np.arange(at * entrants, (at + GRADES) * entrants)
        moved = who[rng.random(len(who)) < 0.03]
        home[moved] = rng.integers(0, SCHOOLS, len(moved))
        who = who[np.argsort(home[who], kind="stable")]
        grade = 3 + GRADES - 1 - (who - at * entrants) // entrants
        cells = {
            "pupil_id": pa.array(np.char.mod("P%09d", who)),
            "school_code": pa.array(codes).take(pa.array(home[who])),
            "grade": pa.array(grade),
            "sex": pa.array(["F", "M"]).take(pa.array(who % 2)),
            "disadvantaged": pa.array(["N", "Y"]).take(pa.array(who % 5 % 2)),
            "maths": _scores(rng, ability[who], 999, 0),
            "reading": _scores(rng, ability[who], 99.9, 1),
            "science": _scores(rng, ability[who], 99.99, 2),
        }
        file = folder / f"pupils_{year}.csv"
        with file.open("wb") as target:
            target.write(f"{HEADER}\n".encode())
            options = pa.csv.WriteOptions(include_header=False, quoting_style="none")
            pa.csv.write_csv(pa.table(cells), target, options)


def _scores(
    rng: np.random.Generator, ability: np.ndarray[Any, Any], most: float, places: int
) -> pa.Array:
    """Return scores as text, of so many places, with missing codes."""
    scaled = most * (0.5 + 0.1 * ability + rng.normal(0, 0.08, len(ability))).clip(0, 1)
    steps = np.rint(scaled * 10**places).astype(np.int64)
    texts = [f"{at / 10**places:.{places}f}" for at in range(round(most * 10**places) + 1)]
    lost = rng.random(len(ability))
    steps[lost < NOT_TESTED] = len(texts)
    steps[lost < NOT_TESTED / 2] = len(texts) + 1
    return pa.array([*texts, "", "-99"]).take(pa.array(steps))
