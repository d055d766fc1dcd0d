"""The checkout of the project: the folder that holds protocols, rules and results."""

from __future__ import annotations

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
