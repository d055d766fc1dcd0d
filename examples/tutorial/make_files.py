"""Write the three files of the tutorial: 24 invented schools in four districts, and their pupils.

Run from anywhere: ``python examples/tutorial/make_files.py``. The seed is fixed, so that the files
are the same each time; a test compares them with those that are shipped.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

SEED = 20_250_901
DISTRICTS = ("Brook", "Dale", "Heath", "Moor")
SCHOOLS = 6  # in each district; half of them have the programme
PUPILS = 18  # in each school, before the programme
EFFECT = 4.0  # points of the test, whose SD is about 15
LEFT = 25  # pupils without a test after the programme
NEW = 20  # pupils who came to a school between the two tests
ABSENT = 6  # pupils who were absent on the day of a test, and have "abs" as a score


def write_files(folder: Path) -> None:
    """Write ``schools.csv``, ``reading_2024.csv`` and ``reading_2025.csv`` into a folder."""
    rng = np.random.default_rng(SEED)
    n_schools = len(DISTRICTS) * SCHOOLS
    ids = 1001 + rng.permutation(n_schools)
    district = np.repeat(DISTRICTS, SCHOOLS)
    treated = np.concatenate([rng.permutation(np.repeat([0, 1], SCHOOLS // 2)) for _ in DISTRICTS])
    group = np.where(treated == 1, "intervention", "control")
    size = rng.integers(180, 620, n_schools)
    _write(
        folder / "schools.csv",
        ("school_id", "district", "group", "enrolment"),
        sorted(zip(ids.tolist(), district, group, size.tolist(), strict=True)),
    )

    school = np.repeat(np.arange(n_schools), PUPILS)
    school = np.concatenate([school, rng.integers(0, n_schools, NEW)])
    n = school.size
    who = 50_001 + rng.permutation(n)
    girl = np.where(rng.random(n) < 0.5, "F", "M")
    meals = np.where(rng.random(n) < 0.4, "Y", "N")
    able = rng.normal(0, 5, n_schools)[school] + rng.normal(0, 11, n) - 3.0 * (meals == "Y")
    first = np.round(100 + able + rng.normal(0, 9, n)).astype(int)
    second = np.round(104 + able + EFFECT * treated[school] + rng.normal(0, 9, n)).astype(int)
    came = np.arange(n) >= n - NEW
    left = np.zeros(n, dtype=bool)
    left[rng.choice(n - NEW, LEFT, replace=False)] = True
    scores = [test.astype(str) for test in (first, second)]
    for score in scores:
        score[rng.choice(n - NEW, ABSENT, replace=False)] = "abs"
    head = ("student_id", "school_id", "grade", "gender", "free_meals", "reading_score")
    before = zip(who.tolist(), ids[school].tolist(), girl, meals, scores[0], came, strict=True)
    after = zip(who.tolist(), ids[school].tolist(), girl, meals, scores[1], left, strict=True)
    _write(
        folder / "reading_2024.csv",
        head,
        sorted((who, at, 4, sex, fsm, seen) for who, at, sex, fsm, seen, new in before if not new),
    )
    _write(
        folder / "reading_2025.csv",
        head,
        sorted((who, at, 5, sex, fsm, seen) for who, at, sex, fsm, seen, gone in after if not gone),
    )


def _write(path: Path, head: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)


if __name__ == "__main__":
    write_files(Path(__file__).parent)
