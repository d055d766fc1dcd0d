"""The estimates table of the Achievement Awards study, built from the raw file by the scripts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import clean_sample
import describe_tables
import fit_cluster_robust
import gather_estimates
import obtain_tables
from schooltrial.data.tables.keys import KEYS
from schooltrial.protocol.content.sections import Protocol, baseline_year, labels
from schooltrial.protocol.plan import PlanToRecord, section_checksums
from schooltrial.protocol.reading import read_protocol, read_schema

ROOT = Path(__file__).parents[2]
STANDARD = tuple(KEYS)
DESCRIPTIONS = (
    "means_file", "missing_file", "distributions_file", "heaping_file", "outliers_file",
)  # fmt: skip


@pytest.fixture(scope="session")
def awards() -> Protocol:
    schema = read_schema()
    return read_protocol(ROOT / "config/studies/achievement_awards.yaml", schema)


@pytest.fixture(scope="session")
def sample_file(awards: Protocol, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the analysed sample, from the raw file by the scripts of the pipeline."""
    folder = tmp_path_factory.mktemp("awards")
    content = awards.content
    files = {name: str(folder / f"{name}.parquet") for name in STANDARD}
    obtain_tables.main(
        raw_folder=str(awards.folder / content["raw_folder"]),
        protocol=str(awards.path),
        tables=content["tables"],
        outcomes=content["outcomes"],
        years=content["years"],
        unit=content["design"]["unit"],
        cleaning=content["cleaning"],
        limits=content["limits"],
        elsewhere={},
        redraw=None,
        cleaning_log=str(folder / "cleaning_log.csv"),
        changes=str(folder / "changes.parquet"),
        left_out=str(folder / "left_out.parquet"),
        raw_files=str(folder / "raw_files.csv"),
        **files,
    )
    describe_tables.main(
        tables=content["tables"],
        unit=content["design"]["unit"],
        labels=labels(content),
        thresholds=content["checks"],
        outcomes=content["outcomes"],
        variables=content["variables"],
        codebook_file=str(folder / "codebook.csv"),
        **{name: str(folder / f"{name}.csv") for name in DESCRIPTIONS},
        **files,
    )
    inputs: dict[str, Any] = {
        name: path for name, path in files.items() if name not in ("implementation", "costs")
    }
    clean_sample.main(
        **inputs,
        protocol=content,
        baseline=baseline_year(content),
        blinded=None,
        sources={},
        sample=str(folder / "sample.parquet"),
        teacher_sample=str(folder / "teacher_sample.parquet"),
        panel=str(folder / "school_panel.parquet"),
        bounded=str(folder / "bounded_cells.parquet"),
        school_sample=str(folder / "school_sample.parquet"),
        ledger=str(folder / "ledger.csv"),
        flow=str(folder / "flow.csv"),
        mobility=str(folder / "mobility.csv"),
        aggregates=str(folder / "aggregates.csv"),
        linking=str(folder / "linking.csv"),
    )
    return folder / "sample.parquet"


@pytest.fixture(scope="session")
def estimates(awards: Protocol, sample_file: Path) -> pd.DataFrame:
    """Return the estimates table of the two replications."""
    folder = sample_file.parent
    names = ["published_effect", "published_moderation"]
    to_record = PlanToRecord(str(folder / "plan_first.json"), section_checksums(awards.content))
    for name in names:
        fit_cluster_robust.main(
            sample=str(sample_file),
            study=awards.name,
            name=name,
            model=awards.content["models"][name],
            outcomes=awards.content["outcomes"],
            to_record=to_record,
            estimates=str(folder / f"{name}.csv"),
            diagnostics=str(folder / f"{name}.json"),
        )
    gather_estimates.main(
        tables=[str(folder / f"{name}.csv") for name in names],
        diagnoses=[str(folder / f"{name}.json") for name in names],
        names=names,
        estimates=str(folder / "estimates.csv"),
        diagnostics=str(folder / "diagnostics.json"),
        plan_first=to_record.file,
        to_record=to_record,
    )
    return pd.read_csv(folder / "estimates.csv")
