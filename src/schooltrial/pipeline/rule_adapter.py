"""Call the ``main`` of a script with what its rule names, and log refusals plainly."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from schooltrial.refusal import Fault, Refusal, refuse


def run_as_rule(main: Callable[..., None], namespace: Mapping[str, Any]) -> None:
    """Call ``main`` when the script runs as a rule; do nothing when it is imported.

    The named inputs, outputs and parameters of the rule are the keyword arguments of ``main``.
    What the script prints goes to the rule's log. So does a refusal, without a traceback; it ends
    the job with exit code 1, and the run tells it at its end, where it is not overlooked.
    """
    job = namespace.get("snakemake")
    if job is None:
        return
    arguments = {**dict(job.input.items()), **dict(job.output.items()), **dict(job.params.items())}
    with Path(job.log[0]).open("w", encoding="utf-8") as log:
        try:
            _refuse_library_of_another_checkout(Path(job.scriptdir).resolve().parents[1])
            with redirect_stdout(log), redirect_stderr(log):
                main(**arguments)
            log.writelines(_sizes("read", job.input) + _sizes("wrote", job.output))
        except Refusal as refusal:
            log.write(f"{refusal}\n")
            sys.exit(1)
        except Exception:
            log.write(traceback.format_exc())
            raise


def _refuse_library_of_another_checkout(project: Path) -> None:
    """Refuse to run a rule of one checkout with the library of another.

    An environment that two checkouts share has the library of the one that installed it. The
    rules put their own first; where that fails, results would come from code that nobody sees.
    """
    used, own = Path(__file__).resolve().parents[1], project.resolve() / "src" / "schooltrial"
    if used != own:
        remedy = "run make in this checkout, or set PYTHONPATH to its folder src"
        refuse([Fault(str(used), "the library of another checkout", str(own), remedy)])


def _sizes(verb: str, paths: Iterable[str]) -> list[str]:
    """Return a line per file with its size; folders and modules are not told."""
    files = [Path(path) for path in paths if not str(path).endswith(".py")]
    return [f"{verb} {file}, {file.stat().st_size:,} bytes\n" for file in files if file.is_file()]
