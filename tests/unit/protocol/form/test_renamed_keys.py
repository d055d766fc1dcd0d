"""Claims about how a protocol in old words is refused, and about the page that lists them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from schooltrial.protocol.form.renamed_keys import LISTED, read_renamings
from schooltrial.protocol.migrate import main as migrate
from schooltrial.refusal import Fault, Refusal
from support.small_trial import PROTOCOL, ROOT, SmallTrial

COMMAND = "run `python -m schooltrial.protocol.migrate trial.yaml`"
OLD = (
    PROTOCOL.replace("baseline: [2019]", "before: [2019]")
    .replace("programme: [2020]", "during: [2020]")
    .replace("ratio:", "made_from:")
)


def _refused(trial: SmallTrial, text: str) -> list[Fault]:
    trial.write()
    (trial.folder / "trial.yaml").write_text(text, "utf-8")
    with pytest.raises(Refusal) as refused:
        trial.read()
    return list(refused.value.faults)


def test_each_old_key_is_refused_with_its_line_and_new_name_and_the_last_with_the_command(
    trial: SmallTrial,
) -> None:
    faults = _refused(trial, OLD)
    lines = OLD.splitlines()
    assert [(fault.found, lines[(fault.row or 0) - 1].strip()[:12]) for fault in faults] == [
        ("`years.before` is now `years.baseline`", "years: {befo"),
        ("`years.during` is now `years.programme`", "years: {befo"),
        ("`outcomes.attendance.made_from` is now `outcomes.attendance.ratio`", "made_from: {"),
    ]
    assert [fault.remedy.startswith(COMMAND) for fault in faults] == [False, False, True]


def test_other_faults_are_reported_at_once_on_the_lines_of_the_file(trial: SmallTrial) -> None:
    text = OLD.replace("denominator: days_enrolled", "denominators: days_enrolled")
    faults = _refused(trial, text)
    assert [fault.column for fault in faults][3:] == [
        "outcomes.attendance.made_from.denominators", "outcomes.attendance.made_from.denominator",
    ]  # fmt: skip
    assert faults[3].remedy == "did you mean 'denominator'?"
    assert faults[3].row == faults[4].row == faults[2].row
    wrong_name = OLD.replace("pupil_variables: [girl,", "pupil_variables: [gril,")
    faults = _refused(trial, wrong_name)
    assert "gril" in str(faults[3])


def test_a_protocol_in_the_new_words_is_not_said_to_be_old(trial: SmallTrial) -> None:
    trial.write()
    assert trial.read().name == "small"


def test_what_the_command_writes_is_read(trial: SmallTrial) -> None:
    _refused(trial, OLD)
    assert migrate([str(trial.folder / "trial.yaml")]) == 0
    assert (trial.folder / "trial.yaml").read_text("utf-8") == PROTOCOL
    assert trial.read().content["years"]["baseline"] == [2019]


def test_a_key_under_both_names_is_refused_with_what_to_delete(trial: SmallTrial) -> None:
    faults = _refused(trial, PROTOCOL.replace("baseline: [2019]", "before: [1], baseline: [2019]"))
    (fault,) = faults
    assert fault.found.startswith("`before` and `baseline` are both given")
    assert fault.remedy == "delete one of the two; keep its value under `baseline`"


def test_very_many_old_keys_are_counted_in_the_last_line(trial: SmallTrial) -> None:
    outcome = "  x{}: {{label: X, family: a, level: school}}\n"
    many = "".join(outcome.format(at) for at in range(30))
    faults = _refused(trial, OLD.replace("outcomes:\n  maths:", f"outcomes:\n{many}  maths:"))
    old = [fault for fault in faults if "is now" in fault.found or "more keys" in fault.found]
    assert len(old) == LISTED + 1
    assert old[-1].found == "21 more keys were renamed (`level`, `made_from`)"
    assert old[-1].remedy.startswith(COMMAND)


def test_the_page_on_migrating_lists_every_new_name() -> None:
    page = (ROOT / "docs" / "migrating.md").read_text("utf-8")
    rows = re.findall(r"^\| (.*?) \| `(.*?)` \| `(.*?)` \|$", page, re.M)
    wanted: list[Any] = []
    for one in read_renamings():
        section = ".".join(one.section).replace(".#", "[]").replace("*", "…")
        wanted.append((f"`{section}`" if section else "(top level)", one.old, one.new))
    assert rows == wanted
