"""Run an entry on a spoilt trial: it must refuse, and leave nothing behind."""

from collections.abc import Callable

import pytest

from schooltrial.refusal import Fault, Refusal
from support.small_trial import SmallTrial

Refused = Callable[[], list[Fault]]


@pytest.fixture
def refused(trial: SmallTrial) -> Refused:
    """Return a function that obtains the tables, and returns the faults of the refusal."""

    def run() -> list[Fault]:
        with pytest.raises(Refusal) as caught:
            trial.obtain()
        assert trial.written() == [], "a refused study must leave no output"
        message = str(caught.value)
        assert caught.value.faults
        for fault in caught.value.faults[:20]:
            assert fault.row is None or str(fault.row) in message
            assert fault.expected in message
            assert fault.expected
            assert fault.remedy
        return list(caught.value.faults)

    return run


@pytest.fixture
def refused_protocol(trial: SmallTrial) -> Refused:
    """Return a function that reads the protocol, and returns the faults of the refusal."""

    def run() -> list[Fault]:
        trial.write()
        with pytest.raises(Refusal) as caught:
            trial.read()
        return list(caught.value.faults)

    return run
