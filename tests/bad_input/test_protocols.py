"""What is wrong with a protocol is told with key, line, and the key or name that was meant."""

from collections.abc import Callable
from typing import Any

import pytest

from schooltrial.protocol.consistency.design import LEVELS, SOURCES
from schooltrial.protocol.reading import read_protocol
from schooltrial.refusal import Fault, Refusal
from support.small_trial import SmallTrial

Refused = Callable[[], list[Fault]]


def _line(trial: SmallTrial, text: str) -> int:
    lines = (trial.folder / "trial.yaml").read_text("utf-8").splitlines()
    return next(at for at, line in enumerate(lines, start=1) if line.strip().startswith(text))


def test_an_unknown_key_is_told_with_the_one_that_was_meant(
    trial: SmallTrial, refused_protocol: Refused
) -> None:
    trial.protocol["models"]["itt"]["covariate"] = ["girl"]
    (fault,) = refused_protocol()
    assert (fault.file, fault.column) == ("trial.yaml", "models.itt.covariate")
    assert fault.row == _line(trial, "covariate:")
    assert fault.found == "unknown key 'covariate' in models.itt"
    assert fault.remedy == "did you mean 'covariates'?"
    assert ", key 'models.itt.covariate'" in str(fault)


def test_an_unknown_key_at_the_top_is_told_with_the_one_that_was_meant(
    trial: SmallTrial, refused_protocol: Refused
) -> None:
    trial.protocol["modles"] = {}
    (fault,) = refused_protocol()
    assert fault.found == "unknown key 'modles' in the protocol"
    assert fault.remedy == "did you mean 'models'?"


def test_an_unknown_key_like_no_other_is_to_be_removed(
    trial: SmallTrial, refused_protocol: Refused
) -> None:
    trial.protocol["study"]["xyz"] = 1
    (fault,) = refused_protocol()
    assert fault.remedy == "delete it; see `schooltrial help study`"


def test_each_missing_key_is_told_once(trial: SmallTrial, refused_protocol: Refused) -> None:
    del trial.protocol["study"]["title"], trial.protocol["study"]["seed"]
    faults = refused_protocol()
    assert [fault.column for fault in faults] == ["study.title", "study.seed"]
    assert faults[0].found == "the key 'title' is missing in study"
    assert faults[0].row == _line(trial, "study:")


@pytest.mark.parametrize(
    ("place", "key", "value", "expected"),
    [
        ("study", "seed", "seven", "a whole number: Seed of all random steps"),
        ("design", "kind", "clustered", "one of complete, blocked, paired"),
        ("study", "name", "My Trial", "a name of lower-case letters"),
        ("models", "itt", "all", "a section with keys"),
        ("study", "sources", "one", "a list: Sources of the facts"),
    ],
)
def test_a_value_of_the_wrong_kind_is_told_with_what_was_expected(
    trial: SmallTrial, refused_protocol: Refused, place: str, key: str, value: Any, expected: str
) -> None:
    trial.protocol[place][key] = value
    (fault,) = refused_protocol()
    assert fault.column == f"{place}.{key}"
    assert fault.row == _line(trial, f"{key}: {value}")
    assert repr(value) in fault.found
    assert fault.expected.startswith(expected)


def test_a_delimiter_is_one_character(trial: SmallTrial, refused_protocol: Refused) -> None:
    trial.reading("schools")["delimiter"] = ";;"
    (fault,) = refused_protocol()
    assert fault.column == "tables.schools.0.delimiter"


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ({"from": "sex"}, "variables.girl: has none of at_least, equals, where, as"),
        (
            {"from": "sex", "equals": "girl", "at_least": 1},
            "variables.girl: has at_least and equals",
        ),
    ],
)
def test_a_variable_is_made_by_one_rule(
    trial: SmallTrial, refused_protocol: Refused, rule: dict[str, Any], found: str
) -> None:
    trial.protocol["variables"]["girl"] = rule
    (fault,) = refused_protocol()
    assert fault.found == found
    assert fault.expected == "exactly one of at_least, equals, where, as"


def test_all_faults_of_a_protocol_are_told_at_once(
    trial: SmallTrial, refused_protocol: Refused
) -> None:
    trial.protocol["study"]["seeds"] = 1
    trial.protocol["design"]["kind"] = "drawn"
    trial.protocol["years"]["programme"] = []
    assert len(refused_protocol()) == 3


def _set(trial: SmallTrial, path: str, value: Any) -> None:
    *above, last = path.split(".")
    place: Any = trial.protocol
    for key in above:
        place = place[int(key)] if key.isdigit() else place.setdefault(key, {})
    place[last] = value


@pytest.mark.parametrize(
    ("path", "value", "found", "meant"),
    [
        (
            "models.itt.outcomes",
            ["mathss"],
            "'mathss', but the protocol has no such outcome",
            "maths",
        ),
        (
            "models.itt.covariates",
            ["girls"],
            "'girls', but the protocol has no such variable",
            "girl",
        ),
        (
            "models.itt.covariates",
            ["sex:grades"],
            "'grades', but the protocol has no such variable",
            "grade",
        ),
        (
            "models.itt.fixed_effects",
            ["distric"],
            "'distric', but the protocol has no such variable",
            "district",
        ),
        ("models.itt.effects_by", "sexes", "'sexes', but the protocol has no such variable", "sex"),
        (
            "models.itt.moderator",
            "distrct",
            "'distrct', but the protocol has no such variable",
            "district",
        ),
        (
            "models.itt.where",
            {"sexx": ["girl"]},
            "'sexx', but the protocol has no such variable",
            "sex",
        ),
        (
            "models.itt.where",
            {"sex": ["girls"]},
            "'girls', but the protocol has no such category of 'sex'",
            "girl",
        ),
        ("models.itt.where", {"year": [2031]}, "2031, but the protocol has no such year", ""),
        ("models.itt.where", {"girl": ["yes"]}, "'yes', but 'girl' is a number", ""),
        ("models.itt.active_years", [2031], "2031, but the protocol has no such year", ""),
        (
            "sample.keep",
            {"grades": [3]},
            "'grades', but the protocol has no such variable",
            "grade",
        ),
        (
            "sample.keep",
            {"district": ["nort"]},
            "'nort', but the protocol has no such category",
            "north",
        ),
        (
            "balance.where",
            {"sex": ["girls"]},
            "'girls', but the protocol has no such category",
            "girl",
        ),
        ("balance.baseline_year", 1999, "1999, but the protocol has no such year", ""),
        ("years.reference", 1999, "1999, but the protocol has no such year", ""),
        (
            "balance.pupil_variables",
            ["math"],
            "'math', but the protocol has no such variable",
            "maths",
        ),
        ("variables.girl.from", "sexx", "'sexx', but the protocol has no such variable", "sex"),
        (
            "variables.girl.equals",
            "girls",
            "'girls', but the protocol has no such category",
            "girl",
        ),
        ("outcomes.maths.baseline_year", 2031, "2031, but the protocol has no such year", ""),
        (
            "outcomes.attendance.ratio.numerator",
            "days_presnt",
            "'days_presnt', but the protocol has no such variable",
            "days_present",
        ),
        (
            "tables.scores.0.outcomes",
            {"art": {"column": "a"}},
            "'art', but the protocol has no such outcome",
            "",
        ),
        (
            "tables.pupils.0.columns.grade.placeholder_years",
            [2031],
            "2031, but the protocol has no such year",
            "",
        ),
    ],
)
def test_a_name_that_refers_to_nothing_is_told_where_it_stands(
    trial: SmallTrial, refused_protocol: Refused, path: str, value: Any, found: str, meant: str
) -> None:
    _set(trial, path, value)
    fault = refused_protocol()[0]
    assert found in fault.found
    assert fault.row is not None
    assert fault.column is not None
    assert fault.column.startswith(path)
    if meant:
        assert fault.remedy == f"did you mean {meant!r}?"


def test_a_baseline_year_before_the_study_has_a_fix_for_a_test_in_the_same_file(
    trial: SmallTrial, refused: Refused
) -> None:
    trial.protocol["outcomes"]["maths"]["baseline_year"] = 1999
    remedies = [fault.remedy for fault in refused() if "names 1999" in fault.found]
    assert any("add `baseline: [1999]` under `years`" in one for one in remedies)
    assert any("name it under `baseline_measures`" in one for one in remedies)


def test_a_baseline_is_adjusted_for_only_where_there_is_one(
    trial: SmallTrial, refused_protocol: Refused
) -> None:
    trial.protocol["models"]["itt"]["covariates"] = ["baseline"]
    (fault,) = refused_protocol()
    assert fault.found == "models.itt adjusts for the baseline of 'reading', which has no baseline"


@pytest.mark.parametrize(
    ("table", "variable"),
    [
        ("schools", "school"),
        ("assignment", "arm"),
        ("assignment", "block"),
        ("pupils", "school"),
        ("scores", "outcome"),
        ("scores", "value"),
    ],
)
def test_a_table_without_a_column_that_it_needs_is_refused(
    trial: SmallTrial, refused_protocol: Refused, table: str, variable: str
) -> None:
    del trial.reading(table)["columns"][variable]
    fault = refused_protocol()[0]
    assert fault.found == f"tables.{table}.0 has no {variable!r}"
    assert fault.remedy == f"add {variable!r} to its `columns`"


def test_a_table_without_a_year_in_its_files_or_their_names_is_refused(
    trial: SmallTrial, refused_protocol: Refused
) -> None:
    trial.reading("pupils")["file"] = "roster.csv"
    (fault,) = refused_protocol()
    assert fault.found == "tables.pupils.0 has no 'year'"


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ({"range": [0, 1]}, "has a range, but is read as identifier"),
        ({"type": "flag", "codes": {"Y": "yes"}}, "has the code value 'yes', but is read as flag"),
        ({"type": "flag", "codes": {"Y": 1, "N": 2}}, "has the code value 2, but is read as flag"),
        ({"type": "flag", "codes": {"Y": 0.5}}, "has the code value 0.5, but is read as flag"),
    ],
)
def test_a_column_map_that_contradicts_itself_is_refused(
    trial: SmallTrial, refused_protocol: Refused, spec: dict[str, Any], found: str
) -> None:
    trial.reading("pupils")["columns"]["grade"] = {"column": "grade", **spec}
    (fault,) = refused_protocol()
    assert found in fault.found


def test_a_year_in_two_parts_of_the_trial_is_refused(
    trial: SmallTrial, refused_protocol: Refused
) -> None:
    trial.protocol["years"]["follow_up"] = [2020]
    (fault,) = refused_protocol()
    assert fault.column == "years"


@pytest.mark.parametrize(
    ("text", "row", "found"),
    [
        ("study:\n  name: a\n  name: b\n", 3, "the key 'name' is given twice"),
        ("study: {name: a\ndesign: 1\n", 2, "not readable as YAML"),
        ("", None, "the file holds no keys"),
        ("- a\n- b\n", None, "the file holds no keys"),
    ],
)
def test_a_file_that_is_no_protocol_is_refused_with_the_line(
    trial: SmallTrial, text: str, row: int | None, found: str
) -> None:
    trial.write()
    (trial.folder / "trial.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(Refusal) as caught:
        trial.read()
    (fault,) = caught.value.faults
    assert fault.row == row
    assert found in fault.found


def test_a_protocol_that_is_not_in_utf_8_is_refused(trial: SmallTrial) -> None:
    trial.write()
    (trial.folder / "trial.yaml").write_bytes("study: {title: Évaluation}".encode("latin-1"))
    with pytest.raises(Refusal, match="YAML in UTF-8"):
        trial.read()


def test_a_protocol_that_is_not_there_is_refused(trial: SmallTrial) -> None:
    with pytest.raises(Refusal, match=r"config/studies/none.yaml: no such file"):
        read_protocol(trial.folder / "none.yaml", {}, "config/studies/none.yaml")


@pytest.mark.parametrize(
    ("level", "estimator"),
    [(level, name) for name, of in LEVELS.items() for level in SOURCES if level not in of],
)
def test_an_estimator_is_refused_for_outcomes_that_it_cannot_fit(
    trial: SmallTrial, refused_protocol: Refused, level: str, estimator: str
) -> None:
    trial.protocol["outcomes"]["reading"]["measured_on"] = level
    trial.protocol["models"]["did"]["estimator"] = estimator
    found = [fault.found for fault in refused_protocol()]
    assert f"models.did fits outcomes of {level}s with {estimator}" in found


@pytest.mark.parametrize(
    ("place", "key", "value", "meant"),
    [
        ("design", "kind", "block", "blocked"),
        ("models.itt", "estimator", "multilevle", "multilevel"),
    ],
)
def test_a_mistyped_value_is_told_with_the_one_that_was_meant(
    trial: SmallTrial, refused_protocol: Refused, place: str, key: str, value: str, meant: str
) -> None:
    section: Any = trial.protocol
    for part in place.split("."):
        section = section[part]
    section[key] = value
    assert f"did you mean {meant!r}?" in [fault.remedy for fault in refused_protocol()]
