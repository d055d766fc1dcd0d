"""A small good trial: 8 schools, 160 pupils, 2 years, in the raw files of a district."""

from __future__ import annotations

import copy
import gzip
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from check_assignment import main as check_assignment
from check_balance import main as check_balance
from clean_sample import main as clean_sample
from fit_cluster_robust import main as fit_cluster_robust
from fit_difference_in_differences import main as fit_difference_in_differences
from gather_estimates import main as gather_estimates
from obtain_tables import main as obtain_tables
from schooltrial.data.tables.keys import KEYS
from schooltrial.protocol.content.sections import (
    Protocol,
    StudyLine,
    arm_labels,
    baseline_year,
    labels,
)
from schooltrial.protocol.form.strict_yaml import parse_yaml
from schooltrial.protocol.plan import PlanToRecord, section_checksums
from schooltrial.protocol.reading import read_protocol, read_schema
from schooltrial.study.absent_files import rehearsed
from schooltrial.study.layout import Layout
from schooltrial.study.raw_files import RawFiles
from schooltrial.study.study import Study

ROOT = Path(__file__).parents[2]
SCHEMA = str(ROOT / "src" / "schooltrial" / "protocol" / "schema.yaml")
YEARS = (2019, 2020)
SCHOOLS = [f"S{at}" for at in range(1, 9)]
PROTOCOL = """
study: {name: small, title: A small trial, seed: 7}
design:
  kind: paired
  arms: [{name: control, label: Control}, {name: programme, label: Programme}]
years: {baseline: [2019], programme: [2020]}
tables:
  schools:
    - file: schools.csv
      columns:
        school: {column: school_code}
        district: {column: district, type: category, codes: {N: north, S: south}, label: District}
  assignment:
    - file: assignment.csv
      columns:
        school: {column: school_code}
        block: {column: pair, required: true}
        arm: {column: arm, type: category, codes: {C: control, T: programme}, required: true}
  pupils:
    - file: "roster_{year}.csv"
      columns:
        pupil: {column: pupil_id}
        school: {column: school_code, required: true}
        grade: {column: grade, type: integer, range: [3, 8], label: Grade}
        sex: {column: sex, type: category, ignore_case: true, codes: {F: girl, M: boy}}
        days_enrolled: {column: days_enrolled, type: integer}
        days_present: {column: days_present, type: integer}
  scores:
    - file: "scores_{year}.csv"
      missing: ["", ABS]
      columns:
        pupil: {column: pupil_id}
        outcome: {column: subject, type: category, codes: {MATH: maths, READ: reading}}
        value: {column: score, type: number}
variables:
  girl: {from: sex, equals: girl, label: Girl}
outcomes:
  maths: {label: Maths, family: tests, primary: true, range: [0, 500], standardise: control,
    baseline_year: 2019}
  reading: {label: Reading, family: tests, range: [0, 500], standardise: control}
  attendance: {label: Attendance, family: days, units_label: per cent,
    ratio: {numerator: days_present, denominator: days_enrolled, times: 100}}
balance: {pupil_variables: [girl, grade, maths], school_variables: [district, maths]}
models:
  itt:
    label: Intention to treat
    estimator: cluster_robust
    role: primary
    outcomes: [maths, reading]
    where: {year: [2020]}
    covariates: [girl]
  did:
    label: Difference in differences
    estimator: difference_in_differences
    outcomes: [reading]
"""


class _Plain(yaml.SafeDumper):  # type: ignore[misc]
    """Writes what stands twice twice: a protocol has no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def as_yaml(content: Any) -> str:
    """Return a protocol as YAML."""
    return str(yaml.dump(content, Dumper=_Plain, sort_keys=False))


@cache
def schema() -> dict[str, Any]:
    """Return the schema of protocols."""
    return read_schema()


def _pupil_files(year: int) -> dict[str, list[list[str]]]:
    rng = np.random.default_rng(year)
    roster = [["pupil_id", "school_code", "grade", "sex", "days_enrolled", "days_present"]]
    scores = [["pupil_id", "subject", "score"]]
    for at in range(160):
        pupil, school = f"{at + 1:04d}", SCHOOLS[at // 20]
        present = str(int(rng.integers(140, 181)))
        grade = str(3 + at % 2 + year - YEARS[0])
        roster.append([pupil, school, grade, "FM"[at % 3 == 0], "180", present])
        for subject in ("MATH", "READ"):
            scores.append([pupil, subject, f"{rng.normal(200, 15):.1f}"])
    return {f"roster_{year}.csv": roster, f"scores_{year}.csv": scores}


@cache
def _good_files() -> dict[str, list[list[str]]]:
    schools = [["school_code", "district"]]
    schools += [[school, "NS"[at > 3]] for at, school in enumerate(SCHOOLS)]
    assignment = [["school_code", "pair", "arm"]]
    assignment += [[s, str(at // 2 + 1), "CT"[at % 2]] for at, s in enumerate(SCHOOLS)]
    files = {"schools.csv": schools, "assignment.csv": assignment}
    return files | _pupil_files(2019) | _pupil_files(2020)


@dataclass
class SmallTrial:
    """The trial on its way to disk: spoil its cells or its protocol, then run an entry.

    A row is a line of the file, the header being line 1.
    """

    folder: Path
    files: dict[str, list[list[str]]] = field(default_factory=lambda: copy.deepcopy(_good_files()))
    raw: dict[str, bytes] = field(default_factory=dict)
    protocol: dict[str, Any] = field(default_factory=lambda: parse_yaml(PROTOCOL))

    @property
    def results(self) -> Path:
        """Folder of what the scripts write."""
        return self.folder / "results"

    def set(self, file: str, row: int, column: str, text: str) -> None:
        """Put a text into one cell."""
        cells = self.files[file]
        cells[row - 1][cells[0].index(column)] = text

    def text(self, file: str, delimiter: str = ",") -> str:
        """Return a raw file as text."""
        return "".join(delimiter.join(cells) + "\n" for cells in self.files[file])

    def reading(self, table: str) -> dict[str, Any]:
        """Return the protocol's first reading of a table, to be changed."""
        found: dict[str, Any] = self.protocol["tables"][table][0]
        return found

    def write(self) -> None:
        """Write raw files and protocol."""
        self.results.mkdir(parents=True, exist_ok=True)
        for name in self.files:
            self.folder.joinpath(name).write_text(self.text(name), encoding="utf-8")
        for name, content in self.raw.items():
            self.folder.joinpath(name).write_bytes(content)
        self.folder.joinpath("trial.yaml").write_text(as_yaml(self.protocol), encoding="utf-8")

    def compress(self, file: str) -> bytes:
        """Return a raw file as gzip."""
        return gzip.compress(self.text(file).encode(), mtime=0)

    def read(self) -> Protocol:
        """Read the protocol as a run does."""
        return read_protocol(self.folder / "trial.yaml", schema())

    def obtain(self, absent: Sequence[str] | None = None) -> None:
        """Write the files, and run the script that reads them into standard tables.

        Where files are named that are absent, it is a rehearsal, from the empty list on.
        """
        self.write()
        for file in absent or ():
            self.folder.joinpath(file).unlink()
        plan = self.read() if absent is None else rehearsed(self.read())
        content = plan.content
        extra = ("cleaning_log", "raw_files")
        obtain_tables(
            raw_folder=str(self.folder),
            tables=content["tables"],
            protocol=str(plan.path),
            outcomes=content["outcomes"],
            years=content["years"],
            unit=content["design"]["unit"],
            cleaning=content["cleaning"],
            limits=content["limits"],
            arms=[arm["name"] for arm in content["design"]["arms"]],
            elsewhere={},
            redraw=Study.of(plan).redraw(),
            changes=self.path("changes.parquet"),
            left_out=self.path("left_out.parquet"),
            **{table: self.path(f"{table}.parquet") for table in KEYS},
            **{name: self.path(f"{name}.csv") for name in extra},
        )

    def clean(self) -> None:
        """Run the script that builds the sample, after `obtain`."""
        content = self.read().content
        tables = [table for table in KEYS if table not in ("implementation", "costs")]
        raw = RawFiles(self.read(), Layout(self.results))
        clean_sample(
            **{table: self.path(f"{table}.parquet") for table in tables},
            protocol=content,
            baseline=baseline_year(content),
            sample=self.path("sample.parquet"),
            teacher_sample=self.path("teacher_sample.parquet"),
            panel=self.path("panel.parquet"),
            bounded=self.path("bounded.parquet"),
            school_sample=self.path("school_sample.parquet"),
            ledger=self.path("ledger.csv"),
            flow=self.path("flow.csv"),
            mobility=self.path("mobility.csv"),
            aggregates=self.path("aggregates.csv"),
            linking=self.path("linking.csv"),
            left_out=self.path("left_out.parquet"),
            key_sources=raw.key_sources(),
            raw=raw.places(),
            blinded=None,
            sources={
                f"{table} table": ", ".join(reading["file"] for reading in readings)
                for table, readings in content["tables"].items()
            },
        )

    def check(self) -> None:
        """Run the scripts that check the sample, after `clean`."""
        content = self.read().content
        named = labels(content)
        files: dict[str, Any] = {
            "assignment": self.path("assignment.parquet"),
            "sample": self.path("sample.parquet"),
            "schools": self.path("schools.parquet"),
            "teachers": self.path("teacher_sample.parquet"),
            "panel": self.path("panel.parquet"),
        }
        check_assignment(
            protocol=content,
            labels=named,
            groups=arm_labels(content["design"]),
            **files,
            scores=self.path("scores.parquet"),
            check=self.path("assignment_check.csv"),
            tests=self.path("assignment_tests.csv"),
            units=self.path("assignment_units.csv"),
            distances=self.path("assignment_distances.csv"),
            verdict=self.path("assignment_verdict.json"),
        )
        check_balance(
            protocol=content,
            labels=named,
            **files,
            check=self.path("balance.csv"),
            omnibus=self.path("balance_omnibus.csv"),
            pretrends=self.path("pretrends.csv"),
            equivalence=self.path("equivalence.csv"),
            school_sample=self.path("school_sample.parquet"),
        )

    def fit(self) -> None:
        """Run the scripts that fit the models and gather their estimates, after `clean`."""
        content = self.read().content
        to_record = PlanToRecord(self.path("plan_first.json"), section_checksums(content))
        for name, model in content["models"].items():
            wanted: dict[str, Any] = {
                "sample": self.path("sample.parquet"),
                "study": "small",
                "name": name,
                "model": model,
                "outcomes": content["outcomes"],
                "to_record": to_record,
                "estimates": self.path(f"{name}.csv"),
                "diagnostics": self.path(f"{name}.json"),
            }
            if model["estimator"] == "cluster_robust":
                fit_cluster_robust(**wanted)
            else:
                fit_difference_in_differences(
                    **wanted,
                    panel=self.path("panel.parquet"),
                    bounded=self.path("bounded.parquet"),
                    schools=self.path("schools.parquet"),
                    school_sample=self.path("school_sample.parquet"),
                    years=content["years"],
                    design=content["design"],
                )
        names = list(content["models"])
        gather_estimates(
            tables=[self.path(f"{name}.csv") for name in names],
            diagnoses=[self.path(f"{name}.json") for name in names],
            names=names,
            estimates=self.path("estimates.csv"),
            diagnostics=self.path("diagnostics.json"),
            plan_first=to_record.file,
            to_record=to_record,
        )

    def study(self, synthetic: bool = False) -> StudyLine:
        """Return what stands under every exhibit."""
        protocol = self.read()
        title = protocol.content["study"]["title"]
        return {"title": title, "synthetic": synthetic, "protocol": protocol.sha256}

    def path(self, name: str) -> str:
        """Return the path of a result."""
        return str(self.results / name)

    def written(self) -> list[str]:
        """Return the names of the results that are there."""
        return sorted(path.name for path in self.results.iterdir())
