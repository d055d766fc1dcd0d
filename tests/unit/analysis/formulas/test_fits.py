"""A fit by formula is the fit of arrays to the last bit, and keeps its rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from schooltrial.analysis.formulas.fits import (
    fit_cluster_robust,
    fit_complier_effect,
    fit_multilevel,
    fit_randomisation_inference,
    fit_wild_bootstrap,
)
from schooltrial.analysis.formulas.panel_fits import (
    fit_difference_in_differences,
    fit_staggered_adoption,
)
from schooltrial.models.cluster_robust.fit import fit_least_squares_columns
from schooltrial.models.complier_effect.anderson_rubin import invert_anderson_rubin
from schooltrial.models.complier_effect.two_stage_least_squares import fit_instrument
from schooltrial.models.effect_size.cluster_level import cluster_effect_size
from schooltrial.models.effect_size.pupil_level import (
    cox_effect_size,
    hedges_effect_size,
    pooled_pupil_sd,
)
from schooltrial.models.inference.result import Result
from schooltrial.models.moments.school_moments import from_frame
from schooltrial.models.multilevel.three_level import fit_three_level
from schooltrial.models.multilevel.two_level import fit_two_level_frame, fit_two_level_moments
from schooltrial.models.panel.difference_in_differences import two_way_effects
from schooltrial.models.panel.staggered_adoption import (
    fit_staggered_adoption as fit_staggered_arrays,
)
from schooltrial.models.panel.treatment_terms import (
    cohort_event_indicators,
    event_indicators,
    programme_indicator,
)
from schooltrial.models.randomisation_inference.inference import randomisation_inference
from schooltrial.models.wild_bootstrap.bootstrap import wild_cluster_bootstrap


def pupils(seed: int = 5, schools: int = 20, each: int = 15) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    school = np.repeat(np.arange(schools), each)
    n = len(school)
    frame = pd.DataFrame({
        "school": school, "block": school // 4, "treated": school % 2, "x": rng.normal(size=n),
        "male": rng.integers(0, 2, n), "w": rng.uniform(0.5, 2, n),
    })  # fmt: skip
    frame["took"] = frame["treated"] * (rng.random(n) < 0.7)
    effects = rng.normal(0, 0.4, schools)[school] + 0.3 * frame["treated"]
    frame["maths"] = effects + 0.5 * frame["x"] + rng.normal(size=n)
    frame["passed"] = (frame["maths"] > 0).astype(int)
    return frame


DATA = pupils()


def same(one: Result, other: Result, **how: Any) -> None:
    """Every number of the rows, to the last bit."""
    mine, theirs = one.estimates(one.names, **how), other.estimates(other.names, **how)
    assert [row.term for row in mine] == [row.term for row in theirs]
    for a, b in zip(mine, theirs, strict=True):
        for name in ("estimate", "std_error", "df", "statistic", "p_value", "conf_low"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
        assert (a.n_individuals, a.n_schools, a.method) == (b.n_individuals, b.n_schools, b.method)


@pytest.mark.parametrize("weights", [None, "w"])
def test_a_multilevel_fit_by_formula_is_that_of_arrays(weights: str | None) -> None:
    ours = fit_multilevel("maths ~ treated + x + male", DATA, school="school", weights=weights)
    fixed = ["treated", "x", "male"]
    same(ours, fit_two_level_frame(DATA, outcome="maths", fixed=fixed, school="school",
                                   weights=weights))  # fmt: skip
    ml = fit_multilevel("maths ~ treated", DATA, school="school", reml=False)
    arrays = fit_two_level_frame(
        DATA, outcome="maths", fixed=["treated"], school="school", reml=False
    )
    same(ml, arrays)


def test_blocks_are_indicators_or_a_third_level() -> None:
    fixed = fit_multilevel("maths ~ treated + x", DATA, school="school", blocks="block")
    spelled = DATA.assign(**{f"block={b}": 1.0 * (DATA["block"] == b) for b in range(1, 5)})
    names = [*(f"block={b}" for b in range(1, 5)), "treated", "x"]
    same(fixed, fit_two_level_frame(spelled, outcome="maths", fixed=names, school="school"))
    third = fit_multilevel(
        "maths ~ treated + x", DATA, school="school", blocks="block", block_effects="random"
    )
    moments = from_frame(
        DATA, outcome="maths", fixed=["treated", "x"], school="school", group="block"
    )
    same(third, fit_three_level(moments, level="block"))
    with pytest.raises(ValueError, match="'fixed' or 'random'"):
        fit_multilevel("maths ~ treated", DATA, school="school", blocks="block",
                       block_effects="both")  # type: ignore[arg-type] # fmt: skip
    with pytest.raises(ValueError, match="give blocks by `blocks`"):
        fit_multilevel("maths ~ treated | block", DATA, school="school")


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("vcov", [None, "CR1", "CR2"])
def test_a_cluster_robust_fit_by_formula_is_that_of_arrays(
    weights: str | None, vcov: str | None
) -> None:
    ours = fit_cluster_robust(
        "maths ~ treated + x | block", DATA, cluster="school", vcov=vcov, weights=weights
    )
    theirs = fit_least_squares_columns(
        DATA["maths"], [DATA["treated"], DATA["x"]], names=["treated", "x"],
        cluster=DATA["school"], absorb=[DATA["block"]],
        weights=None if weights is None else DATA[weights],
    )  # fmt: skip
    df = "clusters-1" if vcov == "CR1" else None
    assert ours.estimates() == theirs.estimates(vcov=vcov, df=df)
    assert ours.estimates(vcov="CR2") == theirs.estimates(vcov="CR2")
    np.testing.assert_array_equal(ours.covariance(), theirs.covariance(vcov=vcov))


def test_without_clusters_errors_are_robust_to_heteroskedasticity() -> None:
    ours = fit_cluster_robust("maths ~ treated + x", DATA)
    ones = np.ones(len(DATA))
    theirs = fit_least_squares_columns(
        DATA["maths"], [ones, DATA["treated"], DATA["x"]], names=["(Intercept)", "treated", "x"]
    )
    same(ours, theirs)
    with pytest.raises(ValueError, match="there is no 'CR2' for a fit without clusters"):
        fit_cluster_robust("maths ~ treated", DATA, vcov="CR2")
    with pytest.raises(ValueError, match="fit it by fit_complier_effect"):
        fit_cluster_robust("maths ~ x | took ~ treated", DATA)


def test_an_effect_on_compliers_by_formula_is_that_of_arrays() -> None:
    ours = fit_complier_effect("maths ~ x | block | took ~ treated", DATA, cluster="school")
    theirs = fit_instrument(
        DATA["maths"], endogenous={"took": DATA["took"]}, instruments={"treated": DATA["treated"]},
        exogenous={"x": DATA["x"]}, cluster=DATA["school"], absorb=[DATA["block"]],
    )  # fmt: skip
    same(ours, theirs)
    assert ours.first_stage_test().row == theirs.first_stage_test().row
    assert ours.to_frame()["estimand"].item() == "CACE"
    plain = fit_complier_effect("maths ~ x | took ~ treated", DATA, cluster="school", vcov="CR1")
    found = invert_anderson_rubin(plain).row
    assert "CR1" in found.method
    assert found == invert_anderson_rubin(plain, vcov="CR1").row
    with pytest.raises(ValueError, match="has no instrument"):
        fit_complier_effect("maths ~ x | block", DATA)


def test_randomisation_inference_by_formula_is_that_of_arrays() -> None:
    ours = fit_randomisation_inference(
        "maths ~ treated + x | block", DATA, unit="school", draws=300, seed=3
    )
    theirs = randomisation_inference(
        DATA["maths"], DATA["treated"], DATA["school"], covariates=DATA[["x"]],
        block=DATA["block"], draws=300, seed=3,
    )  # fmt: skip
    same(ours, theirs)
    with pytest.raises(ValueError, match="must be 0 in some rows and 1 in the others"):
        fit_randomisation_inference("maths ~ x", DATA, unit="school")
    with pytest.raises(ValueError, match="one column of blocks"):
        fit_randomisation_inference("maths ~ treated | block + male", DATA, unit="school")


def test_a_wild_bootstrap_by_formula_is_that_of_arrays() -> None:
    formula = "maths ~ treated + x | block"
    ours = fit_wild_bootstrap(formula, DATA, cluster="school", draws=199, seed=3)
    theirs = wild_cluster_bootstrap(
        DATA["maths"], DATA[["treated", "x"]], DATA["school"], test="treated",
        absorb=DATA["block"], draws=199, seed=3, regressor_names=["treated", "x"],
    )  # fmt: skip
    same(ours, theirs)
    joint = fit_wild_bootstrap(
        formula, DATA, cluster="school", test=["treated", "x"], draws=199, seed=3
    )
    assert joint.restrictions == 2
    assert np.isnan(joint.coef()).all()
    with pytest.raises(ValueError, match="no coefficient 'z' to test"):
        fit_wild_bootstrap(formula, DATA, cluster="school", test="z")


def panel() -> pd.DataFrame:
    rng = np.random.default_rng(9)
    cells = pd.MultiIndex.from_product([range(12), range(2015, 2022)], names=["school", "year"])
    frame = cells.to_frame(index=False)
    frame["treated"] = frame["school"] % 2
    frame["cohort"] = np.array([2018, 2020, np.nan])[frame["school"] % 3]
    frame["mean"] = rng.normal(size=len(frame))
    frame["n_pupils"] = rng.integers(20, 60, len(frame))
    return frame


def test_panels_by_name_are_those_of_arrays() -> None:
    cells = panel()
    z, year = cells["treated"].to_numpy(float), cells["year"].to_numpy()
    common: dict[str, Any] = {"school": cells["school"].to_numpy(), "year": year,
                              "n_pupils": cells["n_pupils"].to_numpy(float)}  # fmt: skip
    columns, names = event_indicators(z, year, 2018)
    events = fit_difference_in_differences(cells, reference=2018, weights="n_pupils")
    same(events, two_way_effects(cells["mean"].to_numpy(), columns, names=names, **common))
    columns, names = programme_indicator(z, year, [2019, 2020])
    effect = fit_difference_in_differences(cells, active=[2019, 2020], weights="n_pupils")
    same(effect, two_way_effects(cells["mean"].to_numpy(), columns, names=names, **common))
    columns, names = cohort_event_indicators(cells["cohort"].to_numpy(), year, (-2, 1))
    own = fit_difference_in_differences(
        cells, cohort="cohort", events=True, window=(-2, 1), covariates=["n_pupils"],
        cluster="school",
    )  # fmt: skip
    by_hand = two_way_effects(
        cells["mean"].to_numpy(), columns, names=names, school=common["school"], year=year,
        cluster=common["school"], covariates={"n_pupils": common["n_pupils"]},
    )  # fmt: skip
    same(own, by_hand)
    ours = fit_staggered_adoption(cells, pupils="n_pupils")
    theirs = fit_staggered_arrays(
        cells["mean"].to_numpy(), cohort=cells["cohort"].to_numpy(), **common
    )
    same(ours, theirs)
    stacks: dict[str, Any] = {"method": "stacked", "event_window": (-1, 0)}
    same(
        fit_staggered_adoption(cells, **stacks, pupils="n_pupils"),
        fit_staggered_arrays(
            cells["mean"].to_numpy(), cohort=cells["cohort"].to_numpy(), **stacks, **common
        ),
    )
    with pytest.raises(ValueError, match="'imputation' has no use for `base_period`"):
        fit_staggered_adoption(cells, method="imputation", base_period="universal")
    with pytest.raises(ValueError, match="one of the three"):
        fit_difference_in_differences(cells)
    with pytest.raises(ValueError, match="`events` goes with `cohort`"):
        fit_difference_in_differences(cells, active=[2020], events=True)
    switching = cells.assign(treated=(cells["school"] % 2) * (year == 2019))
    with pytest.raises(ValueError, match=r"'treated' changes within school 1 .*1 in 2019, 0 in"):
        fit_difference_in_differences(switching, active=[2019])
    with pytest.raises(ValueError, match="no column 'meen'; did you mean 'mean'"):
        fit_staggered_adoption(cells, outcome="meen")
    with pytest.raises(ValueError, match="1 of 84 cells lack 'mean'"):
        fit_staggered_adoption(cells.assign(mean=cells["mean"].mask(cells.index == 3)))


def test_predictions_come_back_for_old_rows_and_new_ones() -> None:
    for fit in (
        fit_multilevel("maths ~ treated*male + x", DATA, school="school", blocks="block"),
        fit_cluster_robust("maths ~ treated*male + x + C(male) | block", DATA, cluster="school"),
        fit_complier_effect("maths ~ x | took ~ treated", DATA, cluster="school"),
    ):
        np.testing.assert_allclose(fit.fitted() + fit.residuals(), DATA["maths"], atol=1e-14)
        np.testing.assert_allclose(fit.predict(DATA.tail(40)), fit.fitted()[-40:], atol=1e-12)
    one = fit_cluster_robust("maths ~ treated + x | block + male", DATA, cluster="school")
    spelled = fit_cluster_robust("maths ~ treated + x + C(block) + C(male)", DATA, cluster="school")
    np.testing.assert_allclose(one.fitted(), spelled.fitted(), atol=1e-8)
    unseen = DATA.head(2).assign(block=[0, 99])
    assert np.isnan(one.predict(unseen)).tolist() == [False, True]


def test_a_multilevel_prediction_may_hold_the_effects_of_schools_and_blocks() -> None:
    fit = fit_multilevel(
        "maths ~ treated + x", DATA, school="school", blocks="block", block_effects="random"
    )
    schools, blocks = fit.random_effects("school"), fit.random_effects("block")
    by_school = dict(zip(schools.labels.tolist(), schools.effect[:, 0], strict=True))
    by_block = dict(zip(blocks.labels.tolist(), blocks.effect[:, 0], strict=True))
    expected = fit.fitted() + DATA["school"].map(by_school) + DATA["block"].map(by_block)
    np.testing.assert_allclose(fit.fitted(random_effects=True), expected, rtol=1e-12)
    elsewhere = DATA.head(1).assign(school=77, block=77)
    np.testing.assert_allclose(
        fit.predict(elsewhere, random_effects=True), fit.predict(elsewhere), rtol=1e-15
    )


def test_effect_sizes_are_in_standard_deviations_of_the_rows_that_were_analysed() -> None:
    fit = fit_multilevel("maths ~ treated + x", DATA, school="school")
    (row,) = fit.estimates("treated")
    sd = pooled_pupil_sd(DATA["maths"], DATA["treated"])
    assert fit.effect_size() == hedges_effect_size(row, sd)
    icc = fit.icc()[0].estimate
    assert fit.effect_size(level_of="cluster") == cluster_effect_size(row, sd, icc)
    ols = fit_cluster_robust("maths ~ treated", DATA, cluster="school")
    with pytest.raises(ValueError, match="give `icc`"):
        ols.effect_size(level_of="cluster")
    assert ols.effect_size(level_of="cluster", icc=0.2).effect_size > 0
    shares = fit_cluster_robust("passed ~ treated", DATA, cluster="school")
    share = float(DATA.loc[DATA["treated"] == 0, "passed"].mean())
    found = cox_effect_size(shares.estimates("treated")[0], share)
    assert shares.effect_size(kind="cox_index") == found
    table = shares.to_frame("treated")
    assert table["effect_size"].item() == found.effect_size
    assert (table["n_units"].item(), table["n_treated_units"].item()) == (20, 10)
    assert (table["n_schools"].item(), table["n_treated_schools"].item()) == (20, 10)
    other = DATA.rename(columns={"school": "class"})
    table = fit_cluster_robust("passed ~ treated", other, cluster="class").to_frame("treated")
    assert (table["n_units"].item(), table["n_treated_units"].item()) == (20, 10)
    assert table[["n_schools", "n_treated_schools"]].isna().all(axis=None)
    assert np.isnan(shares.to_frame("(Intercept)")["effect_size"].item())


def test_what_was_left_out_stands_in_the_notes_and_in_the_frame() -> None:
    gaps = DATA.assign(x=DATA["x"].mask(DATA.index < 4), again=2 * DATA["male"])
    fit = fit_multilevel("maths ~ treated + x + male + again", gaps, school="school")
    assert fit.notes == (
        "4 of 300 rows are left out for missing values: x 4",
        "left out, since other columns determine them: again",
    )
    assert "4 of 300 rows" in fit.to_frame("treated")["note"].item()
    assert "4 of 300 rows" in repr(fit)
    same(fit, fit_two_level_moments(
        from_frame(gaps[4:], outcome="maths", fixed=["treated", "x", "male"], school="school")
    ))  # fmt: skip


def test_a_treatment_that_the_blocks_determine_is_refused() -> None:
    with pytest.raises(ValueError, match="treated: determined by the blocks"):
        fit_multilevel("maths ~ treated", DATA.assign(block=DATA["treated"]), school="school",
                       blocks="block")  # fmt: skip
