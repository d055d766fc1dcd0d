"""Standardised mean differences against R's metafor, and the formulas for clusters."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import pytest

from reference.gold import dataset, entry
from schooltrial.models.effect_size.cluster_level import (
    cluster_g_std_error,
    cluster_scale,
    corrected_t,
)
from schooltrial.models.effect_size.pupil_level import (
    exact_small_sample_correction,
    glass_delta,
    hedges_g,
    hedges_g_variance,
    pooled_sd,
    small_sample_correction,
    unequal_variance_g,
)

if TYPE_CHECKING:
    from reference.conftest import Agreement

SMD = "es.smd"
CLUSTER = "es.hedges_cluster"


def test_standardised_mean_differences_equal_escalc(agreement: Agreement) -> None:
    ours: dict[str, list[float]] = {}

    def keep(**found: float) -> None:
        for name, value in found.items():
            ours.setdefault(name, []).append(value)

    for trial in dataset("meta_trials").itertuples():
        n = trial.n1 + trial.n2
        difference = trial.m1 - trial.m2
        sd = pooled_sd(trial.sd1, trial.n1, trial.sd2, trial.n2)
        exact = exact_small_sample_correction(n - 2)
        g = exact * difference / sd
        smdh, smdh_v = unequal_variance_g(difference, trial.sd1, trial.n1, trial.sd2, trial.n2)
        keep(
            g=g,
            v_LS=hedges_g_variance(g, trial.n1, trial.n2),
            v_UB=hedges_g_variance(g, trial.n1, trial.n2, unbiased=True),
            cohen_d=difference / sd,
            J_exact=exact,
            J_approx_1_minus_3_over_4df_minus_1=small_sample_correction(n),
            g_approxJ=hedges_g(difference, sd, n),
            smdh=smdh,
            smdh_v=smdh_v,
            glass_delta=glass_delta(difference, trial.sd2),
            md=difference,
            md_v=trial.sd1**2 / trial.n1 + trial.sd2**2 / trial.n2,
        )
    theirs = entry(SMD)["values"]
    assert set(ours) == set(theirs) - {"trial"}
    for name, values in ours.items():
        agreement(SMD, name, values, theirs[name], rel=1e-10)


@pytest.mark.parametrize("case", range(5))
def test_effect_sizes_of_clusters_equal_hedges_2007(case: int, agreement: Agreement) -> None:
    given = dataset("hedges_cluster_inputs").iloc[case]
    theirs = entry(CLUSTER)["values"]["cases"][case]
    n_t, n_c, icc = float(given.nT), float(given.nC), float(given.icc)
    n = n_t + n_c
    n_bar = n / (given.mT_clusters + given.mC_clusters)
    difference = given.mT - given.mC
    sd = pooled_sd(given.sdT, n_t, given.sdC, n_c)
    d = difference / sd
    g = hedges_g(difference, sd, n)
    scale = cluster_scale(n, n_bar, icc)
    d_t = d * sqrt(scale.gamma)
    # Hedges's second term is γ·d_T²/(2h), the What Works Clearinghouse's d_T²/(2h).
    v_d_t = cluster_g_std_error(d_t * sqrt(scale.gamma), scale, n_treated=n_t, n_control=n_c) ** 2
    j_h = 1 - 3 / (4 * scale.df - 1)
    naive = d / sqrt(1 / n_t + 1 / n_c)
    ours = {
        "N": n,
        "n_bar": n_bar,
        "s_pooled": sd,
        "cohen_d": d,
        "hedges_g_unclustered": g,
        # Here the uncorrected d stands in the second term.
        "v_unclustered": hedges_g_variance(d, n_t, n_c),
        "cluster_factor": sqrt(scale.gamma),
        "d_T": d_t,
        "v_d_T": v_d_t,
        "se_d_T": sqrt(v_d_t),
        "df_h": scale.df,
        "J_h": j_h,
        "g_T": j_h * d_t,
        "v_g_T": j_h**2 * v_d_t,
        "deff": scale.design_effect,
        "t_uncorrected": naive,
        "t_cluster_corrected_Hedges2007b": corrected_t(naive, n, scale)[0],
    }
    assert set(ours) == set(theirs) - {"case"}
    for name, value in ours.items():
        agreement(CLUSTER, name, value, theirs[name], rel=1e-12)
