"""The generators of synthetic trials, by the name that a protocol gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from schooltrial.simulate import (
    school_randomised,
    staggered_rollout,
    teacher_led_learning,
    within_school_lottery,
)
from schooltrial.simulate.lottery_parameters import LotteryParameters
from schooltrial.simulate.parameters import Parameters
from schooltrial.simulate.rollout_parameters import RolloutParameters
from schooltrial.simulate.simulated_trial import Drawn, SimulatedTrial
from schooltrial.simulate.teacher_led_parameters import Parameters as TeacherLedParameters

Section = Mapping[str, Any]
Generator = Callable[[Section, int, Drawn | None], SimulatedTrial]

GENERATORS: dict[str, Generator] = {
    "school_randomised": lambda section, seed, drawn: school_randomised.simulate(
        Parameters.from_mapping(section), seed, drawn
    ),
    "staggered_rollout": lambda section, seed, _: staggered_rollout.simulate(
        RolloutParameters.from_mapping(section), seed
    ),
    "teacher_led_learning": lambda section, seed, _: teacher_led_learning.simulate(
        TeacherLedParameters.from_mapping(section), seed
    ),
    "within_school_lottery": lambda section, seed, _: within_school_lottery.simulate(
        LotteryParameters.from_mapping(section), seed
    ),
}
"""Name → the function that makes the trial from the parameters of the protocol, its seed, and the
draw of its frame where there is one."""

FRAMES: dict[str, Callable[[Section, int], pd.DataFrame]] = {
    "school_randomised": lambda section, seed: school_randomised.frame(
        Parameters.from_mapping(section), seed
    ),
}
"""Name → the function that makes the frame of a draw; the other generators draw by themselves."""
