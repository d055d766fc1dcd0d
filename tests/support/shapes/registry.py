"""Every shape by name: those in ``SHAPES`` of the modules of this package."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from support.shapes.shape import Shape


def _gathered() -> dict[str, Shape]:
    found: dict[str, Shape] = {}
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if module.name.startswith("_"):
            continue
        shapes = getattr(importlib.import_module(f"support.shapes.{module.name}"), "SHAPES", ())
        for shape in shapes:
            assert shape.name not in found, f"two shapes are called {shape.name}"
            found[shape.name] = shape
    return found


def find_shapes() -> dict[str, Shape]:
    """Return every shape by its name."""
    return _gathered()
