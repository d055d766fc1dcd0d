"""Run one shape to its end: ``python -m support.shapes NAME FOLDER``; without names, list them."""

from __future__ import annotations

import sys
from pathlib import Path

from support.shapes.ending import run_to_end
from support.shapes.registry import find_shapes


def main(arguments: list[str]) -> int:
    """Run the shape, and say where its results are and where the time went."""
    shapes = find_shapes()
    if len(arguments) != 2 or arguments[0] not in shapes:
        print("\n".join(["python -m support.shapes NAME FOLDER, where NAME is one of", *shapes]))
        return 2
    ending = run_to_end(shapes[arguments[0]], Path(arguments[1]))
    spent = ending.run.seconds
    print(ending.refusal or f"{ending.results}: {sum(spent.values()):.1f} s of CPU")
    for rule, seconds in sorted(spent.items(), key=lambda item: -item[1])[:8]:
        print(f"{seconds:6.2f} {rule}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
