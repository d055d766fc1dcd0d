"""What a trial is made of: words for its units, and whether it has schools."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from schooltrial.protocol.content.levels import DesignLevels, names_schools
from schooltrial.protocol.content.sections import Protocol, baseline_year, first_year, last_before
from schooltrial.protocol.reading import read_protocol
from schooltrial.refusal import Refusal
from schooltrial.wording import plural
from support.small_trial import SmallTrial, schema


def _without_schools(trial: SmallTrial) -> dict[str, Any]:
    """Turn the small trial into one of pupils, of one wave, outside schools."""
    content = trial.protocol
    content["design"] |= {"unit": "pupil", "kind": "complete"}
    content["years"] = {"programme": [2020]}
    content["balance"] = {}
    content["outcomes"] = {"maths": {"label": "Maths", "family": "tests", "primary": True}}
    content["variables"] = {}
    content["models"] = {
        "itt": {
            "label": "m", "estimator": "cluster_robust", "role": "primary", "outcomes": ["maths"],
        }
    }  # fmt: skip
    file = {"file": "pupils.csv"}
    pupil = {"pupil": {"column": "pupil_id"}}
    arm = {"column": "arm", "type": "category", "codes": {"C": "control", "T": "programme"}}
    content["tables"] = {
        "assignment": [{**file, "columns": {**pupil, "arm": arm}}],
        "pupils": [{**file, "columns": copy.deepcopy(pupil)}],
        "scores": [
            {
                **file,
                "columns": copy.deepcopy(pupil),
                "outcomes": {"maths": {"column": "score", "type": "number"}},
            }
        ],
    }
    found: dict[str, Any] = content
    return found


def _read(trial: SmallTrial) -> Protocol:
    trial.write()
    return read_protocol(trial.folder / "trial.yaml", schema())


@pytest.mark.parametrize(
    ("unit", "schools", "units", "inside"),
    [
        ("school", None, "schools", False), ("class", True, "classes", True),
        ("group", None, "groups", True), ("pupil", True, "pupils", True),
        ("pupil", False, "pupils", False),
    ],
)  # fmt: skip
def test_units_have_a_plural_and_may_be_inside_schools(
    unit: str, schools: bool | None, units: str, inside: bool
) -> None:
    levels = DesignLevels.of({"unit": unit, "schools": schools})
    assert (levels.units, levels.inside_schools) == (units, inside)


def test_numbers_of_classes_are_spelt_right() -> None:
    assert [plural(1, "class"), plural(24, "class"), plural(2, "school")] == [
        "1 class", "24 classes", "2 schools",
    ]  # fmt: skip


def test_only_tables_of_people_and_schools_name_schools() -> None:
    assert names_schools({"pupils": ["pupil", "school"]})
    assert not names_schools({"pupils": ["pupil"], "costs": ["school"]})


def test_a_trial_of_one_year_needs_no_year_in_its_files_and_no_school(trial: SmallTrial) -> None:
    _without_schools(trial)
    content = _read(trial).content
    assert content["design"]["schools"] is False
    assert [content["tables"][name][0]["year"] for name in ("pupils", "scores")] == [2020, 2020]
    assert content["tables"]["assignment"][0]["year"] is None


def test_without_a_year_before_arms_are_compared_in_the_first_year_of_the_programme(
    trial: SmallTrial,
) -> None:
    _without_schools(trial)
    content = _read(trial).content
    years = content["years"]
    assert (baseline_year(content), last_before(years), first_year(years)) == (2020, 2020, 2020)


@pytest.mark.parametrize(
    ("place", "change", "found"),
    [
        (("models", "itt"), {"estimator": "multilevel"}, "there is no higher level|random_levels"),
        (("models", "itt"), {"estimator": "difference_in_differences"}, "no baseline year"),
        (("balance",), {"school_variables": ["maths"]}, "balance.school_variables needs schools"),
        (("cleaning",), {"joiners": "drop"}, "would drop all pupils"),
        (("design",), {"schools": True}, "no table reads a column `school`"),
        (("design",), {"unit": "class"}, "has no 'class'"),
    ],
)  # fmt: skip
def test_what_needs_schools_or_a_year_before_is_refused_when_the_protocol_is_read(
    trial: SmallTrial, place: tuple[str, ...], change: dict[str, Any], found: str
) -> None:
    section: Any = _without_schools(trial)
    for key in place:
        section = section.setdefault(key, {})
    section.update(change)
    with pytest.raises(Refusal, match=found):
        _read(trial)


def test_rosters_lack_a_school_where_another_table_names_one(trial: SmallTrial) -> None:
    content = _without_schools(trial)
    content["tables"]["assignment"][0]["columns"]["school"] = {"column": "school"}
    with pytest.raises(Refusal, match=r"tables.pupils.0 has no 'school'"):
        _read(trial)


def test_simple_randomisation_fixes_no_numbers(trial: SmallTrial) -> None:
    design = _without_schools(trial)["design"]
    design |= {"kind": "simple", "randomisation": {"allocation": {"all": [3, 3]}}}
    with pytest.raises(Refusal, match="allocation fixes numbers of units"):
        _read(trial)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"kind": "simple"}, "places fixes numbers of units"),
        ({"randomisation": {"allocation": {"all": [3, 3]}}}, "both give the numbers by group"),
        ({"randomisation": {"record": "record.json"}}, "`record` needs the numbers before"),
        ({"arms": [{"name": name, "label": name} for name in "abc"]}, "and 3 groups are declared"),
        ({"randomisation": {"places": "seats"}}, "'seats'"),
    ],
)
def test_places_of_the_list_need_two_arms_and_no_other_plan(
    trial: SmallTrial, change: dict[str, Any], found: str
) -> None:
    content = _without_schools(trial)
    content["tables"]["assignment"][0]["columns"]["places"] = {"column": "p", "type": "integer"}
    draw = {"places": "places", **change.pop("randomisation", {})}
    content["design"] |= {**change, "randomisation": draw}
    with pytest.raises(Refusal, match=found):
        _read(trial)


def test_every_model_compares_the_arms_that_are_in_models(trial: SmallTrial) -> None:
    arms = _without_schools(trial)["design"]["arms"]
    arms.append({"name": "pilot", "label": "Pilot", "in_models": False})
    assert _read(trial).content["models"]["itt"]["arms"] == ["control", "programme"]


@pytest.mark.parametrize("outside", [[0], [1, 2]])
def test_the_control_arm_and_one_other_are_in_models(trial: SmallTrial, outside: list[int]) -> None:
    arms = _without_schools(trial)["design"]["arms"]
    arms.append({"name": "pilot", "label": "Pilot"})
    for at in outside:
        arms[at]["in_models"] = False
    with pytest.raises(Refusal, match="`in_models: false` is set for"):
        _read(trial)


def test_a_model_cannot_name_an_arm_that_is_in_none(trial: SmallTrial) -> None:
    content = _without_schools(trial)
    content["design"]["arms"].append({"name": "pilot", "label": "Pilot", "in_models": False})
    content["models"]["itt"]["arms"] = ["control", "pilot"]
    with pytest.raises(Refusal, match="groups with `in_models: false` are in none"):
        _read(trial)
