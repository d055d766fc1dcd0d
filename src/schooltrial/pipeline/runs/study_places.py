"""Where the results of a study are that a command is given."""

from __future__ import annotations

from pathlib import Path

from schooltrial.pipeline.runs.study_run import protocol_of
from schooltrial.protocol.rehearsal import ENDING
from schooltrial.refusal import UserError

ENDS = (".yaml", ".yml")


def results_of(given: Path) -> Path:
    """Return the folder of a study's results, given its protocol or that folder.

    Raises
    ------
    UserError
        Where there are no results yet, with the command that makes them.
    """
    given = given.expanduser()
    if given.is_file() and given.suffix == ".html" and given.parent.name == "report":
        return given.resolve().parents[1]
    if given.suffix in ENDS:
        plan = protocol_of(given)
        found = plan.folder / "results" / plan.name
        if not found.is_dir():
            rehearsed = found.with_name(f"{found.name}{ENDING}")
            hint = f" (there is a rehearsal in {rehearsed})" if rehearsed.is_dir() else ""
            raise UserError(
                f"{given} has no results in {found}{hint}; make them: schooltrial run {given}\n"
                "If they are elsewhere (--output), give their folder in place of the protocol."
            )
        return found
    if given.is_file():
        raise UserError(
            f"{given} is a file, but no protocol by its name: that ends in .yaml. To use it, copy "
            "it under such a name and give it another study.name, or its results would be those "
            "of the study that has this name now."
        )
    if not given.is_dir():
        raise UserError(f"{given}: no such protocol and no such folder of results")
    inner = [path.parent for path in sorted(given.glob("*/logs"))]
    if (given / "logs").is_dir():
        return given.resolve()
    if len(inner) == 1:
        return inner[0].resolve()
    names = ", ".join(str(path) for path in inner) or "none"
    raise UserError(f"{given} is no folder of one study's results; those below it: {names}")
