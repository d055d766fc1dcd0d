"""Versions of what draws an assignment: of the project, and of what makes its random numbers."""

import platform
import tomllib
from pathlib import Path

import numpy as np

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def software_versions() -> dict[str, str]:
    """Return name → version."""
    project = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    return {
        str(project["name"]): str(project["version"]),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
