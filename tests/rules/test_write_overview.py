"""One page lists every study that has a report, with its effects and links."""

from __future__ import annotations

import json
from pathlib import Path

from support.html_cells import rows
from write_overview import main as write_overview


def _study(folder: Path, name: str, *, synthetic: bool) -> str:
    effect = {
        "label": "Maths <i>", "group": "", "effect": "+0.10 SD (95% CI 0.02 to 0.18)",
        "p": "0.021", "ratings": ["meets standards", "2 of 5, low"],
    }  # fmt: skip
    told = {
        "name": name, "title": f"Trial {name}", "synthetic": synthetic, "design": "8 schools.",
        "randomised": not synthetic, "effects": [effect],
    }  # fmt: skip
    path = folder / name / "report" / "overview.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(told), encoding="utf-8")
    return str(path)


def test_the_page_lists_the_studies_of_a_run_and_those_beside_them(tmp_path: Path) -> None:
    _study(tmp_path, "alpha", synthetic=False)
    path = _study(tmp_path, "beta", synthetic=True)
    write_overview(studies=[path], page=str(tmp_path / "index.html"), notebooks=["try_a_model"])
    page = (tmp_path / "index.html").read_text("utf-8")
    assert page.index("Trial alpha") < page.index("Trial beta")
    effect = [
        "Maths <i>",
        "+0.10 SD (95% CI 0.02 to 0.18)",
        "0.021",
        "meets standards; 2 of 5, low",
    ]
    tables = ["<table" + part for part in page.split("<table")[1:]]
    assert [rows(table) for table in tables] == [[effect], [effect]]
    assert page.count("SYNTHETIC DATA.") == 1
    assert page.count("Not randomised. This is an effect only if trends would have been") == 1
    for name in ("alpha", "beta"):
        for kind in ("report.html", "report.pdf", "summary.html", "summary.pdf"):
            assert f'href="{name}/report/{kind}"' in page
        assert f'href="{name}/estimates/estimates.csv">Data</a>' in page
        assert f'href="{name}/report/report.html#trace-gather_estimates">Source</a>' in page
        assert f'href="{name}/notebooks/try_a_model.html">Try a model</a>' in page
        for data in ("estimates/estimates.csv", "report/study_record.json", "report/tables.docx"):
            assert f'href="{name}/{data}"' in page
