"""``schooltrial where``: what made a file of the results."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from schooltrial.provenance.trace import Trace
    from schooltrial.study.opened.opened_study import OpenedStudy

HELP = "Show the rule, script, modules and tests behind a results file."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the file, and the model whose rows are asked for."""
    parser.add_argument(
        "file",
        help="such as results/x/estimates/estimates.csv or x/checks/flow.csv; "
        ":MODEL after it asks for a model's rows",
    )
    parser.add_argument("--model", help="show the estimator of this model's rows")
    parser.add_argument("--all", action="store_true", help="list all modules")


def run(args: argparse.Namespace) -> int:
    """Print the trace of the file; of the table of estimates also who made which rows."""
    from schooltrial.refusal import UserError

    given, colon, named = str(args.file).partition(":")
    model = args.model or (named if colon else None)
    file = _in_results(given)
    study = _study_of(file)
    if study is None:
        print(_trace_without_study(file, model).told(args.all))
        return 0
    below = _below(file)
    if model is not None and not below.startswith("estimates/"):
        raise UserError(f"{file} has no rows of models; they are in estimates/estimates.csv")
    trace = study.trace(below, model)
    print(trace.told(args.all))
    if model is None and trace.rule == "gather_estimates":
        print(
            f"\nIts rows by model (--model NAME shows the details of one; {len(study.models)} "
            "models):"
        )
        for name, one in study.traces():
            models = next(path for path in one.modules if "/models/" in path)
            print(f"  {name:<24} {one.rule:<30} {one.modules[0]}, {Path(models).parent}")
    return 0


def _below(file: str) -> str:
    """Return a file of ``results/<study>/`` as it is in that folder."""
    return "/".join(_parts(file)[2:])


def _parts(file: str) -> list[str]:
    """Return the parts of a path from ``results`` on; all of them where it has none."""
    parts = list(Path(file).parts)
    at = max((at for at, part in enumerate(parts) if part == "results"), default=0)
    return parts[at:]


def _in_results(file: str) -> str:
    """Return a file as a path with ``results/<study>/``, which may be left out where it is clear.

    It is clear where the working folder lies below ``results``, where the path begins with the
    name of a study, and where the project has one study.
    """
    from schooltrial.checkout import find_checkout
    from schooltrial.refusal import UserError, unknown

    if _parts(file)[0] == "results":
        return file
    here = str(Path.cwd() / file)
    if _parts(here)[0] == "results":
        return here
    checkout = find_checkout()
    studies = sorted(path.stem for path in (checkout / "config" / "studies").glob("*.yaml"))
    first, *rest = Path(file).parts
    if first in studies and rest:
        return str(checkout / "results" / file)
    folders = _written_folders(checkout)
    if first in folders and rest and len(studies) == 1:
        return str(checkout / "results" / studies[0] / file)
    if first not in folders and rest and rest[0] in folders:
        raise unknown("study", first, studies)
    study = first if first in studies else "<study>"
    raise UserError(f"no rule writes {file}; give a file below results/{study}/")


def _written_folders(checkout: Path) -> set[str]:
    """Return the folders of a study's results into which rules write."""
    from schooltrial.provenance.rule_files import read_rules

    outputs = [Path(path).parts for rule in read_rules(checkout) for path in rule.outputs]
    return {parts[2] for parts in outputs if len(parts) > 3}


def _study_of(file: str) -> OpenedStudy | None:
    """Return the study of a file; None if its folder is there, but no protocol of it is found.

    The protocol is next to ``results/``, as ``schooltrial run`` has it, or among the project's.

    Raises
    ------
    UserError
        Where there is neither such a study nor such a folder, with the nearest study.
    """
    import warnings

    from schooltrial.refusal import UserError
    from schooltrial.study.opened.opening import open_study

    parts = _parts(file)
    if len(parts) < 3:
        raise UserError(f"no rule writes {file}; give a file below results/<study>/")
    above = Path(*Path(file).parts[: -len(parts[2:])])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # who asks for the code does not ask for the plan
        try:
            return open_study(_protocol_near(above) or parts[1], results=above)
        except UserError:
            if above.is_dir():
                return None
            raise


def _protocol_near(folder: Path) -> Path | None:
    """Return the protocol next to ``results/`` of the study whose results a folder has."""
    import yaml

    from schooltrial.protocol.form.strict_yaml import parse_yaml
    from schooltrial.refusal import Refusal

    for path in sorted(folder.absolute().parents[1].glob("*.y*ml")):
        try:
            content = parse_yaml(path.read_text("utf-8"))
        except (Refusal, OSError, ValueError, yaml.YAMLError):
            continue  # some other file
        study = content.get("study") if isinstance(content, dict) else None
        if isinstance(study, dict) and study.get("name") == folder.name:
            return path
    return None


def _trace_without_study(file: str, model: str | None) -> Trace:
    """Return the trace of a file whose study is not known: the rules alone tell it."""
    from schooltrial.checkout import own_checkout
    from schooltrial.provenance.trace import trace_file
    from schooltrial.refusal import UserError

    if model is not None:
        raise UserError(
            f"{file} belongs to no study of the project, and no protocol of its name is next to "
            "the folder of results, so its models are not known. Put the protocol there."
        )
    path = "/".join(_parts(file))
    return trace_file(path, own_checkout(), lambda study, _: _estimator(file), Path(file))


def _estimator(file: str) -> str | None:
    """Return what fitted the rows of a model, by the log that its rule left; None if none did."""
    model, results = Path(file).stem, Path(file).parents[2]
    logs = [log.name for log in results.glob(f"logs/fit_*.{model}.log")]
    return logs[0].removeprefix("fit_").removesuffix(f".{model}.log") if logs else None
