"""Wild bootstrap statistics of many draws at once, from school scores.

Regressors x are centred on their blocks, M = (Σ S_j)⁻¹, R a restriction matrix (q × p), C = M R'.
An error e enters through its school sums g_j = Σ x e (p) and r_j = Σ e. With weights w_j by school
the bootstrap coefficients are Σ w_j C'g_j, and the bootstrap regression's residuals have scores

    ψ_j = w_j a_j − C_j'u − κ_j μ_b(j),    a_j = C'g_j,  C_j = S_j C,  κ_j = C's_j,
    u = M Σ w_j g_j,    μ_b = Σ_{j in b} w_j r_j / n_b,

whose sum of products is the cluster-robust variance. Multiplied out, every term is a product of the
matrix of weights (draws × schools) with a few columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from schooltrial.arrays import FloatArray
from schooltrial.models.moments.frisch_waugh import ResidualSums
from schooltrial.models.wild_bootstrap.rademacher_sums import COMPILED_TERMS, segments, table_loop
from schooltrial.models.wild_bootstrap.weights import BootstrapWeights

Pair = tuple[int, int]


_Key = tuple[str | int, ...]


_Found = dict[_Key, NDArray[np.float64]]


_CELLS = 1 << 17  # draws × schools of a piece of work: it stays in the cache


_TABLE_DRAWS = 2_500  # draws that share the tables of `rademacher_sums`


_FEW_BLOCKS = 8  # blocks up to which a product with indicators beats running sums


@dataclass(frozen=True, eq=False)
class ScorePart:
    """One component of the scores: a contrast of one error's bootstrap coefficients.

    Attributes
    ----------
    error : int
        Which error.
    a : array (J,)
        C'g_j.
    slope : array (J, p)
        C_j.
    kappa : array (J,)
        κ_j.
    """

    error: int
    a: FloatArray
    slope: FloatArray
    kappa: FloatArray


@dataclass(frozen=True, eq=False)
class WildScores:
    """Errors and score components of a bootstrap.

    Attributes
    ----------
    sums : ResidualSums
        With schools in the order of their blocks.
    g : array (J, p, E); r : array (J, E)
        School sums of the errors.
    parts : sequence of ScorePart
    pairs : sequence of (int, int)
        Pairs of parts whose sums of products are wanted.
    """

    sums: ResidualSums
    g: FloatArray
    r: FloatArray
    parts: Sequence[ScorePart]
    pairs: Sequence[Pair]
    _products: _WeightedProducts = field(init=False, repr=False)
    _has_blocks: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        has_blocks = bool(np.any(self.r) or np.any(self.sums.s))
        products = _WeightedProducts(self.sums)
        for e in range(self.g.shape[2]):
            products.add(("u", e), self.g[:, :, e] @ self.sums.inverse)
            if has_blocks:
                products.add_by_block(("mu", e), self.r[:, e])
        for k, part in enumerate(self.parts):
            products.add(("a", k), part.a[:, None])
        for k, m in [way for pair in self.pairs for way in (pair, pair[::-1])]:
            left, right = self.parts[k], self.parts[m]
            products.add(("slope", k, id(right.slope)), left.a[:, None] * right.slope)
            if has_blocks:
                products.add_by_block(("kappa", k, id(right.kappa)), left.a * right.kappa)
        products.finish()
        object.__setattr__(self, "_products", products)
        object.__setattr__(self, "_has_blocks", has_blocks)

    def draw(self, weights: BootstrapWeights) -> tuple[FloatArray, FloatArray]:
        """Return Σ w a of each part (B, parts) and Σψψ of each pair (B, pairs)."""
        constants = [self._constants(pair) for pair in self.pairs]
        products = self._products
        found = []
        if products.worth_tables(weights):
            # The compiled loop calls no matrix product, whose own threads would fight with these.
            with ThreadPoolExecutor(2) as pool:
                pieces = list(weights.pieces(_TABLE_DRAWS))
                tasks = [pool.submit(products.from_tables, weights, *piece) for piece in pieces]
                found = [self._scores(task.result(), constants, None) for task in tasks]
        else:
            rows = int(np.clip(_CELLS // weights.clusters, 64, 8192))
            for piece in weights.pieces(rows):
                w = weights.rows(*piece)
                squared = None if weights.kind == "rademacher" else w**2
                found.append(self._scores(products.times(w), constants, squared))
        stacked = np.concatenate(found)
        return stacked[:, : len(self.parts)], stacked[:, len(self.parts) :]

    def _constants(self, pair: Pair) -> tuple[FloatArray, ...]:
        """Return what does not depend on the draw: a·a, ΣC_kC_m', blocks' ΣκC and Σκκ."""
        left, right = self.parts[pair[0]], self.parts[pair[1]]
        by_block = self._products.by_block
        return (
            left.a * right.a,
            left.slope.T @ right.slope,
            by_block(right.kappa * left.slope.T),
            by_block(left.kappa * right.slope.T),
            by_block(left.kappa * right.kappa),
        )

    def _scores(
        self,
        of: _Found,
        constants: list[tuple[FloatArray, ...]],
        squared_weights: FloatArray | None,
    ) -> FloatArray:
        """Return Σwa and Σψψ of a piece; without ``squared_weights`` all are one."""
        blocks, n = self._has_blocks, self.sums.block_weight

        def cross(k: int, m: int) -> FloatArray:
            """Σ_j w_j a_k (C_m'u_m + κ_m μ_m)."""
            right = self.parts[m]
            total = _row_dot(of["slope", k, id(right.slope)], of["u", right.error])
            if blocks:
                mean = of["mu", right.error] / n
                total += _row_dot(of["kappa", k, id(right.kappa)], mean)
            return total

        draws = len(of["a", 0])
        out = np.empty((draws, len(self.parts) + len(self.pairs)))
        for k in range(len(self.parts)):
            out[:, k] = of["a", k][:, 0]
        for at, ((k, m), fixed) in enumerate(
            zip(self.pairs, constants, strict=True), start=len(self.parts)
        ):
            left, right = self.parts[k].error, self.parts[m].error
            if squared_weights is None:
                total = np.full(draws, fixed[0].sum())
            else:
                total = squared_weights @ fixed[0]
            one_way = cross(k, m)
            total -= one_way
            total -= one_way if k == m else cross(m, k)
            total += _row_dot(of["u", left] @ fixed[1], of["u", right])
            if blocks:
                mean_left, mean_right = of["mu", left] / n, of["mu", right] / n
                total += _row_dot(of["u", left] @ fixed[2], mean_right)
                total += _row_dot(of["u", right] @ fixed[3], mean_left)
                total += _row_dot(mean_left * fixed[4], mean_right)
            out[:, at] = total
        return out


def _row_dot(left: FloatArray, right: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("dp,dp->d", left, right))


class _WeightedProducts:
    """Products of a matrix of weights with columns by school: one matrix product for them all."""

    def __init__(self, sums: ResidualSums) -> None:
        self.block = sums.block
        self.starts = np.flatnonzero(np.diff(sums.block, prepend=-1))
        self.at: dict[_Key, slice] = {}
        self.running: dict[_Key, FloatArray] = {}
        self.parts: list[FloatArray] = []
        self.columns = np.empty((len(sums.block), 0))

    def add(self, key: _Key, columns: FloatArray) -> None:
        """Ask for the products with (J, any) columns, once for each key."""
        if key in self.at:
            return
        first = sum(part.shape[1] for part in self.parts)
        self.at[key] = slice(first, first + columns.shape[1])
        self.parts.append(columns)

    def add_by_block(self, key: _Key, values: FloatArray) -> None:
        """Ask for the weighted sums of (J,) values within each block."""
        if len(self.starts) > _FEW_BLOCKS:
            self.running[key] = values
            return
        spread = np.zeros((len(values), len(self.starts)))
        spread[np.arange(len(values)), self.block] = values
        self.add(key, spread)

    def finish(self) -> None:
        """Put the columns together."""
        self.columns = np.concatenate(self.parts, axis=1)

    def by_block(self, values: FloatArray) -> FloatArray:
        """Return the sums over the schools of each block of (…, J) values."""
        return np.asarray(np.add.reduceat(values, self.starts, axis=-1))

    def times(self, w: FloatArray) -> _Found:
        """Return all products with weights (draws × schools)."""
        product = w @ self.columns
        found = {key: product[:, at] for key, at in self.at.items()}
        for key, values in self.running.items():
            found[key] = self.by_block(w * values)
        return found

    def worth_tables(self, weights: BootstrapWeights) -> bool:
        """Return whether the compiled sums of random signs are to be used."""
        if weights.kind != "rademacher" or weights.drawn is None:
            return False
        columns = self.columns.shape[1] + len(self.running)
        enough = weights.draws * weights.clusters * columns >= COMPILED_TERMS
        return enough and table_loop() is not None

    def from_tables(self, weights: BootstrapWeights, first: int, last: int) -> _Found:
        """Return all products for draws ``first`` to ``last`` − 1, from the packed signs."""
        add_by_tables = table_loop()
        if add_by_tables is None or weights.drawn is None:
            raise RuntimeError("ask worth_tables first")
        keys, dense = list(self.running), self.columns.shape[1]
        columns = np.column_stack([self.columns, *self.running.values()])
        out = np.zeros((last - first, dense))
        by_block = np.zeros((last - first, len(keys), len(self.starts)))
        # Without block by block sums, segments need not end where blocks do.
        block = self.block if keys else np.zeros_like(self.block)
        add_by_tables(weights.drawn[first:last], *segments(block), columns, dense, out, by_block)
        found = {key: out[:, at] for key, at in self.at.items()}
        return found | {key: by_block[:, i] for i, key in enumerate(keys)}


def wald(numerators: FloatArray, variance: FloatArray) -> FloatArray:
    """Return n'V⁻¹n of each row of (B, q) and (B, q, q); NaN if V is singular."""
    size = np.sqrt(np.einsum("bqq->bq", variance))
    with np.errstate(all="ignore"):
        unit = variance / (size[:, :, None] * size[:, None, :])
        n = numerators / size
    sound = np.isfinite(unit).all(axis=(1, 2)) & np.isfinite(n).all(axis=1)
    sound[sound] = np.linalg.eigvalsh(unit[sound])[:, 0] > 1e-10
    form = np.full(len(n), np.nan)
    if sound.any():
        solved = np.linalg.solve(unit[sound], n[sound][:, :, None])[:, :, 0]
        form[sound] = np.einsum("bq,bq->b", n[sound], solved)
    return form
