"""Cluster-robust variances against clubSandwich, type by type, and the published table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import nan
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reference.gold import dataset, entry, names
from schooltrial.models.cluster_robust.fit import fit_least_squares
from support.crve_models import FITS, MODERATION, POLISHED_RATIO, at_variance_ratio, awards, ols

# clubSandwich's name of a test, and ours. Its HTA, HTB, EDF, EDT and saddlepoint p-values are
# rivals of the AHT test that this package does not offer.
JOINT = {"chi-sq": "chi-squared", "Naive-F": "naive-F", "Naive-Fp": "naive-Fp", "HTZ": "AHT"}
# lm counts every dummy as a parameter; plm none of the effects that it absorbs.
RULE = {"crve.panel.twfe_dummies": "all"}
# clubSandwich's CR3 of these plm fits takes H_jj from the centred columns alone, without the
# effects that cross or hold clusters; ours is the full projection, as with dummies. See below.
OWN_CR3 = ("crve.syn2.block_absorbed_plm", "crve.panel.twfe", "crve.panel.twfe_district")
# CR3 is undefined where a column rests on one cluster (trap 3 of the stored values).
NO_CR3 = (
    "crve.syn2.school_fe_dummies",
    "crve.pairs.ols_pairfe_cluster_pair",
    "crve.awards.ate_dummies",
    # One treated religious school has girls of the upper half: R inverts a singular matrix here,
    # and stores what rounding made of it.
    "crve.awards.moderation_absorbed",
    "crve.panel.twfe_dummies",
)


def tolerance(kind: str, name: str) -> float:
    assert entry(name)["tolerance_hint"] == "rel 1e-8 (CR3 1e-7)"
    return 1e-7 if kind == "CR3" else 1e-8


def number(value: Any) -> float:
    return nan if value is None else float(value)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def kinds_to_compare(name: str) -> list[str]:
    kinds = [key for key in entry(name)["values"] if key.startswith("CR")]
    return [kind for kind in kinds if kind != "CR3" or name not in (*OWN_CR3, *NO_CR3)]


def test_every_stored_entry_is_compared() -> None:
    assert sorted(FITS) == sorted(names("crve."))


@pytest.mark.parametrize("name", FITS)
def test_coefficients_errors_and_degrees_of_freedom_are_those_of_clubsandwich(
    name: str, agreement: Callable[..., None]
) -> None:
    fit, values, rule = FITS[name](), entry(name)["values"], RULE.get(name, "slopes")
    terms = list(values["coef"])
    agreement(
        name,
        "coefficients",
        [fit.coefficients[fit.position(term)] for term in terms],
        list(values["coef"].values()),
        rel=1e-8,
    )
    assert kinds_to_compare(name)
    for kind in kinds_to_compare(name):
        rel, theirs = tolerance(kind, name), values[kind]
        known = [term for term in terms if term in theirs and theirs[term]["se"] is not None]
        if kind == "CR1p" and not known:  # R took the root of J/(J − p) < 0
            assert np.isnan(fit.covariance(vcov=kind, parameters=rule)).all()
            continue
        rows = {row.term: row for row in fit.estimates(known, vcov=kind, parameters=rule)}
        for quantity, own in (
            ("se", "std_error"),
            ("satt_df", "df"),
            ("t", "statistic"),
            ("satt_p", "p_value"),
        ):
            agreement(
                name,
                f"{kind} {quantity}",
                [getattr(rows[term], own) for term in known],
                [number(theirs[term][quantity]) for term in known],
                rel=rel,
            )
        agreement(
            name,
            f"{kind} interval",
            [[rows[term].conf_low, rows[term].conf_high] for term in known],
            [theirs[term]["ci95_satt"] for term in known],
            rel=rel,
        )
        naive = fit.estimates(known, vcov=kind, df="clusters-1", parameters=rule)
        agreement(
            name,
            f"{kind} naive p",
            [row.p_value for row in naive],
            [theirs[term]["naive_t_p"] for term in known],
            rel=rel,
        )
        assert {row.df for row in naive} == {theirs[term]["naive_df"] for term in known}


@pytest.mark.parametrize("name", FITS)
def test_covariances_of_coefficients_are_those_of_clubsandwich(
    name: str, agreement: Callable[..., None]
) -> None:
    fit, values, rule = FITS[name](), entry(name)["values"], RULE.get(name, "slopes")
    for kind in kinds_to_compare(name):
        if ".vcov" not in values[kind]:
            continue
        stored = values[kind][".vcov"]
        terms = listed(stored["rows"])
        theirs = np.array(stored["m"], dtype=float).reshape(len(terms), len(terms))
        if not (np.diag(theirs) > 0).all():
            continue  # CR1p with fewer clusters than coefficients, tested above
        where = [fit.position(term) for term in terms]
        ours = fit.covariance(vcov=kind, parameters=rule)[np.ix_(where, where)]
        # Divided by the standard errors: a covariance near zero has no relative digits.
        scale = np.sqrt(np.outer(np.diag(theirs), np.diag(theirs)))
        agreement(
            name, f"{kind} covariance", ours / scale, theirs / scale, abs=tolerance(kind, name)
        )


def has_joint_tests(name: str) -> bool:
    return any(
        ".wald" in values for kind, values in entry(name)["values"].items() if kind.startswith("CR")
    )


@pytest.mark.parametrize("name", [name for name in FITS if has_joint_tests(name)])
def test_joint_tests_are_those_of_clubsandwich(name: str, agreement: Callable[..., None]) -> None:
    fit, values, rule = FITS[name](), entry(name)["values"], RULE.get(name, "slopes")
    for kind in kinds_to_compare(name):
        for label, stored in values[kind].get(".wald", {}).items():
            for theirs, ours in JOINT.items():
                if theirs not in stored or number(stored[theirs].get("Fstat")) is nan:
                    continue  # R's own computation failed (CR1p with NaN)
                result = fit.joint_test(
                    listed(stored["coefs"]), vcov=kind, test=ours, parameters=rule
                )
                wanted = stored[theirs]
                found = [result.statistic, result.delta, result.p_value]
                agreement(
                    name,
                    f"{kind} {label} {ours}",
                    [*found, result.df_num],
                    [*(number(wanted[key]) for key in ("Fstat", "delta", "p", "df_num"))],
                    rel=tolerance(kind, name),
                )
                if wanted["df_denom"] is not None:
                    agreement(
                        name,
                        f"{kind} {label} {ours} df",
                        result.df_denom,
                        wanted["df_denom"],
                        rel=tolerance(kind, name),
                    )


def test_cr3_with_absorbed_blocks_is_that_of_block_dummies_in_r(
    agreement: Callable[..., None],
) -> None:
    """Where plm's CR3 forgets the absorbed blocks, lm's with dummies does not: nor do we."""
    fit = FITS["crve.syn2.block_absorbed_plm"]()
    with_dummies = entry("crve.syn2.ols_block")["values"]["CR3"]
    rows = fit.estimates(vcov="CR3")
    for quantity, own in (("se", "std_error"), ("satt_df", "df")):
        agreement(
            "crve.syn2.ols_block",
            f"CR3 {quantity}, blocks absorbed",
            [getattr(row, own) for row in rows],
            [with_dummies[row.term][quantity] for row in rows],
            rel=1e-7,
        )


def test_generalised_least_squares_has_lmes_coefficients_at_its_optimum(
    agreement: Callable[..., None],
) -> None:
    fit = at_variance_ratio(POLISHED_RATIO)
    fixed = entry("lmm.syn2.z_pre")["values"]["fixef"]
    ours = [fit.coefficients[fit.position(term)] for term in fixed]
    agreement("lmm.syn2.z_pre", "fixef by GLS", ours, list(fixed.values()), rel=1e-9)


def centred(frame: pd.DataFrame, column: str, factors: Sequence[str]) -> np.ndarray:
    values = frame[column].to_numpy(dtype=float)
    for _ in range(50):
        for factor in factors:
            values = values - pd.Series(values).groupby(frame[factor].to_numpy()).transform("mean")
    return np.asarray(values)


@pytest.mark.parametrize(
    ("name", "frame_name", "outcome", "terms", "factors", "cluster"),
    [
        ("crve.panel.twfe", "syn_panel", "y", ["treated"], ["school", "year"], "school"),
        ("crve.panel.twfe_district", "syn_panel", "y", ["treated"], ["school", "year"], "district"),
        (
            "crve.syn2.block_absorbed_plm",
            "syn2_blocked",
            "y",
            ["z", "pre", "fsm", "female"],
            ["block"],
            "school",
        ),
    ],
)
def test_plms_cr3_is_ours_of_columns_that_were_centred_beforehand(
    name: str,
    frame_name: str,
    outcome: str,
    terms: list[str],
    factors: list[str],
    cluster: str,
    agreement: Callable[..., None],
) -> None:
    """The convention we do not follow: H_jj of the centred columns, as if they were the data."""
    frame = dataset(frame_name).reset_index(drop=True)
    x = np.column_stack([centred(frame, term, factors) for term in terms])
    y = centred(frame, outcome, factors)
    fit = fit_least_squares(y, x, names=terms, cluster=frame[cluster])
    stored = entry(name)["values"]["CR3"]
    rows = fit.estimates(vcov="CR3")
    agreement(
        name,
        "CR3 se of centred columns",
        [row.std_error for row in rows],
        [stored[row.term]["se"] for row in rows],
        rel=1e-7,
    )
    own = FITS[name]().estimates(terms[:1], vcov="CR3")[0].std_error
    assert abs(own / stored[terms[0]]["se"] - 1) > 1e-3


@pytest.mark.parametrize("name", NO_CR3)
def test_cr3_refuses_columns_that_rest_on_a_single_cluster(name: str) -> None:
    if name == "crve.panel.twfe_dummies":
        frame = dataset("syn_panel").query("school <= 20")
        schools = {f"school {s}": (frame["school"] == s) * 1.0 for s in frame["school"].unique()}
        fit = ols(frame.assign(**schools), "y", ["treated", *schools], intercept=False)
    else:
        fit = FITS[name]()
    with pytest.raises(ValueError, match="CR3 is undefined: without cluster"):
        fit.covariance(vcov="CR3")


# data/achievement_awards/README.md: Pustejovsky & Tipton (2018), table 1.
PUBLISHED = [
    ("ATE upper half", (), ["h2"], "CR1", "naive-F", "5.746", "34.00", ".02217"),
    ("ATE upper half", (), ["h2"], "CR2", "AHT", "5.169", "18.13", ".03539"),
    ("ATE joint", (), ["h1", "h2"], "CR1", "naive-F", "3.848", "34.00", ".03116"),
    ("ATE joint", (), ["h1", "h2"], "CR2", "AHT", "3.389", "16.97", ".05775"),
    ("moderation upper half", MODERATION, MODERATION[1::2], "CR1", "naive-F", "3.186", "34.00",
     ".05393"),
    ("moderation upper half", MODERATION, MODERATION[1::2], "CR2", "AHT", "1.665", "7.84",
     ".24959"),
    ("moderation joint", MODERATION, MODERATION, "CR1", "naive-F", "8.213", "34.00", ".00010"),
    ("moderation joint", MODERATION, MODERATION, "CR2", "AHT", "3.091", "3.69", ".16057"),
]  # fmt: skip


@pytest.mark.parametrize(("label", "more", "terms", "kind", "test", "F", "df", "p"), PUBLISHED)
def test_the_published_table_is_reproduced_to_every_printed_digit(
    label: str,
    more: Sequence[str],
    terms: Sequence[str],
    kind: str,
    test: str,
    F: str,
    df: str,
    p: str,
) -> None:
    fit = awards(*more)
    assert (fit.n_rows, fit.n_clusters) == (5921, 35)
    result = fit.joint_test(list(terms), vcov=kind, test=test)
    printed = (f"{result.statistic:.3f}", f"{result.df_denom:.2f}", f"{result.p_value:.5f}"[1:])
    assert printed == (F, df, p), label


def test_the_published_coefficients_are_reproduced() -> None:
    fit = awards()
    lower, upper = fit.estimates(["h1", "h2"], vcov="CR2")
    assert f"{lower.estimate:.4f} {lower.std_error:.4f}" == "-0.0104 0.0398"
    assert f"{upper.estimate:.4f} {upper.std_error:.4f}" == "0.1101 0.0484"
    assert f"{fit.estimates(['h2'], vcov='CR1')[0].std_error:.4f}" == "0.0459"
