"""Cells shaded by their value as vectors: one path for each shade, so that no figure has dots."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.cm import ScalarMappable
from matplotlib.collections import QuadMesh
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.path import Path

from schooltrial.arrays import FloatArray

SHADES = 10
"""Shades of the scale: as many as an eye tells from one another, and few enough to be small."""

PALEST = 0.1
"""Place of the lightest shade on the scale of colours: paler ones look like a cell left blank."""

SEAM = 0.3
"""Points by which cells of a shade overlap, so that no viewer shows a line between them."""

Rectangle = tuple[float, float, float, float]


def rectangles_path(rectangles: Iterable[Rectangle]) -> Path:
    """Return rectangles as one path.

    Parameters
    ----------
    rectangles : iterable of tuple
        Left, right, lower and upper end of each.
    """
    ends = np.array(list(rectangles), dtype="float64").reshape(-1, 4)
    left, right, low, high = ends.T
    x = np.column_stack([left, right, right, left, left])
    y = np.column_stack([low, low, high, high, low])
    codes = np.tile([Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY], len(ends))
    return Path(np.column_stack([x.ravel(), y.ravel()]), codes.astype("uint8"))


class CellMesh(QuadMesh):
    """A mesh of cells, drawn as a path for each shade; cells without a value are left blank."""

    def draw(self, renderer: RendererBase) -> None:
        """Draw the cells of each shade, those side by side in a line as one."""
        if not self.get_visible():
            return
        self.update_scalarmappable()
        values: Any = np.ma.masked_invalid(np.ma.asarray(self.get_array(), dtype="float64"))
        shades = np.ma.filled(self.cmap(self.norm(values)), 0.0).reshape(*values.shape, 4)
        shown = ~np.ma.getmaskarray(values)
        edges = np.asarray(self.get_coordinates())
        context = renderer.new_gc()
        self._set_gc_clip(context)  # type: ignore[attr-defined]
        for shade in np.unique(shades[shown], axis=0):
            red, green, blue, opacity = (float(part) for part in shade)
            colour = (red, green, blue, opacity)
            context.set_foreground(colour)
            context.set_linewidth(float(np.asarray(renderer.points_to_pixels(SEAM))))
            runs = _runs(shown & (shades == shade).all(axis=-1), edges)
            renderer.draw_path(context, rectangles_path(runs), self.get_transform(), colour)
        context.restore()
        self.stale = False


def _runs(kept: Any, edges: FloatArray) -> list[Rectangle]:
    """Return the cells that are kept, each run of a line as one rectangle."""
    found = []
    for at, line in enumerate(kept):
        steps = np.diff(np.concatenate([[0], line.astype("int8"), [0]]))
        for first, end in zip(np.nonzero(steps > 0)[0], np.nonzero(steps < 0)[0], strict=True):
            (left, low), (right, high) = edges[at, first], edges[at + 1, end]
            found.append((float(left), float(right), float(low), float(high)))
    return found


def draw_cells(
    panel: Axes, values: FloatArray, greatest: float | None = None, shades: int = SHADES
) -> CellMesh:
    """Shade the cells of a panel, the first line on top; darker is more, white is no value.

    Parameters
    ----------
    panel : Axes
        Its cells lie about whole numbers from 0 on, as those of an image.
    values : array (lines, columns)
        NaN where there is none.
    greatest : float, optional
        Value of the darkest shade. Default: the greatest of the values. The lightest is 0.
    shades : int
        How many there are.
    """
    lines, columns = values.shape
    x, y = np.meshgrid(np.arange(columns + 1) - 0.5, np.arange(lines + 1) - 0.5)
    known = values[np.isfinite(values)]
    top = greatest if greatest is not None else float(known.max(initial=0.0)) or 1.0
    colours = mpl.colormaps["Oranges"](np.linspace(PALEST, 1.0, shades))
    mesh = CellMesh(np.dstack([x, y]), cmap=ListedColormap(colours, name="Oranges"))
    mesh.set_array(np.ma.masked_invalid(values))
    mesh.set_clim(0.0, top)
    panel.add_collection(mesh, autolim=False)
    panel.set_xlim(-0.5, columns - 0.5)
    panel.set_ylim(lines - 0.5, -0.5)
    return mesh


def add_scale(figure: Figure, panel: Axes, cells: ScalarMappable, words: str) -> Axes:
    """Add the scale of the shades below a panel, and return it.

    Parameters
    ----------
    figure : Figure
    panel : Axes
    cells : ScalarMappable
        As `draw_cells` returned them.
    words : str
        What the values are.
    """
    bar = figure.colorbar(cells, ax=panel, location="bottom", shrink=0.85, pad=0.02, aspect=25)
    if bar.solids is not None:
        bar.solids.set_visible(False)
    least, greatest = cells.get_clim()
    ends = np.linspace(float(least or 0), float(greatest or 1), cells.cmap.N + 1)
    middles = (ends[:-1] + ends[1:]) / 2
    edges = np.dstack(np.meshgrid(ends, [0.0, 1.0]))
    shown = CellMesh(edges, cmap=cells.cmap, norm=cells.norm)
    shown.set_array(middles.reshape(1, -1))
    bar.ax.add_collection(shown, autolim=False)
    bar.set_label(words)
    return bar.ax
