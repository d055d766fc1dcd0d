"""The scripts, one after another, take a small trial from raw files to its report."""

import json
import re
from collections.abc import Iterable, Mapping
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from docx import Document
from pypdf import PdfReader

from draw_effects import main as draw_effects
from schooltrial.document.numbers import number, p_text
from schooltrial.exhibits.catalogue import figures_of, lacking, tables_of
from schooltrial.protocol.content.sections import Content, analysis_years, labels
from schooltrial.protocol.form.strict_yaml import parse_yaml
from schooltrial.refusal import Refusal
from schooltrial.report.findings.headlines import digits_of, with_interval
from support.html_cells import rows
from support.report_inputs import write_checks
from support.small_trial import ROOT, SmallTrial
from tabulate_baseline import main as tabulate_baseline
from tabulate_results import main as tabulate_results
from write_report import main as write_report

VERBS = {"figure": "draw", "table": "tabulate"}
CAPTIONS = ROOT / "src" / "schooltrial" / "exhibits" / "captions.yaml"
KINDS = ("csv", "html", "tex", "docx", "md")
REGISTRY = "https://example.org/1"
RULES = ROOT / "workflow" / "rules"


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
    assert (row["n_individuals"], row["n_schools"], row["n_treated_schools"]) == (160, 8, 4)


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
def reported(finished: SmallTrial, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the report of the small trial, said to be synthetic; read only."""
    folder = tmp_path_factory.mktemp("report")
    _report(finished, folder)
    return folder


@pytest.fixture(scope="module")
def altered(finished: SmallTrial, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a report with a deviation, a registration and no baseline table."""
    nothing: dict[str, Any] = {
        "pupil_variables": [], "school_variables": [], "teacher_variables": []
    }  # fmt: skip
    stated = {"registry": "", "identifier": "", "date": "", "plan_sha256": None, "url": REGISTRY}
    sections: dict[str, Any] = {
        "deviations": [
            {"date": "2020-05-01", "what": "No test was held", "why": "schools were shut"}
        ],
        "registration": stated,
        "balance": {**finished.read().content["balance"], **nothing},
    }
    folder = tmp_path_factory.mktemp("altered")
    _report(finished, folder, sections=sections)
    return folder


@pytest.fixture
def page(reported: Path) -> str:
    """Return the page of that report."""
    return (reported / "report.html").read_text("utf-8")


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
        (folder / f"{name}.svg").write_text(svg_of(name), encoding="utf-8")
        (folder / f"{name}.csv").write_text("n\n", encoding="utf-8")
        (folder / f"{name}.txt").write_text(f"What {name} shows: 12.\n", encoding="utf-8")
    kinds = {kind: str(folder / f"effects.{kind}") for kind in ("svg", "pdf", "png", "csv", "txt")}
    models, outcomes, arms = content["models"], content["outcomes"], content["design"]["arms"]
    estimates = finished.path("estimates.csv")
    draw_effects(
        estimates=estimates,
        models=models,
        outcomes=outcomes,
        years=content["years"],
        arms=arms,
        study=study,
        **kinds,
    )
    tabulate_results(
        estimates=estimates, models=models, outcomes=outcomes, study=study,
        years=content["years"], arms=arms, labels=labels(content),
        deviations=content["deviations"],
        **{kind: str(folder / f"results.{kind}") for kind in KINDS},
    )  # fmt: skip
    tabulate_baseline(
        balance=finished.path("balance.csv"), arms=arms, settings=content["balance"],
        study=study, year_label="2019", control="control",
        **{kind: str(folder / f"baseline.{kind}") for kind in KINDS},
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
        captions=str(CAPTIONS),
        checks=checks,
        estimates=estimates,
        diagnostics=finished.path("diagnostics.json"),
        figures=[str(folder / f"{name}.svg") for name in figures],
        protocol=content,
        study=study,
        provenance=[
            {
                "rule": rule,
                "script": f"{rule}.py",
                "code": [],
                "reads": [estimates],
                "writes": [estimates],
            }
            for rule in _rules(f"{VERBS[word['kind']]}_{name}" for name, word in shown.items())
        ],
        report=str(folder / "report.html"),
        pdf=str(folder / "report.pdf"),
        summary=str(folder / "summary.html"),
        summary_pdf=str(folder / "summary.pdf"),
        overview=str(folder / "overview.json"),
        record=str(folder / "study_record.json"),
        steps=str(folder / "report_steps.csv"),
        tables_tex=str(folder / "tables.tex"),
        tables_docx=str(folder / "tables.docx"),
        tables_md=str(folder / "tables.md"),
    )
    return (folder / "report.html").read_text("utf-8")


def _rules(drawn: Iterable[str]) -> list[str]:
    """Return the rules that draw exhibits, and all others of the workflow."""
    texts = [file.read_text("utf-8") for file in sorted(RULES.glob("*.smk"))]
    named = [rule for text in texts for rule in re.findall(r"^rule (\w+):", text, re.MULTILINE)]
    assert "write_report" in named
    return list(dict.fromkeys([*drawn, *named]))


def svg_of(name: str) -> str:
    """Return a small picture."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="90pt" height="30pt" viewBox="0 0 90 30">'
        f"<desc>{name}</desc><rect width='9' height='9'/></svg>"
    )


def test_every_number_of_the_first_screen_is_that_of_the_estimates(
    finished: SmallTrial, page: str
) -> None:
    rows = pd.read_csv(finished.path("estimates.csv")).set_index(["model", "outcome"])
    row = rows.loc[("itt", "maths")]
    front = page.split("<nav")[0]
    table = front.split('id="primary_outcomes"')[1]
    digits = digits_of(row["estimate"], row["conf_low"], row["conf_high"], in_sd=True)
    size = with_interval(row["estimate"], row["conf_low"], row["conf_high"], digits)
    assert f">{size}<" in table
    assert f">{p_text(row['p_value'])}<" in table
    assert ">160 (8)<" in table
    assert f"{number(abs(row['estimate']), digits)} SD" in front
    assert re.findall(r"\bnan\b", page, flags=re.IGNORECASE) == []


def test_every_page_says_that_data_are_synthetic(page: str, reported: Path) -> None:
    assert page.count("Synthetic data.") == 1
    assert "SYNTHETIC DATA. A small trial" in page.split("<footer>")[1]
    pages = [PdfReader(reported / name).pages for name in ("report.pdf", "summary.pdf")]
    assert len(pages[1]) == 1
    for one in [*pages[0], *pages[1]]:
        assert "SYNTHETIC DATA." in one.extract_text()


@pytest.mark.parametrize(
    "verdict", ["contradicted", pytest.param("in doubt", marks=pytest.mark.slow)]
)
def test_a_doubtful_allocation_is_said_on_the_first_screen(
    finished: SmallTrial, tmp_path: Path, verdict: str
) -> None:
    above = _report(finished, tmp_path, verdict).split("<nav")[0]
    assert above.count(f"The recorded allocation is {verdict}, so every group comparison") == 1


def test_an_allocation_that_nothing_doubts_is_not_said_to_be_doubtful(page: str) -> None:
    assert "The recorded allocation is" not in page.split("<nav")[0]


def test_deviations_have_a_section_and_the_results_cite_it(altered: Path) -> None:
    page = (altered / "report.html").read_text("utf-8")
    section = page.split('<section id="deviations">')[1].split("</section>")[0]
    assert "2020-05-01: No test was held. Why: Schools were shut." in section
    primary = page.split('<section id="primary">')[1].split("</section>")[0]
    assert 'deviates from the plan: see <a href="#deviations">Section' in primary
    assert "Deviations from the plan. 2020-05-01: No test was held. Why: Schools were shut." in (
        altered / "results.html"
    ).read_text("utf-8")


def test_the_pdf_holds_the_words_of_the_page(page: str, reported: Path) -> None:
    printed = re.sub(
        r"[\W_]", "", "".join(p.extract_text() for p in PdfReader(reported / "report.pdf").pages)
    )
    on_screen_only = r'<style>.*?</style>|<details class="screen">.*?</details>'
    body = re.sub(
        rf"{on_screen_only}|<caption.*?</caption>|<nav.*?</nav>|<[^>]+>", " ", page, flags=re.S
    )
    words = set(re.findall(r"[^\W_]{4,}", unescape(body)))
    lost = sorted(word for word in words if word not in printed)
    assert len(words) > 300
    assert lost == ["Skip", "content"]


def test_the_same_report_has_the_same_bytes(
    finished: SmallTrial, reported: Path, tmp_path: Path
) -> None:
    names = ("report.html", "report.pdf", "summary.html", "summary.pdf", "results.docx",
             "tables.docx", "tables.tex", "tables.md")  # fmt: skip
    _report(finished, tmp_path)
    for name in names:
        assert (tmp_path / name).read_bytes() == (reported / name).read_bytes(), name


def test_the_report_links_to_the_registered_plan(altered: Path) -> None:
    page = (altered / "report.html").read_text("utf-8")
    assert f'<a href="{REGISTRY}">{REGISTRY}</a>' in page


def test_the_report_holds_every_exhibit_numbered_with_its_data_and_source(
    finished: SmallTrial, page: str
) -> None:
    content = finished.read().content
    for name in [*figures_of(content), "baseline"]:
        exhibit = page.split(f'<figure id="{name}"')[1].split("</figure>")[0]
        assert re.search(r"<b>(Figure|Table) [A-Z]?\d+\. ", exhibit)
        rule = f"tabulate_{name}" if name == "baseline" else f"draw_{name}"
        assert f'href="#trace-{rule}"' in exhibit
        assert f'id="trace-{rule}"' in page
        assert f"/{name}.csv" in exhibit


def test_every_link_inside_the_report_has_an_end(page: str) -> None:
    ends = set(re.findall(r'id="([^"]+)"', page))
    links = set(re.findall(r'href="#([^"]+)"', page))
    assert len(links) > 20
    assert links - ends == set()


def test_the_tables_offered_for_a_text_are_those_that_the_study_has(
    page: str, altered: Path
) -> None:
    bare = (altered / "report.html").read_text("utf-8")

    def offered(text: str) -> list[str]:
        return re.findall(r'href="../tables/([^"]+)"', text.split("Tables for a text of your")[1])

    results = ["results.docx", "results.tex", "results.md"]
    assert offered(page) == [*results, "baseline.docx", "baseline.tex", "baseline.md"]
    assert offered(bare) == results


def test_every_table_of_the_page_is_in_word_latex_and_markdown_with_the_same_number_and_cells(
    page: str, reported: Path
) -> None:
    shown = [
        (re.findall(r"<b>(.*?)</b>", one, re.S)[0].removesuffix("."), one)
        for one in re.findall(r'<figure id="[^"]*" class="table">.*?</figure>', page, re.S)
    ]
    assert len(shown) > 10
    markdown = (reported / "tables.md").read_text("utf-8")
    pieces = re.split(r"^\*\*(Table .*?)\*\*$", markdown, flags=re.M)
    titles = [unescape(title).replace("\u00a0", " ") for title, _ in shown]
    assert [title.replace("\\", "") for title in pieces[1::2]] == titles
    for (_, table), text in zip(shown, pieces[2::2], strict=True):
        lines = [line for line in text.splitlines() if line.startswith("|")][2:]
        told = " ".join(lines).replace("\\", "").replace("`", "")
        for row in rows(table.replace("<br>", " ")):
            assert [word for cell in row for word in cell.split() if word not in told] == []
    word = Document(str(reported / "tables.docx"))
    captions = [one.text for one in word.paragraphs if one.style and one.style.name == "Caption"]
    assert captions == titles
    assert len(word.tables) == len(titles)
    latex = (reported / "tables.tex").read_text("utf-8")
    numbers = [title.split(".")[0].removeprefix("Table ") for title in titles]
    assert re.findall(r"renewcommand\{\\thetable\}\{(\w+)\}$", latex, re.M) == numbers


def test_the_report_links_to_its_tables_in_each_format(page: str) -> None:
    linked = re.findall(r'href="(tables\.\w+)"', page)
    assert linked == ["tables.docx", "tables.tex", "tables.md"]


def test_the_report_needs_no_other_file(page: str) -> None:
    linked = set(re.findall(r'(?:src|href)="(?!data:|#)([^"]*)"', page))
    assert {"data_quality.html", "monitoring.html"} <= linked
    assert all(not link.startswith(("http:", "https:", "//")) for link in linked)
    assert re.findall(r"<(?:script|link|iframe)", page) == []


def test_what_the_study_lacks_is_said_in_its_section_and_costs_on_the_first_screen_too(
    finished: SmallTrial, page: str
) -> None:
    assert lacking(finished.read().content)
    assert page.count("No costs are given.") == 2
    assert page.count("Implementation was not recorded") == 1


def test_the_report_says_whether_the_plan_changed(page: str) -> None:
    assert "The plan has not changed since outcomes were first read." in page


def test_the_report_lists_raw_files_and_who_left(finished: SmallTrial, page: str) -> None:
    files = pd.read_csv(finished.path("raw_files.csv"))
    assert len(files)
    for checksum in files["sha256"]:
        assert checksum in page
    flow = pd.read_csv(finished.path("flow.csv"))
    kept = flow["year"].isin(analysis_years(finished.read().content))
    shown = flow[kept | flow["step"].str.startswith("followed up")]
    assert len(shown)
    assert not shown["left"].any()
    assert "No record of 2020 was left out at any step." in page
