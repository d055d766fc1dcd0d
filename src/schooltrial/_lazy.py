"""Names of a package that are imported from their module when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_names(
    package: str, names: Mapping[str, str], there: dict[str, Any]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package (PEP 562).

    Parameters
    ----------
    package : str
        Its name.
    names : mapping of str to str
        Name → module below the package that defines it.
    there : dict
        The package's ``globals()``, where a name stays once it was asked for.
    """

    def find(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{names[name]}"), name)
        there[name] = value
        return value

    def listed() -> list[str]:
        return sorted({*names, *(name for name in there if name.startswith("__"))})

    return find, listed
