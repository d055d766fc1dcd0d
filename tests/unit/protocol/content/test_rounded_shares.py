"""Shares that are rounded fractions are read as these."""

from __future__ import annotations

import pytest

from schooltrial.protocol.content.rounded_shares import fractions_meant
from schooltrial.protocol.reading import read_protocol
from schooltrial.refusal import Refusal
from support.small_trial import SmallTrial, schema

THIRDS = (1 / 3, 1 / 3, 1 / 3)


@pytest.mark.parametrize(
    ("shares", "meant"),
    [
        ((0.33, 0.33, 0.34), THIRDS),
        ((0.33, 0.33, 0.33), THIRDS),
        ((0.333, 0.333, 0.334), THIRDS),
        ((0.67, 0.33), (2 / 3, 1 / 3)),
        ((0.66, 0.34), (2 / 3, 1 / 3)),
        ((0.29, 0.71), (2 / 7, 5 / 7)),
        ((0.5, 0.5), ()),
        ((0.25, 0.75), ()),
        ((0.35, 0.65), ()),
        ((0.5, 0.49), ()),
    ],
)
def test_a_share_within_its_last_decimal_of_a_fraction_is_also_read_as_it(
    shares: tuple[float, ...], meant: tuple[float, ...]
) -> None:
    assert fractions_meant(shares, shares) == meant


def test_thirds_that_add_up_to_less_than_one_are_no_fault_and_other_shares_are(
    trial: SmallTrial,
) -> None:
    arms = trial.protocol["design"]["arms"]
    for arm in arms:
        arm["share"] = 0.49
    trial.write()
    with pytest.raises(Refusal):
        read_protocol(trial.folder / "trial.yaml", schema())
    trial.protocol["models"]["did"]["arms"] = ["control", "programme"]
    arms.append({"name": "third", "label": "Third"})
    for arm in arms:
        arm["share"] = 0.33
    trial.write()
    read_protocol(trial.folder / "trial.yaml", schema())
