"""Cells are shaded by their value, as vectors: a path for each shade, and none for no value."""

from __future__ import annotations

import re
from math import nan

import numpy as np
import pytest
from matplotlib.figure import Figure

from schooltrial.exhibits.style.cell_mesh import SHADES, add_scale, draw_cells, rectangles_path
from schooltrial.exhibits.style.figures import new_figure, rendered, styled

VALUES = np.array([[1.0, 1.0, nan, 0.0], [nan, 4.0, 4.0, 4.0]])


@styled
def _figure() -> Figure:
    figure, (panel,) = new_figure(2.0)
    cells = draw_cells(panel, VALUES)
    panel.set_axis_off()
    add_scale(figure, panel, cells, "hours")
    return figure


def _paths(svg: str) -> list[tuple[str, str]]:
    """Return the fill and the course of each path of several colours than white."""
    return re.findall(r'<path d="([^"]*)"[^<>]*style="fill: (#[0-9a-f]{6}); stroke: \2', svg)


def test_nothing_is_a_dot_of_an_image_and_each_shade_is_one_path() -> None:
    svg = rendered(_figure(), ["svg"])["svg"].decode()
    assert "<image" not in svg
    shades = [fill for _, fill in _paths(svg)]
    cells, scale = shades[: len(shades) - SHADES], shades[len(shades) - SHADES :]
    assert len(cells) == len(set(cells)) == 3
    assert len(set(scale)) == SHADES
    assert set(cells) <= set(scale)


def test_cells_side_by_side_in_a_line_are_one_rectangle() -> None:
    svg = rendered(_figure(), ["svg"])["svg"].decode()
    rectangles = [course.count("M") for course, _ in _paths(svg)][:3]
    assert rectangles == [1, 1, 1]


def test_more_is_darker() -> None:
    figure = _figure()
    cells = figure.axes[0].collections[0]
    shades = np.asarray(cells.to_rgba(np.linspace(0, 4, SHADES)))
    luminance = shades[:, :3] @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(luminance) < 0).all()
    assert luminance[0] < 0.97, "the lightest differs from a cell left blank"


def test_cells_lie_about_whole_numbers_the_first_line_on_top() -> None:
    panel = _figure().axes[0]
    assert panel.get_xlim() == (-0.5, 3.5)
    assert panel.get_ylim() == (1.5, -0.5)


def test_a_mesh_without_any_value_is_blank_and_has_a_scale() -> None:
    _, (panel,) = new_figure(1.0)
    cells = draw_cells(panel, np.full((2, 2), nan))
    assert cells.get_clim() == (0.0, 1.0)


def test_rectangles_become_one_closed_path_each() -> None:
    path = rectangles_path([(0, 1, 2, 3), (4, 5, 6, 7)])
    corners = np.asarray(path.vertices).reshape(2, 5, 2)
    assert corners[1, :, 0].tolist() == pytest.approx([4, 5, 5, 4, 4])
    assert corners[1, :, 1].tolist() == pytest.approx([6, 6, 7, 7, 6])
