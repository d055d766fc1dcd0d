"""The checkout of the project: the folder that holds protocols, rules and results."""

from __future__ import annotations

import os
from pathlib import Path

from schooltrial.refusal import UserError

OWN = Path(__file__).parents[2]
"""The folder above ``src``, where the library lies in a checkout."""

SIGNS = ("Snakefile", "workflow/rules", "src/schooltrial")


def is_checkout(folder: Path) -> bool:
    """Return whether a folder is a checkout of the project."""
    return all((folder / sign).exists() for sign in SIGNS)


def find_checkout(start: Path | None = None) -> Path:
    """Return the checkout that a folder lies in, else the one that the library lies in.

    Parameters
    ----------
    start : pathlib.Path, optional
        By default the working folder.

    Raises
    ------
    UserError
        Where there is neither.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents, OWN):
        if is_checkout(folder):
            return folder
    raise UserError(
        f"{here} is in no checkout of the project, and the library was installed without one; "
        "go to the folder that holds the Snakefile"
    )


def own_checkout() -> Path:
    """Return the checkout that the library lies in: its rules are those that call this code.

    Raises
    ------
    UserError
        Where the library was installed without one.
    """
    if not is_checkout(OWN):
        raise UserError(
            f"the library in {OWN} was installed without the workflow, so that no rule is known; "
            "install it from a checkout: pip install --editable ."
        )
    return OWN


def from_here(path: Path) -> str:
    """Return a path as seen from the working folder; whole where it is on another drive."""
    try:
        return os.path.relpath(path)
    except ValueError:
        return str(path)


def in_project(path: str) -> str:
    """Return a file of the project, given from its folder, as seen from the working folder."""
    return from_here(OWN / path)


def below_project(path: str) -> str:
    """Return a path as it is shown: a file of the project's library from the project's folder.

    Where a run works elsewhere, its paths would say on which computer and where.
    """
    whole = Path(os.path.abspath(path))
    source = OWN / "src"
    return whole.relative_to(OWN).as_posix() if whole.is_relative_to(source) else path
