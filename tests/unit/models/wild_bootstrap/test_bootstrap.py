from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schooltrial.models.inference.multiple_testing import step_down_max_t
from schooltrial.models.wild_bootstrap import scores as wild_scores
from schooltrial.models.wild_bootstrap.bootstrap import wild_cluster_bootstrap
from schooltrial.models.wild_bootstrap.rademacher_sums import table_loop
from schooltrial.models.wild_bootstrap.weights import BootstrapWeights, bootstrap_weights

SETTINGS = settings(deadline=None, max_examples=15, derandomize=True)


def _trial(seed: int = 0, schools: int = 14, blocks: int = 3) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    school = np.repeat(np.arange(schools), rng.integers(3, 12, size=schools))
    block = np.arange(schools) * blocks // schools
    z = rng.permutation(np.arange(schools) % 2)[school]
    x = rng.normal(size=(len(school), 2)) + rng.normal(size=(schools, 2))[school]
    y = 0.4 * z + x @ [0.5, -0.3] + rng.normal(size=schools)[school] + rng.normal(size=len(school))
    X = np.column_stack([z, x])
    return {"y": y, "X": X, "school": school, "block": block[school]}


def _indicators(labels: np.ndarray | None, rows: int) -> np.ndarray:
    if labels is None:
        return np.ones((rows, 1))
    return np.asarray(labels[:, None] == np.unique(labels), dtype=float)


def _refits(
    y: np.ndarray,
    X: np.ndarray,
    school: np.ndarray,
    R: np.ndarray,
    null: np.ndarray,
    draws: np.ndarray,
    w: np.ndarray | None = None,
) -> tuple[float, np.ndarray]:
    """Return the observed and the bootstrap statistics, each from a full regression."""
    root = np.ones(len(y)) if w is None else np.sqrt(w)
    y, X = y * root, X * root[:, None]
    M = np.linalg.inv(X.T @ X)
    beta = M @ X.T @ y
    restricted = beta - M @ R.T @ np.linalg.solve(R @ M @ R.T, R @ beta - null)
    error = y - X @ restricted
    members = [school == j for j in np.unique(school)]
    J, (N, k) = len(members), X.shape

    def statistic(outcome: np.ndarray) -> float:
        b = M @ X.T @ outcome
        e = outcome - X @ b
        scores = np.array([R @ M @ X[rows].T @ e[rows] for rows in members])
        V = J / (J - 1) * (N - 1) / (N - k) * scores.T @ scores
        gap = R @ b - null
        if len(R) == 1:
            return float(gap[0] / np.sqrt(V[0, 0]))
        return float(gap @ np.linalg.solve(V, gap) / len(R))

    code = np.unique(school, return_inverse=True)[1]
    samples = [statistic(X @ restricted + v[code] * error) for v in draws]
    return statistic(y), np.array(samples)


ABSORBED = ["nothing", "blocks", "schools", "grades within schools"]


def _absorbed(t: dict[str, np.ndarray], kind: str) -> np.ndarray | None:
    grades = t["school"] * 2 + np.arange(len(t["y"])) % 2
    return {
        "nothing": None,
        "blocks": t["block"],
        "schools": t["school"],
        "grades within schools": grades,
    }[kind]


@pytest.mark.parametrize("absorbed", ABSORBED)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("kind", "schools"), [("rademacher", 14), ("webb", 9)])
def test_products_give_the_statistics_of_full_refits(
    kind: Any, schools: int, weighted: bool, absorbed: str
) -> None:
    t = _trial(schools, schools)
    effects = _absorbed(t, absorbed)
    X = t["X"] if absorbed in ("nothing", "blocks") else t["X"][:, 1:]
    full = np.column_stack([X, _indicators(effects, len(X))])
    w = np.random.default_rng(2).uniform(0.5, 2, len(X)) if weighted else None
    draws = bootstrap_weights(schools, 60, kind=kind, seed=5).rows(0, 60)
    R = np.eye(full.shape[1])[:1]
    for null in (0.0, 0.3):
        observed, expected = _refits(t["y"], full, t["school"], R, np.array([null]), draws, w)
        for interval in (True, False):
            found = wild_cluster_bootstrap(
                t["y"], X, t["school"], null=null, absorb=effects, weights=w, draws=60,
                distribution=kind, seed=5, interval=interval,
            )  # fmt: skip
            assert found.distribution.observed[0] == pytest.approx(observed, rel=1e-10)
            assert found.distribution.draws[:, 0] == pytest.approx(expected, rel=1e-8, abs=1e-10)
    share = (1 + np.sum(np.abs(expected) >= abs(observed))) / 61
    assert found.p_values[0] == pytest.approx(share)


@pytest.mark.parametrize("absorbed", ["nothing", "blocks"])
def test_joint_hypotheses_give_the_wald_statistics_of_full_refits(absorbed: str) -> None:
    t = _trial(4)
    effects = _absorbed(t, absorbed)
    full = np.column_stack([t["X"], _indicators(effects, len(t["y"]))])
    R = np.array([[1.0, 0, 0], [0, 1, -1]])
    null = np.array([0.2, 0.0])
    draws = bootstrap_weights(14, 60, seed=5).rows(0, 60)
    padded = np.column_stack([R, np.zeros((2, full.shape[1] - 3))])
    observed, expected = _refits(t["y"], full, t["school"], padded, null, draws)
    found = wild_cluster_bootstrap(
        t["y"], t["X"], t["school"], test=R, null=null, absorb=effects, draws=60, seed=5
    )
    assert found.distribution.observed[0] == pytest.approx(observed, rel=1e-10)
    assert found.distribution.draws[:, 0] == pytest.approx(expected, rel=1e-8)
    row = found.estimates()[0]
    assert row.note == "F(2, 13)"
    assert row.statistic == pytest.approx(observed)


def test_one_restriction_as_a_matrix_is_the_coefficient() -> None:
    t = _trial(6)
    named = wild_cluster_bootstrap(
        t["y"], t["X"], t["school"], test="z", draws=99, regressor_names=["z", "a", "b"]
    )
    matrix = wild_cluster_bootstrap(t["y"], t["X"], t["school"], test=[[1, 0, 0]], draws=99)
    assert np.array_equal(named.distribution.draws, matrix.distribution.draws)


@pytest.mark.parametrize("absorbed", ["nothing", "blocks"])
def test_compiled_sums_of_signs_equal_the_matrix_product(
    absorbed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    t = _trial(7, schools=43, blocks=11)
    options: dict[str, Any] = {"absorb": _absorbed(t, absorbed), "draws": 300}
    plain = wild_cluster_bootstrap(t["y"], t["X"], t["school"], **options)
    monkeypatch.setattr(wild_scores, "COMPILED_TERMS", 1)
    if table_loop() is None:
        pytest.skip("numba is absent or switched off")
    compiled = wild_cluster_bootstrap(t["y"], t["X"], t["school"], **options)
    assert compiled.distribution.draws == pytest.approx(plain.distribution.draws, rel=1e-10)


def test_size_of_the_pieces_of_work_changes_no_more_than_rounding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    t = _trial(8, schools=40)
    plain = wild_cluster_bootstrap(t["y"], t["X"], t["school"], draws=300)
    monkeypatch.setattr(wild_scores, "_CELLS", 64 * 40)
    pieces = wild_cluster_bootstrap(t["y"], t["X"], t["school"], draws=300)
    assert pieces.distribution.draws == pytest.approx(plain.distribution.draws, rel=1e-11)


def test_ends_of_the_interval_are_where_the_null_is_just_rejected() -> None:
    t = _trial(9)

    def p_of(null: float) -> float:
        again = wild_cluster_bootstrap(
            t["y"], t["X"], t["school"], null=null, draws=399, seed=3, interval=False
        )
        return float(again.p_values[0])

    found = wild_cluster_bootstrap(t["y"], t["X"], t["school"], draws=399, seed=3)
    for null in (-0.5, 0.0, 1.0):
        assert found.inversions[0].p_value(null) == pytest.approx(p_of(null))
    low, high = found.interval(0.9)[0]
    for end, inwards in ((low, 1), (high, -1)):
        assert p_of(end + inwards * 1e-6) > 0.1
        assert p_of(end - inwards * 1e-6) <= 0.1 + 1e-12


def test_few_schools_take_all_samples_and_may_leave_the_interval_open() -> None:
    t = _trial(10, schools=4)
    found = wild_cluster_bootstrap(
        t["y"], t["X"][:, :1], t["school"], distribution="rademacher", draws=999
    )
    assert found.distribution.exact
    assert len(found.distribution.draws) == 16
    assert found.p_values[0] >= 2 / 16  # the data and their mirror image are among the samples
    assert np.isinf(found.interval()).all()
    assert found.estimates()[0].method == "wild cluster bootstrap, rademacher, all 16 samples"


@pytest.mark.parametrize(
    ("clusters", "kind", "draws", "exact"),
    [(11, "webb", 9999, False), (12, "rademacher", 4096, True), (13, "rademacher", 8192, True),
     (14, "rademacher", 9999, False), (5, "webb", 7776, True)],
)  # fmt: skip
def test_weights_are_webb_under_twelve_schools_and_all_where_few(
    clusters: int, kind: str, draws: int, exact: bool
) -> None:
    found = bootstrap_weights(clusters, 9999)
    assert (found.kind, found.draws, found.enumerated) == (kind, draws, exact)


@pytest.mark.parametrize(("kind", "clusters"), [("rademacher", 5), ("webb", 3)])
def test_enumerated_weights_are_distinct_with_mean_nought_and_variance_one(
    kind: Any, clusters: int
) -> None:
    all_of_them = bootstrap_weights(clusters, 10**6, kind=kind)
    rows = all_of_them.rows(0, all_of_them.draws)
    assert len(np.unique(rows, axis=0)) == len(rows)
    assert rows.mean(axis=0) == pytest.approx(np.zeros(clusters), abs=1e-12)
    assert (rows**2).mean(axis=0) == pytest.approx(np.ones(clusters))


@pytest.mark.parametrize("kind", ["rademacher", "webb"])
def test_random_weights_are_the_same_whatever_the_pieces(kind: Any) -> None:
    drawn: BootstrapWeights = bootstrap_weights(20, 50, kind=kind, seed=1)
    pieces = np.concatenate([drawn.rows(a, b) for a, b in drawn.pieces(7)])
    assert np.array_equal(pieces, drawn.rows(0, 50))
    assert np.abs(pieces.mean()) < 5 / np.sqrt(1000)


@SETTINGS
@given(st.integers(0, 10**6), st.floats(-1e3, 1e3), st.floats(0.01, 100))
def test_order_of_rows_shift_and_scale_do_not_matter(
    seed: int, shift: float, factor: float
) -> None:
    t = _trial(11)
    rows = np.random.default_rng(seed).permutation(len(t["y"]))
    plain = wild_cluster_bootstrap(t["y"], t["X"], t["school"], absorb=t["block"], draws=199)
    moved = wild_cluster_bootstrap(
        (shift + factor * t["y"])[rows], t["X"][rows], t["school"][rows],
        absorb=t["block"][rows], draws=199,
    )  # fmt: skip
    assert moved.p_values == pytest.approx(plain.p_values)
    assert moved.coefficients == pytest.approx(factor * plain.coefficients, rel=1e-6)
    assert moved.interval() == pytest.approx(factor * plain.interval(), rel=1e-5, abs=1e-6)


def test_outcomes_together_are_those_alone_and_step_down_is_no_smaller_than_raw() -> None:
    t = _trial(12)
    second = t["y"] + np.random.default_rng(1).normal(size=len(t["y"]))
    both = np.column_stack([t["y"], second])
    for interval in (True, False):
        found = wild_cluster_bootstrap(both, t["X"], t["school"], draws=199, interval=interval)
        for k, y in enumerate((t["y"], second)):
            alone = wild_cluster_bootstrap(y, t["X"], t["school"], draws=199)
            assert found.distribution.draws[:, k] == pytest.approx(
                alone.distribution.draws[:, 0], rel=1e-9
            )
    adjusted = step_down_max_t(found.distribution)
    assert (adjusted.step_down >= adjusted.raw - 1e-12).all()


def test_p_values_are_nearly_uniform_when_nothing_happened() -> None:
    rejected = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        school = np.repeat(np.arange(16), 5)
        z = rng.permutation(np.repeat([0.0, 1.0], 8))[school]
        y = rng.normal(size=16)[school] + rng.normal(size=80)
        found = wild_cluster_bootstrap(y, z, school, draws=199, interval=False, seed=seed)
        rejected += found.p_values[0] <= 0.1
    # With two equal arms the restricted bootstrap is all but exact.
    assert abs(rejected / 300 - 0.1) < 3 * np.sqrt(0.09 / 300)


def _broken(**changes: Any) -> Any:
    t = _trial(1)
    arguments: dict[str, Any] = {"outcomes": t["y"], "regressors": t["X"], "school": t["school"]}
    for name, change in changes.items():
        arguments[name] = change(t) if callable(change) else change
    return lambda: wild_cluster_bootstrap(**arguments)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (_broken(test="dose"), "no regressor 'dose'"),
        (_broken(test=7), "no regressor 7; there are 3"),
        (_broken(test=[[1.0, 0.0]]), "have 2 columns, the model 3"),
        (_broken(test=[[1, 0, 0], [2, 0, 0]]), "linearly dependent"),
        (_broken(school=lambda t: t["school"] * 0), "1 cluster; at least two"),
        (_broken(regressors=lambda t: t["X"][:, [0, 1, 1]]), "'x3' is a linear combination"),
        (_broken(absorb=lambda t: t["school"]), "'x1' does not vary"),
        (_broken(absorb=lambda t: np.arange(len(t["y"])) % 2), "cross the schools"),
        (_broken(outcomes=lambda t: t["y"] * 0), "outcome 'y' has no variation"),
        (_broken(distribution="normal"), "unknown weights 'normal'"),
        (_broken(draws=0), "0 draws"),
        (
            _broken(outcomes=lambda t: np.column_stack([t["y"], t["X"][:, 1]]), test=np.eye(3)),
            "takes one outcome, not 2",
        ),
        (_broken(regressor_names=["a"]), "1 names were given for 3 columns"),
    ],
)
def test_errors_name_what_is_wrong(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
