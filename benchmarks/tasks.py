"""What is timed beside whom, and what is asked of the ratio."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import ours
from benchmarks.answers import Answers
from benchmarks.trials import Trial


@dataclass(frozen=True)
class Peer:
    """A peer's way of doing a task.

    Attributes
    ----------
    name : str
        As the table shows it.
    program : str
        ``"r"`` or ``"python"``.
    command : str
        The function of ``peers_r.R`` or ``peers_python.py``.
    packages : tuple of str
        What it needs; the first one's version is shown.
    required : float or None
        Least ratio asked for on the task's own trial.
    answer : str
        Which of our answers it is compared with.
    times : int
        By what its seconds are multiplied, where it is timed on a part of the work.
    note : str
    """

    name: str
    program: str
    command: str
    packages: tuple[str, ...]
    required: float | None = None
    answer: str = ""
    times: int = 1
    note: str = ""


@dataclass(frozen=True)
class Task:
    """One row, or a few, of the table.

    Attributes
    ----------
    name, label : str
        For the command line, and for people.
    run : callable
        Our side, timed.
    peers : tuple of Peer
    trials : tuple of str
        Sizes on which it is timed; requirements hold on the last.
    limit : float or None
        Most seconds that ours may take there.
    check : callable, optional
        Our answer for the comparison of digits, where it is not that of ``run``.
    """

    name: str
    label: str
    run: Callable[[Trial], Answers]
    peers: tuple[Peer, ...] = ()
    trials: tuple[str, ...] = ("small", "medium")
    limit: float | None = None
    check: Callable[[Trial], Answers] | None = None


def _lmer_test(command: str, required: float) -> Peer:
    return Peer("lmerTest", "r", command, ("lmerTest", "lme4"), required, "satterthwaite")


TASKS = (
    Task(
        "reml2",
        "Two-level REML, Satterthwaite and Kenward-Roger",
        ours.reml_two_levels,
        (
            _lmer_test("lmerTest_two_levels", 200),
            Peer(
                "pbkrtest", "r", "pbkrtest_two_levels", ("pbkrtest", "lme4"), 2_000, "kenward-roger"
            ),
            Peer(
                "statsmodels MixedLM", "python", "statsmodels_two_levels", ("statsmodels",), None,
                "satterthwaite", note="its fit has no degrees of freedom",
            ),
        ),
    ),
    Task(
        "reml3",
        "Three-level REML, Satterthwaite and Kenward-Roger",
        ours.reml_three_levels,
        (_lmer_test("lmerTest_three_levels", 300),),
    ),
    Task(
        "cr2",
        "CR2 and Satterthwaite df",
        ours.cr2,
        (
            Peer("clubSandwich", "r", "clubSandwich", ("clubSandwich",), 200),
            Peer("estimatr", "r", "estimatr", ("estimatr",), 100),
        ),
    ),
    Task(
        "cr2_absorbed",
        "CR2 and Satterthwaite df, school effects absorbed",
        ours.cr2_absorbed,
        (
            Peer(
                "clubSandwich", "r", "clubSandwich_absorbed", ("clubSandwich",), 200,
                note="on columns centred by school",
            ),
            Peer("estimatr", "r", "estimatr_absorbed", ("estimatr",), 100),
        ),
    ),
    Task(
        "wild",
        "Wild cluster bootstrap, 9,999 draws",
        ours.wild_bootstrap,
        (
            Peer("fwildclusterboot", "r", "fwildclusterboot", ("fwildclusterboot",), 80),
            Peer("wildboottest", "python", "wildboottest", ("wildboottest", "statsmodels"), 80),
            Peer("pyfixest", "python", "pyfixest_wild", ("pyfixest", "wildboottest"), 80),
        ),
    ),
    Task(
        "ri",
        "Randomisation inference, 10,000 blocked draws, studentised",
        ours.randomisation,
        (
            Peer(
                "loop of estimatr", "r", "estimatr_randomisation", ("estimatr",), 5_000,
                times=500, note="20 draws timed, × 500",
            ),
            Peer(
                "pyfixest ritest (t)", "python", "pyfixest_randomisation_t", ("pyfixest",),
                times=2_000, note="5 draws timed, × 2,000; without blocks",
            ),
            Peer(
                "pyfixest ritest (coefficient)", "python", "pyfixest_randomisation_c",
                ("pyfixest", "numba"), times=50,
                note="200 draws timed, × 50; not studentised, without blocks",
            ),
        ),
        limit=0.2,
    ),
    Task(
        "rwolf",
        "Romano-Wolf, 10 outcomes × 1,000 draws",
        ours.romano_wolf,
        (Peer("pyfixest", "python", "pyfixest_romano_wolf", ("pyfixest", "wildboottest"), 300),),
    ),
    Task(
        "power",
        "Power, 10,000 trials of 40 × 100 by REML with df",
        ours.power,
        (
            Peer(
                "lme4 refit", "r", "lme4_refit", ("lme4",), 500, times=200,
                note="50 refits timed, × 200, without drawing the outcomes and without df",
            ),
        ),
        trials=("power",),
        check=ours.power_check,
    ),
)  # fmt: skip

LARGE_TASKS = (
    Task(
        "large_reml2",
        TASKS[0].label,
        ours.reml_two_levels,
        (_lmer_test("lmerTest_two_levels", 300),),
        trials=("large",),
    ),
    Task(
        "large_cr2",
        "CR2 and Satterthwaite df",
        ours.cr2,
        (Peer("estimatr", "r", "estimatr", ("estimatr",)),),
        trials=("large",),
        limit=1.0,
    ),
)

PANEL_TASKS = (
    Task(
        "panels",
        "Callaway-Sant'Anna, all averages with simultaneous bands",
        ours.staggered_rows,
        (
            Peer(
                "did", "r", "did", ("did",), 20,
                note="1,000 draws of the multiplier bootstrap for its bands",
            ),
            Peer(
                "csdid", "python", "csdid", ("csdid",), 20,
                note="1,000 draws of the multiplier bootstrap for its bands",
            ),
            Peer(
                "diff-diff", "python", "diff_diff", ("diff-diff",), 5,
                note="1,000 draws of the multiplier bootstrap for its bands",
            ),
            Peer(
                "diff-diff (no bands)", "python", "diff_diff_pointwise", ("diff-diff",),
                note="pointwise intervals by normal quantiles only",
            ),
        ),
        trials=("small panel", "panel"),
    ),
    Task(
        "panels_permuted",
        "Callaway-Sant'Anna, bands and 2,000 permutations",
        ours.staggered_permuted,
        trials=("small panel", "panel"),
        limit=1.0,
    ),
    Task(
        "two_way",
        "Two-way effects, CR2 and Satterthwaite df",
        ours.two_way,
        (
            Peer("fixest", "r", "fixest", ("fixest",), note="CR1: it has no CR2"),
            Peer("pyfixest", "python", "pyfixest_two_way", ("pyfixest",),
                 note="CR1: it has no CR2"),
        ),
        trials=("small panel", "panel"),
        limit=0.1,
    ),
)  # fmt: skip
