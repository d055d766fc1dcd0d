"""A program of ``workflow/``, imported: these are run by their path, and are in no package."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

from support.small_trial import ROOT


def workflow_tool(name: str) -> ModuleType:
    """Return the module ``workflow/<name>.py``."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "workflow" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
