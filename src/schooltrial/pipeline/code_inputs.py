"""What a script rests on: the modules of this project that it imports, directly or not."""

from __future__ import annotations

import ast
import os
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).parents[2]
SCRIPTS = SOURCE.parent / "workflow" / "scripts"


def modules(script: str) -> list[str]:
    """Return the modules that a script imports, transitively, relative to the working folder.

    They are inputs of its rule, because Snakemake does not see an edit of an imported module.
    """
    seen: set[Path] = set()
    waiting = [SCRIPTS / script]
    while waiting:
        for path in _imported(waiting.pop()):
            if path not in seen:
                seen.add(path)
                waiting.append(path)
    return sorted(os.path.relpath(path) for path in seen)


@cache
def _imported(module: Path) -> list[Path]:
    """Return the files of this project that a module imports, those for type checkers left out."""
    names: list[str] = []
    waiting: list[ast.AST] = [ast.parse(module.read_text("utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)
    bases = [root.joinpath(*name.split(".")) for name in names for root in (SOURCE, SCRIPTS)]
    candidates = [
        path for base in bases for path in (base.with_suffix(".py"), base / "__init__.py")
    ]
    return [path for path in candidates if path.is_file()]
