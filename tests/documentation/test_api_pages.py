"""The API pages are built from docstrings, and every public name has a place and words there."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

import schooltrial
from support.small_trial import ROOT
from support.workflow_tool import workflow_tool

PLAIN = re.compile(r"[A-Z].*\.$")
OF_TODAY = ("Return", "Hold", "Tell", "What ", "Whom", "How ")
"""Words with which the first line of a public function does not begin: they name no action."""


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    return workflow_tool("write_api")


@pytest.fixture(scope="module")
def pages(writer: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("api")
    written = writer.write_api(folder)
    assert all(path.is_file() for path in written)
    return folder


def test_every_public_name_is_on_the_page_of_the_library(pages: Path) -> None:
    page = (pages / "schooltrial.html").read_text("utf-8")
    missing = [name for name in schooltrial.__all__ if f'id="{name}"' not in page]
    assert missing == []


def test_every_public_name_says_in_a_sentence_what_it_does() -> None:
    wrong = {}
    for name in schooltrial.__all__:
        first = (inspect.getdoc(getattr(schooltrial, name)) or "").splitlines()
        if not first or not PLAIN.fullmatch(first[0]) or first[0].startswith(OF_TODAY):
            wrong[name] = first[:1]
    assert wrong == {}


def test_every_public_method_of_a_study_and_of_its_results_has_a_docstring(
    writer: ModuleType,
) -> None:
    silent = [
        f"{module.fullname}.{one.qualname}.{member.name}"
        for module in writer.api_modules().values()
        for one in module.classes
        for member in one.own_members
        if member.kind == "function" and not member.name.startswith("_") and not member.docstring
    ]
    assert silent == []


def test_the_pages_ask_nothing_of_other_machines_and_name_no_folder_of_this_one(
    pages: Path,
) -> None:
    for page in pages.rglob("*.html"):
        text = page.read_text("utf-8")
        fetched = re.findall(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="(https?:[^"]+)"', text)
        assert fetched == [], page.name
        assert str(ROOT) not in text, page.name


def test_the_index_leads_to_the_library(pages: Path) -> None:
    assert "schooltrial.html" in (pages / "index.html").read_text("utf-8")
