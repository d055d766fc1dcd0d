"""The corpus of bad input: studies that were spoilt, each with the answer that is due."""

from __future__ import annotations

from bad_input.cell_cases import DATES, IDENTIFIERS, NUMBERS, WORKBOOKS
from bad_input.file_cases import FILES
from bad_input.protocol_cases import PROTOCOLS
from bad_input.study_cases import ASSIGNMENT, CROSSWALKS, PUPILS
from support.spoilt_trial import Case, Refused

DATA = {
    "files": FILES,
    "numbers": NUMBERS,
    "dates": DATES,
    "identifiers": IDENTIFIERS,
    "workbooks": WORKBOOKS,
    "assignment": ASSIGNMENT,
    "pupils": PUPILS,
    "crosswalks": CROSSWALKS,
}
"""What is wrong, beside the protocol itself → the cases."""


def answer_kind(case: Case) -> str:
    """Return the step that refuses a study, or where one that is accepted reports what changed."""
    if isinstance(case.answer, Refused):
        return case.answer.step
    named = {"log": case.answer.log, "ledger": case.answer.ledger}
    return " and ".join(name for name, lines in named.items() if lines)


CASES: list[Case] = [*(case for cases in DATA.values() for case in cases), *PROTOCOLS]
FIRST = {
    (group, answer_kind(case)): case.name for group, cases in DATA.items() for case in cases[::-1]
}
QUICK = {*FIRST.values(), *(case.name for case in PROTOCOLS)}
"""The first case of each kind, and all of protocols; the others run with `make test-slow`."""
