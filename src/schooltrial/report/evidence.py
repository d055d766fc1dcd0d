"""What was found about a study, read once for all pages that tell of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from schooltrial.checks.written_tables import read_check
from schooltrial.document.blocks import Exhibit, Picture
from schooltrial.exhibits.catalogue import lacking
from schooltrial.protocol.content.levels import DesignLevels
from schooltrial.protocol.content.sections import (
    Content,
    Model,
    StudyLine,
    analysis_years,
    arm_labels,
    control_word,
    labels,
)
from schooltrial.protocol.content.shown_units import mean_unit
from schooltrial.protocol.form.strict_yaml import parse_yaml
from schooltrial.protocol.plan import PlanRecord
from schooltrial.report.captions import FACTS, sentences
from schooltrial.report.findings.headlines import Finding, summarise_findings
from schooltrial.report.pictures import read_pictures
from schooltrial.report.study_record import build_record
from schooltrial.report.tables.panel import (
    CohortYears,
    PanelTable,
    cohort_years,
    panels_shown,
)

AS_TEXT = frozenset({"flow", "cleaning_log"})
"""Checks in which an empty cell is an empty text."""

DESCRIBED = ("cohorts", "effects", "event_study", *FACTS)
"""Figures whose rows the report also puts into words."""


@dataclass(frozen=True)
class Evidence:
    """Everything that the pages of one study tell of.

    Attributes
    ----------
    protocol : Content
        Sections of the protocol.
    study : StudyLine
        Title, protocol hash, and whether the data are synthetic.
    estimates : DataFrame
        The long table of estimates.
    diagnostics : mapping
        Model → what its fits say of themselves.
    checks : mapping
        Name of a check → its table.
    records : mapping
        Name of a check → what its JSON file holds, such as ``verdict``.
    texts : mapping
        Name of a check → its text, such as ``flow_text``.
    figures : mapping
        Figure → its picture.
    drawn : mapping
        Figure → the rows that it draws, where the report puts them into words.
    captions : mapping
        Exhibit → its words (``exhibits/captions.yaml``).
    models_to_come : mapping
        Models that only years without data inform.
    claims : tuple of str
        Tests of the results that passed before the page was written.
    """

    protocol: Content
    study: StudyLine
    estimates: pd.DataFrame
    diagnostics: Mapping[str, Any]
    checks: Mapping[str, pd.DataFrame]
    records: Mapping[str, Any]
    texts: Mapping[str, str]
    figures: Mapping[str, Picture]
    drawn: Mapping[str, pd.DataFrame]
    captions: Mapping[str, Mapping[str, str]]
    models_to_come: Mapping[str, Model]
    claims: tuple[str, ...] = ()

    @property
    def levels(self) -> DesignLevels:
        """What was randomised, and whether the trial has schools."""
        return DesignLevels.of(self.protocol["design"])

    @property
    def staggered(self) -> bool:
        """Whether cohorts begin in different years."""
        return self.protocol["design"]["kind"] == "staggered"

    @property
    def years(self) -> list[int]:
        """Years of the primary analysis."""
        return analysis_years(self.protocol)

    @property
    def labels(self) -> dict[str, str]:
        """Variable → its name in exhibits."""
        return labels(self.protocol)

    @property
    def arms(self) -> dict[str, str]:
        """Group → its label, the comparison group first."""
        return arm_labels(self.protocol["design"])

    @property
    def control(self) -> str:
        """What the group without the programme is called: control or comparison."""
        return control_word(self.protocol)

    @property
    def findings(self) -> list[Finding]:
        """Effects of the primary models on primary outcomes."""
        return summarise_findings(self.estimates, self.protocol)

    @property
    def units_by_arm(self) -> dict[str, int]:
        """Group → how many units were assigned to it, those without any data among them."""
        blocks, unseen = self.checks["assignment"], self.protocol["design"]["no_data"]
        return {arm: int(blocks[f"n_{arm}"].sum()) + unseen.get(arm, 0) for arm in self.arms}

    @property
    def study_record(self) -> dict[str, Any]:
        """The study record as data."""
        return build_record(
            self.records["verdict"], self.study, self.labels, self.units_by_arm, self.cohorts
        )

    @property
    def cohorts(self) -> tuple[CohortYears, ...]:
        """Cohorts with outcomes, and the years of their programme; none where all began at once."""
        means = self.drawn.get("cohorts")
        return () if means is None else cohort_years(means, self.protocol["years"])

    @cached_property
    def panels(self) -> tuple[PanelTable, ...]:
        """Effects by year of each panel model; two parts of the report show some of them each."""
        return tuple(panels_shown(
            self.estimates, self.protocol["outcomes"], self.protocol["models"], self.labels,
            self.diagnostics,
        ))  # fmt: skip

    @property
    def plan(self) -> PlanRecord:
        """The plan as first read with outcomes, and now."""
        return PlanRecord(self.records["plan"]["first"], self.records["plan"]["now"])

    @property
    def lacking(self) -> dict[str, str]:
        """Exhibit → why the study does not have it."""
        return lacking(self.protocol)

    def check(self, name: str) -> pd.DataFrame | None:
        """Return the table of a check; None if the study has none, or it has no rows."""
        table = self.checks.get(name)
        return None if table is None or table.empty else table

    def labelled(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table with labels of groups in place of their names in the protocol."""
        named = {
            column: [self.arms.get(str(arm), arm) for arm in table[column]]
            for column in ("arm", "drawn_arm")
            if column in table
        }
        return table.assign(**named)

    def compared(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table of comparisons with labels of groups; none where there is only one."""
        if len(self.arms) > 2:
            return self.labelled(table)
        return table.assign(arm="") if "arm" in table else table

    def exhibit(self, name: str, *, more: str = "") -> Exhibit | None:
        """Return a figure of the catalogue with its words; None if the study lacks it.

        Parameters
        ----------
        name : str
            Of the exhibit.
        more : str
            What the caption of this study's adds.
        """
        words = self.captions[name]
        content = self.figures.get(name)
        if content is None:
            return None
        others = {"without_schools": not self.levels.in_schools, "staggered": self.staggered}
        fitting = [words[key] for key, holds in others.items() if holds and key in words]
        own = sentences(name, words, self._told_rows(name))
        told = " ".join([next(iter(fitting), words["caption"]), *own])
        caption = " ".join(filter(None, [told.format(control=self.control), more]))
        return Exhibit(
            name, words["title"], content, caption,
            data=f"figures/{name}.csv", source=f"draw_{name}", subject=words.get("shows", ""),
        )  # fmt: skip

    def _told_rows(self, name: str) -> pd.DataFrame | None:
        """Return what a figure draws, with the estimator and the scales that its protocol names."""
        rows = self.drawn.get(name)
        if rows is None:
            return None
        estimators = {key: one["estimator"] for key, one in self.protocol["models"].items()}
        scales = {key: one["standardise"] for key, one in self.protocol["outcomes"].items()}
        units = {key: mean_unit(one) for key, one in self.protocol["outcomes"].items()}
        told = {
            "estimator": ("model", estimators), "standardise": ("outcome", scales),
            "mean_unit": ("outcome", units),
        }  # fmt: skip
        return rows.assign(
            **{new: rows[key].map(of) for new, (key, of) in told.items() if key in rows}
        )


def read_evidence(
    *,
    protocol: Content,
    study: StudyLine,
    estimates: str,
    diagnostics: str,
    checks: Sequence[str],
    figures: Sequence[str],
    captions: str,
    models_to_come: Mapping[str, Model],
    claims: str | None = None,
) -> Evidence:
    """Return what the files of a study hold.

    Parameters
    ----------
    protocol, study, models_to_come
        As in `Evidence`.
    estimates, diagnostics, captions, claims : str
        Files.
    checks : sequence of str
        Files of the checks: tables (``.csv``), records (``.json``) and texts (``.txt``).
    figures : sequence of str
        SVG files; beside each are its drawn rows (``.csv``) and its words (``.txt``).
    """
    files = {Path(path).stem: path for path in checks}
    told = parse_yaml(Path(captions).read_text("utf-8"))
    return Evidence(
        protocol=protocol,
        study=study,
        estimates=pd.read_csv(estimates),
        diagnostics=json.loads(Path(diagnostics).read_text("utf-8")),
        checks={
            name: read_check(path, keep_default_na=name not in AS_TEXT)
            for name, path in files.items()
            if path.endswith(".csv")
        },
        records={
            name: json.loads(Path(path).read_text("utf-8"))
            for name, path in files.items()
            if path.endswith(".json")
        },
        texts={
            name: Path(path).read_text("utf-8")
            for name, path in files.items()
            if path.endswith(".txt")
        },
        figures=read_pictures(figures),
        drawn={Path(path).stem: _rows(path) for path in figures if Path(path).stem in DESCRIBED},
        captions=told,
        models_to_come=models_to_come,
        claims=tuple(Path(claims).read_text("utf-8").splitlines()) if claims else (),
    )


def _rows(path: str) -> pd.DataFrame:
    return pd.read_csv(Path(path).with_suffix(".csv"))
