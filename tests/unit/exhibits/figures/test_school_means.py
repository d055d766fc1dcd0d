"""School means as drawn: a mark per school on the line of its block, by arm, sized by pupils."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from schooltrial.exhibits.figures.school_means import drawn, school_means_plot
from schooltrial.exhibits.style.figures import CONTROL, FAINT, TREATED
from schooltrial.protocol.sections import StudyLine
from support.drawn_artists import hues, legend_words, points, tick_words

STUDY: StudyLine = {"title": "A trial", "synthetic": True, "protocol": "0" * 64}
ARMS: Any = [{"name": "c", "label": "Control"}, {"name": "t", "label": "Tutored"}]
OUTCOMES: Any = {
    "maths": {"label": "Maths", "units_label": "SD", "primary": True},
    "ela": {"label": "English", "units_label": "points", "primary": True},
    "rate": {"label": "Rate", "units_label": "per cent", "primary": False},
}
COLUMNS = ["outcome", "block", "school", "arm", "treated", "mean", "n_pupils"]
MEANS = pd.DataFrame(
    [
        ["ela", "Ost 2", "B", "c", 0.0, 200.0, 10],
        ["maths", "Ost 2", "B", "c", 0.0, -0.5, 20],
        ["maths", "Ost 2", "A", "t", 1.0, 0.25, 40],
        ["maths", "Ost 10", "C", "c", 0.0, 0.125, 10],
    ],
    columns=COLUMNS,
)


@pytest.fixture(scope="module")
def figure() -> Iterator[Figure]:
    """Return the figure of two outcomes, two blocks and three schools."""
    made = school_means_plot(MEANS, OUTCOMES, ARMS, STUDY, "District", "2020, 2021")
    yield made
    made.clear()


def _marks(panel: Axes) -> dict[str, list[tuple[list[float], float]]]:
    """Return arm → places and areas of its marks."""
    return {
        str(found.get_label()): [
            (np.asarray(place).tolist(), float(size))
            for place, size in zip(np.asarray(found.get_offsets()), found.get_sizes(), strict=True)
        ]
        for found in panel.collections
        if isinstance(found, PathCollection)
    }


def test_each_school_lies_at_its_mean_on_its_blocks_line_and_is_as_large_as_its_pupils_are_many(
    figure: Figure,
) -> None:
    maths, english = figure.axes
    assert _marks(maths) == {
        "Control": [([-0.5, 0.0], 12 + 45 * 20 / 40), ([0.125, 1.0], 12 + 45 * 10 / 40)],
        "Tutored": [([0.25, 0.0], 12 + 45)],
    }
    assert _marks(english) == {"Control": [([200.0, 0.0], 57)], "Tutored": []}


def test_arms_are_told_apart_by_colour_and_shape_and_named_in_the_legend(figure: Figure) -> None:
    control, tutored = (
        found for found in figure.axes[0].collections if isinstance(found, PathCollection)
    )
    assert hues(np.asarray(control.get_facecolor())[:1, :3]) == [CONTROL]
    assert hues(np.asarray(tutored.get_facecolor())[:1, :3]) == [TREATED]
    assert len(control.get_paths()[0]) != len(tutored.get_paths()[0])
    assert legend_words(figure) == ["Control", "Tutored"]


def test_a_faint_line_joins_the_lowest_and_highest_school_of_a_block(figure: Figure) -> None:
    lines = figure.axes[0].lines
    assert sorted(points(line) for line in lines) == [
        [(-0.5, 0.0), (0.25, 0.0)],
        [(0.125, 1.0), (0.125, 1.0)],
    ]
    assert {line.get_color() for line in lines} == {FAINT}


def test_blocks_are_named_from_the_top_on_the_first_panel_alone(figure: Figure) -> None:
    first, second = figure.axes
    assert tick_words(first.yaxis) == ["Ost 2", "Ost 10"]
    assert set(tick_words(second.yaxis)) <= {""}
    assert (first.get_ylabel(), second.get_ylabel()) == ("District", "")
    for panel in (first, second):
        assert panel.get_ylim() == (1.5, -0.5)
        assert panel.get_yticks().tolist() == [0, 1]


def test_panels_stand_in_the_order_of_the_protocol_and_name_outcome_years_and_unit(
    figure: Figure,
) -> None:
    titles = [panel.get_title(loc="left") for panel in figure.axes]
    assert titles == ["Maths, 2020, 2021", "English, 2020, 2021"]
    assert [panel.get_xlabel() for panel in figure.axes] == [
        "school mean, SD", "school mean, points",
    ]  # fmt: skip
    assert figure.get_supxlabel() == "SYNTHETIC DATA.  A trial.  Protocol 000000000000"


def test_a_few_blocks_have_the_room_of_six_and_more_have_their_own(figure: Figure) -> None:
    assert figure.get_figheight() == pytest.approx(1.5 + 0.23 * 6)
    tall = school_means_plot(_in_blocks(8), OUTCOMES, ARMS, STUDY, "District", "2020")
    assert tall.get_figheight() == pytest.approx(1.5 + 0.23 * 8)
    many = school_means_plot(_in_blocks(122), OUTCOMES, ARMS, STUDY, "District", "2020")
    assert many.get_figheight() == pytest.approx(1.5 + 0.13 * 122)


def _in_blocks(count: int) -> pd.DataFrame:
    return pd.concat([MEANS[1:2].assign(block=f"Block {at}") for at in range(count)])


def _one_block(count: int) -> pd.DataFrame:
    means = np.random.default_rng(7).normal(size=count)
    arms = ["t" if at % 2 else "c" for at in range(count)]
    return pd.DataFrame(
        {"outcome": "maths", "block": "all", "school": [f"S{at}" for at in range(count)],
         "arm": arms, "treated": [float(arm == "t") for arm in arms], "mean": means,
         "n_pupils": 20}
    )  # fmt: skip


def test_no_school_of_a_block_of_121_is_drawn_over_another() -> None:
    figure = school_means_plot(_one_block(121), OUTCOMES, ARMS, STUDY, "Block", "2020")
    (panel,) = figure.axes
    figure.draw_without_rendering()
    places, radii = [], []
    for found in panel.collections:
        if isinstance(found, PathCollection):
            places += panel.transData.transform(np.asarray(found.get_offsets())).tolist()
            radii += [np.sqrt(size) / 2 * figure.dpi / 72 for size in found.get_sizes()]
    assert len(places) == 121
    distance = np.linalg.norm(np.subtract.outer(places, places)[:, [0, 1], :, [0, 1]], axis=0)
    np.fill_diagonal(distance, np.inf)
    assert distance.min() > 1.7 * min(radii), "marks of one size touch at most at their edges"


def test_where_marks_need_more_than_two_rows_each_arm_has_rows_of_its_own() -> None:
    figure = school_means_plot(_one_block(121), OUTCOMES, ARMS, STUDY, "Block", "2020")
    marks = _marks(figure.axes[0])
    control = [place[1] for place, _ in marks["Control"]]
    tutored = [place[1] for place, _ in marks["Tutored"]]
    assert max(control) < min(tutored), "control is above, as its axis runs downwards"


def _cell(outcome: str, year: int, block: str, school: str, mean: float, n: float) -> list[Any]:
    treated = float(school > "M")
    return [outcome, year, block, school, "t" if treated else "c", treated, mean, n]


CELLS = pd.DataFrame(
    [
        _cell("maths", 2019, "Ost 2", "A", 100.0, 10),  # not a year analysed
        _cell("maths", 2020, "Ost 10", "A", 1.0, 30),
        _cell("maths", 2021, "Ost 10", "A", 3.0, 10),
        _cell("maths", 2020, "Ost 2", "Z", 5.0, np.nan),
        _cell("maths", 2021, "Ost 2", "Z", 6.0, np.nan),
        _cell("maths", 2020, "Ost 2", "B", 7.0, 4),
        _cell("maths", 2020, "Ost 2", "A", 8.0, 4),
        _cell("rate", 2020, "Ost 2", "A", 9.0, 4),
    ],
    columns=["outcome", "year", "block", "school", "arm", "treated", "mean", "n_pupils"],
)


def test_a_schools_mean_weighs_its_years_by_pupils_and_alike_where_they_are_not_known() -> None:
    data = drawn(CELLS, OUTCOMES, [2020, 2021])
    assert data[["block", "school", "mean", "n_pupils"]].to_numpy().tolist() == [
        ["Ost 2", "A", 8.0, 4.0],  # by block as a reader counts, control first, then by name
        ["Ost 2", "B", 7.0, 4.0],
        ["Ost 2", "Z", 5.5, 2.0],
        ["Ost 10", "A", 1.5, 40.0],
    ]
    assert set(data["outcome"]) == {"maths"}
    assert list(data.columns) == ["outcome", "block", "school", "arm", "treated", *COLUMNS[-2:]]


def test_without_a_primary_outcome_every_outcome_is_drawn() -> None:
    none: Any = {name: {**outcome, "primary": False} for name, outcome in OUTCOMES.items()}
    assert set(drawn(CELLS, none, [2020])["outcome"]) == {"maths", "rate"}


def test_the_bands_of_a_block_are_alike_in_all_panels() -> None:
    crowded, few = _one_block(90), _one_block(6).assign(outcome="ela")
    data = pd.concat([part.assign(block=name)
                      for name, part in (("A", crowded), ("A", few), ("B", few),
                                         ("B", few.assign(outcome="maths")))])  # fmt: skip
    figure = school_means_plot(data, OUTCOMES, ARMS, STUDY, "District", "2020")
    maths, english = figure.axes
    assert maths.get_yticks().tolist() == english.get_yticks().tolist()
    assert maths.get_ylim() == english.get_ylim()
