"""Compare two folders of results byte for byte, to show that a change of code moved no number.

    python workflow/compare_results.py BEFORE AFTER [STUDY …]

Logs and benchmarks tell times and are left out; so are, unless ``--all`` is given, the files that
carry the checksum of the code that made them: reports and notebooks.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

TIMES = ("logs", "benchmarks")
WITH_CHECKSUMS_OF_CODE = ("report", "notebooks")


def files_of(study: Path, left_out: Sequence[str]) -> set[str]:
    """Return the files of a study's results, relative to it."""
    every = (path.relative_to(study) for path in study.rglob("*") if path.is_file())
    return {path.as_posix() for path in every if path.parts[0] not in left_out}


def differences(before: Path, after: Path, left_out: Sequence[str]) -> Iterator[str]:
    """Yield a line for each file that is in one folder only, or not the same in both."""
    old, new = files_of(before, left_out), files_of(after, left_out)
    for name in sorted(old | new):
        if name not in new:
            yield f"{before.name}/{name}: no longer there"
        elif name not in old:
            yield f"{before.name}/{name}: new"
        elif (before / name).read_bytes() != (after / name).read_bytes():
            yield f"{before.name}/{name}: differs"


def main(arguments: Sequence[str]) -> int:
    """Print what differs; return 1 if anything does, and 2 where there is nothing to compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("studies", nargs="*")
    parser.add_argument("--all", action="store_true", help="reports and notebooks too")
    asked = parser.parse_args(arguments)
    left_out = TIMES if asked.all else (*TIMES, *WITH_CHECKSUMS_OF_CODE)
    names = asked.studies or sorted(path.name for path in asked.before.glob("*/"))
    compared = sum(len(files_of(asked.before / name, left_out)) for name in names)
    if not compared:
        print(f"there is nothing to compare in {asked.before}", file=sys.stderr)
        return 2
    found = [
        line
        for name in names
        for line in differences(asked.before / name, asked.after / name, left_out)
    ]
    print("\n".join([*found, f"{compared} files of {len(names)} studies, {len(found)} differ"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
