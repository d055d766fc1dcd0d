"""The citation file has what the Citation File Format asks for, and agrees with the project."""

from __future__ import annotations

from typing import Any

import yaml

from schooltrial import __version__
from support.small_trial import ROOT

CITATION: dict[str, Any] = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))


def test_it_has_what_the_format_requires_and_what_a_reference_list_needs() -> None:
    assert CITATION["cff-version"] == "1.2.0"
    needed = {"message", "title", "authors", "type", "version", "license", "abstract", "keywords"}
    assert [name for name in sorted(needed) if not CITATION.get(name)] == []
    for reference in CITATION["references"]:
        assert {"type", "title", "authors"} <= reference.keys()


def test_version_and_licence_are_those_of_the_project() -> None:
    assert CITATION["version"] == __version__
    assert (ROOT / "LICENSE").read_text("utf-8").startswith(f"{CITATION['license']} License")


def test_the_source_of_the_real_data_is_cited_as_its_readme_does() -> None:
    readme = (ROOT / "data" / "achievement_awards" / "README.md").read_text("utf-8")
    assert any(reference["title"] in readme for reference in CITATION["references"])
