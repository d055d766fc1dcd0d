"""The page of refusals shows each message as a user gets it."""

from __future__ import annotations

import re

import pytest

from support.workflow_tool import workflow_tool

TOOL = workflow_tool("write_refusals")
KINDS = [kind for kinds in TOOL.STAGES.values() for kind in kinds]
MISHAPS = [one for mishaps in TOOL.MISHAPS.values() for one in mishaps]
PAGE = TOOL.PAGE.read_text("utf-8")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.title))
def test_a_message_on_the_page_is_the_one_that_the_spoilt_example_gives(kind: object) -> None:
    assert _shown(kind) == TOOL.refusal_of(kind), "run `make docs`"


@pytest.mark.parametrize("mishap", MISHAPS, ids=lambda one: str(one.title))
def test_a_message_about_a_file_or_a_computer_is_the_one_that_the_program_gives(
    mishap: object,
) -> None:
    assert _shown(mishap) == TOOL.refusal_of_mishap(mishap), "run `make docs`"


def _shown(one: object) -> str:
    title = re.escape(str(one.title))  # type: ignore[attr-defined]
    shown = re.search(rf"^### {title}\n.*?```text\n(.*?)\n```", PAGE, re.M | re.S)
    assert shown, "run `make docs`"
    return shown.group(1)


def test_the_page_has_these_kinds_and_no_others() -> None:
    assert re.findall(r"^### (.+)$", PAGE, re.M) == [one.title for one in (*KINDS, *MISHAPS)]


def test_an_example_that_is_not_spoilt_is_no_refusal() -> None:
    fine = TOOL.Kind("Fine", "", (), "data/scores.parquet")
    with pytest.raises(ValueError, match="was not refused"):
        TOOL.refusal_of(fine)
