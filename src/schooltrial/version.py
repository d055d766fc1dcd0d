"""Versions of what draws an assignment: of the project, and of what makes its random numbers."""

from __future__ import annotations

import re

import numpy as np

from schooltrial import __version__

COMPUTING = ("numpy", "scipy", "pandas")
"""Packages whose versions a report names."""


def pinned_versions(lock: str) -> dict[str, str]:
    """Return the version of the project, and of the packages it computes with.

    Parameters
    ----------
    lock : str
        Text of ``requirements.lock``, which is the same for every Python.
    """
    pinned = dict(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", lock, re.MULTILINE))
    known = {name: pinned[name] for name in COMPUTING if name in pinned}
    return {"schooltrial": __version__, **known}


def software_versions() -> dict[str, str]:
    """Return name → version of what decides a draw: numpy's random numbers, and this code.

    Python is not among them: every version of it draws the same numbers.
    """
    return {"schooltrial": __version__, "numpy": np.__version__}
