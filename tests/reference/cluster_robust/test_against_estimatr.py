"""Regression, Lin's adjustment, differences in means and 2SLS against R's estimatr."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reference.gold import dataset, entry, names
from schooltrial.models.cluster_robust.fit import fit_least_squares_frame
from schooltrial.models.cluster_robust.result import LeastSquaresFit
from schooltrial.models.complier_effect.two_stage_least_squares import InstrumentFit, fit_instrument
from schooltrial.models.design_based.difference_in_means import fit_difference_in_means
from schooltrial.models.design_based.horvitz_thompson import fit_horvitz_thompson
from schooltrial.models.design_based.lin_regression import fit_lin
from schooltrial.models.inference.estimate import Estimate

REL = 1e-9
Agreement = Callable[..., None]
# estimatr counts every absorbed effect as a parameter.
RULE = "all"
COLUMNS = {
    "estimate": "estimate",
    "se": "std_error",
    "t": "statistic",
    "p": "p_value",
    "ci_low": "conf_low",
    "ci_high": "conf_high",
    "df": "df",
}
# estimatr's df for CR0 and stata errors is clusters − 1, for CR2 Satterthwaite's.
CLUSTERED = {"CR0": ("CR0", "clusters-1"), "stata": ("CR1S", "clusters-1")}
CLUSTERED["CR2"] = ("CR2", "satterthwaite")


def compare_rows(agreement: Agreement, name: str, rows: Sequence[Estimate]) -> None:
    ours = {row.term: row for row in rows}
    for column, own in COLUMNS.items():
        theirs = {
            term: values[column]
            for term, values in entry(name)["values"]["terms"].items()
            if values[column] is not None
        }
        found = [getattr(ours[term], own) for term in theirs]
        agreement(name, column, found, list(theirs.values()), rel=REL)


def compare_fit(agreement: Agreement, name: str, fit: LeastSquaresFit, kind: str, df: str) -> None:
    values = entry(name)["values"]
    terms = [term for term in values["terms"] if term in fit.names]
    assert terms == list(values["terms"])
    compare_rows(agreement, name, fit.estimates(terms, vcov=kind, df=df, parameters=RULE))
    agreement(
        name,
        "R² and adjusted R²",
        [fit.r_squared, fit.adjusted_r_squared],
        [values["r.squared"], values["adj.r.squared"]],
        rel=REL,
    )
    test = values.get("fstatistic") or values.get("proj_fstatistic")
    slopes = [term for term in fit.names if term != "(Intercept)"]
    joint = fit.joint_test(slopes, vcov=kind, test="naive-F", parameters=RULE)
    agreement(
        name,
        "F",
        [joint.statistic, joint.df_num, joint.df_denom],
        [test["value"], test["numdf"], test["dendf"]],
        rel=REL,
    )
    if fit.clustered:
        assert fit.n_clusters == values["nclusters"]


def compare_residual_variance(
    agreement: Agreement, name: str, fit: LeastSquaresFit, mean_weight: float = 1.0
) -> None:
    """Ours has weights of mean one, so that it is in units of the outcome; theirs, as given."""
    theirs = entry(name)["values"]["res_var"]
    agreement(name, "residual variance", fit.residual_variance * mean_weight, theirs, rel=REL)


def syn2() -> pd.DataFrame:
    frame = dataset("syn2_blocked")
    blocks = {f"block{b}": (frame["block"] == b) * 1.0 for b in range(2, 9)}
    return frame.assign(**blocks)


BLOCKS = [f"block{b}" for b in range(2, 9)]
TERMS = ["z", "pre", "fsm"]


@pytest.mark.parametrize("kind", ["classical", "HC0", "HC1", "HC2", "HC3"])
def test_regression_without_clusters(kind: str, agreement: Agreement) -> None:
    name, fit = f"estimatr.syn2.lm_robust.{kind}", fit_least_squares_frame(syn2(), "y", TERMS)
    compare_fit(agreement, name, fit, kind, "residual")
    compare_residual_variance(agreement, name, fit)


@pytest.mark.parametrize("se_type", CLUSTERED)
@pytest.mark.parametrize("model", ["cl", "cl_w", "cl_blockfe_absorbed", "cl_blockfe_dummies"])
def test_regression_with_clusters(model: str, se_type: str, agreement: Agreement) -> None:
    options: dict[str, dict[str, Any]] = {
        "cl_w": {"weights": "w"},
        "cl_blockfe_absorbed": {"absorb": "block"},
    }
    terms = [*TERMS, *(BLOCKS if model == "cl_blockfe_dummies" else [])]
    frame, name = syn2(), f"estimatr.syn2.lm_robust.{model}.{se_type}"
    fit = fit_least_squares_frame(frame, "y", terms, cluster="school", **options.get(model, {}))
    compare_fit(agreement, name, fit, *CLUSTERED[se_type])
    mean_weight = float(frame["w"].mean()) if model == "cl_w" else 1.0
    compare_residual_variance(agreement, name, fit, mean_weight)


def pairs(se_type: str) -> LeastSquaresFit:
    frame = dataset("syn_pairs")
    return fit_least_squares_frame(frame, "y", ["z", "pre"], cluster="school", absorb="pair")


def tiny(se_type: str) -> LeastSquaresFit:
    return fit_least_squares_frame(dataset("syn_tiny"), "y", ["z", "x"], cluster="school")


def panel(se_type: str) -> LeastSquaresFit:
    frame = dataset("syn_panel")
    return fit_least_squares_frame(
        frame, "y", ["treated"], cluster="school", absorb=["school", "year"]
    )


OTHER_CLUSTERED: dict[str, tuple[Callable[[str], LeastSquaresFit], str]] = {
    "estimatr.pairs.lm_robust_pairfe_CR2": (pairs, "CR2"),
    "estimatr.pairs.lm_robust_pairfe_stata": (pairs, "stata"),
    "estimatr.tiny.CR2": (tiny, "CR2"),
    "estimatr.panel.twfe_CR2": (panel, "stata"),  # its name is wrong: its call says stata
}


@pytest.mark.parametrize("name", OTHER_CLUSTERED)
def test_pairs_tiny_clusters_and_two_absorbed_effects(name: str, agreement: Agreement) -> None:
    build, se_type = OTHER_CLUSTERED[name]
    fit = build(se_type)
    compare_fit(agreement, name, fit, *CLUSTERED[se_type])
    compare_residual_variance(agreement, name, fit)


def pupil_blocked() -> pd.DataFrame:
    frame = dataset("syn_pupil_blocked")
    blocks = {f"b{b}": (frame["block"] == b) * 1.0 for b in sorted(frame["block"].unique())[1:]}
    weight = frame["z"] / frame["p"] + (1 - frame["z"]) / (1 - frame["p"])
    return frame.assign(**blocks, weight=weight)


PUPIL_BLOCKS = [f"b{b}" for b in range(2, 7)]
PUPILS: dict[str, tuple[list[str], dict[str, Any], str]] = {
    "estimatr.pupil_blocked.ipw": (["z"], {"weights": "weight"}, "HC2"),
    "estimatr.pupil_blocked.lm_blockfe_HC2": (["z", *PUPIL_BLOCKS], {}, "HC2"),
    "estimatr.pupil_blocked.lm_blockfe_HC3": (["z", *PUPIL_BLOCKS], {}, "HC3"),
    "estimatr.pupil_blocked.lm_blockfe_absorbed_HC2": (["z"], {"absorb": "block"}, "HC2"),
}


@pytest.mark.parametrize("name", PUPILS)
def test_pupils_assigned_within_blocks(name: str, agreement: Agreement) -> None:
    terms, options, kind = PUPILS[name]
    frame = pupil_blocked()
    fit = fit_least_squares_frame(frame, "y", terms, **options)
    compare_fit(agreement, name, fit, kind, "residual")
    mean_weight = float(frame["weight"].mean()) if "weights" in options else 1.0
    compare_residual_variance(agreement, name, fit, mean_weight)


LIN: dict[str, tuple[str, list[str], dict[str, str]]] = {
    "estimatr.syn2.lm_lin": ("syn2", ["pre", "fsm"], {}),
    "estimatr.syn2.lm_lin_cl": ("syn2", ["pre", "fsm"], {"cluster": "school"}),
    "estimatr.syn2.lm_lin_cl_block": ("syn2", ["pre", *BLOCKS], {"cluster": "school"}),
    "estimatr.syn2.lm_lin_w": ("syn2", ["pre", "fsm"], {"cluster": "school", "weights": "w"}),
    "estimatr.pupil_blocked.lm_lin_block": ("pupils", PUPIL_BLOCKS, {}),
    "estimatr.pupil_blocked.lm_lin_block_x": ("pupils", [*PUPIL_BLOCKS, "x"], {}),
}


@pytest.mark.parametrize("name", LIN)
def test_lins_adjustment(name: str, agreement: Agreement) -> None:
    source, covariates, options = LIN[name]
    frame = syn2() if source == "syn2" else pupil_blocked()
    fit = fit_lin(
        frame["y"],
        frame["z"],
        [frame[name] for name in covariates],
        names=covariates,
        **{key: frame[column] for key, column in options.items()},
    )
    kind, df = ("CR2", "satterthwaite") if fit.clustered else ("HC2", "residual")
    compare_fit(agreement, name, fit, kind, df)
    mean_weight = float(frame["w"].mean()) if "weights" in options else 1.0
    compare_residual_variance(agreement, name, fit, mean_weight)


def awards_2001() -> pd.DataFrame:
    return dataset("achievement_awards").query("year == 2001")


MEANS: dict[str, tuple[Callable[[], pd.DataFrame], dict[str, str]]] = {
    "estimatr.syn2.dim": (syn2, {}),
    "estimatr.syn2.dim_clustered": (syn2, {"clusters": "school"}),
    "estimatr.syn2.dim_block_clustered": (syn2, {"clusters": "school", "blocks": "block"}),
    "estimatr.syn2.dim_block_clustered_w": (
        syn2,
        {"clusters": "school", "blocks": "block", "weights": "w"},
    ),
    "estimatr.pairs.dim_matched_pair_clustered": (
        lambda: dataset("syn_pairs"),
        {"clusters": "school", "blocks": "pair"},
    ),
    "estimatr.pupil_pairs.dim": (lambda: dataset("syn_pupil_pairs"), {"blocks": "pair"}),
    "estimatr.pupil_blocked.dim": (pupil_blocked, {"blocks": "block"}),
    "estimatr.pupil_blocked.dim_noblock": (pupil_blocked, {}),
    "estimatr.tiny.dim_cl": (lambda: dataset("syn_tiny"), {"clusters": "school"}),
    "estimatr.awards.dim_pairs_cl": (awards_2001, {"clusters": "school_id", "blocks": "pair"}),
}


@pytest.mark.parametrize("name", MEANS)
def test_differences_in_means(name: str, agreement: Agreement) -> None:
    build, options = MEANS[name]
    frame, awards = build(), "awards" in name
    y, z = ("Bagrut_status", "treated") if awards else ("y", "z")
    result = fit_difference_in_means(
        frame[y], frame[z], term=z, **{key: frame[column] for key, column in options.items()}
    )
    compare_rows(agreement, name, result.estimates())
    values = entry(name)["values"]
    assert values.get("nblocks", 0) == result.n_blocks
    if awards:
        # estimatr reports two schools per block; pair 7 of the awards has three.
        assert (result.n_units, values["nclusters"]) == (39, 38)
    elif values.get("nclusters"):
        assert result.n_units == values["nclusters"]


def test_horvitz_thompson_with_schools_assigned_independently(agreement: Agreement) -> None:
    frame = syn2()
    result = fit_horvitz_thompson(frame["y"], frame["z"], probability=0.5, clusters=frame["school"])
    compare_rows(agreement, "estimatr.syn2.ht_clustered", result.estimates())


def test_horvitz_thompson_with_fixed_numbers_treated_in_blocks(agreement: Agreement) -> None:
    frame = pupil_blocked()
    result = fit_horvitz_thompson(frame["y"], frame["z"], blocks=frame["block"])
    compare_rows(agreement, "estimatr.pupil_blocked.ht", result.estimates())


def two_stage(**columns: str) -> InstrumentFit:
    frame = syn2()
    exogenous = {} if "absorb" in columns else {"(Intercept)": np.ones(len(frame))}
    return fit_instrument(
        frame["y"],
        endogenous={"take": frame["take"]},
        instruments={"z": frame["z"]},
        exogenous={**exogenous, "pre": frame["pre"]},
        **{key: frame[column] for key, column in columns.items()},
    )


def compare_diagnostics(agreement: Agreement, name: str, fit: InstrumentFit, kind: str) -> None:
    diagnostics = entry(name)["values"]["diagnostics"]
    first = fit.first_stage_test(vcov=kind, test="naive-F")
    endogeneity = fit.endogeneity_test(vcov=kind, test="naive-F")
    for label, ours, numerator in (
        ("first_stage_F", first, "nomdf"),
        ("endogeneity", endogeneity, "numdf"),
    ):
        theirs = diagnostics[label]
        agreement(
            name,
            label,
            [ours.statistic, ours.df_num, ours.df_denom, ours.p_value],
            [theirs[key] for key in ("value", numerator, "dendf", "p.value")],
            rel=REL,
        )


@pytest.mark.parametrize("se_type", CLUSTERED)
def test_two_stage_least_squares_with_clusters(se_type: str, agreement: Agreement) -> None:
    kind, df = CLUSTERED[se_type]
    name, fit = f"estimatr.syn2.iv_robust.cl.{se_type}", two_stage(cluster="school")
    compare_fit(agreement, name, fit.second_stage, kind, df)
    compare_diagnostics(agreement, name, fit, kind)
    absorbed = two_stage(cluster="school", absorb="block").second_stage
    compare_fit(agreement, f"estimatr.syn2.iv_robust.cl_blockfe.{se_type}", absorbed, kind, df)


@pytest.mark.parametrize("kind", ["HC0", "HC1", "HC2", "HC3"])
def test_two_stage_least_squares_without_clusters(kind: str, agreement: Agreement) -> None:
    name, fit = f"estimatr.syn2.iv_robust.{kind}", two_stage()
    compare_fit(agreement, name, fit.second_stage, kind, "residual")
    compare_residual_variance(agreement, name, fit.second_stage)
    compare_diagnostics(agreement, name, fit, kind)


def test_weighted_two_stage_least_squares(agreement: Agreement) -> None:
    fit = two_stage(cluster="school", weights="w").second_stage
    name = "estimatr.syn2.iv_robust.w_CR2"
    compare_fit(agreement, name, fit, "CR2", "satterthwaite")
    compare_residual_variance(agreement, name, fit, float(syn2()["w"].mean()))


def test_every_stored_entry_is_compared() -> None:
    compared = {*OTHER_CLUSTERED, *PUPILS, *LIN, *MEANS}
    compared |= {f"estimatr.syn2.lm_robust.{k}" for k in ("classical", "HC0", "HC1", "HC2", "HC3")}
    models = ("cl", "cl_w", "cl_blockfe_absorbed", "cl_blockfe_dummies")
    compared |= {f"estimatr.syn2.lm_robust.{m}.{s}" for m in models for s in CLUSTERED}
    compared |= {
        f"estimatr.syn2.iv_robust.{m}.{s}" for m in ("cl", "cl_blockfe") for s in CLUSTERED
    }
    compared |= {f"estimatr.syn2.iv_robust.{k}" for k in ("HC0", "HC1", "HC2", "HC3", "w_CR2")}
    compared |= {"estimatr.syn2.ht_clustered", "estimatr.pupil_blocked.ht"}
    assert compared == set(names("estimatr."))
    assert all(entry(name)["tolerance_hint"] == "rel 1e-9" for name in compared)
