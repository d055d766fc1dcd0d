"""The scripts, one after another, take a small trial from raw files to its report."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from draw_effects import main as draw_effects
from schooltrial.document.numbers import interval, number, p_text
from schooltrial.exhibits.catalogue import figures_of, lacking, tables_of
from schooltrial.protocol.sections import Content, analysis_years
from schooltrial.protocol.strict_yaml import parse_yaml
from schooltrial.refusal import Refusal
from support.report_inputs import write_checks
from support.small_trial import ROOT, SmallTrial
from tabulate_baseline import main as tabulate_baseline
from tabulate_results import main as tabulate_results
from write_report import main as write_report

VERBS = {"figure": "draw", "table": "tabulate"}
CAPTIONS = ROOT / "src" / "schooltrial" / "exhibits" / "captions.yaml"
TEMPLATES = ROOT / "src" / "schooltrial" / "report" / "templates"


def test_the_same_files_give_the_same_bytes(finished: SmallTrial, tmp_path: Path) -> None:
    again = SmallTrial(tmp_path)
    for step in (again.obtain, again.clean, again.check, again.fit):
        step()
    assert again.written()
    for name in again.written():
        first = Path(finished.path(name)).read_bytes()
        assert Path(again.path(name)).read_bytes() == first, name


def test_estimates_of_all_models_stand_in_protocol_order(finished: SmallTrial) -> None:
    rows = pd.read_csv(finished.path("estimates.csv"))
    assert list(dict.fromkeys(rows["model"])) == ["itt", "did"]
    assert rows["estimand"].tolist() == [
        "ITT", "ITT", "ATT", "post-test difference", "post-test difference, baseline-adjusted",
        "event study",
    ]  # fmt: skip
    told = json.loads(Path(finished.path("diagnostics.json")).read_text("utf-8"))
    assert list(told) == ["itt", "did"]
    assert told["itt"]["maths"]["incomplete"] == {}


def test_the_clustered_effect_is_that_of_least_squares_with_pair_indicators(
    finished: SmallTrial,
) -> None:
    pupils = pd.read_parquet(finished.path("sample.parquet")).query("year == 2020")
    pairs = [(pupils["block"] == block).astype(float) for block in sorted(set(pupils["block"]))]
    x = np.column_stack([pupils["treated"], pupils["girl"], *pairs])
    by_hand = np.linalg.lstsq(x, pupils["maths"], rcond=None)[0][0]
    rows = pd.read_csv(finished.path("estimates.csv")).set_index(["model", "outcome"])
    row = rows.loc[("itt", "maths")]
    assert row["estimate"] == pytest.approx(by_hand, rel=1e-9)
    assert (row["n_pupils"], row["n_schools"], row["n_treated_schools"]) == (160, 8, 4)


def test_the_panel_effect_is_the_difference_of_mean_changes(finished: SmallTrial) -> None:
    panel = pd.read_parquet(finished.path("panel.parquet")).query("outcome == 'reading'")
    change = panel.pivot(index=["school", "treated"], columns="year", values="mean")
    arms = (change[2020] - change[2019]).groupby("treated").mean()
    rows = pd.read_csv(finished.path("estimates.csv")).set_index("estimand")
    assert rows.loc["ATT", "estimate"] == pytest.approx(arms[1.0] - arms[0.0], rel=1e-9)
    assert rows.loc["event study", "term"] == "treated[year=2020]"
    assert rows.loc["event study", "estimate"] == rows.loc["ATT", "estimate"]


def test_a_model_that_cannot_be_fitted_is_refused_by_name(trial: SmallTrial) -> None:
    trial.protocol["models"]["itt"]["where"] = {"year": [2020], "sex": ["girl"]}
    for row in range(2, 162):
        trial.set("scores_2020.csv", 2 * row - 2, "score", "")
    trial.obtain()
    trial.clean()
    with pytest.raises(Refusal, match="model itt, outcome maths: outcome 'maths': 0 of"):
        trial.fit()
    assert not Path(trial.path("itt.csv")).exists()


@pytest.fixture(scope="module")
def page(finished: SmallTrial, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the report of the small trial, said to be synthetic."""
    return _report(finished, tmp_path_factory.mktemp("report"))


def _report(
    finished: SmallTrial, folder: Path, verdict: str = "", sections: Mapping[str, Any] | None = None
) -> str:
    """Write the report; with a verdict on the assignment, as if the checks had come to it.

    What ``sections`` states takes the place of what the protocol does.
    """
    stated: Any = dict(sections or {})
    content: Content = {**finished.read().content, **stated}
    study = finished.study(synthetic=True)
    words: dict[str, dict[str, Any]] = parse_yaml((CAPTIONS).read_text("utf-8"))
    figures = figures_of(content)
    shown = {name: words[name] for name in [*figures, *tables_of(content)]}
    for name in figures:
        (folder / f"{name}.svg").write_text(f"<svg>{name}</svg>", encoding="utf-8")
    kinds = {kind: str(folder / f"effects.{kind}") for kind in ("svg", "pdf", "png", "csv")}
    models, outcomes, arms = content["models"], content["outcomes"], content["design"]["arms"]
    estimates = finished.path("estimates.csv")
    draw_effects(
        estimates=estimates, models=models, outcomes=outcomes, arms=arms, study=study, **kinds
    )
    tabulate_results(
        estimates=estimates, models=models, outcomes=outcomes, study=study,
        deviations=content["deviations"], csv=str(folder / "results.csv"),
        html=str(folder / "results.html"),
    )  # fmt: skip
    tabulate_baseline(
        balance=finished.path("balance.csv"), arms=arms, settings=content["balance"],
        study=study, year_label="2019",
        csv=str(folder / "baseline.csv"), html=str(folder / "baseline.html"),
    )  # fmt: skip
    checks = write_checks(finished, folder)
    if verdict:
        (told,) = [Path(file) for file in checks if file.endswith("assignment_verdict.json")]
        found = {**json.loads(told.read_text("utf-8")), "verdict": verdict}
        told.write_text(json.dumps(found), encoding="utf-8")
    (folder / "claims.txt").write_text("passed   a claim holds\n", encoding="utf-8")
    write_report(
        models_to_come={},
        lock=str(CAPTIONS),
        claims=str(folder / "claims.txt"),
        template=str(TEMPLATES / "report.html.j2"),
        style=str(TEMPLATES / "page.css"),
        captions=str(CAPTIONS),
        checks=checks,
        estimates=estimates,
        diagnostics=finished.path("diagnostics.json"),
        figures=[str(folder / f"{name}.svg") for name in figures],
        tables=[str(folder / "results.html"), str(folder / "baseline.html")],
        panel_figures=[],
        protocol=content,
        study=study,
        provenance=[
            {
                "rule": f"{VERBS[word['kind']]}_{name}",
                "script": f"{name}.py",
                "code": [],
                "reads": [estimates],
                "writes": [estimates],
            }
            for name, word in shown.items()
        ],
        report=str(folder / "report.html"),
    )
    return (folder / "report.html").read_text("utf-8")


def test_every_number_of_the_summary_is_that_of_the_estimates(
    finished: SmallTrial, page: str
) -> None:
    rows = pd.read_csv(finished.path("estimates.csv")).set_index(["model", "outcome"])
    row = rows.loc[("itt", "maths")]
    (card,) = re.findall(r'<div class="card">(.*?)</div>', page, flags=re.S)
    assert f'<span class="value">{number(row["estimate"])}</span>' in card
    assert interval(row["conf_low"], row["conf_high"]) in card
    assert f"p = {p_text(row['p_value'])}" in card
    assert number(row["effect_size"]) in card
    assert "160 pupils in 8 schools (4 intervention)" in card
    assert "nan" not in card


def test_the_report_says_that_data_are_synthetic(page: str) -> None:
    assert "Synthetic data" in page
    assert page.count("SYNTHETIC DATA. A small trial") == 2


@pytest.mark.parametrize(("verdict", "said"), [("contradicted", 1), ("in doubt", 1), ("", 0)])
def test_a_doubtful_assignment_is_said_above_the_summary(
    finished: SmallTrial, tmp_path: Path, verdict: str, said: int
) -> None:
    above = _report(finished, tmp_path, verdict).split('<h2 id="summary">')[0]
    assert above.count(f"The assignment on record is {verdict}") == said


def test_deviations_stand_beside_the_effects_and_in_their_table(
    finished: SmallTrial, tmp_path: Path
) -> None:
    deviation = {"date": "2020-05-01", "what": "No test was held", "why": "schools were shut"}
    page = _report(finished, tmp_path, sections={"deviations": [deviation]})
    effects = page.split('<h2 id="effects-section">')[1].split("<h2")[0]
    assert "2020-05-01: No test was held — schools were shut" in effects
    assert "Otherwise than planned: 2020-05-01: No test was held (schools were shut)." in (
        tmp_path / "results.html"
    ).read_text("utf-8")


def test_the_report_links_to_the_registered_plan(finished: SmallTrial, tmp_path: Path) -> None:
    stated = {"registry": "", "identifier": "", "date": "", "plan_sha256": None}
    url = "https://example.org/1"
    page = _report(finished, tmp_path, sections={"registration": {**stated, "url": url}})
    assert f'<a href="{url}">{url}</a>' in page


def test_the_report_holds_every_exhibit_with_how_it_was_made(
    finished: SmallTrial, page: str
) -> None:
    content = finished.read().content
    for name in [*figures_of(content), *tables_of(content)]:
        assert f'id="{name}"' in page
        rule = f"draw_{name}" if f"draw_{name}" in page else f"tabulate_{name}"
        assert f'id="trace-{rule}"' in page
        assert f'href="#trace-{rule}"' in page


def test_the_report_needs_no_other_file(page: str) -> None:
    linked = set(re.findall(r'(?:src|href)="(?!data:|#)([^"]*)"', page))
    assert linked == {"data_quality.html", "monitoring.html"}  # pages beside it, not parts of it


def test_the_report_says_in_one_line_which_exhibits_the_study_lacks_and_why(
    finished: SmallTrial, page: str
) -> None:
    absent = lacking(finished.read().content)
    assert absent
    for name, reason in absent.items():
        assert f"<code>{name}</code>: {reason}." in page


def test_the_report_tells_whether_the_plan_changed(page: str) -> None:
    assert "It has not changed since outcomes were first read here." in page


def test_the_report_tells_raw_files_and_who_left(finished: SmallTrial, page: str) -> None:
    files = pd.read_csv(finished.path("raw_files.csv"))
    assert len(files)
    for checksum in files["sha256"]:
        assert checksum in page
    flow = pd.read_csv(finished.path("flow.csv"))
    shown = flow[flow["year"].isin(analysis_years(finished.read().content))]
    assert len(shown)
    for step in set(shown["step"]):
        assert step in page
