"""Which measures an outcome may name for its baseline equivalence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from schooltrial.protocol.consistency.baseline_measures import (
    baseline_measure_faults,
    pretest_faults,
    year_of_baseline,
)
from schooltrial.protocol.consistency.declared_names import Names
from support.sections import completed, planned_outcome

OUTCOMES: dict[str, Any] = {
    "maths": {}, "ela": {"baseline_year": 2019}, "practice": {"measured_on": "teacher"},
    "rate": {"measured_on": "school"}, "gain": {"gain_from": {"outcome": "ela", "year": 2019}},
}  # fmt: skip


def _content(baseline: Sequence[int] = (2019,), **measures: list[str]) -> Any:
    return completed({
        "study": {"name": "s", "title": "S", "seed": 1},
        "design": {"kind": "complete", "arms": [{"name": "c", "label": "C"}]},
        "years": {"baseline": list(baseline), "programme": [2020]},
        "tables": {},
        "outcomes": {
            name: planned_outcome(
                label=name, family="tests", baseline_measures=measures.get(name, []), **part
            )
            for name, part in OUTCOMES.items()
        },
        "models": {},
    })  # fmt: skip


def _faults(content: Any, name: str = "maths") -> list[str]:
    variables = ["pretest", "block", "ela_before", "ela_before_missing"]
    names = Names("trial.yaml", [2019, 2020], list(OUTCOMES), variables, {}, [], ["c"])
    return [
        f"{one.found} / {one.expected} / {one.remedy}"
        for one in baseline_measure_faults(name, content, names)
    ]


@pytest.mark.parametrize("measure", ["pretest", "ela", "ela_before", "rate", "maths"])
def test_a_variable_or_an_outcome_of_the_same_people_or_of_schools_can_be_named(
    measure: str,
) -> None:
    assert _faults(_content(maths=[measure])) == []


@pytest.mark.parametrize(
    ("measure", "words"),
    [
        ("pretset", "did you mean 'pretest'?"),
        ("block", "no such variable or outcome"),
        ("ela_before_missing", "did you mean 'ela_before'?"),
        ("practice", "measured on teachers"),
    ],
)
def test_what_can_measure_no_baseline_of_the_outcome_is_refused(measure: str, words: str) -> None:
    (fault,) = _faults(_content(maths=[measure]))
    assert words in fault


def test_an_outcome_that_no_baseline_year_holds_is_refused_with_what_to_name() -> None:
    (fault,) = _faults(_content(baseline=(), maths=["maths"]))
    assert "not measured in any baseline year" in fault
    assert "`outcomes.maths.baseline_year`" in fault
    assert _faults(_content(baseline=(), maths=["ela"])) == []


def test_the_first_programme_year_is_no_baseline_year() -> None:
    content, without = _content(), _content(baseline=())
    outcomes = content["outcomes"]
    assert year_of_baseline(outcomes["maths"], content) == 2019
    assert year_of_baseline(outcomes["maths"], without) is None
    assert year_of_baseline(outcomes["ela"], without) == 2019
    assert year_of_baseline(outcomes["gain"], without) == 2019


def _pretest_faults(**outcome: Any) -> list[str]:
    content = _content()
    spec: Any = {**content["outcomes"]["maths"], "pretest": "pretest", **outcome}
    variables = ["pretest", "block", "sex"]
    columns: Any = {"pretest": {"type": "number"}, "sex": {"type": "category"}}
    names = Names("trial.yaml", [2019, 2020], list(OUTCOMES), variables, columns, [], ["c"])
    return [f"{one.found} / {one.remedy}" for one in pretest_faults("maths", spec, names)]


def test_a_pretest_is_a_numeric_variable_of_an_outcome_of_pupils_without_a_wave_before() -> None:
    plain = {"measured_on": "pupil", "baseline_year": None, "standardise": "control"}
    assert _pretest_faults(**plain) == []
    assert _pretest_faults(pretest=None) == []
    for odd, words in (
        ({"pretest": "pretset"}, "did you mean 'pretest'?"),
        ({"pretest": "sex"}, "read as category"),
        ({"measured_on": "school"}, "measured on schools"),
        ({"baseline_year": 2019}, "both say what was measured before"),
        ({"standardise": "norms"}, "not known of a pre-test"),
    ):
        (told,) = _pretest_faults(**{**plain, **odd})
        assert words in told
