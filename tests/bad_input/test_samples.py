"""Tables that are each in order but do not fit together are refused, with file and row."""

import pytest

from schooltrial.refusal import Fault, Refusal
from support.small_trial import SmallTrial


def _refused(trial: SmallTrial) -> list[Fault]:
    trial.write()
    before = trial.written()
    with pytest.raises(Refusal) as caught:
        trial.obtain()
    assert trial.written() == before, "a refused study must leave no output"
    return list(caught.value.faults)


def test_an_arm_that_no_school_is_in_is_refused(trial: SmallTrial) -> None:
    for row in range(2, 10):
        trial.set("assignment.csv", row, "arm", "C")
    (fault,) = _refused(trial)
    assert fault.found == "no school is in the group 'programme'"
    assert (fault.file, fault.row, fault.column) == ("assignment.csv", None, "arm")


def test_an_arm_that_the_design_does_not_declare_is_refused(trial: SmallTrial) -> None:
    trial.reading("assignment")["columns"]["arm"]["codes"]["X"] = "waiting"
    trial.set("assignment.csv", 4, "arm", "X")
    (fault,) = _refused(trial)
    assert fault.found == "school S3 is in the group 'waiting'"
    assert fault.expected == "one of control, programme"


def test_a_school_without_an_arm_is_refused(trial: SmallTrial) -> None:
    trial.reading("assignment")["columns"]["arm"]["required"] = False
    trial.set("assignment.csv", 4, "arm", "")
    (fault,) = _refused(trial)
    assert "the cell is empty or missing" in fault.found
    assert (fault.file, fault.row, fault.column) == ("assignment.csv", 4, "arm")


def test_an_assigned_school_that_no_table_describes_is_refused(trial: SmallTrial) -> None:
    del trial.files["schools.csv"][8]
    (fault,) = _refused(trial)
    assert fault.found == "school S8 is not in the table of schools"
    assert (fault.file, fault.row, fault.column) == ("assignment.csv", 9, "school_code")
