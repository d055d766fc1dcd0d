"""The page on data quality tells what the checks of the tables found."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from describe_tables import main as describe_tables
from schooltrial.data.tables.keys import KEYS
from schooltrial.protocol.content.sections import labels
from support.small_trial import ROOT, SmallTrial
from write_data_quality import main as write_data_quality

FIGURES = ("missingness", "distributions", "school_outliers")
AGGREGATES = (
    "school", "year", "outcome", "n_pupils", "mean_from_pupils", "published", "difference",
    "tolerance", "verdict",
)  # fmt: skip


def _page(trial: SmallTrial, folder: Path, aggregates: pd.DataFrame) -> str:
    content = trial.read().content
    names = ("codebook", "means", "missing", "distributions", "heaping", "outliers")
    path = {name: str(folder / f"{name}.csv") for name in names}
    describe_tables(
        tables=content["tables"], unit="school", labels=labels(content),
        thresholds=content["checks"], outcomes=content["outcomes"],
        variables=content["variables"], **{f"{name}_file": path[name] for name in names},
        **{table: trial.path(f"{table}.parquet") for table in KEYS},
    )  # fmt: skip
    aggregates.to_csv(folder / "aggregates.csv", index=False)
    for name in FIGURES:
        drawn = f'<svg width="90pt" height="30pt">{name}</svg>'
        (folder / f"{name}.svg").write_text(drawn, encoding="utf-8")
        (folder / f"{name}.txt").write_text(f"What {name} shows: 12.\n", encoding="utf-8")
    del path["distributions"]
    write_data_quality(
        captions=str(ROOT / "src" / "schooltrial" / "exhibits" / "captions.yaml"), **path,
        aggregates=str(folder / "aggregates.csv"),
        linking=trial.path("linking.csv"), cleaning_log=trial.path("cleaning_log.csv"),
        figures=[str(folder / f"{name}.svg") for name in FIGURES], labels=labels(content),
        design=content["design"], study=trial.study(), page=str(folder / "page.html"),
        provenance=[], steps=str(folder / "steps.csv"),
    )  # fmt: skip
    return (folder / "page.html").read_text("utf-8")


def test_it_shows_every_variable_of_the_codebook_and_every_figure(
    finished: SmallTrial, tmp_path: Path
) -> None:
    page = _page(finished, tmp_path, pd.DataFrame(columns=AGGREGATES))
    codebook = pd.read_csv(tmp_path / "codebook.csv")
    assert {"grade", "sex", "district"} <= set(codebook["variable"])
    assert all(f">{name}</t" in page for name in codebook["variable"])
    assert all(f'<figure id="{name}" ' in page for name in FIGURES)
    assert all(f'alt="What {name} shows: 12."' in page for name in FIGURES)
    assert "The protocol names no published means." in page


def test_means_that_differ_from_the_published_ones_are_a_finding(
    finished: SmallTrial, tmp_path: Path
) -> None:
    off = pd.DataFrame(
        [("S1", 2020, "maths", 20, 201.25, 190.0, 11.25, 0.05, "differs")], columns=AGGREGATES
    )
    page = _page(finished, tmp_path, off)
    assert "1 school means differ from the published ones." in page
    assert '<th scope="row">S1</th><td class="n">2020</td><td>maths</td>' in page


def test_it_shows_how_many_identifiers_of_each_table_are_found(
    finished: SmallTrial, tmp_path: Path
) -> None:
    page = _page(finished, tmp_path, pd.DataFrame(columns=AGGREGATES))
    part = page[page.index('id="linked"') : page.index('id="changes"')]
    assert "scores" in part
    assert ">160<" in part
