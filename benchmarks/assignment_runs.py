"""How often checks of the assignment doubt honest lists, and miss forged ones."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from benchmarks.assignment_lists import (
    DESIGNS,
    FORGED_DESIGN,
    FORGERIES,
    LARGE,
    ORDERS,
    ListMade,
    frame_of,
    honest_list,
)

from schooltrial.checkout import own_checkout
from schooltrial.checks.assignment.chance_tests import Redraws
from schooltrial.checks.assignment.unit_attributes import KnownOfUnits
from schooltrial.checks.assignment.verdict import CONTRADICTED, IN_DOUBT, verify_assignment
from schooltrial.protocol.content.sections import Design, frame_columns
from schooltrial.protocol.form.schema_validation import with_defaults
from schooltrial.protocol.form.strict_yaml import parse_yaml
from schooltrial.randomisation.record import draw_assignment

ALPHA = 0.01
"""The level of the checks, as a protocol has it by default."""


COLUMNS = ["kind", "list", "order", "lists", "in_doubt", "contradicted"]


HONEST = (*DESIGNS, LARGE)
"""Designs of which honest lists are drawn."""


REDRAWS = Redraws(draws=1999, exact_up_to=2000)


@cache
def _schema() -> dict[str, Any]:
    file = own_checkout() / "src" / "schooltrial" / "protocol" / "schema.yaml"
    content: dict[str, Any] = parse_yaml(file.read_text("utf-8"))
    return content


def complete(**keys: Any) -> Design:
    """Return a ``design`` section, its other keys by default."""
    schema = _schema()
    made: Design = with_defaults(keys, schema["properties"]["design"], schema)
    made["randomisation"] = {**made["randomisation"], **frame_columns(made)}
    return made


class Lists(NamedTuple):
    """Lists of one kind, which are checked together.

    Attributes
    ----------
    kind : str
        honest or forged.
    number : int
        Of the design, or of the forgery.
    order : str
    lists : int
    seed : int
    alpha : float
    """

    kind: str
    number: int
    order: str
    lists: int
    seed: int
    alpha: float


def all_lists(lists: int, seed: int = 0, alpha: float = ALPHA) -> list[Lists]:
    """Return what is checked: each design in each order, then each kind of forgery.

    Parameters
    ----------
    lists : int
        Honest lists of each design and order, a twentieth of them of 5,000 units; six times as many
        of each forgery.
    seed : int
    alpha : float
        Level of the checks.
    """
    honest = [
        Lists("honest", at, order, max(lists // 20, 1) if design is LARGE else lists, seed, alpha)
        for at, design in enumerate(HONEST)
        for order in ORDERS
    ]
    forged = [
        Lists("forged", at, "identifier", len(ORDERS) * lists, seed, alpha)
        for at in range(len(FORGERIES))
    ]
    return [*honest, *forged]


def run(part: Lists) -> dict[str, object]:
    """Return how many of some lists are doubted, and contradicted."""
    return _honest(part) if part.kind == "honest" else _forged(part)


def run_all(lists: int, processes: int = 1, seed: int = 0) -> pd.DataFrame:
    """Return the table of all lists, the same on any number of processes."""
    parts = all_lists(lists, seed)
    if processes == 1:
        return pd.DataFrame(map(run, parts))
    with ProcessPoolExecutor(processes) as pool:
        return pd.DataFrame(pool.map(run, parts))


def _honest(part: Lists) -> dict[str, object]:
    design = HONEST[part.number]
    section = design.section(complete, as_drawn=False)
    rng = np.random.default_rng([part.seed, part.number, ORDERS.index(part.order)])
    told = []
    for _ in range(part.lists):
        made = honest_list(design, part.order, complete, rng)
        known = _known(made, made.frame if design.draw else None)
        found = verify_assignment(
            made.listed, section, known=known, redraws=_redraws(rng), alpha=part.alpha
        )
        told.append(found.verdict)
    return _row("honest", design.name, part.order, told)


def _forged(part: Lists) -> dict[str, object]:
    name, forge = list(FORGERIES.items())[part.number]
    section = FORGED_DESIGN.section(complete, as_drawn=False)
    rng = np.random.default_rng([part.seed, 1000 + part.number])
    told = []
    for _ in range(part.lists):
        frame = frame_of(FORGED_DESIGN, rng)
        number = int(rng.integers(2**31))
        record = draw_assignment(
            frame, section, study="s", seed=number, date="2024-05-01", software={}
        )
        drawn = pd.Series({unit: arm for unit, _, arm in record.listing})
        listed = frame[["school", "block"]].assign(arm=frame["school"].map(drawn))
        index = pd.Index(frame["school"])
        score = pd.DataFrame({"score": frame["score"].to_numpy()}, index)
        made = ListMade(listed, frame, score, score)
        listed = listed.assign(arm=forge(listed, made, rng))
        stated = section.copy()
        if name.endswith("the seed alone"):
            stated["randomisation"] = {**section["randomisation"], "seed": number}
        found = verify_assignment(
            listed, stated, known=_known(made, frame), redraws=_redraws(rng), alpha=part.alpha,
            record=record if name.endswith("the record") else None,
        )  # fmt: skip
        told.append(found.verdict)
    return _row("forged", name, part.order, told)


def _known(made: ListMade, frame: pd.DataFrame | None) -> KnownOfUnits:
    return KnownOfUnits(frame=frame, covariates=made.covariates, baselines=made.baselines)


def _redraws(rng: np.random.Generator) -> Redraws:
    return Redraws(REDRAWS.draws, REDRAWS.exact_up_to, int(rng.integers(2**31)))


def _row(kind: str, name: str, order: str, verdicts: list[str]) -> dict[str, object]:
    doubted, contradicted = verdicts.count(IN_DOUBT), verdicts.count(CONTRADICTED)
    values = [kind, name, order, len(verdicts), doubted, contradicted]
    return dict(zip(COLUMNS, values, strict=True))
