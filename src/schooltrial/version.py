"""Versions of what draws an assignment: of the project, and of what makes its random numbers."""

from __future__ import annotations

import platform

import numpy as np

from schooltrial import __version__


def software_versions() -> dict[str, str]:
    """Return name → version."""
    return {
        "schooltrial": __version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
