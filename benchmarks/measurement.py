"""Timing ours and the peers in turn, and the rows that come of it."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.answers import Agreement, Answer, Answers, agreement
from benchmarks.peer_process import PeerFailedError, PeerProcess
from benchmarks.tasks import Peer, Task
from benchmarks.trials import Trial

LIMIT = "(limit)"


@dataclass(frozen=True)
class Pace:
    """How often things are timed.

    Attributes
    ----------
    least, most : int
        Calls of a peer.
    seconds, least_seconds : float
        A peer is not called again once it has taken so long in all; the second holds until it has
        had its least number of calls.
    ours_each_round : int
        Calls of ours before each round of peers.
    timeout : float
        Seconds that a single call of a peer may take.
    """

    least: int = 3
    most: int = 7
    seconds: float = 15.0
    least_seconds: float = 40.0
    ours_each_round: int = 5
    timeout: float = 300.0


FULL = Pace()
QUICK = Pace(least=1, most=1)
LARGE = Pace(least=1, most=1, timeout=300.0)


@dataclass(frozen=True)
class Row:
    """One line of the results; None where there is nothing to say."""

    task: str
    trial: str
    ours_seconds: float | None = None
    peer: str = ""
    peer_version: str = ""
    peer_seconds: float | None = None
    ratio: float | None = None
    required_ratio: float | None = None
    met: bool | None = None
    digits_estimate: float | None = None
    digits_se: float | None = None
    digits_df: float | None = None
    repetitions: str = ""
    note: str = ""


@dataclass
class _Calls:
    """The calls of one peer so far."""

    seconds: list[float] = field(default_factory=list)
    answer: Answer | None = None
    failure: str = ""

    def wanted(self, pace: Pace) -> bool:
        if self.failure or len(self.seconds) >= pace.most:
            return False
        few = len(self.seconds) < pace.least
        return sum(self.seconds) < (pace.least_seconds if few else pace.seconds)


def compare(
    task: Task,
    trial: Trial,
    warm_up: Trial,
    processes: Mapping[str, PeerProcess],
    pace: Pace,
    *,
    skip: str = "",
) -> list[Row]:
    """Time a task on a trial, ours and each peer in turn, and return a row for each peer.

    Parameters
    ----------
    task, trial : Task, Trial
    warm_up : Trial
        What each side runs first, untimed.
    processes : mapping
        By ``Peer.program``.
    pace : Pace
    skip : str
        Why peers are not run, if they are not.
    """
    task.run(trial)
    calls = {peer: _Calls(failure=skip or _absent(peer, processes)) for peer in task.peers}
    for peer, call in calls.items():
        if not call.failure:
            _warm_up(peer, call, warm_up, processes, pace)
    ours: list[float] = []
    while True:
        answers = _time_ours(task, trial, ours, pace.ours_each_round)
        pending = [peer for peer, call in calls.items() if call.wanted(pace)]
        if not pending:
            break
        for peer in pending:
            _call(peer, calls[peer], trial, processes, pace)
    compared = task.check(trial) if task.check else answers
    rows = [
        _row(task, trial, ours, compared, peer, call, processes) for peer, call in calls.items()
    ]
    if task.limit is not None and trial.size.name == task.trials[-1]:
        rows.append(within(task.label, trial.size.name, ours, task.limit))
    return rows


def within(label: str, trial: str, seconds: list[float], limit: float, note: str = "") -> Row:
    """Return the row of something that may take only so long."""
    median = statistics.median(seconds)
    return Row(
        label,
        trial,
        median,
        LIMIT,
        met=median <= limit,
        repetitions=f"{len(seconds)}",
        note="; ".join(filter(None, (f"at most {limit:g} s", note))),
    )


def _absent(peer: Peer, processes: Mapping[str, PeerProcess]) -> str:
    versions = processes[peer.program].versions
    missing = [name for name in peer.packages if not versions.get(name)]
    return f"not run: {', '.join(missing)} not installed" if missing else ""


def _warm_up(
    peer: Peer, call: _Calls, trial: Trial, processes: Mapping[str, PeerProcess], pace: Pace
) -> None:
    try:
        processes[peer.program].warm_up(peer.command, trial.folder, pace.timeout)
    except PeerFailedError as error:
        call.failure = str(error)


def _call(
    peer: Peer, call: _Calls, trial: Trial, processes: Mapping[str, PeerProcess], pace: Pace
) -> None:
    try:
        timed = processes[peer.program].run(peer.command, trial.folder, pace.timeout)
    except PeerFailedError as error:
        call.failure = str(error)
        return
    call.seconds.append(timed.seconds)
    call.answer = timed.answer


def _time_ours(task: Task, trial: Trial, seconds: list[float], times: int) -> Answers:
    for _ in range(times):
        began = time.perf_counter()
        answers = task.run(trial)
        seconds.append(time.perf_counter() - began)
    return answers


def unfinished(failure: str, ours: float, required: float | None) -> tuple[str, bool | None]:
    """Return the note of a peer without a time, and whether its limit alone shows the ratio."""
    limit = re.fullmatch(r"not done after (\d+) s", failure)
    if limit is None:
        return failure, None
    least = float(limit[1]) / ours
    met = True if required is not None and least >= required else None
    return f"{failure}: more than {least:,.0f} times as long", met


def _row(
    task: Task,
    trial: Trial,
    ours: list[float],
    answers: Answers,
    peer: Peer,
    call: _Calls,
    processes: Mapping[str, PeerProcess],
) -> Row:
    median = statistics.median(ours)
    required = peer.required if trial.size.name == task.trials[-1] else None
    version = processes[peer.program].versions.get(peer.packages[0], "")
    if not call.seconds or call.answer is None:
        note, met = unfinished(call.failure, median, required)
        return Row(
            task.label, trial.size.name, median, peer.name, version,
            required_ratio=required, met=met, repetitions=f"{len(ours)} v 0", note=note,
        )  # fmt: skip
    theirs = statistics.median(call.seconds) * peer.times
    agreed = agreement(answers[peer.answer], call.answer)
    return Row(
        task.label,
        trial.size.name,
        median,
        peer.name,
        version,
        theirs,
        theirs / median,
        required,
        None if required is None else theirs / median >= required,
        agreed.estimate,
        agreed.std_error,
        agreed.df,
        f"{len(ours)} v {len(call.seconds)}",
        _note(peer, agreed, min(ours), min(call.seconds) * peer.times, call.failure),
    )


def _note(peer: Peer, agreed: Agreement, ours: float, theirs: float, failure: str) -> str:
    fastest = f"fastest {ours:.2g} v {theirs:.3g} s"
    p = agreed.p_difference
    simulated = "" if p is None or peer.answer else f"p within {p:.2g}"
    return "; ".join(filter(None, (fastest, peer.note, simulated, failure)))
