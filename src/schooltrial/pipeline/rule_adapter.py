"""Call the ``main`` of a script with what its rule names, and log refusals plainly."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from schooltrial.pipeline.system_errors import REMEDIES, of_the_system
from schooltrial.provenance.contents import KEPT, Contents, digests, keep
from schooltrial.refusal import Fault, Refusal, UserError, refuse


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
            read = digests(str(path) for path in job.input)
            with redirect_stdout(log), redirect_stderr(log):
                main(**arguments)
            refuse_replaced_files(read)
            keep(Contents(job.log[0], read, digests(_not_kept(job.output))))
            log.writelines(_sizes("read", job.input) + _sizes("wrote", job.output))
        except (Refusal, UserError) as told:
            log.write(f"{_as_refusal(told)}\n")
            sys.exit(1)
        except OSError as error:
            if error.errno not in REMEDIES:
                log.write(traceback.format_exc())
                raise
            log.write(f"{Refusal([of_the_system(error)])}\n")
            sys.exit(1)
        except Exception:
            log.write(traceback.format_exc())
            raise


def _as_refusal(told: Refusal | UserError) -> str:
    """Return the text by which the end of a run knows a refusal, with where it arose."""
    text = str(told) if isinstance(told, Refusal) else f"Refused: {told}"
    return "\n".join([text, *getattr(told, "__notes__", [])])


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
    """Return a line per file with its size; folders and modules are left out."""
    files = [Path(path) for path in paths if not str(path).endswith(".py")]
    return [f"{verb} {file}, {file.stat().st_size:,} bytes\n" for file in files if file.is_file()]


def _not_kept(outputs: Any) -> Iterator[str]:
    """Yield the paths of a job's outputs whose content is compared by the next run."""
    kept = {str(path) for name, path in outputs.items() if name in KEPT}
    yield from (str(path) for path in outputs if str(path) not in kept)


def refuse_replaced_files(read: Mapping[str, str]) -> None:
    """Refuse what came of files that were replaced while the script read them."""
    now = digests(read)
    remedy = "let what writes the file end; then run the same command again"
    refuse(
        [
            Fault(path, "the file changed while it was read", "one content", remedy)
            for path, content in read.items()
            if now[path] != content
        ]
    )
