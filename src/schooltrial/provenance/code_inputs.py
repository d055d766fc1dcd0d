"""The modules of this project that a script imports, directly or not."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from schooltrial.checkout import from_here

SOURCE = Path(__file__).parents[2]
SCRIPTS = SOURCE.parent / "workflow" / "scripts"


IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<module>[\w.]+)[ \t]+import[ \t]+(?P<names>\([^)]*\)|[^\n]+)"
    r"|import[ \t]+(?P<modules>[^\n]+))",
    re.MULTILINE,
)
"""A line that imports. To parse 250 modules takes a second of every run, to look for these lines a
tenth of it; a test holds what both find equal, for every module of the project."""


COMMENT = re.compile(r"#[^\n]*")


FOR_TYPES = re.compile(r"^if TYPE_CHECKING:\n(?:[ \t]+[^\n]*\n|\n)*", re.MULTILINE)
"""Imports that only a type checker reads: nothing runs through them."""


def modules(script: str) -> list[str]:
    """Return the modules that a script imports, transitively, relative to the working folder.

    They are inputs of its rule, because Snakemake does not see an edit of an imported module.
    """
    return sorted(from_here(path) for path in distances(SCRIPTS / script))


@cache
def distances(script: Path, leave_out: str = "") -> dict[Path, int]:
    """Return the modules that a script imports, each with the imports between it and the script.

    Parameters
    ----------
    script : pathlib.Path
    leave_out : str, optional
        The end of a module's path: it and what only it rests on are left out.
    """
    found: dict[Path, int] = {}
    waiting = [(script, 0)]
    for path, steps in waiting:  # it grows while it is walked: the nearest come first
        for other in _imported(path):
            left_out = bool(leave_out) and other.as_posix().endswith(leave_out)
            if other not in found and not left_out:
                found[other] = steps + 1
                waiting.append((other, steps + 1))
    return found


@cache
def _imported(script: Path) -> tuple[Path, ...]:
    names = imported_names(script.read_text("utf-8"))
    return tuple(
        path for name in names for root in (SOURCE, SCRIPTS) for path in _files(root, name)
    )


@cache
def imported_names(text: str) -> tuple[str, ...]:
    """Return what a module may import: modules, and names of modules that may be modules too."""
    found: list[str] = []
    for line in IMPORT.finditer(FOR_TYPES.sub("", text)):
        names = COMMENT.sub("", line["names"] or line["modules"]).strip("() \n").split(",")
        plain = [words[0] for name in names if (words := name.split())]
        if line["module"]:
            found += [line["module"], *(f"{line['module']}.{name}" for name in plain)]
        else:
            found += plain
    return tuple(found)


@cache
def _files(root: Path, name: str) -> tuple[Path, ...]:
    """Return the files of a module of this project; none of another."""
    base = root.joinpath(*name.split("."))
    candidates = (base.with_suffix(".py"), base / "__init__.py")
    return tuple(path for path in candidates if path.is_file())
