"""The studies that come with the project, run with the one command of the README."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from e2e.clone import ROOT, Clone
from schooltrial.exhibits.catalogue import FIGURES, TABLES, lacking
from schooltrial.protocol.content.sections import Protocol
from schooltrial.protocol.form.strict_yaml import parse_yaml
from schooltrial.protocol.reading import read_protocol, read_schema
from support.page_links import broken_links, exhibits_without_ways, links
from support.shapes.claims import uncited_exhibits

NAMES = sorted(path.stem for path in (ROOT / "config/studies").glob("*.yaml"))
STUDIES = [pytest.param(name, marks=pytest.mark.slow) for name in NAMES]
"""`make` runs them too; `tests/studies` runs each of them smaller, to its estimates."""
COLUMN = 88 / 25.4 * 72
"""Points of the width of a printed column."""

Results = Callable[[str], Path]


def protocol(study: str) -> Protocol:
    schema = read_schema()
    return read_protocol(ROOT / f"config/studies/{study}.yaml", schema)


@pytest.fixture(scope="module")
def results(new_clone: Callable[[], Clone]) -> Results:
    """Return a function that gives the results of a study, made by its protocol alone, once."""
    clone = new_clone()

    @cache
    def made(study: str) -> Path:
        run = clone.workflow("--config", f"studies={study}")
        assert run.code == 0, run.text[-20_000:]
        assert "Traceback" not in run.text
        return clone.project / "results" / study

    return made


@pytest.mark.parametrize("study", STUDIES)
def test_every_figure_and_table_is_made_or_lacking_for_a_reason_in_one_line(
    results: Results, study: str
) -> None:
    absent = lacking(protocol(study).content)
    for folder, names, kind in (("figures", FIGURES, "svg"), ("tables", TABLES, "csv")):
        made = {path.stem for path in (results(study) / folder).glob(f"*.{kind}")}
        assert set(names) - made == set(absent) & set(names)
    assert all(reason and "\n" not in reason for reason in absent.values())


@pytest.mark.parametrize("study", STUDIES)
def test_every_column_of_every_file_has_one_meaning_that_is_listed(
    results: Results, study: str
) -> None:
    listed = parse_yaml((ROOT / "src/schooltrial/study/columns.yaml").read_text("utf-8"))
    known = {name for columns in listed.values() for name in columns}
    known |= {f"n_{arm['name']}" for arm in protocol(study).content["design"]["arms"]}
    files = [
        path
        for folder in ("checks", "estimates", "figures", "report", "tables")
        for path in (results(study) / folder).rglob("*.csv")
    ]
    assert len(files) > len(FIGURES)
    odd = {path.name: sorted(set(pd.read_csv(path, nrows=0)) - known) for path in files}
    assert {name: columns for name, columns in odd.items() if columns} == {}


@pytest.mark.parametrize("study", STUDIES)
def test_figures_and_reports_are_vectors_and_hold_no_image_of_dots(
    results: Results, study: str
) -> None:
    drawings = [*(results(study) / "figures").glob("*.svg")]
    pages = [*results(study).rglob("*.pdf")]
    assert len(drawings) > 5
    assert len(pages) > len(drawings)  # one of each, and the report
    assert [path.name for path in drawings if b"<image" in path.read_bytes()] == []
    for path in drawings:
        svg = path.read_text("utf-8")
        width = float(re.findall(r'<svg [^>]*width="([\d.]+)pt"', svg)[0])
        letters = [float(size) for size in re.findall(r"font(?:-size)?: [^;\"]*?([\d.]+)px", svg)]
        assert min(letters) * COLUMN / width > 5.99, f"{path.name} on a column of 88 mm"
    dots = re.compile(rb"/Subtype\s*/Image")
    assert [path.name for path in pages if dots.search(path.read_bytes())] == []


@pytest.mark.parametrize("study", STUDIES)
def test_every_study_has_effects_of_its_primary_models_with_intervals(
    results: Results, study: str
) -> None:
    rows = pd.read_csv(results(study) / "estimates/estimates.csv")
    models = protocol(study).content["models"]
    mine = {name for name, model in models.items() if model["role"] == "primary"}
    primary = rows[rows["model"].isin(mine) & rows["estimand"].isin(["ITT", "ATT", "CACE"])]
    assert set(primary["model"]) == mine
    assert primary[["estimate", "conf_low", "conf_high"]].notna().all(axis=None)


@pytest.mark.parametrize("study", STUDIES)
def test_every_link_of_every_page_leads_somewhere(results: Results, study: str) -> None:
    pages = sorted(results(study).rglob("*.html"))
    assert {"report.html", "summary.html", "data_quality.html", "monitoring.html"} <= {
        page.name for page in pages
    }
    overview = results(study).parent / "index.html"
    assert sum(len(links(page)) for page in [*pages, overview]) > 100
    assert list(broken_links([*pages, overview])) == []


@pytest.mark.parametrize("study", STUDIES)
def test_each_exhibit_of_each_page_leads_to_its_data_and_to_the_step_that_wrote_them(
    results: Results, study: str
) -> None:
    pages = [
        *sorted((results(study) / "report").glob("*.html")),
        results(study).parent / "index.html",
    ]
    assert len(pages) == 5
    assert [one for page in pages for one in exhibits_without_ways(page)] == []


@pytest.mark.parametrize("study", STUDIES)
def test_the_text_of_every_report_cites_each_of_its_exhibits(results: Results, study: str) -> None:
    assert uncited_exhibits(results(study) / "report/report.html") == []


@pytest.mark.parametrize("study", STUDIES)
def test_every_verdict_names_its_inputs(results: Results, study: str) -> None:
    verdict = json.loads((results(study) / "checks/verdict.json").read_text("utf-8"))
    assert verdict["ratings"]
    for rated in verdict["ratings"]:
        assert rated["inputs"]
        assert rated["ratings"]
        assert all(one["rule"] and one["would_change"] for one in rated["ratings"])
