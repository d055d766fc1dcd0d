"""``schooltrial refit``: one model of a study again, as planned or with changes."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "Fit one model of a study again, as planned or with changes."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the study, the model, and what is changed."""
    parser.add_argument("protocol", type=Path, help="the study's protocol")
    parser.add_argument("model", help="name of the model in the protocol")
    parser.add_argument(
        "changes",
        nargs="*",
        metavar="key=value",
        help="keys of the model with other values, such as covariates=[girl] or df=satterthwaite",
    )
    parser.add_argument(
        "--formula",
        help="outcome and covariates in place of changes, such as 'maths ~ treated + C(grade)'",
    )
    parser.add_argument("--outcome", help="which outcome, where the model has several")
    parser.add_argument("--results", type=Path, metavar="FOLDER", help="its results, if elsewhere")


def run(args: argparse.Namespace) -> int:
    """Fit it, and print what comes of it."""
    from schooltrial.pipeline.runs.study_places import results_of
    from schooltrial.study.opened.opening import open_study

    results = results_of(args.results or args.protocol)
    study = open_study(args.protocol, results=results)
    changes = dict(_change(text) for text in args.changes)
    print(study.refit(args.model, args.outcome, formula=args.formula, **changes))
    return 0


def _change(text: str) -> tuple[str, object]:
    """Return a key and its value, which is read as in a protocol."""
    from schooltrial.protocol.form.strict_yaml import parse_yaml
    from schooltrial.refusal import UserError

    key, equals, value = text.partition("=")
    if not equals:
        raise UserError(f"{text!r} is no change; write key=value, such as covariates=[girl]")
    return key.strip(), parse_yaml(f"value: {value}")["value"]
