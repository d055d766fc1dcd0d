"""The power figure shows the numbers of the power check, and the study's own points on curves."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

import draw_power_curve
from schooltrial.exhibits.figures.power_curve import MDES, POWER, drawn, power_plot
from schooltrial.exhibits.style.figures import rendered
from schooltrial.models.power.allocation import planned_allocation
from schooltrial.models.power.closed_form import school_randomised
from schooltrial.models.power.minimum_detectable_effect import power_of_test
from schooltrial.protocol.sections import Outcome

STUDY = {"title": "A trial", "synthetic": True, "protocol": "0" * 64}
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
                "stage": stage, "scale": "SD", "unit": "school", "units": float(schools),
                "blocks": float(5 * schools // 40), "covariates_school": 1.0, "icc": 0.2,
                "std_error": design.std_error, "df": design.df, "mdes": design.mdes(),
                "alpha": 0.05, "power_wanted": 0.8, "effect": 0.1,
                "method": "closed form, two levels", **keys,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def test_the_studys_own_points_are_those_of_the_check_and_lie_on_their_curves() -> None:
    table = checked()
    data = drawn(table, OUTCOMES)
    for row in table.to_dict("records"):
        mine = data[data["stage"] == row["stage"]]
        own = mine[mine["own"]].set_index("panel")
        assert (own.loc[POWER, "x"], own.loc[POWER, "y"]) == (row["mdes"], 0.8)
        assert (own.loc[MDES, "x"], own.loc[MDES, "y"]) == (row["units"], row["mdes"])
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
    two = pd.concat([checked(unit="teacher"), checked(arm="other")], ignore_index=True)
    texts = _texts(drawn(two, OUTCOMES))
    for wanted in (
        "Maths, programme",
        "Maths, other",
        "teachers in the comparison",
        "assumed: 0.1",
    ):
        assert wanted in texts
    points = _texts(drawn(checked(scale="points", effect=np.nan), OUTCOMES))
    assert "true effect, points" in points
    assert "least detectable effect,\npoints" in points
    assert not any(text.startswith("assumed") for text in points)


def test_a_reported_precision_of_unknown_size_has_a_power_curve_only() -> None:
    table = checked(icc=np.nan, units=np.nan, blocks=np.nan, covariates_school=np.nan, df=np.inf)
    data = drawn(table, OUTCOMES)
    assert set(data["panel"]) == {POWER}
    assert "the number of units\nis not known" in _texts(data)


def test_a_study_of_which_nothing_is_known_says_so() -> None:
    data = drawn(checked(mdes=np.nan), OUTCOMES)
    assert data.empty
    assert any("is not known" in text for text in _texts(data))


def test_the_figure_is_the_same_bytes_and_its_data_say_what_is_synthetic(tmp_path: Any) -> None:
    checked().to_csv(tmp_path / "power.csv", index=False)
    files = {kind: str(tmp_path / f"curve.{kind}") for kind in ("svg", "pdf", "png", "csv")}
    draw_power_curve.main(
        power=str(tmp_path / "power.csv"), outcomes=OUTCOMES, study=STUDY, **files
    )
    data = drawn(pd.read_csv(tmp_path / "power.csv"), OUTCOMES)
    again = rendered(power_plot(data, STUDY))
    for kind in ("svg", "pdf", "png"):
        assert (tmp_path / f"curve.{kind}").read_bytes() == again[kind]
    written = pd.read_csv(tmp_path / "curve.csv")
    assert set(written["data"]) == {"synthetic"}
    assert written["y"].tolist() == pytest.approx(data["y"].tolist(), rel=1e-8)
