"""What the numbers were measured on."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path


@dataclass(frozen=True)
class Machine:
    """Processor and versions; no names of hosts or people.

    Attributes
    ----------
    machine : str
        Processor, cores and memory.
    python, numpy, r : str
        Versions; ``r`` is empty where R is not installed.
    """

    machine: str
    python: str
    numpy: str
    r: str


def this_machine(r: str) -> Machine:
    """Return the machine that runs this."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = f", {_gigabytes():.0f} GB" if hasattr(os, "sysconf") else ""
    described = f"{_processor()}, {cores} cores{memory}"
    return Machine(described, platform.python_version(), version("numpy"), r)


def _processor() -> str:
    file = Path("/proc/cpuinfo")
    if file.exists():
        for line in file.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _gigabytes() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
