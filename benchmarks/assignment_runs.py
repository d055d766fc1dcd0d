"""How often checks of the assignment doubt honest lists, and miss forged ones."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.assignment_lists import (
    DESIGNS,
    FORGED_DESIGN,
    FORGERIES,
    LARGE,
    ORDERS,
    DesignDrawn,
    ListMade,
    frame_of,
    honest_list,
)

from schooltrial.checkout import own_checkout
from schooltrial.checks.assignment.chance_tests import Redraws
from schooltrial.checks.assignment.unit_attributes import KnownOfUnits
from schooltrial.checks.assignment.verdict import CONTRADICTED, IN_DOUBT, verify_assignment
from schooltrial.protocol.schema_validation import with_defaults
from schooltrial.protocol.sections import Design, frame_columns
from schooltrial.protocol.strict_yaml import parse_yaml
from schooltrial.randomisation.record import draw_assignment

ALPHA = 0.01
"""The level of the checks, as a protocol has it by default."""


COLUMNS = ["kind", "list", "order", "lists", "in_doubt", "contradicted"]


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


def honest_rows(
    lists: int, seed: int = 0, designs: tuple[DesignDrawn, ...] = (*DESIGNS, LARGE),
    alpha: float = ALPHA,
) -> Iterator[dict[str, object]]:  # fmt: skip
    """Yield for each design and order how many honest lists are doubted, and contradicted.

    Parameters
    ----------
    lists : int
        Of each design and order; a twentieth of them of the design of 5,000 units.
    seed : int
    designs : tuple of DesignDrawn
    alpha : float
        Level of the checks.
    """
    for at, design in enumerate(designs):
        section = design.section(complete, as_drawn=False)
        for order in ORDERS:
            rng = np.random.default_rng([seed, at, ORDERS.index(order)])
            many = lists if design is not LARGE else max(lists // 20, 1)
            told = []
            for _ in range(many):
                made = honest_list(design, order, complete, rng)
                frame = made.frame if design.draw else None
                known = _known(made, frame)
                found = verify_assignment(
                    made.listed, section, known=known, redraws=_redraws(rng), alpha=alpha
                )
                told.append(found.verdict)
            yield _row("honest", design.name, order, told)


def forged_rows(lists: int, seed: int = 0, alpha: float = ALPHA) -> Iterator[dict[str, object]]:
    """Yield for each kind of forgery how many lists are doubted, and contradicted."""
    section = FORGED_DESIGN.section(complete, as_drawn=False)
    for at, (name, forge) in enumerate(FORGERIES.items()):
        rng = np.random.default_rng([seed, 1000 + at])
        told = []
        for _ in range(lists):
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
            stated = dict(section["randomisation"])
            if name.endswith("the seed alone"):
                stated["seed"] = number
            found = verify_assignment(
                listed, {**section, "randomisation": stated},  # type: ignore[typeddict-item]
                known=_known(made, frame), redraws=_redraws(rng), alpha=alpha,
                record=record if name.endswith("the record") else None,
            )  # fmt: skip
            told.append(found.verdict)
        yield _row("forged", name, "identifier", told)


def _known(made: ListMade, frame: pd.DataFrame | None) -> KnownOfUnits:
    return KnownOfUnits(frame=frame, covariates=made.covariates, baselines=made.baselines)


def _redraws(rng: np.random.Generator) -> Redraws:
    return Redraws(REDRAWS.draws, REDRAWS.exact_up_to, int(rng.integers(2**31)))


def _row(kind: str, name: str, order: str, verdicts: list[str]) -> dict[str, object]:
    doubted, contradicted = verdicts.count(IN_DOUBT), verdicts.count(CONTRADICTED)
    values = [kind, name, order, len(verdicts), doubted, contradicted]
    return dict(zip(COLUMNS, values, strict=True))
