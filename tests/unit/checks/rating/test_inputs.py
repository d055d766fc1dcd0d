"""Claims about what the ratings of an outcome rest on."""

from __future__ import annotations

from dataclasses import replace
from math import isnan, nan
from typing import Any

import pandas as pd
import pytest

from schooltrial.checks.rating.clearinghouse import clearinghouse_rating
from schooltrial.checks.rating.inputs import baseline_differences, rating_inputs
from schooltrial.checks.rating.padlocks import security_rating
from schooltrial.checks.rating.terms import RatingInputs

MODEL: Any = {
    "covariates": ["baseline", "girl"], "where": {"year": [2020]}, "arms": [],
    "estimator": "multilevel",
}  # fmt: skip
PROTOCOL: dict[str, Any] = {
    "outcomes": {"maths": {"measured_on": "pupil", "gain_from": None}},
    "checks": {"attrition_boundary": "cautious", "joiners_justification": ""},
    "design": {
        "randomised": True, "unit": "school", "arms": [{"name": n} for n in ("control", "a", "b")],
    },
    "balance": {"equivalent_to": 0.05, "adjust_to": 0.25},
}  # fmt: skip


def _attrition(*rows: tuple[str, int, str, float, float, str], **same: Any) -> pd.DataFrame:
    columns = ["level", "year", "arm", "overall", "differential", "verdict"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(
        **{
            "kind": "lost",
            "outcome": "maths",
            "boundary_cautious": 0.05,
            "n_control": 50,
            "n_treated": 50,
            "count_control": 0,
            "count_treated": 0,
            **same,
        }
    )


LOST = _attrition(
    ("schools", 2020, "a", 0.0, 0.0, "low"), ("schools", 2020, "b", 0.1, 0.2, "high"),
    ("pupils in schools that stay", 2020, "a", 0.2, 0.01, "low"),
    ("pupils in schools that stay", 2020, "b", 0.2, 0.0, "low"),
    ("pupils", 2020, "a", 0.25, 0.02, "low"), ("pupils", 2020, "b", 0.31, 0.02, "low"),
    ("schools", 2019, "a", 0.9, 0.9, "high"),
)  # fmt: skip
CAME = pd.concat([
    _attrition(("pupils", 2020, "a", 0.9, 0.0, ""), kind="new intake", outcome=None),
    _attrition(
        ("pupils", 2020, "a", 0.35, 0.0, ""), kind="joined, of those analysed",
        count_control=15, count_treated=20,
    ),
    _attrition(("pupils", 2020, "a", 0.02, 0.0, ""), kind="changed group", outcome=None),
])  # fmt: skip
COLUMNS = [
    "basis", "level", "arm", "variable", "label", "wwc_effect_size", "standardised_difference",
    "n_control", "n_treated", "missing_control", "missing_treated", "missing", "outcome", "sample",
    "note",
]  # fmt: skip


def _balance(*rows: tuple[str, str, str, str, float], lacking: int = 4) -> pd.DataFrame:
    """Return rows of basis, level, arm, variable, size; so many of each group lack the measure."""
    same = (40, 50, lacking, lacking, 2 * lacking, "maths", "analysed", "")
    found = [[*row[:4], row[3].title(), row[4], row[4], *same] for row in rows]
    return pd.DataFrame(found, columns=COLUMNS)


OWN = ("own", "pupil", "a", "maths", -0.1)
SCHOOLS = ("own", "school", "a", "maths_before_school", -0.07)
PRETEST = ("named", "pupil", "a", "pretest", 0.2)
ELA = ("domain", "pupil", "a", "ela", 0.3)


def _inputs(
    equivalence: pd.DataFrame,
    verdict: str = "reproduced from its seed",
    model: Any = MODEL,
    protocol: dict[str, Any] = PROTOCOL,
    **keys: Any,
) -> Any:
    power = pd.DataFrame({
        "outcome": ["maths"] * 4, "stage": ["randomisation"] * 3 + ["analysis"],
        "mdes": [0.2, 0.3, 4.1, 0.9], "arm": ["a", "b", "a", "a"], "subgroup": "all",
        "units_label": ["SD", "SD", "points", "SD"], "method": "closed form",
    })  # fmt: skip
    return rating_inputs(
        "maths", model, protocol, year=2020, equivalence=equivalence, power=power,
        assignment={"verdict": verdict, "reasons": []}, **{"attrition": LOST, **keys},
    )  # fmt: skip


def test_of_several_arms_the_worst_counts() -> None:
    found = _inputs(_balance(OWN))
    schools = next(part for part in found.attrition if part.level == "schools")
    assert (schools.verdict, schools.differential) == ("high", 0.2)
    assert (found.people_attrition, found.mdes) == (0.31, 0.3)


def test_of_several_arms_the_one_that_decides_is_named() -> None:
    rows = _balance(OWN, ("own", "pupil", "b", "maths", 0.2))
    came = CAME.assign(arm="b")
    found = _inputs(rows, attrition=pd.concat([LOST, came], ignore_index=True))
    assert found.of_arm == {
        "people_attrition": "b", "mdes": "b", "joined": "b", "changed_arm": "b",
    }  # fmt: skip
    assert [part.arm for part in found.attrition] == ["a", "b"]
    design = clearinghouse_rating(found).rule
    assert "group b: attrition is high for schools" in design
    assert "group b: the analysed sample differs at baseline by 0.200 SD" in design
    assert "group b: 35.0% of those analysed joined" in design
    padlocks = security_rating(found).rule
    assert "group b: attrition of pupils (31.0%)" in padlocks
    assert "0.200 SD (group b: Maths, pupils" in padlocks
    size = security_rating(replace(found, people_attrition=0.0)).rule
    assert "group b: size (MDES 0.30 SD at randomisation)" in size
    one = _inputs(rows, model={**MODEL, "arms": ["control", "a"]})
    assert not one.of_arm
    assert "group a:" not in clearinghouse_rating(one).rule + security_rating(one).rule


def test_an_arm_that_the_model_does_not_compare_does_not_count() -> None:
    rows = _balance(OWN, ("own", "pupil", "b", "maths", 0.5))
    found = _inputs(rows, model={**MODEL, "arms": ["control", "a"]})
    schools = next(part for part in found.attrition if part.level == "schools")
    assert (schools.verdict, schools.differential) == ("low", 0.0)
    assert (found.people_attrition, found.mdes, found.arms) == (0.25, 0.2, ("a",))
    assert [one.size for one in found.baseline] == [-0.1]


def test_a_least_detectable_effect_in_points_is_none_in_standard_deviations() -> None:
    assert _inputs(_balance()).mdes == 0.3


def test_all_people_are_no_level_of_their_own_where_units_are_told() -> None:
    levels = [part.level for part in _inputs(_balance(OWN)).attrition]
    assert levels == ["pupils in schools that stay", "schools"]


def test_peoples_own_baseline_counts_and_that_of_their_schools_where_it_is_known_of_too_few() -> (
    None
):
    few = 40  # of 80 and 90: at 47% no difference of 3 points is low
    ((variable, known),) = (
        (one.variable, one.covered) for one in _inputs(_balance(OWN, SCHOOLS)).baseline
    )
    assert (variable, known) == ("maths", True)
    rows = pd.concat([_balance(OWN, lacking=few), _balance(SCHOOLS)], ignore_index=True)
    found = {one.variable: one.covered for one in _inputs(rows).baseline}
    assert found == {"maths": True, "maths_before_school": True}
    (alone,) = _inputs(_balance(OWN, lacking=few)).baseline
    assert (alone.covered, alone.known, alone.missing) == (False, 90, 80)
    (schools,) = _inputs(_balance(SCHOOLS)).baseline
    assert (schools.level, schools.own) == ("school", True)


def test_a_measure_that_nobody_of_an_arm_has_is_not_covered() -> None:
    rows = _balance(OWN, lacking=0).assign(n_control=0)
    assert not _inputs(rows).baseline[0].covered


def test_nothing_is_judged_by_a_variable_that_the_check_of_equivalence_does_not_hold() -> None:
    assert _inputs(_balance()).baseline == ()
    assert _inputs(_balance(OWN).assign(outcome="ela")).baseline == ()


def test_every_measure_that_the_protocol_names_counts_and_none_is_own() -> None:
    second = ("named", "school", "a", "rate", 0.01)
    found = _inputs(_balance(PRETEST, second)).baseline
    assert [(one.variable, one.basis, one.own) for one in found] == [
        ("pretest", "named", False), ("rate", "named", False),
    ]  # fmt: skip
    unknown = _balance(PRETEST, second).assign(wwc_effect_size=nan, standardised_difference=nan)
    assert all(isnan(one.size) for one in _inputs(unknown).baseline)


def test_an_outcome_of_the_same_family_is_named_as_such() -> None:
    (found,) = _inputs(_balance(ELA)).baseline
    assert (found.basis, found.own, found.adjusted) == ("domain", False, False)
    rule = clearinghouse_rating(_inputs(_balance(ELA), verdict="in doubt")).rule
    assert "of the same family, as no baseline of the outcome itself is known" in rule


def test_a_model_adjusts_for_a_difference_where_it_has_that_measure_as_covariate() -> None:
    assert _inputs(_balance(OWN)).baseline[0].adjusted
    plain = {**MODEL, "covariates": ["girl"]}
    assert not _inputs(_balance(OWN), model=plain).baseline[0].adjusted
    assert not _inputs(_balance(PRETEST)).baseline[0].adjusted
    named = {**MODEL, "covariates": ["pretest"]}
    assert _inputs(_balance(PRETEST), model=named).baseline[0].adjusted


@pytest.mark.parametrize(("unit", "adjusts"), [("school", True), ("pupil", False)])
def test_the_mean_of_a_school_adjusts_for_people_where_schools_were_assigned(
    unit: str, adjusts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PROTOCOL["design"], "unit", unit)
    model = {**MODEL, "covariates": ["maths_before_school"]}
    assert _inputs(_balance(OWN), model=model).baseline[0].adjusted == adjusts


def test_an_arm_without_a_row_of_attrition_is_not_known_and_not_low() -> None:
    low = LOST[(LOST["verdict"] == "low") & (LOST["arm"] == "a")]
    found = _inputs(_balance(OWN), attrition=low)
    assert {(part.verdict, part.arm) for part in found.attrition} == {("not known", "b")}
    assert found.unsure == ("people_attrition",)
    assert "group b: attrition of schools is not known" in clearinghouse_rating(found).rule
    assert security_rating(found).rating.startswith("at most")


def test_the_other_boundary_can_be_asked_for() -> None:
    rows = LOST.assign(verdict_optimistic="low", boundary_optimistic=0.5)
    found = _inputs(_balance(OWN), attrition=rows, boundary="optimistic")
    assert {part.verdict for part in found.attrition} == {"low"}
    assert "high" in {part.verdict for part in _inputs(_balance(OWN), attrition=rows).attrition}


def test_a_contradicted_assignment_is_compromised_and_a_doubted_one_is_doubted() -> None:
    assert _inputs(_balance(), "contradicted").compromised
    found = _inputs(_balance(), "in doubt")
    assert (found.compromised, found.doubted) == (False, True)


def test_who_joined_and_changed_arm_is_shown_and_not_known_where_nobody_is_followed() -> None:
    found = _inputs(_balance(), attrition=pd.concat([LOST, CAME], ignore_index=True))
    assert found.joined == pytest.approx(0.35)
    assert found.changed_arm == 0.02
    assert isnan(_inputs(_balance()).joined)


def test_who_came_into_the_population_since_the_assignment_joined_those_analysed() -> None:
    entered = _attrition(
        ("pupils", 2020, "a", 0.2, 0.0, ""), kind="came into the population", n_control=25,
        n_treated=25, count_control=4, count_treated=6,
    )  # fmt: skip
    own = pd.concat([LOST, CAME, entered.assign(model="itt")], ignore_index=True)
    other = pd.concat([LOST, CAME, entered.assign(model="other")], ignore_index=True)
    assert _inputs(_balance(), attrition=own, name="itt").joined == pytest.approx(0.45)
    assert _inputs(_balance(), attrition=other, name="itt").joined == pytest.approx(0.35)


def test_take_up_tells_who_crossed_over_before_any_log() -> None:
    units = pd.DataFrame({
        "unit": [f"t{k}" for k in range(20)], "arm": ["control"] * 10 + ["a"] * 10,
        "taken_up": [1, 0.2, *[0] * 7, None, *[1] * 5, *[0] * 3, None, None],
    })  # fmt: skip
    log = pd.DataFrame({
        "arm": ["control"], "intended": ["no"], "n_schools": [10], "n_with_any": [9],
        "verdict": ["crossover: S1"],
    })  # fmt: skip
    found = _inputs(_balance(), take_up=units, contrast=log)
    assert found.crossovers == pytest.approx(3 / 8)  # of the treated; of the controls it is 2/9
    assert found.of_arm["crossovers"] == "a"
    told = "less 2 because 37.5% of the schools in group a did not take the programme up"
    assert told in security_rating(found).rule
    controls = _inputs(_balance(), take_up=units[:10])
    assert controls.crossovers == pytest.approx(2 / 9)
    assert controls.crossed == "of the schools in the control group took the programme up"
    nothing = _inputs(_balance(), take_up=units.assign(taken_up=None), contrast=log)
    assert nothing.crossovers == 0.9
    assert nothing.crossed == (
        "of the schools in the control group received what was meant for another group"
    )
    assert _inputs(_balance()).crossed == ""


def test_the_share_of_control_units_that_received_the_programme_is_shown() -> None:
    rows = pd.DataFrame({
        "arm": ["control", "a", "control"], "intended": ["no", "yes", "no"],
        "n_schools": [20, 20, 20], "n_with_any": [2, 18, float("nan")],
        "verdict": ["crossover: S1, S2", None, "not recorded"],
    })  # fmt: skip
    found = _inputs(_balance(), contrast=rows)
    assert (found.crossovers, "crossovers" in found.unsure) == (0.1, True)
    assert (
        "the share of units that received what was meant for another group (in part)"
        in security_rating(found).rule
    )
    assert "crossovers" not in _inputs(_balance(), contrast=rows.iloc[:2]).unsure
    assert isnan(_inputs(_balance()).crossovers)
    assert isnan(_inputs(_balance(), contrast=rows.iloc[1:]).crossovers)


def test_a_model_of_changes_adjusts_for_the_outcome_as_it_was() -> None:
    rows = _balance(("own", "school", "a", "maths", -0.2))
    protocol = {
        **PROTOCOL, "outcomes": {"maths": {"measured_on": "school", "gain_from": None}},
    }  # fmt: skip
    for estimator, adjusts in (("staggered_adoption", True), ("cluster_robust", False)):
        model: Any = {**MODEL, "covariates": [], "estimator": estimator}
        (found,) = baseline_differences("maths", model, protocol, rows)
        assert (found.size, found.sample, found.adjusted) == (-0.2, "analysed", adjusts)


def test_pupils_of_a_lottery_of_teachers_are_counted_by_where_they_were_at_baseline() -> None:
    places = {
        "no school in the study": 60, "the same school": 30, "a teacher of the other group": 10,
    }  # fmt: skip
    mobility = pd.DataFrame([
        {"year": year, "arm": arm, "where_at_baseline": place, "n_pupils": n}
        for year in (2019, 2020) for arm in ("control", "a") for place, n in places.items()
    ])  # fmt: skip
    lottery: Any = {**PROTOCOL, "design": {
        **PROTOCOL["design"], "unit": "teacher", "arms": [{"name": "control"}, {"name": "a"}],
    }}  # fmt: skip
    lottery["checks"] = {**PROTOCOL["checks"], "joiners_justification": "Classes are by chance."}
    power = pd.DataFrame({
        "outcome": ["maths"], "stage": "randomisation", "mdes": 0.2, "arm": "a", "subgroup": "all",
        "units_label": "SD", "method": "closed form",
    })  # fmt: skip
    lost = _attrition(("pupils", 2020, "a", 0.05, 0.01, "low"))

    def found(counted: pd.DataFrame | None) -> RatingInputs:
        return rating_inputs(
            "maths", MODEL, lottery, year=2020, attrition=lost, equivalence=_balance(OWN),
            power=power, assignment={"verdict": "sound", "reasons": []}, mobility=counted,
        )  # fmt: skip

    known = found(mobility)
    assert [known.joined, known.changed_arm] == pytest.approx([0.6, 0.25])
    told = clearinghouse_rating(known).rule
    assert "60.0% of the pupils of the year were in no class of the trial at baseline" in told
    assert "not counted" not in told
    assert "movers" not in security_rating(replace(known, crossovers=0.0)).rule
    assert "it was not counted how many" in clearinghouse_rating(found(None)).rule
    without_reason = replace(known, joiners_justification="", crossovers=0.0)
    assert "less" in security_rating(without_reason).rule


def test_joiners_known_from_files_of_scores_alone_are_not_said_to_have_joined() -> None:
    one_file = {
        **PROTOCOL, "years": {"baseline": [2018, 2019], "programme": [2020]},
        "tables": {"pupils": [{"file": "scores.csv"}], "scores": [{"file": "scores.csv"}]},
    }  # fmt: skip
    told = "have no record of 2019 in the file of scores and are counted as joiners"
    for protocol, words in ((one_file, told), (PROTOCOL, "joined after the assignment")):
        inputs = _inputs(_balance(OWN), protocol=protocol, attrition=pd.concat([LOST, CAME]))
        for rating in (security_rating(inputs), clearinghouse_rating(inputs)):
            findings = " ".join(one.finding for one in rating.criteria)
            assert f"analysed {words}" in findings
