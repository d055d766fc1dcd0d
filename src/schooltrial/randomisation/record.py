"""The randomisation record: units, eligible list, software, and a signature.

The same frame, design and seed give the same list: units are put in the order of their names before
the draw, so that the order of the file does not matter. The seal is the SHA-256 of the record's
own text. It shows that a record was altered by mistake; whoever alters one on purpose can seal it
anew, unless it is keyed (HMAC) and the key is held by another, or the seal was published when it
was made.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from schooltrial.models.assignment.draws import draw_assignments
from schooltrial.models.randomisation_inference.mahalanobis import (
    balanced_at_most,
    mahalanobis_balance,
)
from schooltrial.protocol.content.sections import Design, frame_columns
from schooltrial.random_streams import stream
from schooltrial.randomisation.plan import (
    ALL,
    LotteryPlan,
    acceptance_threshold,
    balance_columns,
    block_faults,
    lottery_plan,
    plan_faults,
    planned_design,
)
from schooltrial.refusal import Fault, Refusal, refuse

CHECKSUM, KEYED = "SHA-256", "HMAC-SHA-256"


TRIES = 1_000_000
"""Draws after which a criterion that accepts none is given up."""


_BATCH = 256


@dataclass(frozen=True, slots=True)
class AssignmentRecord:
    """The record of one draw.

    Attributes
    ----------
    study, unit : str
        Name of the study, and what was drawn (school, teacher, pupil).
    design : dict
        Kind, arms, shares, planned numbers, criterion of balance.
    seed : int
    date : str
        As given, YYYY-MM-DD.
    software : dict
        Versions.
    frame_sha256 : str
        SHA-256 of the canonical frame.
    n_units : int
    threshold : float or None
        Largest Mahalanobis distance that was acceptable.
    draws_made : int
        Draws until one was accepted; 1 without a criterion.
    listing : tuple of (unit, block, arm)
        In the order of the units' names.
    seal : str
        How it was sealed.
    signature : str
        The seal.
    """

    study: str
    unit: str
    design: dict[str, Any]
    seed: int
    date: str
    software: dict[str, str]
    frame_sha256: str
    n_units: int
    threshold: float | None
    draws_made: int
    listing: tuple[tuple[str, str, str], ...]
    seal: str = CHECKSUM
    signature: str = ""

    def text(self) -> str:
        """Return the text that is signed: canonical JSON of everything but the signature."""
        content = asdict(self)
        del content["signature"]
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def sealed(self, key: bytes | None) -> AssignmentRecord:
        """Return the record with its signature: a checksum, or keyed if a key is given."""
        named = replace(self, seal=KEYED if key is not None else CHECKSUM)
        return replace(named, signature=_signature(named.text(), key))

    def intact(self, key: bytes | None = None) -> bool | None:
        """Return whether the signature fits; None if its key is needed and not given."""
        if self.seal == KEYED and key is None:
            return None
        used = key if self.seal == KEYED else None
        return hmac.compare_digest(self.signature, _signature(self.text(), used))

    def json(self) -> str:
        """Return the record as a file's text, one unit a line."""
        content = asdict(self)
        rows = ",\n".join(
            "    " + json.dumps(list(row), ensure_ascii=False) for row in content.pop("listing")
        )
        head = json.dumps(content, indent=2, ensure_ascii=False)
        return head.removesuffix("\n}") + f',\n  "listing": [\n{rows}\n  ]\n}}\n'

    def table(self) -> pd.DataFrame:
        """Return the list: unit, block, group."""
        return pd.DataFrame(list(self.listing), columns=[self.unit, "block", "arm"], dtype="str")


def _signature(text: str, key: bytes | None) -> str:
    content = text.encode("utf-8")
    if key is None:
        return hashlib.sha256(content).hexdigest()
    return hmac.new(key, content, hashlib.sha256).hexdigest()


def open_record(file: str) -> AssignmentRecord:
    """Return the record that a file holds, by its name.

    Raises
    ------
    Refusal
        Where there is no such file, or it is no record.
    """
    try:
        text = Path(file).read_text("utf-8", errors="replace")
    except FileNotFoundError as error:
        fault = Fault(
            file, "there is no such file",
            "the randomisation record that `design.randomisation.record` names",
            "draw the groups with `schooltrial assign`, which writes it; or correct the name, or "
            "delete the key. A relative path begins at the folder of the protocol",
        )  # fmt: skip
        raise Refusal([fault]) from error
    return read_record(text, file)


def read_record(text: str, file: str) -> AssignmentRecord:
    """Return the record that a file holds.

    Raises
    ------
    Refusal
        Where it is no record.
    """
    try:
        content = json.loads(text)
        rows = tuple((str(unit), str(block), str(arm)) for unit, block, arm in content["listing"])
        return AssignmentRecord(**{**content, "listing": rows})
    except (ValueError, KeyError, TypeError) as error:
        fault = Fault(
            file, f"this is not a randomisation record: {error}",
            "the JSON file that `schooltrial assign` writes",
            "name the record (JSON), not the allocation list",
        )  # fmt: skip
        raise Refusal([fault]) from error


def ordered_frame(
    frame: pd.DataFrame, unit_column: str, block_column: str, plan: LotteryPlan
) -> pd.DataFrame:
    """Return what a draw uses of a frame: ``unit``, ``block`` and covariates, by name of unit."""
    columns = {"unit": frame[unit_column].astype("str")}
    has_block = block_column in frame and not plan.one_block
    columns["block"] = (
        frame[block_column].astype("str") if has_block else pd.Series(ALL, index=frame.index)
    )
    columns |= {name: frame[name] for name in plan.balance_on}
    return pd.DataFrame(columns).sort_values("unit", ignore_index=True)


def frame_sha256(ordered: pd.DataFrame) -> str:
    """Return the SHA-256 of a frame from `ordered_frame`, numbers written to their last digit."""
    rows = [list(ordered.columns)]
    rows += [[_written(value) for value in row] for row in ordered.itertuples(index=False)]
    text = json.dumps(rows, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _written(value: Any) -> str:
    if isinstance(value, int | float | np.number):
        return repr(float(value))
    return str(value)


def draw_assignment(
    frame: pd.DataFrame,
    design: Design,
    *,
    study: str,
    seed: int,
    date: str,
    software: Mapping[str, str],
    key: bytes | None = None,
    file: str = "frame",
) -> AssignmentRecord:
    """Assign the units of an eligible list to groups at random, and return the signed record.

    Parameters
    ----------
    frame : DataFrame
        One row per unit: ``draw.unit_column``, ``draw.block_column`` and covariates. For a lottery
        inside schools the block is the school (or school and grade).
    design : Design
        The protocol's ``design`` section.
    study : str
        Name of the study.
    seed : int
    date : str
        Date of the draw; nothing here reads a clock.
    software : mapping
        Versions to record.
    key : bytes, optional
        Key of the seal.
    file : str
        Name of the frame in messages.

    Raises
    ------
    Refusal
        With every fault of the plan and of the frame: a unit twice, a block that cannot hold two
        arms, a pair of three, numbers that do not add up, an impossible share, a missing covariate.
    """
    plan, named = lottery_plan(design), frame_columns(design)
    columns = named["unit_column"], named["block_column"]
    refuse([*plan_faults(plan), *_frame_faults(frame, plan, columns, file)])
    ordered = ordered_frame(frame, *columns, plan)
    sizes = {str(name): int(n) for name, n in ordered["block"].value_counts(sort=False).items()}
    refuse(list(block_faults(plan, dict(sorted(sizes.items())), file)))
    arms, threshold, made = redraw(ordered, plan, seed)
    return AssignmentRecord(
        study=study,
        unit=str(design.get("unit") or "school"),
        design=_told(plan),
        seed=seed,
        date=date,
        software=dict(software),
        frame_sha256=frame_sha256(ordered),
        n_units=len(ordered),
        threshold=threshold,
        draws_made=made,
        listing=tuple(zip(ordered["unit"], ordered["block"], arms, strict=True)),
    ).sealed(key)


def redraw(
    ordered: pd.DataFrame, plan: LotteryPlan, seed: int, threshold: float | None = None
) -> tuple[list[str], float | None, int]:
    """Return the groups of the units of an ordered frame, the threshold used, and the draws made.

    A threshold that was recorded is used as it is; otherwise it follows from the seed.
    """
    design = planned_design(plan, list(ordered["unit"]), list(ordered["block"]))
    rng = stream(seed, "assignment")
    if not plan.rerandomised:
        codes = draw_assignments(design, 1, rng)[0]
        return [plan.arms[code] for code in codes], None, 1
    covariates = balance_columns(ordered, plan.balance_on)
    if threshold is None:
        threshold = acceptance_threshold(design, covariates, plan.acceptance, seed)
    rule = balanced_at_most(mahalanobis_balance(design, covariates), threshold)
    for first in range(0, TRIES, _BATCH):
        batch = draw_assignments(design, _BATCH, rng)
        good = np.flatnonzero(rule(batch))
        if good.size:
            return [plan.arms[c] for c in batch[good[0]]], threshold, first + int(good[0]) + 1
    raise Refusal([
        Fault(
            "frame", f"none of {TRIES:,} randomisations meets the balance criterion",
            "a balance criterion that some randomisations meet",
            "raise `design.randomisation.acceptance_rate`",
        )
    ])  # fmt: skip


def plan_of(record: AssignmentRecord) -> LotteryPlan:
    """Return the plan that a record was drawn by."""
    told = record.design
    return LotteryPlan(
        kind=told["kind"],
        arms=tuple(told["arms"]),
        shares=tuple(told["shares"]),
        declared=True,
        planned={block: tuple(n) for block, n in told["planned"].items()},
        balance_on=tuple(told["balance_on"]),
        acceptance=told["acceptance"],
    )


def _told(plan: LotteryPlan) -> dict[str, Any]:
    return {
        "kind": plan.kind,
        "arms": list(plan.arms),
        "shares": list(plan.shares),
        "planned": {block: list(n) for block, n in sorted(plan.planned.items())},
        "balance_on": list(plan.balance_on),
        "acceptance": plan.acceptance,
    }


def _frame_faults(
    frame: pd.DataFrame, plan: LotteryPlan, columns: tuple[str, str], file: str
) -> Iterator[Fault]:
    unit, block = columns
    needed = [unit, *plan.balance_on, *([block] if plan.kind in ("blocked", "paired") else [])]
    lost = [name for name in needed if name not in frame]
    for name in lost:
        yield Fault(
            file, f"the column {name!r} is missing", "one of " + ", ".join(map(str, frame.columns)),
            "correct the column name under `design.randomisation`, or add the column", column=name,
        )  # fmt: skip
    if len(frame) == 0:
        yield Fault(
            file,
            "the eligible list has no units",
            "one row per unit",
            "add the units to the eligible list",
        )
    for name in (name for name in needed if name not in lost):
        for row in np.flatnonzero(frame[name].isna())[:5]:
            yield Fault(
                file, "the cell is empty", "a value for every unit",
                "fill the cell before randomisation", row=int(row) + 2, column=name,
            )  # fmt: skip
    if not lost and len(frame) and not frame[needed].isna().to_numpy().any():
        groups = ordered_frame(frame, unit, block, plan).groupby("block")
        for name in plan.balance_on:
            if not groups[name].nunique().gt(1).any():
                yield Fault(
                    file, f"{name} does not vary within any block", "a column that can be balanced",
                    "delete it from `design.randomisation.balance_on`", column=name,
                )  # fmt: skip
    if unit in frame:
        times = frame[unit].astype("str").value_counts()
        for name in sorted(times.index[times > 1]):
            yield Fault(
                file, f"{unit} {name} is in {times[name]} rows", "each unit once",
                "delete the repeated rows before randomisation", column=unit,
            )  # fmt: skip
