"""What cluster-robust least squares refuses, and in which words."""

from __future__ import annotations

from math import isnan
from typing import Any

import numpy as np
import pytest

from schooltrial.models.cluster_robust.fit import (
    fit_least_squares,
    fit_least_squares_columns,
    fit_least_squares_frame,
)
from schooltrial.models.cluster_robust.multiway import fit_two_way
from schooltrial.models.cluster_robust.result import LeastSquaresFit
from schooltrial.models.cluster_robust.working_covariance import (
    fit_known_variances,
    fit_random_intercept,
)

RNG = np.random.default_rng(0)
N = 40
SCHOOL = np.repeat(np.arange(8), 5)
Z = (SCHOOL % 2).astype(float)
X = RNG.normal(size=N)
Y = X + RNG.normal(size=N)
ONE = np.ones(N)


def fit(**changes: Any) -> LeastSquaresFit:
    arguments: dict[str, Any] = {
        "outcome": Y,
        "columns": [ONE, Z, X],
        "names": ["(Intercept)", "z", "x"],
        "cluster": SCHOOL,
    }
    return fit_least_squares_columns(**(arguments | changes))


def with_value(column: Any, row: int, value: float) -> Any:
    changed = np.array(column, dtype=float)
    changed[row] = value
    return changed


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cluster": np.zeros(N)}, "all rows are in one cluster"),
        ({"cluster": SCHOOL[:-1]}, "39 cluster labels but 40 rows"),
        ({"cluster": with_value(SCHOOL, 7, np.nan)}, "cluster of row 7 is missing"),
        ({"cluster": np.array([None, *SCHOOL[1:]], dtype=object)}, "cluster of row 0 is missing"),
        ({"columns": [ONE, Z, with_value(X, 3, np.nan)]}, "'x' is nan in row 3"),
        ({"columns": [ONE, Z, with_value(X, 3, np.inf)]}, "'x' is inf in row 3"),
        ({"outcome": with_value(Y, 39, np.nan)}, "'outcome' is nan in row 39"),
        ({"columns": [ONE, Z, X[:-1]]}, "'x' has 39 rows, the outcome has 40"),
        ({"columns": [ONE, Z, ["a"] * N]}, "'x' holds values that are not numbers"),
        ({"weights": with_value(ONE, 5, 0.0)}, "weight of row 5 is 0"),
        ({"weights": with_value(ONE, 6, -1.0)}, "weight of row 6 is -1"),
        ({"weights": with_value(ONE, 6, np.nan)}, "weight of row 6 is nan"),
        ({"names": ["(Intercept)", "z"]}, "3 columns were given but 2 names"),
        ({"names": ["(Intercept)", "z", "z"]}, "two columns are called 'z'"),
        ({"outcome": [], "columns": [[]], "names": ["x"], "cluster": []}, "no rows"),
        ({"collinear": "maybe"}, "must be 'drop' or 'error'"),
        ({"absorb": np.arange(N)}, "cannot support"),
        (
            {"columns": [ONE, Z], "names": ["(Intercept)", "z"], "absorb": SCHOOL},
            "no column is left",
        ),
    ],
)
def test_bad_input_is_refused_with_its_place(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit(**changes)


def test_more_columns_than_rows_are_refused() -> None:
    few = slice(0, 10)
    columns = [RNG.normal(size=10) for _ in range(12)]
    with pytest.raises(ValueError, match="10 rows cannot support 10 coefficients"):
        fit(outcome=Y[few], columns=columns, names=[f"x{k}" for k in range(12)],
            cluster=SCHOOL[few])  # fmt: skip


def test_collinear_columns_are_dropped_by_name_or_refused_when_asked() -> None:
    columns, names = [ONE, Z, X, 1 - Z, 3 * ONE], ["(Intercept)", "z", "x", "control", "three"]
    fitted = fit(columns=columns, names=names)
    assert fitted.dropped == ("control", "three")
    assert fitted.names == ("(Intercept)", "z", "x")
    np.testing.assert_allclose(fitted.coefficients, fit().coefficients, rtol=1e-12)
    with pytest.raises(ValueError, match="determined by the others: control, three"):
        fit(columns=columns, names=names, collinear="error")
    with pytest.raises(ValueError, match="'control' was dropped"):
        fitted.estimates(["control"])


def test_a_treatment_that_absorbed_effects_determine_is_dropped_but_no_intercept_named() -> None:
    fitted = fit(absorb=SCHOOL)
    assert fitted.dropped == ("z",)
    with pytest.raises(ValueError, match="and the absorbed effects: z"):
        fit(absorb=SCHOOL, collinear="error")


def test_factors_that_cross_clusters_may_not_have_thousands_of_levels() -> None:
    n = 3000
    school, pupil = np.arange(n) % 10, np.arange(n) // 2
    with pytest.raises(ValueError, match="1500 levels cannot be swept out"):
        fit_least_squares_columns(
            RNG.normal(size=n), [RNG.normal(size=n)], names=["x"], cluster=school, absorb=pupil
        )


def test_unknown_terms_kinds_tests_and_rules_are_refused_with_the_choices() -> None:
    fitted = fit()
    with pytest.raises(ValueError, match=r"no coefficient 'w'; there are \(Intercept\), z, x"):
        fitted.estimates(["w"])
    with pytest.raises(ValueError, match="no 'HC2' for a fit with clusters; choose from CR0"):
        fitted.covariance(vcov="HC2")
    with pytest.raises(ValueError, match="no joint test 'LR'"):
        fitted.joint_test(["z"], test="LR")
    with pytest.raises(ValueError, match="df must be satterthwaite"):
        fitted.estimates(df="many")
    with pytest.raises(ValueError, match="all, unnested or slopes"):
        fitted.covariance(vcov="CR1S", parameters="some")
    with pytest.raises(ValueError, match="needs 3 weights"):
        fitted.contrast([1.0, 2.0])
    with pytest.raises(ValueError, match="each contrast needs 3 weights"):
        fitted.joint_test([[1.0, 2.0]])


def test_unclustered_fits_have_no_satterthwaite_df() -> None:
    fitted = fit(cluster=None)
    with pytest.raises(ValueError, match="need clusters"):
        fitted.estimates(df="satterthwaite")
    with pytest.raises(ValueError, match="no 'CR2' for a fit without clusters"):
        fitted.covariance(vcov="CR2")


def test_joint_tests_of_too_many_or_repeated_contrasts_are_refused() -> None:
    with pytest.raises(ValueError, match="follow from the others"):
        fit().joint_test([[0, 1, 0], [0, 2, 0]])
    two = fit(cluster=SCHOOL // 4)
    with pytest.raises(ValueError, match="2 contrasts cannot be tested jointly with 2 clusters"):
        two.joint_test(["z", "x"])


def test_a_joint_test_with_too_few_clusters_says_so_in_its_row() -> None:
    columns = [ONE, Z, X, X**2, X**3, X**4]
    names = ["(Intercept)", "z", *(f"x{k}" for k in range(4))]
    fitted = fit(columns=columns, names=names, cluster=np.minimum(SCHOOL, 5))
    result = fitted.joint_test(names[1:])
    assert result.df_denom <= 0
    assert np.isnan(result.statistic)
    assert np.isnan(result.p_value)
    assert "too few clusters" in result.row.note


def test_a_constant_outcome_has_zero_effects_and_no_tests() -> None:
    row = fit(outcome=np.full(N, 3.3)).estimates(["z"])[0]
    assert row.estimate == pytest.approx(0, abs=1e-14)
    assert isnan(row.std_error)
    assert isnan(row.p_value)
    assert row.note.startswith("no standard error: the outcome does not vary")


def test_a_frame_names_the_column_it_lacks() -> None:
    with pytest.raises(ValueError, match="no column 'z'; they have y, school"):
        fit_least_squares_frame({"y": Y, "school": SCHOOL}, "y", ["z"], cluster="school")


def test_a_vector_is_not_a_matrix_of_regressors() -> None:
    with pytest.raises(ValueError, match="x must be a matrix"):
        fit_least_squares(Y, X, names=["x"], cluster=SCHOOL)


def test_working_covariances_refuse_what_they_cannot_hold() -> None:
    design = np.column_stack([ONE, X])
    with pytest.raises(ValueError, match="ratio of variances must be 0 or more"):
        fit_random_intercept(Y, design, -0.1, names=["a", "x"], cluster=SCHOOL)
    with pytest.raises(ValueError, match="determine one another"):
        fit_known_variances(Y, design[:, [1, 1]], ONE, names=["x", "x2"], cluster=SCHOOL)
    with pytest.raises(ValueError, match="row 2 has a missing"):
        fit_known_variances(with_value(Y, 2, np.nan), design, ONE, names=["a", "x"], cluster=SCHOOL)
    big = np.ones(4000)
    with pytest.raises(ValueError, match="4000 rows; a working covariance"):
        fit_random_intercept(big, big[:, None], 0.1, names=["a"], cluster=big)


def test_equal_known_variances_and_no_random_intercept_are_least_squares() -> None:
    design, names = np.column_stack([ONE, Z, X]), ["(Intercept)", "z", "x"]
    plain = fit()
    for other in (
        fit_known_variances(Y, design, 2 * ONE, names=names, cluster=SCHOOL),
        fit_random_intercept(Y, design, 0.0, names=names, cluster=SCHOOL),
    ):
        for kind in ("CR0", "CR2", "CR3"):
            np.testing.assert_allclose(
                other.covariance(vcov=kind), plain.covariance(vcov=kind), rtol=1e-8
            )
            np.testing.assert_allclose(
                other.degrees_of_freedom(kind), plain.degrees_of_freedom(kind), rtol=1e-8
            )


def test_two_way_clustering_of_one_clustering_with_itself_is_one_way() -> None:
    columns, names = [ONE, Z, X], ["(Intercept)", "z", "x"]
    both = fit_two_way(Y, columns, names=names, clusters=(SCHOOL, SCHOOL))
    np.testing.assert_allclose(
        both.covariance(vcov="CR1S"), fit().covariance(vcov="CR1S"), rtol=1e-10
    )
    with pytest.raises(ValueError, match="CR0, CR1 or CR1S, not 'CR2'"):
        both.covariance(vcov="CR2")
