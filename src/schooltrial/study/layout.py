"""Where the results of a study lie: every path below ``results/<study>/`` that is read by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SAMPLES = {"pupil": "sample", "teacher": "teacher_sample", "school": "school_panel"}
"""Whose outcome it is → the file that holds what is analysed of it."""


@dataclass(frozen=True)
class Layout:
    """The folders and files of one study's results.

    Attributes
    ----------
    root : pathlib.Path
        The study's folder of results.
    """

    root: Path

    def data(self, name: str) -> Path:
        """Return a table of the study's data, such as ``sample``."""
        return self.root / "data" / f"{name}.parquet"

    def sample(self, level: str) -> Path:
        """Return the analysed sample of pupils or teachers, or the panel of schools."""
        return self.data(SAMPLES[level])

    def fitted(self, level: str) -> Path:
        """Return the rows that models of a cross-section are fitted to."""
        return self.data("school_sample") if level == "school" else self.sample(level)

    @property
    def raw(self) -> Path:
        """Folder of the raw files of a simulated study."""
        return self.root / "data" / "raw"

    @property
    def truth(self) -> Path:
        """What a simulation knows."""
        return self.root / "data" / "truth.json"

    def check(self, file: str) -> Path:
        """Return a file of the checks, such as ``attrition.csv``."""
        return self.root / "checks" / file

    @property
    def estimates(self) -> Path:
        """The long table of estimates."""
        return self.root / "estimates" / "estimates.csv"

    def estimates_of(self, model: str, kind: str = "csv") -> Path:
        """Return one model's rows; with ``kind="json"`` what its fits say of themselves.

        With ``"draws.csv"``, what a model of randomisation inference says of its draws.
        """
        return self.root / "estimates" / "models" / f"{model}.{kind}"

    @property
    def diagnostics(self) -> Path:
        """What each fit says of itself."""
        return self.root / "estimates" / "diagnostics.json"

    def figure(self, name: str, kind: str = "svg") -> Path:
        """Return a figure; with ``kind="csv"`` what it draws, with ``"txt"`` its alt text."""
        return self.root / "figures" / f"{name}.{kind}"

    def table(self, name: str, kind: str = "html") -> Path:
        """Return a table as a page, or with ``kind="csv"`` what it shows."""
        return self.root / "tables" / f"{name}.{kind}"

    @property
    def report(self) -> Path:
        """The report."""
        return self.root / "report" / "report.html"

    @property
    def record(self) -> Path:
        """The report's record of the study: its protocol, and each step with its files."""
        return self.root / "report" / "study.json"
