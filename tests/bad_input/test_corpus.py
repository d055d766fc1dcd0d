"""Every study of the corpus of bad input is refused with all its faults, or accepted and told.

For each: nothing but a refusal is raised, a refusing step leaves nothing behind, and where a study
is accepted each cell and row that is other than in the good study is accounted for.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from bad_input.corpus import CASES, DATA, QUICK, answer_kind
from schooltrial.data.cells.cleaning_log import FORMULA
from support.spoilt_trial import Accepted, Case, Line, Outcome, Refused, Spoil, run

Good = Callable[[Spoil | None], Outcome]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Good:
    """Return a function that runs the good trial in a setting, each once."""
    known: dict[Spoil | None, Outcome] = {}

    def of(setting: Spoil | None) -> Outcome:
        if setting not in known:
            folder = tmp_path_factory.mktemp("good")
            known[setting] = run(folder, [setting] if setting else [], "clean")
            assert known[setting].refusal is None
        return known[setting]

    return of


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(
            case,
            id=case.name.replace(" ", "_"),
            marks=[] if case.name in QUICK else [pytest.mark.slow],
        )
        for case in CASES
    ],
)
def test_a_spoilt_study_is_refused_with_all_its_faults_or_accepted_and_told(
    case: Case, tmp_path: Path, good: Good
) -> None:
    outcome = run(
        tmp_path, [case.setting, case.spoil] if case.setting else [case.spoil], case.until
    )
    if isinstance(case.answer, Refused):
        _is_refused(outcome, case.answer)
    else:
        assert outcome.refusal is None, str(outcome.refusal)
        _is_told(outcome, case.answer, good(case.setting))


def _is_refused(outcome: Outcome, answer: Refused) -> None:
    assert outcome.refusal is not None, "accepted"
    assert outcome.written == list(answer.of_others), "a refusing step must leave no output"
    message, faults = str(outcome.refusal), list(outcome.refusal.faults)
    assert faults, message
    for fault in faults:
        assert fault.file, message
        assert fault.expected, message
        assert fault.remedy, message
    left = faults.copy()
    for planted in answer.faults:
        telling = [fault for fault in left if planted.told_by(fault)]
        assert telling, f"{planted} is not told in:\n{message}"
        left.remove(telling[0])
    assert left == [], f"told beside what was planted: {left}"
    assert outcome.step == answer.step
    assert all(fault.row is None or str(fault.row) in message for fault in faults[:20])
    assert len(message) < 20_000, "a message must stay readable"


def _is_told(outcome: Outcome, answer: Accepted, good: Outcome) -> None:
    log = outcome.log() - good.log()
    told = [dict(zip(_HEADER, line, strict=True)) for line in log.elements()]
    for line in answer.log:
        wanted = {"file": line.file, "column": line.column}
        counts = {"cells": str(line.cells), "rows": str(line.rows)}
        found = [
            one for one in told
            if wanted.items() <= one.items() and counts.items() <= one.items()
            and line.rule in one["rule"]
        ]  # fmt: skip
        assert found, f"{line} is not in the log: {told}"
        told.remove(found[0])
    assert told == [], "logged beside what was planted"
    left = outcome.ledger() - good.ledger()
    reasons = Counter(line[-1] for line in left.elements())
    for departed in answer.ledger:
        assert reasons[departed.reason] == departed.count, reasons
    assert bool(left) == bool(answer.ledger), f"the ledger tells of {reasons}"
    _nothing_is_silent(outcome, good, log, left)


def _nothing_is_silent(
    outcome: Outcome, good: Outcome, log: Counter[Line], left: Counter[Line]
) -> None:
    told = sum(int(line[4]) + int(line[5]) for line in log.elements()) + left.total()
    before, after = good.rows(), outcome.rows()
    assert before
    for name, rows in before.items():
        other = (rows - after[name]).total()
        assert other <= told or (told and name in _FOLLOWING), f"{name}: {other} rows, {told} told"
        if not told:
            assert after[name] == rows, f"{name} is another, and nothing was told"
    risky = [cell for cell in outcome.cells_of_csv() if FORMULA.match(cell)]
    assert risky == [], "a spreadsheet would run these cells"


_HEADER = ["table", "file", "column", "rule", "cells", "rows", "before", "after"]
_FOLLOWING = ("sample.parquet", "panel.parquet")
"""Tables in which one cell can change many: scores are on the scale of the control group."""


def test_the_corpus_holds_no_case_twice() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names) >= 80


def test_of_each_group_of_data_each_kind_of_answer_has_a_quick_case() -> None:
    for group, cases in DATA.items():
        quick = {answer_kind(case) for case in cases if case.name in QUICK}
        assert quick == {answer_kind(case) for case in cases}, group
