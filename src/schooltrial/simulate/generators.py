"""The generators of synthetic trials, by the name that a protocol gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from schooltrial.simulate.base.simulated_trial import Drawn, SimulatedTrial
from schooltrial.simulate.school_randomised import trial as school_randomised
from schooltrial.simulate.school_randomised.parameters import Parameters
from schooltrial.simulate.staggered_rollout import trial as staggered_rollout
from schooltrial.simulate.staggered_rollout.parameters import RolloutParameters
from schooltrial.simulate.teacher_led_learning import trial as teacher_led_learning
from schooltrial.simulate.teacher_led_learning.parameters import Parameters as TeacherLedParameters
from schooltrial.simulate.within_school_lottery import trial as within_school_lottery
from schooltrial.simulate.within_school_lottery.parameters import LotteryParameters

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
