"""By which baseline measures equivalence is judged: of those analysed, and never a bystander."""

from __future__ import annotations

from math import isnan, sqrt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.checks.balance.equivalence import (
    equivalence_table,
    rated_year,
    with_baseline_measures,
)
from schooltrial.checks.rating.inputs import baseline_differences
from support.sections import completed, planned_model, planned_outcome

LABELS = {"maths": "Maths", "pretest": "Pre-test"}


def _content(model: Any = None, **outcomes: Any) -> Any:
    keys: dict[str, Any] = {"estimator": "cluster_robust", "role": "primary", **(model or {})}
    keys.setdefault("outcomes", ["maths"])
    keys.setdefault("where", {"year": [2020]})
    declared = outcomes or {"maths": {"primary": True}}
    return completed({
        "study": {"name": "s", "title": "S", "seed": 1},
        "design": {
            "kind": "complete",
            "arms": [{"name": n, "label": n.title()} for n in ("control", "a", "b")],
        },
        "years": {"baseline": [2019], "programme": [2020]},
        "tables": {},
        "outcomes": {
            name: planned_outcome(**{"label": name, "family": "tests", **part})
            for name, part in declared.items()
        },
        "balance": {"pupil_variables": ["girl"]},
        "models": {"itt": planned_model(label="ITT", **keys)},
    })  # fmt: skip


SCORES = {"control": [1.0, 2, 3, 4], "a": [3.0, 4, 5, 6], "b": [2.0, 2, 2, 2]}
"""Of 2019, four pupils a group in two schools; means 2.5, 4.5 and 2."""


def _pupils() -> pd.DataFrame:
    rows = [
        (f"{arm}{at}", f"{arm}{at // 2}", arm, float(arm != "control"), year,
         before if year == 2019 else 7.0 + at, at % 2, before + 1 if year == 2020 else np.nan)
        for arm, scores in SCORES.items()
        for at, before in enumerate(scores)
        for year in (2019, 2020)
    ]  # fmt: skip
    names = ["pupil", "school", "arm", "treated", "year", "maths", "girl", "pretest"]
    frame = pd.DataFrame(rows, columns=names)
    return frame.assign(cluster=frame["school"], block="all")


def _table(content: Any, pupils: pd.DataFrame | None = None, **samples: Any) -> pd.DataFrame:
    given = {"pupil": _pupils() if pupils is None else pupils, **samples}
    return equivalence_table(content, given, LABELS, ["rate"])


def test_the_outcomes_own_baseline_of_those_analysed_is_compared_arm_by_arm() -> None:
    table = _table(_content()).set_index(["level", "arm"])
    row = table.loc["pupil", "a"]
    pooled = sqrt((5 / 3 + 5 / 3) / 2)
    assert (row["variable"], row["basis"], row["sample"]) == ("maths", "own", "analysed")
    assert (row["n_control"], row["n_treated"], row["missing"]) == (4, 4, 0)
    assert row["standardised_difference"] == pytest.approx(2 / pooled)
    assert row["wwc_effect_size"] == pytest.approx(2 / pooled * (1 - 3 / (4 * 8 - 9)))
    assert table.loc["pupil", "b"]["difference"] == -0.5
    schools = table.loc["school", "a"]
    assert schools["standardised_difference"] == pytest.approx(2 / sqrt(2))


def test_a_pupil_who_is_not_analysed_is_not_in_the_comparison() -> None:
    pupils = _pupils()
    pupils.loc[(pupils["pupil"] == "a3") & (pupils["year"] == 2020), "maths"] = np.nan
    row = _table(_content(), pupils).iloc[0]
    assert (row["n_treated"], row["mean_treated"]) == (3, 4.0)
    kept = _content({"where": {"year": [2020], "girl": [1]}})
    assert _table(kept).iloc[0]["n_control"] == 2


def test_an_arm_that_the_model_does_not_compare_has_no_row() -> None:
    assert set(_table(_content({"arms": ["control", "b"]}))["arm"]) == {"b"}


def test_who_came_later_lacks_the_baseline_and_is_counted() -> None:
    pupils = _pupils()
    row = _table(
        _content(), pupils[(pupils["pupil"] != "a0") | (pupils["year"] == 2020)]
    ).iloc[0]  # fmt: skip
    assert (row["n_treated"], row["missing_treated"], row["missing"]) == (3, 1, 1)


def test_a_baseline_that_the_sample_holds_as_0_is_missing() -> None:
    pupils = _pupils()
    now = pupils[pupils["year"] == 2020].assign(
        maths_before=[1.0, 2, 3, 0, *[2.0] * 8], maths_before_missing=[0.0] * 3 + [1.0] + [0.0] * 8
    )
    row = _table(_content(), now).iloc[0]
    assert (row["n_control"], row["missing_control"], row["mean_control"]) == (3, 1, 2.0)


def test_a_score_from_before_counts_though_the_pupil_was_outside_the_sample_then() -> None:
    """Classes were randomised, and a0 and a1 came from one that was not: their scores are known."""
    pupils = _pupils()
    before = pupils["pupil"].map(pupils[pupils["year"] == 2019].set_index("pupil")["maths"])
    pupils = pupils.assign(maths_before=before, maths_before_missing=0.0)
    pupils.loc[pupils["pupil"] == "a1", ["maths_before", "maths_before_missing"]] = [0.0, 1.0]
    inside = pupils[~pupils["pupil"].isin(["a0", "a1"]) | (pupils["year"] == 2020)]
    own = _content(maths={"primary": True, "baseline_year": 2019})
    row = _table(own, inside).iloc[0]
    assert (row["n_treated"], row["missing_treated"], row["mean_treated"]) == (3, 1, 14 / 3)
    other_year = _content(maths={"primary": True})
    assert _table(other_year, inside).iloc[0]["n_treated"] == 2


def test_without_a_baseline_nothing_is_compared_though_gender_is_listed() -> None:
    pupils = _pupils()
    assert _table(_content(), pupils[pupils["year"] == 2020]).empty


def test_in_a_study_without_a_year_before_the_outcome_is_not_its_own_baseline() -> None:
    content = _content()
    content["years"]["baseline"] = []
    pupils = _pupils()
    assert _table(content, pupils[pupils["year"] == 2020]).empty


def test_an_outcome_without_a_baseline_is_judged_by_those_of_its_family() -> None:
    pupils = _pupils()
    pupils["ela"] = pupils["maths"].where(pupils["year"] == 2020)
    pupils["days"] = pupils["maths"]
    outcomes: dict[str, Any] = {
        "ela": {"primary": True}, "maths": {}, "days": {"family": "attendance"},
    }  # fmt: skip
    table = _table(_content({"outcomes": ["ela"]}, **outcomes), pupils)
    assert set(table["variable"]) == {"maths"}
    assert set(table["basis"]) == {"domain"}
    outcomes["ela"] = {"primary": True, "family": "reading"}
    assert _table(_content({"outcomes": ["ela"]}, **outcomes), pupils).empty


def test_a_pre_test_in_a_column_of_the_year_itself_can_be_named() -> None:
    named = {"maths": {"primary": True, "baseline_measures": ["pretest"]}}
    content = _content(**named)
    content["years"]["baseline"] = []
    pupils = _pupils()
    table = _table(content, pupils[pupils["year"] == 2020])
    assert set(table["variable"]) == {"pretest"}
    assert set(table["basis"]) == {"named"}
    assert table.iloc[0]["mean_treated"] == 5.5
    found = with_baseline_measures(content, ["rate"])
    assert found["pupil_variables"] == ["girl", "pretest"]
    model: Any = {**content["models"]["itt"], "covariates": ["pretest"]}
    (adjusted, _) = baseline_differences("maths", model, content, table)
    assert adjusted.adjusted


def test_only_the_measures_that_are_named_count_each_at_its_level() -> None:
    named = {"maths": {"primary": True, "baseline_measures": ["maths", "rate"]}}
    pupils = _pupils()
    pupils["rate"] = pupils["school"].str[-1].astype("float64")
    table = _table(_content(**named), pupils)
    assert [*zip(table["variable"], table["level"], table["basis"], strict=True)][::2] == [
        ("maths", "pupil", "own"), ("rate", "school", "named"),
    ]  # fmt: skip
    assert with_baseline_measures(_content(**named), ["rate"])["school_variables"] == ["rate"]


def test_a_measure_that_is_named_does_not_hide_the_outcomes_own_baseline() -> None:
    content = _content(maths={"primary": True, "baseline_measures": ["girl"]})
    table = _table(content)
    found = baseline_differences("maths", content["models"]["itt"], content, table)
    assert {(one.variable, one.basis) for one in found} == {("girl", "named"), ("maths", "own")}
    largest = max(abs(one.size) for one in found if one.arm == "a")
    assert largest == pytest.approx(2 / sqrt(5 / 3) * (1 - 3 / (4 * 8 - 9)))


def test_the_mean_of_a_school_is_called_by_the_name_of_its_outcome() -> None:
    pupils = _pupils()
    mean = pupils[pupils["year"] == 2019].groupby("school")["maths"].mean()
    pupils = pupils.assign(maths_before_school=pupils["school"].map(mean))
    rows = _table(_content(), pupils).set_index("level")
    assert set(rows.loc["school", "variable"]) == {"maths_before_school"}
    assert set(rows["label"]) == {"Maths"}


def test_a_pre_test_that_is_named_and_is_the_own_baseline_counts_once() -> None:
    content = _content(maths={"primary": True, "baseline_measures": ["pretest"]})
    pupils = _pupils()
    then = pupils[pupils["year"] == 2019].set_index("pupil")["maths"]
    table = _table(content, pupils.assign(pretest=pupils["pupil"].map(then)))
    assert set(table["variable"]) == {"pretest"}


def test_a_measure_that_is_named_stands_for_an_own_baseline_known_of_too_few() -> None:
    content = _content(maths={"primary": True, "baseline_measures": ["pretest"]})
    pupils = _pupils()
    pupils.loc[(pupils["year"] == 2019) & ~pupils["pupil"].str.endswith("0"), "maths"] = np.nan
    table = _table(content, pupils)
    assert "maths" in set(table["variable"])
    found = baseline_differences("maths", content["models"]["itt"], content, table)
    assert {one.variable for one in found} == {"pretest"}


def test_an_outcome_is_added_to_the_balance_table_only_in_its_own_baseline_year() -> None:
    for year, shown in ((None, ["girl", "ela"]), (2020, ["girl"])):
        named: dict[str, Any] = {
            "maths": {"primary": True, "baseline_measures": ["ela_before"]},
            "ela": {"baseline_year": 2019},
        }  # fmt: skip
        content = _content(**named)
        content["balance"]["baseline_year"] = year
        assert with_baseline_measures(content, [])["pupil_variables"] == shown


def test_a_named_measure_that_nobody_has_is_not_dropped_but_not_known() -> None:
    named = {"maths": {"primary": True, "baseline_measures": ["maths", "pretest"]}}
    table = _table(_content(**named), _pupils().assign(pretest=np.nan))
    row = table[table["variable"] == "pretest"].iloc[0]
    assert isnan(row["wwc_effect_size"])
    assert row["note"] == "not known: no pupil of either group has a value"


def test_outcomes_of_schools_are_compared_over_the_schools_that_are_analysed() -> None:
    outcomes = {"maths": {"primary": True, "measured_on": "school"}}
    schools = _pupils().assign(school=lambda rows: rows["pupil"], maths_n_pupils=1.0)
    schools.loc[(schools["school"] == "a3") & (schools["year"] == 2020), "maths"] = np.nan
    table = _table(_content(**outcomes), pupils=pd.DataFrame(), school=schools)
    row = table[table["arm"] == "a"].iloc[0]
    assert (row["level"], row["n_treated"], row["mean_treated"]) == ("school", 3, 4.0)


def test_a_gain_is_judged_by_the_score_that_it_starts_from() -> None:
    outcomes: dict[str, Any] = {
        "gain": {"primary": True, "gain_from": {"outcome": "maths", "year": 2019}}, "maths": {},
    }  # fmt: skip
    content = _content({"outcomes": ["gain"]}, **outcomes)
    pupils = _pupils().assign(gain=1.0)
    row = _table(content, pupils).iloc[0]
    assert (row["basis"], row["mean_treated"]) == ("own", 4.5)
    first = baseline_differences("gain", content["models"]["itt"], content, _table(content, pupils))
    assert first[0].adjusted


def test_an_arm_with_one_value_of_its_own_is_infinitely_apart_and_said_to_be() -> None:
    pupils = _pupils()
    pupils.loc[pupils["year"] == 2019, "maths"] = pupils["treated"]
    row = _table(_content(), pupils).iloc[0]
    assert row["wwc_effect_size"] == np.inf
    assert row["note"] == "infinite: each group has one value, and they differ"
    assert row["wwc_band"] == "not satisfied"


def test_a_year_of_which_there_are_no_data_yet_is_not_the_one_that_is_rated() -> None:
    content = _content({"where": {"year": [2020, 2021]}})
    content["years"] |= {"programme": [2020, 2021]}
    assert rated_year(content["models"]["itt"], content) == 2021
    content["years"] |= {"to_come": [2021]}
    assert rated_year(content["models"]["itt"], content) == 2020
    assert len(_table(content))
