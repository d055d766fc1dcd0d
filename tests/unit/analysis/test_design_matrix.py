"""The columns of a model: names, reference levels, interactions, and who is left out."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.analysis.design_matrix import build_design_matrix, with_block_effects
from schooltrial.analysis.fitting import notes_of
from schooltrial.protocol.content.sections import Model

Make = Callable[..., Model]


def test_a_plain_model_has_the_treatment_first_and_numbers_as_they_are(
    sample: pd.DataFrame, model: Make
) -> None:
    design = build_design_matrix(sample, model(covariates=["age", "girl"]), "score")
    assert list(design.columns) == ["treated", "age", "girl"]
    assert design.treatment_terms == ("treated",)
    np.testing.assert_array_equal(design.columns["age"], sample["age"])
    np.testing.assert_array_equal(design.regressors[:, 0], sample["treated"])
    assert design.regressors.shape == (len(sample), 3)


def test_a_category_has_an_indicator_for_every_level_but_the_first(
    sample: pd.DataFrame, model: Make
) -> None:
    design = build_design_matrix(sample, model(covariates=["sector"]), "score")
    assert list(design.columns) == ["treated", "sector=Religious", "sector=Secular"]
    np.testing.assert_array_equal(design.columns["sector=Secular"], sample["sector"] == "Secular")


def test_a_year_is_a_category_and_not_a_number(sample: pd.DataFrame, model: Make) -> None:
    design = build_design_matrix(sample, model(covariates=["year"]), "score")
    assert list(design.columns) == ["treated", "year=2020"]


def test_an_interaction_has_an_indicator_for_every_cell_but_the_first(
    sample: pd.DataFrame, model: Make
) -> None:
    design = build_design_matrix(sample, model(covariates=["sector:year"]), "score")
    cells = [f"sector={s}:year={y}" for s in ("Arab", "Religious", "Secular") for y in (2019, 2020)]
    assert list(design.columns) == ["treated", *cells[1:]]
    first = (sample["sector"] == "Arab") & (sample["year"] == 2019)
    inside = sum(design.columns[cell] for cell in cells[1:])
    np.testing.assert_array_equal(inside, 1 - first.astype(float))


def test_baseline_stands_for_three_columns_of_the_outcome(
    sample: pd.DataFrame, model: Make
) -> None:
    rng = np.random.default_rng(1)
    sample["score_before"] = rng.normal(size=len(sample))
    sample["score_before_missing"] = (rng.random(len(sample)) < 0.2).astype(float)
    sample["score_before_school"] = rng.normal(size=len(sample))
    design = build_design_matrix(sample, model(covariates=["baseline"]), "score")
    assert list(design.columns)[1:] == [
        "score_before", "score_before_missing", "score_before_school",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "held"),
    [
        ({"covariates": ["score_before"]}, True),
        ({"covariates": ["score_before", "score_before_missing"]}, False),
        ({"covariates": ["baseline"]}, False),
        ({"covariates": ["score_before"], "missing_covariates": "drop"}, False),
    ],
)
def test_a_score_from_before_that_enters_as_0_without_its_indicator_is_counted(
    sample: pd.DataFrame, model: Make, keys: Any, held: bool
) -> None:
    sample["score_before"] = sample["age"].where(sample.index >= 30, 0.0)
    sample["score_before_missing"] = (sample.index < 30).astype(float)
    sample["score_before_school"] = sample["age"]
    design = build_design_matrix(sample, model(**keys), "score")
    assert design.held_as_0 == ({"score_before": 30} if held else {})
    told = "score_before enters as 0 for 30 who have no such score, without its indicator"
    assert any(note.startswith(told) for note in notes_of(design)) == held


def test_an_effect_by_category_has_one_term_for_each_level(
    sample: pd.DataFrame, model: Make
) -> None:
    design = build_design_matrix(sample, model(effects_by="half"), "score")
    assert design.treatment_terms == ("treated[half=lower]", "treated[half=upper]")
    both = design.columns["treated[half=lower]"] + design.columns["treated[half=upper]"]
    np.testing.assert_array_equal(both, sample["treated"])


@pytest.mark.parametrize(
    ("by", "terms"),
    [
        ("girl", ("treated[girl=0]", "treated[girl=1]")),
        ("year", ("treated[year=2019]", "treated[year=2020]")),
    ],
)
def test_an_effect_may_be_split_by_a_number_too(
    sample: pd.DataFrame, model: Make, by: str, terms: tuple[str, ...]
) -> None:
    design = build_design_matrix(sample, model(effects_by=by), "score")
    assert design.treatment_terms == terms
    np.testing.assert_array_equal(sum(design.columns[t] for t in terms), sample["treated"])


def test_a_moderator_adds_an_interaction_for_each_level_but_the_first(
    sample: pd.DataFrame, model: Make
) -> None:
    design = build_design_matrix(sample, model(effects_by="half", moderator="sector"), "score")
    assert design.treatment_terms == (
        "treated[half=lower]",
        "treated[half=upper]",
        "treated[half=lower, sector=Religious]",
        "treated[half=upper, sector=Religious]",
        "treated[half=lower, sector=Secular]",
        "treated[half=upper, sector=Secular]",
    )
    cell = (sample["half"] == "upper") & (sample["sector"] == "Religious")
    np.testing.assert_array_equal(
        design.columns["treated[half=upper, sector=Religious]"], sample["treated"] * cell
    )


def test_a_moderator_alone_is_named_after_its_level(sample: pd.DataFrame, model: Make) -> None:
    design = build_design_matrix(sample, model(moderator="girl"), "score")
    assert design.treatment_terms == ("treated", "treated[girl=1]")
    np.testing.assert_array_equal(
        design.columns["treated[girl=1]"], sample["treated"] * sample["girl"]
    )


@pytest.mark.parametrize(
    ("keys", "split"),
    [
        ({"effects_by": "half"}, ["half"]),
        ({"effects_by": "grade", "covariates": ["grade", "age"]}, ["grade"]),
        ({"moderator": "sector", "covariates": ["half"]}, ["sector"]),
        ({"effects_by": "half", "moderator": "sector"}, ["half"]),
        ({"effects_by": "half", "moderator": "sector"}, ["sector"]),
        ({"effects_by": "half", "covariates": ["half"]}, ["half"]),
    ],
)
def test_what_sets_levels_apart_in_either_arm_moves_no_effect(
    sample: pd.DataFrame, model: Make, keys: Any, split: list[str]
) -> None:
    sample["grade"] = 3.0 + np.arange(len(sample)) % 3
    level = pd.factorize(sample[split].astype("str").agg(",".join, axis=1))[0]
    design = build_design_matrix(sample, model(blocks="none", **keys), "score")
    matrix = np.column_stack([np.ones(len(sample)), *design.columns.values()])
    scores = np.column_stack([sample["score"], sample["score"] + 10.0 * level**2])
    found = np.linalg.lstsq(matrix, scores, rcond=None)[0][1 : 1 + len(design.treatment_terms)]
    np.testing.assert_allclose(found[:, 0], found[:, 1], atol=1e-9)


def test_an_effect_by_category_is_the_difference_of_means_at_each_level(
    sample: pd.DataFrame, model: Make
) -> None:
    design = build_design_matrix(sample, model(effects_by="half", blocks="none"), "score")
    matrix = np.column_stack([np.ones(len(sample)), *design.columns.values()])
    found = np.linalg.lstsq(matrix, sample["score"].to_numpy(), rcond=None)[0]
    means = sample.groupby(["half", "treated"], observed=True)["score"].mean().unstack()
    np.testing.assert_allclose(found[1:3], means[1.0] - means[0.0])


def test_levels_that_a_fixed_effect_holds_constant_get_no_columns_of_their_own(
    sample: pd.DataFrame, model: Make
) -> None:
    sample["urban"] = (sample["block"] == "1").astype(float)
    within = build_design_matrix(sample, model(effects_by="urban"), "score")
    assert list(within.columns) == ["treated[urban=0]", "treated[urban=1]"]
    across = build_design_matrix(sample, model(effects_by="urban", blocks="none"), "score")
    assert list(across.columns) == ["treated[urban=0]", "treated[urban=1]", "urban=1"]


@pytest.mark.parametrize("covariates", [[], ["half"]])
def test_a_level_that_is_in_one_arm_alone_is_refused(
    sample: pd.DataFrame, model: Make, covariates: list[str]
) -> None:
    sample.loc[sample["treated"] == 0, "half"] = "lower"
    count = int((sample["half"] == "upper").sum())
    asked = model(effects_by="half", blocks="none", covariates=covariates)
    with pytest.raises(ValueError, match=f"all {count} rows at half=upper are in one group"):
        build_design_matrix(sample, asked, "score")


def test_treatment_acts_in_its_active_years_only(sample: pd.DataFrame, model: Make) -> None:
    design = build_design_matrix(sample, model(active_years=[2020]), "score")
    active = sample["treated"] * (sample["year"] == 2020).astype(float)
    np.testing.assert_array_equal(design.columns["treated"], active)


def test_treatment_that_is_never_active_is_refused(sample: pd.DataFrame, model: Make) -> None:
    wanted = model(active_years=[2020], where={"year": [2019]})
    with pytest.raises(ValueError, match="none of the pupils is treated in the active years 2020"):
        build_design_matrix(sample, wanted, "score")


def test_constant_covariates_are_dropped_and_treatment_terms_never(
    sample: pd.DataFrame, model: Make
) -> None:
    wanted = model(covariates=["girl", "age", "sector"], where={"girl": [1], "sector": ["Arab"]})
    assert list(build_design_matrix(sample, wanted, "score").columns) == ["treated", "age"]


def test_pupils_who_lack_something_are_left_out_and_counted(
    sample: pd.DataFrame, model: Make
) -> None:
    sample.loc[[0, 1, 2], "score"] = np.nan
    sample.loc[[2, 3], "age"] = np.nan
    sample.loc[[4], "half"] = None
    dropping = model(covariates=["age", "girl"], effects_by="half", missing_covariates="drop")
    design = build_design_matrix(sample, dropping, "score")
    assert len(design.rows) == len(design.outcome) == len(sample) - 5
    assert design.incomplete == {"score": 3, "age": 2, "half": 1}
    assert not np.isnan(design.regressors).any()


def test_what_is_missing_and_not_used_leaves_nobody_out(sample: pd.DataFrame, model: Make) -> None:
    sample.loc[[0, 1], "age"] = np.nan
    design = build_design_matrix(sample, model(covariates=["girl"]), "score")
    assert len(design.rows) == len(sample)
    assert design.incomplete == {}


def test_one_arm_alone_is_refused_with_its_name_and_numbers(
    sample: pd.DataFrame, model: Make
) -> None:
    sample.loc[sample["treated"] == 1, "score"] = np.nan
    told = r"outcome 'score': 120 of 240 pupils are complete, in the groups: control\. Both groups"
    with pytest.raises(ValueError, match=told):
        build_design_matrix(sample, model(), "score")


def test_a_variable_that_is_missing_for_all_is_named(sample: pd.DataFrame, model: Make) -> None:
    sample["before"] = np.nan
    told = r"0 of 240 pupils are complete.*; missing for all of them: before; check `where`"
    with pytest.raises(ValueError, match=told):
        build_design_matrix(
            sample, model(covariates=["before"], missing_covariates="drop"), "score"
        )
    with pytest.raises(ValueError, match="'before' is missing for all pupils of every group"):
        build_design_matrix(sample, model(covariates=["before"]), "score")


def test_who_lacks_a_number_is_kept_at_the_mean_with_an_indicator(
    sample: pd.DataFrame, model: Make
) -> None:
    sample.loc[[2, 3], "age"] = np.nan
    design = build_design_matrix(sample, model(covariates=["age", "girl"]), "score")
    assert list(design.columns) == ["treated", "age", "age=missing", "girl"]
    assert len(design.rows) == len(sample)
    assert (design.indicated, design.incomplete) == ({"age": 2}, {})
    known = sample["age"].dropna()
    np.testing.assert_allclose(design.columns["age"][[2, 3]], known.mean())
    np.testing.assert_array_equal(design.columns["age=missing"], sample["age"].isna())
    np.testing.assert_array_equal(np.delete(design.columns["age"], [2, 3]), known)


def test_who_lacks_a_category_is_at_none_of_its_levels(sample: pd.DataFrame, model: Make) -> None:
    sample.loc[[5], "sector"] = None
    design = build_design_matrix(sample, model(covariates=["sector"]), "score")
    names = ["sector=Religious", "sector=Secular", "sector=missing"]
    assert list(design.columns)[1:] == names
    assert [design.columns[name][5] for name in names] == [0, 0, 1]
    assert design.columns["sector=missing"].sum() == 1


def test_an_interaction_has_one_indicator_of_a_part_that_is_missing(
    sample: pd.DataFrame, model: Make
) -> None:
    sample.loc[[5], "sector"] = None
    sample.loc[[6], "half"] = None
    design = build_design_matrix(sample, model(covariates=["sector:half"]), "score")
    lacking = [name for name in design.columns if "missing" in name]
    assert len(lacking) == 1
    assert np.flatnonzero(design.columns[lacking[0]]).tolist() == [5, 6]
    assert design.indicated == {"sector": 1, "half": 1}


def test_what_splits_the_effect_has_no_indicator(sample: pd.DataFrame, model: Make) -> None:
    sample.loc[[5], "half"] = None
    sample.loc[[6], "sector"] = None
    wanted = model(effects_by="half", moderator="sector", covariates=["age"])
    design = build_design_matrix(sample, wanted, "score")
    assert len(design.rows) == len(sample) - 2
    assert design.incomplete == {"half": 1, "sector": 1}


def test_missing_covariates_are_refused_with_counts_where_the_model_says_so(
    sample: pd.DataFrame, model: Make
) -> None:
    sample.loc[[2, 3], "age"] = np.nan
    sample.loc[[3], ["score", "girl"]] = np.nan
    wanted = model(covariates=["age", "girl"], missing_covariates="refuse")
    with pytest.raises(ValueError, match="some of the 239 pupils that have it: age 1; the model"):
        build_design_matrix(sample, wanted, "score")
    sample.loc[[2], "age"] = 9.0
    assert len(build_design_matrix(sample, wanted, "score").rows) == 239


def test_a_covariate_that_one_arm_lacks_altogether_is_refused(
    sample: pd.DataFrame, model: Make
) -> None:
    sample.loc[sample["treated"] == 0, "age"] = np.nan
    with pytest.raises(ValueError, match="'age' is missing for all pupils of the group control"):
        build_design_matrix(sample, model(covariates=["age"]), "score")


def test_no_pupil_at_all_is_refused(sample: pd.DataFrame, model: Make) -> None:
    with pytest.raises(
        ValueError, match=r"0 of 0 pupils are complete, in the groups: none.*`years: \{to_come"
    ):
        build_design_matrix(sample, model(where={"year": [1999]}), "score")


def test_the_order_of_rows_decides_nothing_but_the_order_of_rows(
    sample: pd.DataFrame, model: Make
) -> None:
    wanted = model(covariates=["sector:year", "age"], effects_by="half")
    order = np.random.default_rng(2).permutation(len(sample))
    there = build_design_matrix(sample, wanted, "score")
    mixed = build_design_matrix(sample.iloc[order], wanted, "score")
    assert list(there.columns) == list(mixed.columns)
    np.testing.assert_array_equal(there.regressors[order], mixed.regressors)


def test_fixed_blocks_come_first_and_leave_out_the_first_block(
    sample: pd.DataFrame, model: Make
) -> None:
    design = build_design_matrix(sample, model(covariates=["age"]), "score")
    columns, dropped = with_block_effects(design, fixed=True)
    assert list(columns) == ["block=2", "block=3", "treated", "age"]
    np.testing.assert_array_equal(columns["block=3"], sample["block"] == "3")
    assert dropped == []
    assert list(with_block_effects(design, fixed=False)[0]) == ["treated", "age"]


def test_a_covariate_that_blocks_determine_is_left_out_and_named(
    sample: pd.DataFrame, model: Make
) -> None:
    sample["size"] = sample["block"].astype(float) ** 2
    design = build_design_matrix(sample, model(covariates=["size", "age"]), "score")
    columns, dropped = with_block_effects(design, fixed=True)
    assert dropped == ["size"]
    assert "size" not in columns
    assert with_block_effects(design, fixed=False)[1] == []


def test_treatment_that_blocks_determine_is_refused(sample: pd.DataFrame, model: Make) -> None:
    sample["block"] = sample["arm"]
    design = build_design_matrix(sample, model(), "score")
    with pytest.raises(ValueError, match="treated: determined by the blocks"):
        with_block_effects(design, fixed=True)


def _three_arms(sample: pd.DataFrame) -> pd.DataFrame:
    arm = np.array(["control", "coaching", "institute"])[np.arange(12) % 3]
    named = sample["school"].map({f"S{at}": arm[at] for at in range(12)})
    return sample.assign(arm=named, treated=(named != "control").astype(float))


def test_with_three_arms_each_but_control_has_a_term_of_its_own(
    sample: pd.DataFrame, model: Callable[..., Model]
) -> None:
    rows = _three_arms(sample)
    design = build_design_matrix(rows, model(), "score")
    assert design.treatment_terms == ("treated[arm=coaching]", "treated[arm=institute]")
    total = sum(design.columns[term] for term in design.treatment_terms)
    assert np.array_equal(total, design.rows["treated"])


def test_comparing_two_of_three_arms_leaves_the_third_out(
    sample: pd.DataFrame, model: Callable[..., Model]
) -> None:
    rows = _three_arms(sample)
    design = build_design_matrix(rows, model(arms=["control", "institute"]), "score")
    assert design.treatment_terms == ("treated",)
    assert set(design.rows["arm"]) == {"control", "institute"}


def test_the_cluster_is_the_unit_that_was_assigned(
    sample: pd.DataFrame, model: Callable[..., Model]
) -> None:
    rows = sample.assign(cluster=[f"teacher {at % 60}" for at in range(len(sample))])
    design = build_design_matrix(rows, model(), "score")
    assert set(design.cluster) == set(rows["cluster"])


def test_treatment_acts_from_the_year_of_ones_own_cohort_and_never_without_one(
    sample: pd.DataFrame, model: Make
) -> None:
    sample["cohort"] = np.where(sample["sector"] == "Arab", np.nan, 2020.0)
    design = build_design_matrix(sample, model(active_from="cohort"), "score")
    begun = (sample["sector"] != "Arab") & (sample["year"] == 2020)
    np.testing.assert_array_equal(design.columns["treated"], sample["treated"] * begun)
    assert len(design.rows) == len(sample), "who never begins is compared with"


def test_a_baseline_that_is_not_known_is_a_missing_covariate(
    sample: pd.DataFrame, model: Make
) -> None:
    unknown = np.arange(len(sample)) % 5 == 0
    before = np.where(unknown, 0.0, np.arange(len(sample)) % 7)
    rows = sample.assign(
        score_before=before, score_before_missing=unknown.astype(float),
        score_before_school=sample["school"].astype("category").cat.codes.astype(float),
    )  # fmt: skip
    keys: dict[str, Any] = {"covariates": ["baseline"]}
    kept = build_design_matrix(rows, model(**keys), "score")
    assert kept.indicated == {"score_before": int(unknown[rows["score"].notna()].sum())}
    left = build_design_matrix(rows, model(**keys, missing_covariates="drop"), "score")
    known = build_design_matrix(rows[~unknown], model(**keys), "score")
    assert list(left.columns) == list(known.columns)
    np.testing.assert_array_equal(left.regressors, known.regressors)
    with pytest.raises(ValueError, match="score_before"):
        build_design_matrix(rows, model(**keys, missing_covariates="refuse"), "score")


@pytest.mark.parametrize(("column", "rows"), [("teacher", "teachers"), (None, "schools")])
def test_a_refusal_calls_rows_what_they_are(
    sample: pd.DataFrame, model: Make, column: str | None, rows: str
) -> None:
    others = sample.drop(columns="pupil") if column is None else sample.rename(
        columns={"pupil": column}
    )  # fmt: skip
    with pytest.raises(ValueError, match=f"0 of 0 {rows} are complete"):
        build_design_matrix(others, model(where={"year": [1999]}), "score")
