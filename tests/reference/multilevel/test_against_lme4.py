"""Multilevel models against lme4, lmerTest and pbkrtest: entries ``lmm.*``.

Profile intervals of coefficients (``confint_profile`` of lmm.syn2.z_pre) are not computed here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from reference.gold import dataset, entry, names
from schooltrial.models.moments.school_moments import SchoolMoments, from_frame
from schooltrial.models.multilevel.random_slope import random_pupil_slope, random_treatment
from schooltrial.models.multilevel.result import MultilevelFit
from schooltrial.models.multilevel.three_level import fit_three_level
from schooltrial.models.multilevel.two_level import fit_two_level_moments

Agreement = Callable[..., None]

TIGHT = 1e-6  # fixef, se, varcomp, Kenward-Roger
CRITERION = 1e-8  # absolute
SATTERTHWAITE = 1e-5  # R differentiates numerically


class Model(NamedTuple):
    """How one entry is fitted here."""

    fixed: tuple[str, ...]
    fit: Callable[[SchoolMoments], MultilevelFit] = fit_two_level_moments
    outcome: str = "y"
    group: str | None = None
    factor: str | None = None
    weights: str | None = None
    school: str = "school"


def _random_slope(correlated: bool) -> Callable[[SchoolMoments], MultilevelFit]:
    return lambda moments: random_pupil_slope(moments, "prec", correlated=correlated)


def _random_treatment(correlated: bool) -> Callable[[SchoolMoments], MultilevelFit]:
    return lambda moments: random_treatment(moments, "z", level="district", correlated=correlated)


def _nested(level: str) -> Callable[[SchoolMoments], MultilevelFit]:
    return lambda moments: fit_three_level(moments, level=level)


PUPIL = ("siblings", "immigrant", "father_ed", "mother_ed")
MODELS = {
    "lmm.syn2.null": Model(()),
    "lmm.syn2.z": Model(("z",)),
    "lmm.syn2.z_pre": Model(("z", "pre")),
    "lmm.syn2.z_pre_block": Model(("z", "pre", "fsm", "female", "xs"), factor="block"),
    "lmm.syn2.z_by_fsm": Model(("z", "fsm", "pre", "z:fsm"), factor="block"),
    "lmm.syn2.random_slope": Model(("z", "prec"), _random_slope(True)),
    "lmm.syn2.random_slope_uncorr": Model(("z", "prec"), _random_slope(False)),
    "lmm.syn2.block_random_treat": Model(("z", "prec"), _nested("block"), group="block"),
    "lmm.syn2.weights": Model(("z", "pre"), weights="w"),
    "lmm.syn2.ML": Model(("z", "pre"), lambda moments: fit_two_level_moments(moments, reml=False)),
    "lmm.syn2.y2": Model(("z", "pre"), outcome="y2"),
    "lmm.syn2.y3": Model(("z", "pre"), outcome="y3"),
    "lmm.syn3.null": Model((), _nested("district"), group="district"),
    "lmm.syn3.z_pre": Model(("z", "pre"), _nested("district"), group="district"),
    "lmm.syn3.random_treatment": Model(("z", "pre"), _random_treatment(True), group="district"),
    "lmm.syn3.random_treatment_uncorr": Model(
        ("z", "pre"), _random_treatment(False), group="district"
    ),
    "lmm.tiny.z": Model(("z",)),
    "lmm.tiny.z_x": Model(("z", "x")),
    "lmm.singular.z": Model(("z", "x")),
    "lmm.singular.null": Model(()),
    "lmm.pairs.fixed_pair": Model(("z", "pre"), factor="pair"),
    "lmm.pairs.random_pair": Model(("z", "pre"), _nested("pair"), group="pair"),
    "lmm.awards.girls2001": Model(("treated", *PUPIL), outcome="Bagrut_status", school="school_id"),
    "lmm.awards.girls2001_pair": Model(
        ("treated",), _nested("pair"), outcome="Bagrut_status", school="school_id", group="pair"
    ),
}
SINGULAR = ("lmm.singular.z", "lmm.singular.null", "lmm.awards.girls2001_pair",
            "lmm.syn3.random_treatment")  # fmt: skip
INNER = tuple(name for name in MODELS if name not in SINGULAR)


def _frame(name: str) -> pd.DataFrame:
    frame = dataset(entry(name)["dataset"])
    if name.startswith("lmm.awards"):
        frame = frame[(frame["sex"] == "Girl") & (frame["year"] == 2001)]
    model = MODELS[name]
    return frame.dropna(subset=[c for c in (model.outcome, *model.fixed) if c in frame])


@cache
def fitted(name: str) -> MultilevelFit:
    """Return our fit of an entry, coefficients in R's order."""
    model = MODELS[name]
    columns = dict(_frame(name).items())
    if "prec" in model.fixed:
        columns["prec"] = columns["pre"] - 100
    if "z:fsm" in model.fixed:
        columns["z:fsm"] = columns["z"] * columns["fsm"]
    if model.factor is not None:
        for level in sorted(set(columns[model.factor]))[1:]:
            columns[f"{model.factor}{level}"] = (columns[model.factor] == level).astype(float)
    order = [c for c in entry(name)["values"]["fixef"] if c != "(Intercept)"]
    moments = from_frame(
        columns, outcome=model.outcome, fixed=order, school=model.school,
        weights=model.weights, group=model.group, by_school="prec" in model.fixed,
    )  # fmt: skip
    return model.fit(moments)


def of(name: str) -> dict[str, Any]:
    values: dict[str, Any] = entry(name)["values"]
    return values


def numbers(values: dict[str, Any]) -> list[float]:
    return list(values.values())


def column(table: dict[str, Any], name: str) -> list[float]:
    return [row[name] for row in table.values()]


def with_(quantity: str, entries: tuple[str, ...] = tuple(MODELS)) -> list[str]:
    return [name for name in entries if quantity in of(name)]


def test_every_stored_multilevel_model_is_fitted_here() -> None:
    assert sorted(MODELS) == sorted(names("lmm."))


@pytest.mark.parametrize("name", MODELS)
def test_coefficients_and_their_covariance_agree(name: str, agreement: Agreement) -> None:
    fit, values = fitted(name), of(name)
    assert fit.converged
    assert fit.names == tuple(values["fixef"])
    assert fit.moments.n_rows == values["n"]
    agreement(name, "coefficients", fit.coefficients, numbers(values["fixef"]), rel=TIGHT)
    error = np.sqrt(np.diagonal(fit.covariance(vcov="model")))
    agreement(name, "standard errors", error, numbers(values["se"]), rel=TIGHT)
    scale = np.outer(error, error)
    agreement(
        name, "covariance over SE²", fit.covariance(vcov="model") / scale,
        values["vcov_fixed"]["m"] / scale, abs=TIGHT,
    )  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_the_criterion_agrees_constants_included(name: str, agreement: Agreement) -> None:
    fit, values = fitted(name), of(name)
    agreement(name, "criterion", fit.criterion, values["criterion"], abs=CRITERION)
    assert fit.singular == values["singular"]


@pytest.mark.parametrize("name", [n for n in MODELS if "random_slope" not in n])
def test_the_criterion_agrees_at_a_fixed_parameter(name: str, agreement: Agreement) -> None:
    theta = np.atleast_1d(of(name)["theta"])
    fit = fitted(name)
    if name == "lmm.syn3.random_treatment":
        # school, then the Cholesky factor of (intercept, slope)
        own, a, b, c = theta
        ratio = np.array([own**2, a * a, a * b, b * b + c * c])
    elif name == "lmm.syn3.random_treatment_uncorr":
        ratio = theta[[0, 2, 1]] ** 2  # R has the slope, of as many districts, before the intercept
    else:
        ratio = theta**2
    agreement(name, "criterion at R's theta", fit.deviance(ratio), of(name)["criterion"],
              abs=CRITERION)  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_variance_components_agree(name: str, agreement: Agreement) -> None:
    ours = {
        (c.level, c.first or None, c.second): c.estimate for c in fitted(name).variance_components
    }
    for row in of(name)["varcomp"]:
        level = row["group"].split(".")[0].split(":")[0]
        level = {"Residual": "residual", "school_id": "school"}.get(level, level)
        key = (level, row["var1"], row["var2"])
        got = ours.pop(key)
        quantity = " ".join(str(part) for part in key if part)
        agreement(name, f"variance {quantity}", got, row["variance_or_cov"], rel=TIGHT, abs=1e-12)
    assert not ours


@pytest.mark.parametrize("name", with_("satterthwaite", INNER))
def test_satterthwaite_degrees_and_p_values_agree(name: str, agreement: Agreement) -> None:
    rows, values = fitted(name).estimates(df="satterthwaite"), of(name)["satterthwaite"]
    agreement(name, "Satterthwaite df", [r.df for r in rows], column(values, "df"),
              rel=SATTERTHWAITE)  # fmt: skip
    agreement(name, "t", [r.statistic for r in rows], column(values, "t"), rel=TIGHT)
    agreement(name, "Satterthwaite p", [r.p_value for r in rows], column(values, "p"), rel=TIGHT)


@pytest.mark.parametrize("name", with_("satterthwaite", SINGULAR))
def test_a_singular_fit_keeps_school_level_degrees_where_lmertest_loses_them(name: str) -> None:
    # On purpose not lmerTest's: at a variance of zero it differentiates in the standard deviation,
    # which loses the component and can give a treatment of schools n − p df (237 for 20 schools).
    # Ours differentiate in the variance with its expected information, as Kenward and Roger do,
    # and a contrast of school-level regressors never has more than J − (school-level rank).
    fit, theirs = fitted(name), of(name)
    ours = fit.estimates(df="satterthwaite")
    limit = fit.moments.n_schools - fit.centred.school_rank
    assert ours
    for row, kenward_roger in zip(ours, theirs["kenward_roger"].values(), strict=True):
        school_level = fit.moments.school_level[fit.names.index(row.term)]
        wanted = min(kenward_roger["df"], limit) if school_level else kenward_roger["df"]
        assert row.df == pytest.approx(wanted, rel=TIGHT)
        assert row.std_error == pytest.approx(theirs["se"][row.term], rel=TIGHT)
        assert row.note.startswith("singular")
    treatment = ours[min(1, len(ours) - 1)].df
    assert treatment < 0.7 * next(
        v["df"] for k, v in theirs["satterthwaite"].items() if k == ours[min(1, len(ours) - 1)].term
    )


@pytest.mark.parametrize("name", with_("kenward_roger"))
def test_kenward_roger_errors_degrees_and_p_values_agree(name: str, agreement: Agreement) -> None:
    fit, values = fitted(name), of(name)["kenward_roger"]
    rows = fit.estimates(df="kenward-roger")
    agreement(name, "Kenward-Roger SE", [r.std_error for r in rows], column(values, "se"),
              rel=TIGHT)  # fmt: skip
    agreement(name, "Kenward-Roger df", [r.df for r in rows], column(values, "df"), rel=TIGHT)
    agreement(name, "Kenward-Roger p", [r.p_value for r in rows], column(values, "p"), rel=TIGHT)
    error = np.sqrt(np.diagonal(fit.covariance()))
    scale = np.outer(error, error)
    agreement(
        name, "adjusted covariance over SE²", fit.covariance() / scale,
        of(name)["kr_vcov_adj"]["m"] / scale, abs=TIGHT,
    )  # fmt: skip


@pytest.mark.parametrize("name", with_("kr_modcomp"))
def test_kenward_roger_f_tests_agree_scaling_included(name: str, agreement: Agreement) -> None:
    fit = fitted(name)
    assert of(name)["kr_modcomp"]
    for term, values in of(name)["kr_modcomp"].items():
        contrast = np.eye(len(fit.names))[[fit.names.index(term)]]
        test, row = fit.scaled_f(contrast), fit.test(contrast)
        assert test.df_num == values["ndf"]
        agreement(name, f"F of {term}", test.statistic, values["F"], rel=TIGHT)
        agreement(name, f"ddf of {term}", test.df_denom, values["ddf"], rel=TIGHT)
        agreement(name, f"scaling of {term}", test.scaling, values["F_scaling"], rel=TIGHT)
        agreement(name, f"p of F of {term}", row.p_value, values["p"], rel=TIGHT)


@pytest.mark.parametrize("name", with_("anova_type3"))
@pytest.mark.parametrize("method", ["Satterthwaite", "Kenward-Roger"])
def test_f_tests_of_all_terms_blocks_jointly_agree(
    name: str, method: str, agreement: Agreement
) -> None:
    fit = fitted(name)
    rel = SATTERTHWAITE if method == "Satterthwaite" else TIGHT
    assert of(name)["anova_type3"][method]
    for term, values in of(name)["anova_type3"][method].items():
        at = [k for k, n in enumerate(fit.names) if n == term or n.rstrip("0123456789") == term]
        contrasts = np.eye(len(fit.names))[at]
        df = "satterthwaite" if method == "Satterthwaite" else "kenward-roger"
        row = fit.test(contrasts, df=df)
        assert len(at) == values["numdf"]
        agreement(name, f"{method} F of {term}", row.statistic, values["F"], rel=rel)
        agreement(name, f"{method} F ddf of {term}", row.df, values["dendf"], rel=rel)
        agreement(name, f"{method} F p of {term}", row.p_value, values["p"], rel=rel)


@pytest.mark.parametrize(
    ("name", "level"),
    [("lmm.syn2.z", "school"), ("lmm.syn2.z_pre", "school"),
     ("lmm.syn3.z_pre", "school"), ("lmm.syn3.z_pre", "district")],
)  # fmt: skip
def test_predicted_effects_and_their_conditional_variances_agree(
    name: str, level: str, agreement: Agreement
) -> None:
    effects, values = fitted(name).random_effects(level), of(name)["ranef"][level]
    labels = [str(label) for label in effects.labels]
    at = [labels.index(label) for label in values["level"]]
    agreement(name, f"{level} effects", effects.effect[at], values["blup"], rel=TIGHT, abs=1e-9)
    agreement(
        name, f"{level} conditional variances", effects.conditional_variance[at, 0, 0],
        values["cond_var_diag"][0], rel=TIGHT,
    )  # fmt: skip


@pytest.mark.parametrize("name", with_("ranef"))
def test_no_stored_prediction_is_left_out(name: str) -> None:
    levels = {"lmm.syn2.z": {"school"}, "lmm.syn2.z_pre": {"school"}}
    assert set(of(name)["ranef"]) == levels.get(name, {"school", "district"})
