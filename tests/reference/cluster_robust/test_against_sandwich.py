"""Heteroskedasticity- and cluster-robust errors against R's sandwich."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reference.gold import dataset, entry, names
from schooltrial.models.cluster_robust.fit import fit_least_squares_frame
from schooltrial.models.cluster_robust.multiway import TwoWayFit, fit_clusterings, fit_two_way
from schooltrial.models.cluster_robust.result import LeastSquaresFit

REL = 1e-9
Agreement = Callable[..., None]
SYN2: dict[str, dict[str, Any]] = {
    "sandwich.syn2.ols": {},
    "sandwich.syn2.wls": {"weights": "w"},
    "sandwich.syn2.blockfe": {},
}


def syn2(name: str, **kw: Any) -> LeastSquaresFit:
    frame = dataset("syn2_blocked")
    terms = ["z", "pre", "fsm"]
    if name.endswith("blockfe"):
        blocks = {f"block{b}": (frame["block"] == b) * 1.0 for b in range(2, 9)}
        frame, terms = frame.assign(**blocks), [*terms, *blocks]
    return fit_least_squares_frame(frame, "y", terms, **SYN2[name], **kw)


def stored(name: str, kind: str) -> dict[str, float]:
    values = entry(name)["values"]["se"][kind]
    return {term: value for term, value in values.items() if term != ".call"}


def compare(
    agreement: Agreement, name: str, kind: str, fit: LeastSquaresFit, covariance: np.ndarray
) -> None:
    theirs = stored(name, kind)
    ours = [np.sqrt(covariance[fit.position(term), fit.position(term)]) for term in theirs]
    agreement(name, f"se {kind}", ours, list(theirs.values()), rel=REL)


def test_every_stored_entry_is_compared() -> None:
    assert sorted([*SYN2, "sandwich.panel.pooled"]) == sorted(names("sandwich."))
    assert all(entry(name)["tolerance_hint"] == "rel 1e-9" for name in names("sandwich."))


@pytest.mark.parametrize("name", SYN2)
@pytest.mark.parametrize("kind", ["HC0", "HC1", "HC2", "HC3", "HC4", "HC4m", "HC5"])
def test_errors_without_clusters_are_those_of_vcovhc(
    name: str, kind: str, agreement: Agreement
) -> None:
    fit = syn2(name)
    compare(agreement, name, kind, fit, fit.covariance(vcov=kind))


@pytest.mark.parametrize("name", ["sandwich.syn2.ols", "sandwich.syn2.blockfe"])
def test_classical_errors_are_those_of_vcovhc(name: str, agreement: Agreement) -> None:
    fit = syn2(name)
    compare(agreement, name, "const", fit, fit.covariance(vcov="classical"))


def test_weighted_classical_errors_are_not_vcovhcs_but_reproduce_them(
    agreement: Agreement,
) -> None:
    """vcovHC(type="const") takes w·e for the residual of a weighted fit, and X'X for its meat.

    That is neither lm's own covariance nor an estimate under weights that mean something; ours is
    lm's, s²(X'WX)⁻¹. The stored digits follow from their formula all the same.
    """
    name, frame, fit = "sandwich.syn2.wls", dataset("syn2_blocked"), syn2("sandwich.syn2.wls")
    X = np.column_stack([np.ones(len(frame)), frame[["z", "pre", "fsm"]]])
    w, y = frame["w"].to_numpy(), frame["y"].to_numpy()
    bread = np.linalg.inv(X.T @ (w[:, None] * X))
    working = w * (y - X @ fit.coefficients)
    theirs = bread @ X.T @ X @ bread * (working @ working) / (len(y) - 4)
    compare(agreement, name, "const", fit, theirs)
    lm = np.sum(w * (y - X @ fit.coefficients) ** 2) / (len(y) - 4) * bread
    np.testing.assert_allclose(fit.covariance(vcov="classical"), lm, rtol=1e-9)


@pytest.mark.parametrize("name", SYN2)
@pytest.mark.parametrize("adjusted", [True, False])
@pytest.mark.parametrize("kind", ["HC0", "HC1"])
def test_clustered_hc0_and_hc1_are_cr0_with_their_factors(
    name: str, kind: str, adjusted: bool, agreement: Agreement
) -> None:
    fit = syn2(name, cluster="school")
    J, N, k = fit.n_clusters, fit.n_rows, fit.counts.all
    factor = (J / (J - 1) if adjusted else 1.0) * ((N - 1) / (N - k) if kind == "HC1" else 1.0)
    label = f"CL_{kind}_{'cadj' if adjusted else 'nocadj'}"
    compare(agreement, name, label, fit, factor * fit.covariance(vcov="CR0"))
    if adjusted:
        own = {"HC0": "CR1", "HC1": "CR1S"}[kind]
        compare(agreement, name, label, fit, fit.covariance(vcov=own))


@pytest.mark.parametrize("name", ["sandwich.syn2.ols", "sandwich.syn2.blockfe"])
@pytest.mark.parametrize("kind", ["HC2", "HC3"])
def test_clustered_hc2_and_hc3_are_cr2_and_cr3(name: str, kind: str, agreement: Agreement) -> None:
    """With cadjust sandwich's is CR2 (CR3); without, it is multiplied by (J − 1)/J."""
    fit = syn2(name, cluster="school")
    V, J = fit.covariance(vcov={"HC2": "CR2", "HC3": "CR3"}[kind]), fit.n_clusters
    compare(agreement, name, f"CL_{kind}_cadj", fit, V)
    compare(agreement, name, f"CL_{kind}_nocadj", fit, V * (J - 1) / J)


@pytest.mark.parametrize(("kind", "power"), [("HC2", -0.5), ("HC3", -1.0)])
def test_weighted_hc2_and_hc3_of_clusters_are_not_sandwichs_but_reproduce_them(
    kind: str, power: float, agreement: Agreement
) -> None:
    """Under weights sandwich adjusts w·e, X'(I − H)^power We: the weights are then counted twice.

    Ours is clubSandwich's and estimatr's, X'W(I − H)^power e, unbiased when errors have equal
    variance. The stored digits follow from sandwich's formula.
    """
    name, frame = "sandwich.syn2.wls", dataset("syn2_blocked")
    fit = syn2(name, cluster="school")
    X = np.column_stack([np.ones(len(frame)), frame[["z", "pre", "fsm"]]])
    w = frame["w"].to_numpy()
    M, e = np.linalg.inv(X.T @ (w[:, None] * X)), frame["y"].to_numpy() - X @ fit.coefficients
    meat = np.zeros_like(M)
    for school in frame["school"].unique():
        rows = (frame["school"] == school).to_numpy()
        values, vectors = np.linalg.eig(np.eye(rows.sum()) - (X[rows] @ M @ X[rows].T) * w[rows])
        adjuster = (vectors * values**power) @ np.linalg.inv(vectors)
        score = X[rows].T @ (adjuster.real @ (w * e)[rows])
        meat += np.outer(score, score)
    compare(agreement, name, f"CL_{kind}_cadj", fit, M @ meat @ M)
    J = fit.n_clusters
    compare(agreement, name, f"CL_{kind}_nocadj", fit, M @ meat @ M * (J - 1) / J)
    own = fit.covariance(vcov={"HC2": "CR2", "HC3": "CR3"}[kind])
    assert abs(own[1, 1] / (M @ meat @ M)[1, 1] - 1) > 1e-3


def panel_columns() -> tuple[pd.DataFrame, list[Any], list[str]]:
    frame = dataset("syn_panel")
    years = {f"year{year}": (frame["year"] == year) * 1.0 for year in range(2017, 2024)}
    columns = [np.ones(len(frame)), frame["treated"], frame["x"], *years.values()]
    return frame, columns, ["(Intercept)", "treated", "x", *years]


def two_way() -> TwoWayFit:
    frame, columns, terms = panel_columns()
    return fit_two_way(frame["y"], columns, names=terms, clusters=(frame["school"], frame["year"]))


def test_one_clustering_after_another_gives_each_its_own_errors(agreement: Agreement) -> None:
    frame, columns, terms = panel_columns()
    clusters = {name: frame[name] for name in ("school", "year", "district")}
    fits = fit_clusterings(frame["y"], columns, names=terms, clusters=clusters)
    for name, fit in fits.items():
        compare(agreement, "sandwich.panel.pooled", name, fit, fit.covariance(vcov="CR1S"))


def test_two_way_errors_add_both_clusterings_and_take_off_their_intersection(
    agreement: Agreement,
) -> None:
    fit = two_way()
    name, one = "sandwich.panel.pooled", fit.first
    compare(agreement, name, "twoway_school_year", one, fit.covariance(vcov="CR1S"))
    # multi0: the intersections, single rows here, without any small-sample factor.
    multi0 = fit.first.covariance(vcov="CR1S") + fit.second.covariance(vcov="CR1S")
    compare(agreement, name, "twoway_multi0", one, multi0 - fit.both.covariance(vcov="CR0"))
    repaired = fit.covariance(vcov="CR0", nearest_positive=True)
    compare(agreement, name, "twoway_fix", one, repaired)


def test_a_negative_two_way_variance_is_reported_as_missing_and_said_so() -> None:
    fit = two_way()
    variances = np.diag(fit.covariance(vcov="CR1S"))
    assert (variances < 0).any()
    for row, variance in zip(fit.estimates(), variances, strict=True):
        assert np.isnan(row.std_error) == (variance < 0)
        assert ("negative" in row.note) == (variance < 0)
