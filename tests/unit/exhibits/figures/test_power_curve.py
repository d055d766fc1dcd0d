"""The power figure shows the numbers of the power check, and the study's own points on curves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from scipy import stats

import draw_power_curve
from schooltrial.checks.power.simulation import SIMULATED
from schooltrial.exhibits.figures.power_curve import MDES, PALE, POWER, drawn, power_plot
from schooltrial.exhibits.style.figures import CONTROL, TREATED, rendered
from schooltrial.models.power.allocation import planned_allocation
from schooltrial.models.power.closed_form import school_randomised
from schooltrial.models.power.minimum_detectable_effect import power_of_test
from schooltrial.protocol.content.sections import Outcome, StudyLine
from support.drawn_artists import legend_words, points, with_marker

STUDY: StudyLine = {"title": "A trial", "synthetic": True, "protocol": "0" * 64}
OUTCOMES = {
    "maths": cast(Outcome, {"label": "Maths", "primary": True}),
    "ela": cast(Outcome, {"label": "English", "primary": False}),
}


def checked(**keys: Any) -> pd.DataFrame:
    """Return rows of the power check: 40 schools in 5 blocks planned, 36 of them analysed."""
    rows = []
    for stage, schools in (("protocol", 40), ("randomisation", 40), ("analysis", 36)):
        design = school_randomised(
            planned_allocation(schools, blocks=5 * schools // 40 or 1), 50, 0.2, r2_school=0.5,
            covariates=1,
        )  # fmt: skip
        rows.append(
            {
                "outcome": "maths", "model": "main", "subgroup": "all", "arm": "programme",
                "stage": stage, "units_label": "SD", "unit_kind": "school",
                "n_units": float(schools),
                "n_blocks": float(5 * schools // 40), "covariates_school": 1.0, "icc": 0.2,
                "std_error": design.std_error, "df": design.df, "mdes": design.mdes(),
                "alpha": 0.05, "target_power": 0.8, "effect": 0.1,
                "method": "closed form, two levels", **keys,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def test_the_studys_own_points_are_those_of_the_check_and_lie_on_their_curves() -> None:
    table = checked()
    data = drawn(table, OUTCOMES)
    assert len(table)
    for row in table.to_dict("records"):
        mine = data[data["stage"] == row["stage"]]
        own = mine[mine["own"]].set_index("panel")
        assert (own.loc[POWER, "x"], own.loc[POWER, "y"]) == (row["mdes"], 0.8)
        assert (own.loc[MDES, "x"], own.loc[MDES, "y"]) == (row["n_units"], row["mdes"])
        for panel in (POWER, MDES):
            curve = mine[(mine["panel"] == panel) & ~mine["own"]]
            at = np.interp(own.loc[panel, "x"], curve["x"], curve["y"])
            assert at == pytest.approx(own.loc[panel, "y"], rel=0.005)


def test_the_power_curve_is_the_power_of_the_test() -> None:
    table = checked()
    data = drawn(table, OUTCOMES)
    row = table.iloc[2]
    curve = data[(data["panel"] == POWER) & (data["stage"] == "analysis") & ~data["own"]]
    wanted = power_of_test(curve["x"].to_numpy(), row["std_error"], row["df"])
    assert curve["y"].tolist() == pytest.approx(wanted.tolist())
    assert curve["x"].iloc[-1] == pytest.approx(1.6 * table["mdes"].max())


def test_twice_the_schools_in_twice_the_blocks_see_what_such_a_design_would() -> None:
    data = drawn(checked(), OUTCOMES)
    curve = data[(data["panel"] == MDES) & (data["stage"] == "protocol") & ~data["own"]]
    double = school_randomised(
        planned_allocation(80, blocks=10), 50, 0.2, r2_school=0.5, covariates=1
    ).mdes()
    assert np.interp(80, curve["x"], curve["y"]) == pytest.approx(double, rel=1e-3)
    assert (np.diff(curve["y"]) < 0).all()


def test_only_primary_outcomes_are_drawn_unless_there_are_none() -> None:
    both = pd.concat([checked(), checked(outcome="ela")], ignore_index=True)
    assert set(drawn(both, OUTCOMES)["outcome"]) == {"maths"}
    none = {name: cast(Outcome, {**o, "primary": False}) for name, o in OUTCOMES.items()}
    assert set(drawn(both, none)["outcome"]) == {"maths", "ela"}


def test_stages_whose_numbers_lack_are_left_out_and_subgroups_are_not_drawn() -> None:
    table = checked()
    table.loc[0, "mdes"] = np.nan
    girls = checked(subgroup="girls", model="girls").iloc[[2]]
    data = drawn(pd.concat([table, girls], ignore_index=True), OUTCOMES)
    assert set(data["stage"]) == {"randomisation", "analysis"}
    assert len(data[data["own"]]) == 4


def _texts(data: pd.DataFrame) -> list[str]:
    return [text.get_text() for text in power_plot(data, STUDY).findobj(Text)]


def test_axes_name_units_and_scale_and_each_arm_has_its_panels() -> None:
    two = pd.concat([checked(unit_kind="teacher"), checked(arm="other")], ignore_index=True)
    texts = _texts(drawn(two, OUTCOMES))
    for wanted in (
        "Maths, programme",
        "Maths, other",
        "teachers in the comparison\nline: 0.1 assumed",
        "true effect, SD\nvertical line: 0.1 assumed",
    ):
        assert wanted in texts
    arms: Any = [{"name": "programme", "label": "Coaching"}, {"name": "other", "label": "Books"}]
    labelled = power_plot(drawn(two, OUTCOMES), STUDY, arms).axes
    assert {"Maths, Coaching", "Maths, Books"} <= {panel.get_title("left") for panel in labelled}
    points = _texts(drawn(checked(units_label="points", effect=np.nan), OUTCOMES))
    assert "true effect, points" in points
    assert "minimum detectable effect,\npoints" in points
    assert not any("assumed" in text for text in points)


def test_a_reported_precision_of_unknown_size_has_a_power_curve_only() -> None:
    table = checked(
        icc=np.nan, n_units=np.nan, n_blocks=np.nan, covariates_school=np.nan, df=np.inf
    )
    data = drawn(table, OUTCOMES)
    assert set(data["panel"]) == {POWER}
    assert "the number of units\nis not known" in _texts(data)


def test_a_study_of_which_nothing_is_known_says_so() -> None:
    data = drawn(checked(mdes=np.nan), OUTCOMES)
    assert data.empty
    assert any("is not known" in text for text in _texts(data))


def test_the_figure_is_the_same_bytes_and_its_data_say_what_is_synthetic(tmp_path: Any) -> None:
    checked().to_csv(tmp_path / "power.csv", index=False)
    files: dict[str, Any] = {
        kind: str(tmp_path / f"curve.{kind}") for kind in ("svg", "pdf", "png", "csv", "txt")
    }
    draw_power_curve.main(
        power=str(tmp_path / "power.csv"),
        outcomes=OUTCOMES,
        arms=(),
        study=STUDY,
        randomised=True,
        **files,
    )
    data = drawn(pd.read_csv(tmp_path / "power.csv"), OUTCOMES)
    words = (tmp_path / "curve.txt").read_text("utf-8").strip()
    again = rendered(power_plot(data, STUDY), title=STUDY["title"], alt=words)
    for kind in ("svg", "pdf", "png"):
        assert (tmp_path / f"curve.{kind}").read_bytes() == again[kind]
    written = pd.read_csv(tmp_path / "curve.csv")
    assert set(written["data"]) == {"synthetic"}
    assert written["y"].tolist() == pytest.approx(data["y"].tolist(), rel=1e-8)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Return the power check of the three stages."""
    return checked()


@pytest.fixture(scope="module")
def figure(table: pd.DataFrame) -> Iterator[Figure]:
    """Return the figure of one outcome and one group: power to the left, MDES to the right."""
    made = power_plot(drawn(table, OUTCOMES), STUDY)
    yield made
    made.clear()


def _own(panel: Axes) -> dict[str, list[tuple[float, float]]]:
    """Return the study's own points by the shape of their mark; the key's marks are nowhere."""
    return {
        str(line.get_marker()): points(line)
        for line in panel.lines
        if line.get_marker() != "None" and not np.isnan(points(line)[0][0])
    }


def _curves(panel: Axes) -> list[Line2D]:
    return [line for line in panel.lines if len(points(line)) > 2]


def test_each_stages_mark_lies_at_its_least_detectable_effect(
    figure: Figure, table: pd.DataFrame
) -> None:
    left, right = figure.axes
    mdes = table["mdes"].tolist()
    assert _own(left) == {mark: [(x, 0.8)] for mark, x in zip("sDo", mdes, strict=True)}
    assert _own(right) == {
        mark: [(units, y)] for mark, units, y in zip("sDo", (40, 40, 36), mdes, strict=True)
    }


def test_curves_run_from_no_effect_and_from_a_third_to_two_and_a_half_times_the_units(
    figure: Figure, table: pd.DataFrame
) -> None:
    left, right = figure.axes
    assert len(_curves(left)) == len(_curves(right)) == 3
    for line in _curves(left):
        found = points(line)
        assert len(found) == 81
        assert found[0] == pytest.approx((0, 0.05))  # without an effect, power is the level
        assert found[-1][0] == pytest.approx(1.6 * table["mdes"].max())
    ends = [(points(line)[0][0], points(line)[-1][0]) for line in _curves(right)]
    assert ends == [(13, 100), (13, 100), (12, 90)]


def test_stages_are_told_apart_by_colour_line_and_mark_and_the_analysis_is_filled(
    figure: Figure,
) -> None:
    left, right = figure.axes
    for panel in (left, right):
        curves = _curves(panel)
        assert [line.get_color() for line in curves] == [PALE, CONTROL, TREATED]
        widths = [line.get_linewidth() for line in curves]
        assert widths == sorted(widths, reverse=True)  # each shows through the one over it
        fillings = [
            with_marker(panel, mark)[0].get_markerfacecolor() for mark in ("s", "D", "o")
        ]  # fmt: skip
        assert fillings == ["white", "white", TREATED]
        sizes = [with_marker(panel, mark)[0].get_markersize() for mark in ("s", "D", "o")]
        assert sizes == sorted(sizes, reverse=True)


def test_lines_mark_the_power_wanted_and_the_effect_assumed(
    figure: Figure, table: pd.DataFrame
) -> None:
    left, right = figure.axes
    flat = {axis: [] for axis in ("x", "y")}  # type: dict[str, list[list[float]]]
    for line in left.lines:
        xs, ys = (np.asarray(data, dtype=float).tolist() for data in line.get_data())
        if len(xs) == 2:
            flat["y" if xs == [0, 1] else "x"].append(ys if xs == [0, 1] else xs)
    assert flat == {"y": [[0.8, 0.8]], "x": [[0.1, 0.1]]}
    level = [points(line) for line in right.lines if len(points(line)) == 2]
    assert level == [[(0.0, 0.1), (1.0, 0.1)]]
    for panel in (left, right):
        assert panel.get_xlabel().endswith("line: 0.1 assumed")
        assert not panel.texts  # within the panel a curve may pass at any place


def test_axes_are_named_and_begin_at_zero(figure: Figure, table: pd.DataFrame) -> None:
    left, right = figure.axes
    assert (left.get_title(loc="left"), right.get_title(loc="left")) == ("Maths", "")
    assert (left.get_xlabel(), left.get_ylabel()) == (
        "true effect, SD\nvertical line: 0.1 assumed",
        "power",
    )
    assert right.get_xlabel() == "schools in the comparison\nline: 0.1 assumed"
    assert right.get_ylabel() == "minimum detectable effect, SD"
    assert left.get_xlim() == pytest.approx((0, 1.6 * table["mdes"].max()))
    assert left.get_ylim() == (0, 1.02)
    highest = max(y for line in _curves(right) for _, y in points(line))
    assert right.get_ylim() == pytest.approx((0, 1.12 * highest))
    assert left.yaxis.get_major_formatter()(0.8) == "80%"


def test_the_key_names_the_stages_that_are_drawn_and_the_power_of_the_marks(
    figure: Figure, table: pd.DataFrame
) -> None:
    assert legend_words(figure) == ["as planned", "as randomised", "as analysed"]
    title = figure.legends[0].get_title().get_text()
    assert title == "marks: this study, at a power of 80%"
    shapes = [line.get_marker() for line in figure.legends[0].get_lines()]
    assert shapes == ["s", "D", "o"]
    assert figure.get_supxlabel() == "SYNTHETIC DATA.  A trial.  Protocol 000000000000"
    later = power_plot(drawn(table[1:], OUTCOMES), STUDY)
    assert legend_words(later) == ["as randomised", "as analysed"]


def test_an_effect_that_is_not_assumed_or_not_in_sd_has_no_line() -> None:
    for keys in ({"effect": np.nan}, {"effect": 0.0}, {"units_label": "points"}):
        left, right = power_plot(drawn(checked(**keys), OUTCOMES), STUDY).axes
        assert "line" not in left.get_xlabel() + right.get_xlabel()
        assert [len(points(line)) for line in right.lines].count(2) == 0


def test_a_large_assumed_effect_widens_the_panel_and_a_small_one_does_not() -> None:
    wide = drawn(checked(effect=-2.0), OUTCOMES)
    assert wide.loc[wide["panel"] == POWER, "x"].max() == pytest.approx(2.4)  # 1.2 × 2.0


def test_each_outcome_and_arm_has_its_line_of_panels_and_its_height() -> None:
    two = pd.concat([checked(), checked(arm="other")], ignore_index=True)
    figure = power_plot(drawn(two, OUTCOMES), STUDY)
    titles = [panel.get_title(loc="left") for panel in figure.axes]
    assert titles == ["Maths, programme", "", "Maths, other", ""]
    assert figure.get_figheight() == pytest.approx(0.95 + 2.35 * 2)
    assert len(figure.legends) == 1


def test_simulated_power_is_not_drawn_as_a_curve_and_the_first_model_alone_is() -> None:
    simulated = checked(method=SIMULATED)
    assert drawn(simulated, OUTCOMES).empty
    other = checked(model="second", mdes=9.0)
    data = drawn(pd.concat([checked(), other], ignore_index=True), OUTCOMES)
    assert len(data[data["own"]]) == 6
    assert 9.0 not in set(data["y"])


def test_over_units_a_reported_precision_keeps_its_df_in_proportion() -> None:
    # With no ICC the standard error is that of an estimate: with twice the units it is smaller by
    # the root of two, and the df are twice as many.
    row = checked(icc=np.nan).iloc[2]
    data = drawn(checked(icc=np.nan), OUTCOMES)
    curve = data[(data["panel"] == MDES) & (data["stage"] == "analysis") & ~data["own"]]
    error, df = row["std_error"] / np.sqrt(2), 2 * row["df"]
    two_sided, wanted = stats.t.ppf(0.975, df), 0.8
    found = np.interp(2 * row["n_units"], curve["x"], curve["y"])
    power = stats.nct.sf(two_sided, df, found / error) + stats.nct.cdf(
        -two_sided, df, found / error
    )
    assert power == pytest.approx(wanted, abs=0.002)


def test_one_block_costs_no_more_degrees_of_freedom_with_more_units() -> None:
    row = checked().iloc[0].to_dict()
    unblocked = drawn(checked(blocks=1.0), OUTCOMES)
    curve = unblocked[
        (unblocked["panel"] == MDES) & (unblocked["stage"] == "protocol") & ~unblocked["own"]
    ]
    error = row["std_error"] * np.sqrt(40 / 80)
    found = float(np.interp(80, curve["x"], curve["y"]))
    df = 80 - 1 - 1 - 1  # schools, the block, the arm, the covariate
    critical = stats.t.ppf(0.975, df)
    power = stats.nct.sf(critical, df, found / error)
    assert power == pytest.approx(0.8, abs=0.002)
