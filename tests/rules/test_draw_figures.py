"""The scripts that draw and tabulate hand on what their rules name, and write what is drawn."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import draw_attrition_boundary
import draw_bacon_weights
import draw_cohorts
import draw_distributions
import draw_dosage
import draw_effects
import draw_event_study
import draw_fidelity
import draw_flow
import draw_love_plot
import draw_missingness
import draw_parallel_trends
import draw_placebos
import draw_power_curve
import draw_re_randomisation
import draw_school_means
import draw_school_outliers
import draw_timeline
import draw_trends
import tabulate_baseline
import tabulate_results
from schooltrial.checks.attrition.rates import COLUMNS as ATTRITION
from schooltrial.checks.flow.boxes import COLUMNS as FLOW
from schooltrial.exhibits.catalogue import FIGURES
from schooltrial.exhibits.writing import write_figure
from schooltrial.protocol.content.sections import StudyLine
from support.drawn_artists import (
    labelled,
    points,
    smallest_letters,
    tick_words,
    with_marker,
    words,
)
from support.html_cells import caption, rows
from support.legibility import confusable

COLUMN, LEAST_LETTERS = 88.0, 6.0
"""Millimetres of a printed column, and points of the smallest letters on it."""

KINDS = ("csv", "html", "tex", "docx", "md")
STUDY: StudyLine = {"title": "A trial", "synthetic": True, "protocol": "0123456789abcdef"}
ARMS: Any = [{"name": "c", "label": "Control"}, {"name": "t", "label": "Tutored"}]
OUTCOMES: Any = {
    "maths": {"label": "Maths", "units_label": "SD", "primary": True, "measured_on": "pupil"}
}
YEARS: Any = {"label": "spring", "baseline": [2019], "programme": [2020], "follow_up": []}
FILES = {kind: f"figure.{kind}" for kind in ("svg", "pdf", "png", "csv", "txt")}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Return a function that runs a script of a figure, and returns the figure and its data.

    Formats are written in a test of their own: to render eleven figures takes long.
    """

    def run(script: ModuleType, **arguments: Any) -> tuple[Figure, pd.DataFrame]:
        caught: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
        monkeypatch.setattr(
            script, "write_figure", lambda *given, **kinds: caught.append((given, kinds))
        )
        named: dict[str, Any] = {}
        for name, value in arguments.items():
            path = tmp_path / name
            if isinstance(value, pd.DataFrame):
                write = value.to_parquet if name == "panel" else value.to_csv
                write(path, index=False)
            named[name] = str(path) if isinstance(value, pd.DataFrame) else value
        script.main(**named, study=STUDY, **FILES)
        (((figure, data, words_of_it, study), kinds),) = caught
        assert study == STUDY
        assert kinds == FILES
        assert words_of_it.strip().endswith(".")
        assert "SYNTHETIC DATA.  A trial.  Protocol 0123456789ab" in " ".join(words(figure))
        assert confusable(figure) == []
        assert smallest_letters(figure, COLUMN) >= LEAST_LETTERS
        return figure, data

    return run


def test_every_figure_is_run_here_so_that_the_rules_of_colours_and_letters_hold_of_all() -> None:
    ran = set(re.findall(r"run\(\s*draw_(\w+)", Path(__file__).read_text("utf-8")))
    assert ran >= {*FIGURES, "missingness", "distributions", "school_outliers"}


def test_the_power_curve_names_its_stages_and_the_target_power(run: Any) -> None:
    power = pd.DataFrame(
        {
            "outcome": "maths", "model": "itt", "subgroup": "all", "arm": "t",
            "stage": ["protocol", "randomisation", "analysis"], "units_label": "SD",
            "unit_kind": "school", "n_units": [40.0, 40.0, 36.0], "n_blocks": 0.0,
            "covariates_school": 1.0, "icc": 0.2, "std_error": [0.1, 0.11, 0.12], "df": 37.0,
            "mdes": [0.29, 0.32, 0.35], "alpha": 0.05, "target_power": 0.8, "effect": 0.1,
            "method": "closed form, two levels",
        }
    )  # fmt: skip
    _, data = run(draw_power_curve, power=power, outcomes=OUTCOMES, arms=ARMS)
    assert set(data["stage"]) == {"protocol", "randomisation", "analysis"}
    assert set(data["target_power"]) == {0.8}


def test_the_attrition_boundary_is_of_the_years_analysed_the_unit_and_the_plans_boundary(
    run: Any,
) -> None:
    row = dict.fromkeys(ATTRITION, np.nan) | {
        "kind": "lost", "outcome": "maths", "level": "teachers", "arm": "t", "overall": 0.1,
        "differential": -0.02,
    }  # fmt: skip
    figure, data = run(
        draw_attrition_boundary,
        attrition=pd.DataFrame([{**row, "year": 2019}, {**row, "year": 2020}]),
        outcomes=OUTCOMES, arms=ARMS, analysis_years=[2020], boundary="optimistic", unit="teacher",
    )  # fmt: skip
    assert data["year"].tolist() == [2020]
    labelled(figure.axes[0], "optimistic boundary (decides)")
    assert labelled(figure.axes[0], "teachers").get_marker() == "s"  # the mark of units


def test_the_distributions_bear_the_heaps_of_the_check(run: Any) -> None:
    bins = pd.DataFrame(
        {"outcome": "maths", "year": 2020, "bin_low": [0.0, 1.0], "bin_high": [1.0, 2.0], "n": [1,
         3],
         "share": [0.25, 0.75]}
    )  # fmt: skip
    heaps = pd.DataFrame({"outcome": ["maths"], "year": 2020, "value": 1.0, "verdict": "heap"})
    means = pd.DataFrame(
        {"table": ["scores"], "variable": "ela", "year": 2020, "arm": "c", "rows": 1,
         "missing": 0, "mean": 1.0}
    )  # fmt: skip
    figure, data = run(
        draw_distributions, distributions=bins, heaping=heaps, means=means, outcomes=OUTCOMES,
        arms=ARMS,
    )  # fmt: skip
    assert data["heap"].tolist() == [False, True]
    assert [points(mark) for mark in with_marker(figure.axes[0], "v")] == [[(1.5, 0.75)]]


def test_names_of_schools_that_look_like_numbers_keep_their_zeros(run: Any) -> None:
    doses = pd.DataFrame(
        {"component": "coaching", "school": ["007"], "arm": "t", "period": "2020", "value": 1.0}
    )
    figure, data = run(draw_dosage, dosage=doses, components={}, arms=ARMS)
    assert tick_words(figure.axes[0].yaxis) == ["007"]
    assert data["period"].tolist() == ["2020"]
    far = pd.DataFrame(
        {"outcome": "maths", "year": 2020, "school": ["007", "008"], "z": [4.0, 0.0],
         "verdict": ["outlier", ""], "threshold": 3.0}
    )  # fmt: skip
    figure, data = run(draw_school_outliers, outliers=far, outcomes=OUTCOMES)
    assert data["school"].tolist() == ["007", "008"]
    assert "007" in words(figure)


ESTIMATE = {
    "model": "itt", "outcome": "maths", "term": "treated", "estimand": "ITT", "subgroup": "all",
    "estimate": 0.1, "std_error": 0.1, "conf_low": -0.1, "conf_high": 0.3, "p_value": 0.3,
    "statistic": 1.0, "df": 10.0, "effect_size": 0.1, "n_individuals": 100, "n_schools": 12,
    "method": "REML", "note": "", "converged": True,
}  # fmt: skip
MODELS: Any = {
    "itt": {"label": "Offer", "role": "primary", "confidence_level": 0.95,
            "estimator": "multilevel", "where": {"year": [2020]}, "where_label": ""}
}  # fmt: skip


def test_the_effects_bear_the_truth_of_a_simulation_where_it_is_named(
    run: Any, tmp_path: Path
) -> None:
    estimates = pd.DataFrame([ESTIMATE])
    _, data = run(draw_effects, estimates=estimates, models=MODELS, outcomes=OUTCOMES, years=YEARS)
    assert "truth" not in data
    truth = tmp_path / "truth.json"
    truth.write_text(json.dumps({"effects": {"maths": {"2020": 0.2}}}), encoding="utf-8")
    figure, data = run(
        draw_effects,
        estimates=estimates,
        models=MODELS,
        outcomes=OUTCOMES,
        years=YEARS,
        truth=str(truth),
    )
    assert data["truth"].tolist() == [0.2]
    assert [points(bar) for bar in with_marker(figure.axes[0], "|")] == [[(0.2, 0.0)]]


def test_the_fidelity_matrix_is_that_of_the_check(run: Any) -> None:
    check = pd.DataFrame(
        {"component": ["coaching"], "label": "Coaching", "year": 2020, "unit_kind": "school",
         "unit_threshold": 10.0, "share_required": 0.8, "n_met": 9, "n_units": 10, "n_recorded": 10,
         "share_met": 0.9, "met": "yes"}
    )  # fmt: skip
    figure, data = run(draw_fidelity, fidelity=check)
    pd.testing.assert_frame_equal(data, check)
    assert "9 of 10 · met" in words(figure)
    assert "Coaching\nplanned: 10 or more for 80% of\nschools" in words(figure)


@pytest.mark.parametrize(
    ("randomised", "heading"), [(True, "Randomised"), (False, "Assigned, not randomised")]
)
def test_the_flow_diagram_says_whether_units_were_randomised(
    run: Any, randomised: bool, heading: str
) -> None:
    boxes = pd.DataFrame(
        [
            ["assigned", "all", "", "", "school", "in", "schools", 2, "", "", ""],
            ["analysed", "t", "maths", "2020", "pupil", "in", "pupils", 9, "", "", "itt"],
        ],
        columns=FLOW,
    )
    design = {"arms": ARMS, "randomised": randomised, "kind": "parallel"}
    figure, data = run(
        draw_flow, boxes=boxes, assignment="", panel="", bounded="", design=design, models={},
        outcomes=OUTCOMES, years={}, labels={"maths": "Maths"},
    )  # fmt: skip
    told = words(figure)
    assert told[:3] == [heading, "schools", "2"]
    assert {"Maths, 2020", "pupils", "9"} <= set(told)
    assert data["outcome"].tolist() == ["", "maths"]  # an empty cell is no missing number


BALANCE = pd.DataFrame(
    {"level": ["pupil", "pupil"], "label": ["Score", "Girl"],
     "standardised_difference": [0.1, np.nan],
     "wwc_effect_size": [0.12, np.nan], "wwc_measure": "", "wwc_band": "adjust", "arm": "t",
     "sample": "randomised", "mean_control": 1.0, "sd_control": 1.0, "mean_treated": 1.1,
     "sd_treated": 1.0, "difference": 0.1, "n_control": 10, "n_treated": 11, "missing": 0}
)  # fmt: skip
SETTINGS: Any = {"equivalent_to": 0.05, "adjust_to": 0.25}


def test_the_love_plot_marks_a_difference_that_is_not_known_and_names_the_year(run: Any) -> None:
    figure, data = run(
        draw_love_plot, balance=BALANCE, settings=SETTINGS, year_label="2019", arms=ARMS,
        control="comparison",
    )  # fmt: skip
    assert figure.axes[0].get_xlabel().startswith("intervention − comparison, in SDs")
    assert data["size"].tolist() == pytest.approx([0.12, float("nan")], nan_ok=True)
    assert data["reading"].fillna("").tolist() == ["", "not known"]
    assert points(labelled(figure.axes[0], "pupils, randomised"))[0] == (0.12, 0.0)
    assert "not known" in words(figure)
    assert "Baseline balance, 2019" in words(figure)
    two = pd.concat([BALANCE, BALANCE.assign(arm="x")])
    figure, _ = run(
        draw_love_plot, balance=two, settings=SETTINGS, year_label="2019", arms=ARMS,
        control="control",
    )  # fmt: skip
    assert [panel.get_title(loc="left") for panel in figure.axes] == [
        "Tutored − Control", "x − Control",
    ]  # fmt: skip


def test_the_missingness_map_names_variables_by_their_labels(run: Any) -> None:
    missing = pd.DataFrame(
        {"table": ["pupils"], "variable": "sex", "year": "2020", "rows": 10, "share": 0.5}
    )
    figure, _ = run(draw_missingness, missing=missing, labels={"sex": "Sex of pupil"})
    assert tick_words(figure.axes[0].yaxis) == ["pupils: Sex of pupil"]
    assert "50" in words(figure)


PANEL = pd.DataFrame(
    {"outcome": "maths", "year": [2019, 2020, 2021, 2021], "block": "1", "school": list("AAAB"),
     "arm": list("ccct"), "treated": [0.0, 0.0, 0.0, 1.0], "mean": [9.0, 1.0, 3.0, 4.0],
     "n_pupils": [5.0, 10.0, 10.0, 20.0]}
)  # fmt: skip


def test_school_means_are_of_the_last_baseline_year_and_over_the_years_analysed(run: Any) -> None:
    years: Any = {"label": "spring", "baseline": [2019], "programme": [2020], "follow_up": [2021]}
    figure, data = run(
        draw_school_means, pupils=[], panel=PANEL, outcomes=OUTCOMES, arms=ARMS, years=years,
        analysis_years=[2020, 2021],
    )  # fmt: skip
    assert data[["school", "when", "mean"]].to_numpy().tolist() == [
        ["A", "before", 9.0], ["A", "after", 2.0], ["B", "after", 4.0],
    ]  # fmt: skip
    (panel,) = figure.axes
    assert panel.get_title(loc="left") == "Maths"
    assert panel.get_xlabel() == "spring"


def test_the_timeline_counts_those_measured_in_the_sample_and_units_in_the_assignment(
    run: Any, tmp_path: Path
) -> None:
    tables = {
        "sample": pd.DataFrame({"year": [2019, 2020], "maths": [1.0, 2.0], "school": ["A", "A"]}),
        "teacher_sample": pd.DataFrame({"year": pd.Series(dtype="int64")}),
        "assignment": pd.DataFrame({"school": ["A", "B"], "arm": ["t", "c"]}),
    }
    for name, table in tables.items():
        table.to_parquet(tmp_path / f"{name}.parquet", index=False)
    years: Any = {
        "label": "spring", "baseline": [2019], "programme": [2020], "follow_up": [],
        "to_come": [], "lasts": None,
    }  # fmt: skip
    design = {
        "arms": ARMS, "randomised": True, "kind": "blocked", "unit": "school", "schools": True,
        "no_data": {}, "randomisation": {"date": ""},
    }  # fmt: skip
    paths = {name: str(tmp_path / f"{name}.parquet") for name in tables}
    figure, data = run(
        draw_timeline, panel=PANEL, design=design, years=years, outcomes=OUTCOMES, **paths
    )
    assert data["n"].tolist() == [2, 1, 1, 1, 1]
    assert "Randomised before the programme (line): 2 schools" in words(figure)


def test_re_randomisations_of_all_models_are_drawn(run: Any, tmp_path: Path) -> None:
    bins = pd.DataFrame(
        {"model": "itt", "outcome": "maths", "statistic_name": "studentised", "bin_low": [-1.0,
         0.0],
         "bin_high": [0.0, 1.0], "share": 0.5, "observed": 0.5, "p_value": 0.5, "replications": 10,
         "exact": False, "undefined": 0}
    )  # fmt: skip
    paths = [str(tmp_path / f"{name}.draws.csv") for name in ("itt", "other")]
    for path, table in zip(paths, (bins, bins[:0]), strict=True):
        table.to_csv(path, index=False)
    _, data = run(draw_re_randomisation, draws=paths, models=MODELS, outcomes=OUTCOMES)
    assert data["share"].tolist() == [0.5, 0.5]
    assert set(data["model_label"]) == {"Offer"}


def test_trends_are_of_every_year_of_the_panel(run: Any) -> None:
    years: Any = {"label": "spring", "baseline": [2019], "programme": [2020], "follow_up": [2021]}
    figure, data = run(
        draw_trends, panel=PANEL, outcomes=OUTCOMES, years=years, design={"arms": ARMS}
    )  # fmt: skip
    assert data["mean"].tolist() == [9.0, 1.0, 3.0, 4.0]
    assert [y for _, y in points(labelled(figure.axes[0], "Control, 1 school"))] == [9.0, 1.0, 3.0]
    assert figure.axes[0].get_xlabel() == "spring"


COHORTS = pd.DataFrame(
    {"outcome": "maths", "year": [2019, 2020, 2019, 2020, 2019, 2020], "block": "1",
     "school": list("AABBCC"), "arm": list("ttttcc"),
     "cohort": pd.array([2020, 2020, 2021, 2021, None, None], dtype="Int64"),
     "treated": [1.0, 1.0, 1.0, 1.0, 0.0, 0.0], "mean": [1.0, 4.0, 2.0, 2.0, 5.0, 6.0],
     "n_pupils": 10.0}
)  # fmt: skip


def test_cohorts_are_drawn_each_from_its_own_start(run: Any) -> None:
    figure, data = run(draw_cohorts, panel=COHORTS, outcomes=OUTCOMES)
    assert data.set_index(["cohort", "year"]).loc[("2020", 2020), "change"] == 2.0
    assert "since: +2" in words(figure)


def test_nothing_of_a_staggered_study_is_drawn_as_if_all_had_begun_together(run: Any) -> None:
    years: Any = {"label": "spring", "baseline": [2019], "programme": [2020], "follow_up": []}
    figure, _ = run(
        draw_trends, panel=COHORTS, outcomes=OUTCOMES, years=years, design={"arms": ARMS}
    )  # fmt: skip
    assert "Began 2020\n1 school\n2020: 4.00" in words(figure)
    assert not figure.axes[0].patches  # no years of a programme are shaded
    _, data = run(
        draw_school_means, pupils=[], panel=COHORTS, outcomes=OUTCOMES, arms=ARMS, years=years,
        analysis_years=[2019, 2020],
    )  # fmt: skip
    after = data[data["when"] == "after"]
    assert after[["school", "mean"]].to_numpy().tolist() == [["A", 4.0], ["C", 6.0]]


def test_the_weights_of_comparisons_are_those_of_the_check(run: Any) -> None:
    check = pd.DataFrame(
        {"model": ["did"], "outcome": "maths", "kind": "never treated", "treated_cohort": 2020,
         "compared_cohort": 0, "estimate": 2.0, "weight": 1.0}
    )  # fmt: skip
    figure, data = run(
        draw_bacon_weights, comparisons=check, models={"did": {"label": "D"}}, outcomes=OUTCOMES
    )
    assert data["two_way"].tolist() == [2.0]
    assert points(labelled(figure.axes[0], "compared with never treated")) == [(1.0, 2.0)]


CHECKS = Path(__file__).parents[1] / "support" / "parallel_trends"
PRIMARY: Any = {
    "ela": {"label": "English", "units_label": "points", "primary": True},
    "attendance": {"label": "Attendance", "units_label": "points", "primary": False},
}


def test_bounds_and_placebos_are_those_of_the_check(run: Any) -> None:
    checks = pd.read_csv(CHECKS / "parallel_trends.csv")
    draws = pd.read_csv(CHECKS / "parallel_trends_placebos.csv")
    models = {"staggered": {"label": "Cohorts"}}
    figure, data = run(draw_parallel_trends, checks=checks, models=models, outcomes=PRIMARY)
    assert set(data["breakdown"]) == {0.86, 0.29}
    assert len(figure.axes) == 2
    figure, data = run(draw_placebos, checks=checks, draws=draws, models=models, outcomes=PRIMARY)
    assert (data["part"] == "draw").sum() == len(draws) - 1
    assert tick_words(figure.axes[1].yaxis)[-1] == "Attendance"


def test_the_event_study_is_of_the_estimates_and_the_starts_of_the_panel(run: Any) -> None:
    row = {**ESTIMATE, "estimand": "event study", "term": "treated[year=2020]"}
    model = {
        **MODELS["itt"], "estimator": "difference_in_differences", "active_years": [],
        "label": "Two-way",
    }  # fmt: skip
    years: Any = {
        "label": "spring", "baseline": [2019], "programme": [2020], "follow_up": [],
        "reference": None,
    }  # fmt: skip
    figure, data = run(
        draw_event_study, estimates=pd.DataFrame([row]), panel=COHORTS, models={"itt": model},
        outcomes=OUTCOMES, years=years,
    )  # fmt: skip
    assert data["time"].tolist() == [2019, 2020]
    assert figure.axes[0].get_xlabel() == "spring\nbelow: effect and 95% interval"
    assert points(labelled(figure.axes[0], "a cohort begins"))[0][0] == 2019.5


def test_a_figure_is_written_in_each_format_under_its_own_name_with_its_data(
    tmp_path: Path,
) -> None:
    figure = Figure(figsize=(1, 1))
    files = {kind: str(tmp_path / name) for kind, name in FILES.items()}
    write_figure(figure, pd.DataFrame({"x": [1.5]}), "At 1.5.", STUDY, **files)
    starts = {kind: Path(path).read_bytes()[:5] for kind, path in files.items()}
    assert starts == {
        "svg": b"<?xml",
        "pdf": b"%PDF-",
        "png": b"\x89PNG\r",
        "csv": b"x,pro",
        "txt": b"At 1.",
    }
    written = pd.read_csv(files["csv"])
    assert written.to_dict("records") == [
        {"x": 1.5, "protocol": "0123456789abcdef", "data": "synthetic"}
    ]


def test_the_baseline_table_is_written_as_data_and_as_a_page(tmp_path: Path) -> None:
    BALANCE.to_csv(tmp_path / "balance.csv", index=False)
    tabulate_baseline.main(
        balance=str(tmp_path / "balance.csv"), arms=ARMS, settings=SETTINGS, study=STUDY,
        year_label="2019", control="comparison",
        **{kind: str(tmp_path / f"table.{kind}") for kind in KINDS},
    )  # fmt: skip
    page = (tmp_path / "table.html").read_text("utf-8")
    assert caption(page) == "Baseline, 2019"
    assert "intervention − comparison" in page
    assert [row[0] for row in rows(page)[1:]] == ["Score", "Girl"]
    written = pd.read_csv(tmp_path / "table.csv")
    assert written["label"].tolist() == ["Score", "Girl"]
    assert set(written["data"]) == {"synthetic"}


def test_the_results_table_is_written_with_the_deviations_and_without_other_terms(
    tmp_path: Path,
) -> None:
    other = {**ESTIMATE, "estimand": "coefficient", "term": "intercept"}
    taken = {**ESTIMATE, "estimand": "CACE", "term": "took_up"}
    pd.DataFrame([other, ESTIMATE, taken]).to_csv(tmp_path / "estimates.csv", index=False)
    tabulate_results.main(
        estimates=str(tmp_path / "estimates.csv"), models=MODELS, outcomes=OUTCOMES, study=STUDY,
        years=YEARS, arms=ARMS, labels={"took_up": "Took it up"},
        deviations=[{"date": "2021-05-01", "what": "no texts", "why": "no numbers"}],
        **{kind: str(tmp_path / f"table.{kind}") for kind in KINDS},
    )  # fmt: skip
    page = (tmp_path / "table.html").read_text("utf-8")
    assert [row[1] for row in rows(page)[1:]] == ["ITT", "CACE: Took it up"]
    assert "2021-05-01: No texts. Why: No numbers." in page
    written = pd.read_csv(tmp_path / "table.csv")
    assert written["term"].tolist() == ["treated", "took_up"]
    assert written["term_label"].tolist() == ["Intervention", "Took it up"]
