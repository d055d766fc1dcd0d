"""What a computer needs to run a study, and whether it has it."""

from __future__ import annotations

import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from schooltrial.checkout import OWN, is_checkout
from schooltrial.pipeline.internals.snakemake_internals import TRIED
from schooltrial.wording import listed

PYTHONS = ((3, 11), (3, 12), (3, 13))
FREE = 1_000_000_000
"""Bytes that a study may need on disk."""

PINNED = re.compile(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)(?:\s*;\s*([^\\\n]+))?", re.M)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    what, found : str
    remedy : str
        Empty where nothing is wrong.
    """

    what: str
    found: str
    remedy: str = ""


def examine(folder: Path) -> Iterator[Finding]:
    """Yield what was found of Python, packages, the workflow, disk, write access and fonts.

    Parameters
    ----------
    folder : pathlib.Path
        Where results would be written.
    """
    own = ".".join(map(str, sys.version_info[:3]))
    known = sys.version_info[:2] in PYTHONS
    yield Finding("Python", f"{own}, {platform.system()}",
                  "" if known else "install Python 3.11, 3.12 or 3.13")  # fmt: skip
    yield from _packages()
    found = f"in {OWN}" if is_checkout(OWN) else "not found"
    remedy = "" if is_checkout(OWN) else "install from a checkout: pip install --editable ."
    yield Finding("Workflow", found, remedy)
    free = shutil.disk_usage(folder).free
    yield Finding("Disk", f"{free / 1e9:.1f} GB free in {folder}",
                  "" if free > FREE else "free some space, or use --output FOLDER")  # fmt: skip
    yield _write_access("Results", folder, "use --output FOLDER with a folder of yours")
    temporary = Path(tempfile.gettempdir())
    yield _write_access("Temporary files", temporary, "set TMPDIR to a folder of yours")
    yield _font()


def _packages() -> Iterator[Finding]:
    lock = OWN / "requirements.lock"
    if not lock.is_file():
        yield Finding("Packages", "no lock file, so that versions are not compared")
        return
    other, absent, compared = [], [], 0
    for name, pinned, condition in PINNED.findall(lock.read_text("utf-8")):
        if condition:
            continue  # of another system or Python
        compared += 1
        try:
            there = version(name)
        except PackageNotFoundError:
            absent.append(name)
            continue
        if there != pinned:
            other.append(f"{name} {there} (tested: {pinned})")
    fix = "run make in the project's folder"
    if absent:
        yield Finding("Packages", f"missing: {listed(absent)}", fix)
    if other:
        yield Finding("Packages", f"not as tested: {listed(other)}", fix)
    if not absent and not other:
        yield Finding("Packages", f"{compared} have the versions that were tested")
    snakemake = version("snakemake")
    if snakemake not in TRIED:
        yield Finding("Snakemake", f"{snakemake}, not tested; runs are slower, results the same")


def _write_access(what: str, folder: Path, remedy: str) -> Finding:
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return Finding(what, f"{folder} cannot be written to ({error.strerror})", remedy)
    return Finding(what, f"{folder} can be written to")


def _font() -> Finding:
    found = find_spec("matplotlib")
    folder = Path(found.origin).parent if found is not None and found.origin else Path()
    there = (folder / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf").is_file()
    return Finding("Font of figures", "DejaVu Sans" if there else "DejaVu Sans is missing",
                   "" if there else "install matplotlib again")  # fmt: skip
