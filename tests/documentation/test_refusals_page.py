"""The page of refusals shows each message as a user gets it."""

from __future__ import annotations

import re

import pytest

from support.workflow_tool import workflow_tool

TOOL = workflow_tool("write_refusals")
KINDS = [kind for kinds in TOOL.STAGES.values() for kind in kinds]
PAGE = TOOL.PAGE.read_text("utf-8")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.title))
def test_a_message_on_the_page_is_the_one_that_the_spoilt_example_gives(kind: object) -> None:
    title = re.escape(str(kind.title))  # type: ignore[attr-defined]
    shown = re.search(rf"^### {title}\n.*?```text\n(.*?)\n```", PAGE, re.M | re.S)
    assert shown, "run `make docs`"
    assert shown.group(1) == TOOL.refusal_of(kind), "run `make docs`"


def test_the_page_has_these_kinds_and_no_others() -> None:
    assert re.findall(r"^### (.+)$", PAGE, re.M) == [kind.title for kind in KINDS]


def test_an_example_that_is_not_spoilt_is_no_refusal() -> None:
    fine = TOOL.Kind("Fine", "", (), "data/scores.parquet")
    with pytest.raises(ValueError, match="was not refused"):
        TOOL.refusal_of(fine)
