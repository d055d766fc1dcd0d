"""Which figures and tables a study has follows from what its protocol declares."""

from __future__ import annotations

from pathlib import Path

import pytest

from schooltrial.exhibits.catalogue import figures_of, lacking
from schooltrial.protocol.content.sections import Content, Unit
from schooltrial.protocol.reading import read_protocol, read_schema
from support.standard_study import outcome

ROOT = Path(__file__).parents[3]


def _content(study: str) -> Content:
    schema = read_schema()
    return read_protocol(ROOT / f"config/studies/{study}.yaml", schema).content


def test_assigned_schools_with_published_rates_have_the_attrition_figure() -> None:
    content = _content("fellowship")
    assert "pupils" not in content["tables"]
    assert "attrition_boundary" in figures_of(content)


@pytest.mark.parametrize(
    ("unit", "tables", "level", "drawn"),
    [
        ("school", [], "school", True), ("teacher", [], "school", False),
        ("school", ["pupils"], "pupil", True), ("school", [], "pupil", False),
        ("teacher", ["teachers"], "teacher", True), ("school", ["pupils"], "teacher", False),
    ],
)  # fmt: skip
def test_attrition_is_drawn_where_those_with_outcomes_are_listed_from_the_start(
    unit: Unit, tables: list[str], level: Unit, drawn: bool
) -> None:
    content = _content("fellowship")
    content["design"]["unit"] = unit
    content["tables"] = {name: [] for name in tables}
    content["outcomes"] = {"maths": outcome(measured_on=level)}
    assert ("attrition_boundary" not in lacking(content)) == drawn


def test_effects_by_year_need_a_panel_model_and_cohorts_a_staggered_design() -> None:
    content = _content("fellowship")
    panels = {"event_study", "cohorts", "bacon_weights", "parallel_trends", "placebos"}
    assert panels <= set(figures_of(content))
    content["design"]["kind"] = "complete"
    assert "began for all at the same time" in lacking(content)["cohorts"]
    assert "bacon_weights" in lacking(content)
    content["models"] = {}
    assert {"parallel_trends", "placebos"} <= set(lacking(content))
    assert lacking(content)["event_study"] == "the protocol has no panel model"


def test_re_randomisations_are_drawn_where_a_model_compares_the_effect_with_them() -> None:
    content = _content("chicago_collaborative")
    assert "re_randomisation" in figures_of(content)
    content["models"].pop("itt_redrawn")
    assert "re_randomisation" not in figures_of(content)
    assert "with re-randomisations" in lacking(content)["re_randomisation"]
