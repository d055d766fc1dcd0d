"""Write the raw files of the minimal example: 24 invented schools with 20 invented pupils each.

Run from anywhere: ``python examples/minimal/make_files.py``. The seed is fixed, so that the files
are the same each time; a test compares them with those that are shipped.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

SEED = 20_240_901
SCHOOLS = 24
PUPILS = 20  # in each school
EFFECT = 3.0  # points of the test, whose SD is 15
LEFT = 12  # pupils without a test in 2025


def write_files(folder: Path) -> None:
    """Write ``schools.csv``, ``pupils_2024.csv`` and ``pupils_2025.csv`` into a folder."""
    rng = np.random.default_rng(SEED)
    schools = [f"S{number:02d}" for number in range(1, SCHOOLS + 1)]
    treated = rng.permutation(np.repeat([0, 1], SCHOOLS // 2))
    arms = np.where(treated == 1, "programme", "control")
    _write(folder / "schools.csv", ("school", "arm"), list(zip(schools, arms, strict=True)))

    school = np.repeat(np.arange(SCHOOLS), PUPILS)
    able = rng.normal(0, 5, SCHOOLS)[school] + rng.normal(0, 11, school.size)
    before = 100 + able + rng.normal(0, 9, school.size)
    after = 102 + able + EFFECT * treated[school] + rng.normal(0, 9, school.size)
    stays = np.ones(school.size, dtype=bool)
    stays[rng.choice(school.size, LEFT, replace=False)] = False
    rows = [
        (f"P{number:03d}", schools[at], round(float(first)), round(float(second)), bool(stay))
        for number, (at, first, second, stay) in enumerate(
            zip(school, before, after, stays, strict=True), start=1
        )
    ]
    head = ("pupil", "school", "reading")
    _write(folder / "pupils_2024.csv", head, [(who, at, score) for who, at, score, _, _ in rows])
    _write(
        folder / "pupils_2025.csv",
        head,
        [(who, at, score) for who, at, _, score, stay in rows if stay],
    )


def _write(path: Path, head: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)


if __name__ == "__main__":
    write_files(Path(__file__).parent)
