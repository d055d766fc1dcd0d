"""School moments: the same by definition, in chunks, in any order, compiled or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from schooltrial.models.moments.from_parquet import moments_from_parquet
from schooltrial.models.moments.school_moments import (
    SchoolMoments,
    compute_school_moments,
    from_frame,
    merge,
)
from schooltrial.models.moments.school_runs import find_school_runs

NAMES = ("z", "x", "y")
SETTINGS = settings(deadline=None, max_examples=25, derandomize=True)


def pupils(seed: int = 1, schools: int = 12, sizes: tuple[int, int] = (1, 30)) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    school = np.repeat(np.arange(schools), rng.integers(*sizes, schools, endpoint=True))
    x = rng.normal(50, 10, len(school))
    z = (school % 2).astype(int)
    y = 500 + 2 * z + 0.5 * x + rng.normal(0, 3, schools)[school] + rng.normal(0, 8, len(school))
    w = rng.uniform(0.3, 3.0, len(school))
    return pd.DataFrame({"school": school, "z": z, "x": x, "y": y, "w": w, "block": school // 4})


def by_definition(frame: pd.DataFrame, weighted: bool = False) -> dict[str, Any]:
    means, products = [], []
    for _, own in frame.groupby("school"):
        values = own[list(NAMES)].to_numpy(float)
        w = own["w"].to_numpy() if weighted else np.ones(len(own))
        mean = w @ values / w.sum()
        means.append(mean)
        products.append((values - mean).T @ (w[:, None] * (values - mean)))
    return {"mean": np.array(means), "by_school": np.array(products)}


def taken(frame: pd.DataFrame, **options: Any) -> SchoolMoments:
    columns = [frame[name].to_numpy() for name in NAMES]
    weights = frame["w"].to_numpy() if options.pop("weighted", False) else None
    return compute_school_moments(
        columns, frame["school"].to_numpy(), names=NAMES, weights=weights, **options
    )


def same(a: SchoolMoments, b: SchoolMoments, rel: float = 1e-11) -> None:
    scale = np.sqrt(np.outer(np.diagonal(b.within), np.diagonal(b.within))) + 1e-12
    assert_array_equal(a.schools, b.schools)
    assert_array_equal(a.n_individuals, b.n_individuals)
    assert_allclose(a.weight, b.weight, rtol=rel)
    assert_allclose(a.mean, b.mean, rtol=rel)
    assert_allclose(a.within / scale, b.within / scale, atol=rel)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("scattered", [False, True])
def test_moments_are_what_their_definition_says(
    weighted: bool, compiled: bool, scattered: bool
) -> None:
    frame = pupils()
    wanted = by_definition(frame, weighted)
    if scattered:
        frame = frame.sample(frac=1, random_state=3)
    got = taken(frame, weighted=weighted, compiled=compiled, slab_rows=50)
    assert_allclose(got.mean, wanted["mean"], rtol=1e-12)
    assert_allclose(got.within, wanted["by_school"].sum(axis=0), rtol=1e-11, atol=1e-9)
    kept = taken(frame, weighted=weighted, compiled=compiled, slab_rows=50, by_school=True)
    assert kept.within_by_school is not None
    assert_allclose(kept.within_by_school, wanted["by_school"], rtol=1e-10, atol=1e-9)


@SETTINGS
@given(seed=st.integers(0, 10_000), slab=st.integers(1, 400), weighted=st.booleans())
def test_cutting_the_rows_into_slabs_changes_nothing(seed: int, slab: int, weighted: bool) -> None:
    frame = pupils(seed)
    same(taken(frame, weighted=weighted, slab_rows=slab), taken(frame, weighted=weighted))


@SETTINGS
@given(seed=st.integers(0, 10_000))
def test_the_order_of_the_rows_does_not_matter(seed: int) -> None:
    frame = pupils(seed)
    shuffled = frame.sample(frac=1, random_state=seed)
    same(taken(shuffled), taken(frame))
    same(taken(shuffled, by_school=True), taken(frame))


@SETTINGS
@given(seed=st.integers(0, 10_000), cut=st.floats(0.05, 0.95), weighted=st.booleans())
def test_two_partial_passes_merge_into_the_whole(seed: int, cut: float, weighted: bool) -> None:
    frame = pupils(seed)
    if seed % 2:
        frame = frame.sample(frac=1, random_state=seed)
    at = min(max(int(cut * len(frame)), 1), len(frame) - 1)
    parts = [taken(part, weighted=weighted) for part in (frame[:at], frame[at:])]
    merged = merge(*parts)
    whole = taken(frame, weighted=weighted)
    same(merged, whole)
    assert merged.sum_log_weight == pytest.approx(whole.sum_log_weight, rel=1e-12)


def test_merging_keeps_the_products_of_each_school() -> None:
    frame = pupils().sample(frac=1, random_state=1)
    merged = merge(taken(frame[:70], by_school=True), taken(frame[70:], by_school=True))
    whole = taken(frame, by_school=True)
    assert merged.within_by_school is not None
    assert whole.within_by_school is not None
    assert_allclose(merged.within_by_school, whole.within_by_school, rtol=1e-10, atol=1e-9)


def test_two_threads_give_the_same_bits_as_one() -> None:
    frame = pupils(schools=40, sizes=(20, 60))
    for order in (frame, frame.sample(frac=1, random_state=2)):
        one, two = (taken(order, slab_rows=200, threads=t) for t in (1, 2))
        assert_array_equal(one.within, two.within)
        assert_array_equal(one.mean, two.mean)


def test_digits_survive_scores_far_from_zero() -> None:
    frame = pupils()
    far = frame.assign(y=frame["y"] + 2.0**40)
    near = frame.assign(y=far["y"] - 2.0**40)  # what is left of y in float64
    assert_allclose(taken(far).within, taken(near).within, rtol=1e-9, atol=1e-3)


def test_a_column_that_is_constant_in_every_school_has_within_products_of_exactly_zero() -> None:
    frame = pupils().assign(z=lambda f: np.sqrt(f["school"] + 0.1))
    moments = taken(frame, slab_rows=7)
    assert_array_equal(moments.within[0], 0.0)
    assert_array_equal(moments.school_level, [True, False, False])


def test_labels_may_be_text_categories_or_integers() -> None:
    frame = pupils()
    text = frame["school"].map(lambda code: f"s{code:03d}")
    wanted = from_frame(frame, outcome="y", fixed=["z", "x"], school="school")
    for column in (text, text.astype("category"), text.astype(object), frame["school"] + 10**12):
        got = from_frame(
            frame.assign(school=column), outcome="y", fixed=["z", "x"], school="school"
        )
        assert_allclose(got.mean, wanted.mean, rtol=1e-12)
        assert_allclose(got.within, wanted.within, rtol=1e-10, atol=1e-9)
        assert list(got.schools) == sorted(set(column))


def test_unused_categories_are_no_schools() -> None:
    frame = pupils().assign(school=lambda f: f["school"].astype("category"))
    some = frame[frame["school"].isin([2, 5])]
    got = from_frame(some, outcome="y", fixed=["z"], school="school")
    assert list(got.schools) == [2, 5]


def test_the_intercept_is_a_column_of_ones() -> None:
    frame = pupils().assign(one=1.0)
    implied = from_frame(frame, outcome="y", fixed=["z", "x"], school="school")
    explicit = from_frame(
        frame, outcome="y", fixed=["one", "z", "x"], school="school", intercept=False
    )
    assert implied.names[0] == "(Intercept)"
    assert_allclose(implied.mean, explicit.mean)
    assert_allclose(implied.within, explicit.within, atol=1e-9)


def test_select_gives_the_moments_of_fewer_columns_in_another_order() -> None:
    frame = pupils()
    whole = from_frame(frame, outcome="y", fixed=["z", "x"], school="school", by_school=True)
    part = whole.select(["x"], "z")
    direct = from_frame(frame, outcome="z", fixed=["x"], school="school", intercept=False)
    same(part, direct)
    assert part.within_by_school is not None
    assert_allclose(part.within_by_school.sum(axis=0), part.within, atol=1e-8)


def test_groups_are_kept_by_school() -> None:
    frame = pupils().sample(frac=1, random_state=1)
    moments = from_frame(frame, outcome="y", fixed=["z"], school="school", group="block")
    assert moments.groups is not None
    assert_array_equal(moments.groups, moments.schools.astype(int) // 4)


@pytest.mark.parametrize("scattered", [False, True])
def test_a_parquet_file_streams_to_the_same_moments(tmp_path: Path, scattered: bool) -> None:
    frame = pupils(schools=30, sizes=(5, 40))
    if scattered:
        frame = frame.sample(frac=1, random_state=1)
    path = tmp_path / "pupils.parquet"
    frame.to_parquet(path)
    options: dict[str, Any] = {
        "outcome": "y", "fixed": ["z", "x"], "school": "school", "weights": "w", "group": "block",
    }  # fmt: skip
    streamed = moments_from_parquet(path, batch_rows=64, **options)
    whole = from_frame(frame, **options)
    same(streamed, whole)
    assert streamed.groups is not None
    assert whole.groups is not None
    assert_array_equal(streamed.groups, whole.groups)


def test_missing_values_are_refused_with_column_and_school() -> None:
    frame = pupils()
    frame.loc[frame.index[frame["school"] == 3][0], "x"] = np.nan
    with pytest.raises(ValueError, match="'x' of school 3"):
        taken(frame)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"w": lambda f: f["w"].where(f["school"] != 4, 0.0)}, "school 4"),
        ({"y": lambda f: f["school"].map(str) + "a"}, "'y' is not numeric"),
        ({"school": lambda f: f["school"].where(f["school"] != 2)}, "no school label"),
        ({"school": lambda f: f["school"].map(str).where(f["school"] != 2)}, "no school label"),
        ({"block": lambda f: np.arange(len(f)) % 2}, "lies in groups"),
    ],
)
def test_columns_that_cannot_be_read_are_refused(change: dict[str, Any], message: str) -> None:
    frame = pupils().assign(**change)
    with pytest.raises(ValueError, match=message):
        from_frame(
            frame, outcome="y", fixed=["z", "x"], school="school", weights="w", group="block"
        )


def test_an_unknown_column_is_named() -> None:
    with pytest.raises(ValueError, match="no column 'gender'"):
        from_frame(pupils(), outcome="y", fixed=["gender"], school="school")
    with pytest.raises(ValueError, match="no column 'gender' among the moments"):
        taken(pupils()).select(["gender"])


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'y' has shape \(2,\)"):
        compute_school_moments([np.ones(3), np.ones(2)], np.arange(3), names=("x", "y"))
    with pytest.raises(ValueError, match="given twice: x"):
        compute_school_moments([np.ones(3), np.ones(3)], np.arange(3), names=("x", "x"))


def test_moments_of_different_columns_do_not_merge() -> None:
    moments = taken(pupils())
    with pytest.raises(ValueError, match="cannot be merged"):
        merge(moments, moments.select(["x"]))


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one pupil"):
        find_school_runs(np.array([], dtype=int))
