"""A study as an analyst sees it: its plan, what its rules wrote, and its models, fitted again."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, cast

import pandas as pd

from schooltrial.analysis.design_matrix import build_design_matrix
from schooltrial.checkout import own_checkout
from schooltrial.data.rows.analysed import OF_PANELS
from schooltrial.document.tables import study_foot
from schooltrial.protocol.content.sections import Model, Protocol, analysis_years, labels
from schooltrial.protocol.reading import read_schema
from schooltrial.provenance.trace import Trace, trace_file
from schooltrial.refusal import UserError, unknown
from schooltrial.study.blinding import Blinding
from schooltrial.study.draw_files import DrawFiles
from schooltrial.study.layout import SAMPLES, Layout
from schooltrial.study.opened.digests import (
    count_people,
    describe_variables,
    list_differences,
    list_effects,
    list_effects_by_year,
    list_equivalence,
    list_joint_tests,
    list_leavers,
)
from schooltrial.study.opened.next_trial import SIZES, Lessons, plan_trials, read_lessons
from schooltrial.study.opened.published import compare_with_published, read_published
from schooltrial.study.opened.refit import Refit, refit_model, refit_models, there
from schooltrial.study.opened.shown import Shown, show_figure
from schooltrial.study.opened.study_model import StudyModel
from schooltrial.study.raw_files import RawFiles
from schooltrial.study.report_files import ReportFiles
from schooltrial.study.study import Study
from schooltrial.study.written_checks import WrittenChecks


class PlannedModels(dict[str, Model]):
    """Models by name; for an unknown name the error gives the nearest."""

    def __missing__(self, name: str) -> Model:
        raise unknown("model", str(name), self)


@dataclass(frozen=True, repr=False)
class OpenedStudy(Study):
    """A study with what its rules wrote; see ``open_study``.

    While the study is blind, whatever holds outcomes is refused.
    """

    @classmethod
    def at(cls, protocol: Protocol, paths: Layout, today: date) -> OpenedStudy:
        """Return the study of a protocol whose results lie anywhere, as of a day."""
        raw = RawFiles(protocol, paths)
        return cls(
            protocol, paths, raw, DrawFiles(protocol, raw), Blinding(protocol, today),
            ReportFiles(protocol, paths),
        )  # fmt: skip

    def __repr__(self) -> str:
        until = self.blinding.until()
        lines = [
            f"{'SYNTHETIC DATA. ' if self.synthetic else ''}{self.title} ({self.name})",
            f"protocol {self.protocol.sha256[:12]}, results in {_seen_from_here(self.paths.root)}",
            *([f"embargoed until {until}: no outcome is read"] if until else []),
            *(
                f"{name}: {model['estimator']}, {model['role']}, of {', '.join(model['outcomes'])}"
                for name, model in self.models.items()
            ),
        ]
        return "\n".join(lines)

    def __getitem__(self, model: str) -> StudyModel:
        """Return a model with its estimates: ``study["itt"]``, and ``study["itt"]["maths"]``.

        Parameters
        ----------
        model : str
            Its name in the protocol.

        Raises
        ------
        UserError
            Where there is no such model, with the closest name.
        Refusal
            While the study is blind.
        """
        planned = self.models[model]
        table = self.estimates
        rows = table[table["model"] == model].reset_index(drop=True)
        return StudyModel(model, planned, rows, self.line(), self.refit)

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the models."""
        return iter(self.models)

    @property
    def models(self) -> dict[str, Model]:
        """The models of the protocol, by name."""
        return PlannedModels(self.protocol.content["models"])

    @property
    def labels(self) -> dict[str, str]:
        """Variable → its name in exhibits."""
        return labels(self.protocol.content)

    @property
    def title(self) -> str:
        """Title of the study."""
        return str(self.protocol.content["study"]["title"])

    @property
    def heading(self) -> str:
        """Title and protocol in a line, which says so where the data are synthetic."""
        return f"{study_foot(self.line())}."

    @property
    def synthetic(self) -> bool:
        """Whether its data are simulated."""
        return bool(self.protocol.content["study"]["synthetic"])

    def level_of(self, outcome: str) -> str:
        """Return whose outcome it is: ``"pupil"``, ``"teacher"`` or ``"school"``."""
        outcomes = self.protocol.content["outcomes"]
        if outcome not in outcomes:
            raise unknown("outcome", outcome, outcomes)
        return str(outcomes[outcome]["measured_on"])

    @property
    def primary_outcomes(self) -> list[str]:
        """The outcomes that the protocol declares primary; all where it declares none."""
        outcomes = self.protocol.content["outcomes"]
        return [name for name, one in outcomes.items() if one["primary"]] or list(outcomes)

    @property
    def analysis_years(self) -> list[int]:
        """The years that the first primary model analyses, else the programme's last."""
        return analysis_years(self.protocol.content)

    @property
    def estimates(self) -> pd.DataFrame:
        """The long table of estimates."""
        self.blinding.refuse()
        return pd.read_csv(there(self.paths.estimates))

    @property
    def checks(self) -> WrittenChecks:
        """The checks, by name: ``study.checks["attrition"]``."""
        return WrittenChecks(self.paths, self.blinding)

    @property
    def flow(self) -> pd.DataFrame:
        """Who entered each step, left it and why, and remained."""
        return cast(pd.DataFrame, self.checks["flow"])

    def sample(
        self,
        level: str = "pupil",
        *,
        year: int | None = None,
        outcome: str | None = None,
        complete_for: str | None = None,
    ) -> pd.DataFrame:
        """Return the analysed sample.

        Parameters
        ----------
        level : str
            ``"pupil"``, ``"teacher"`` or ``"school"``; of schools it is the panel of their means.
        year : int, optional
            Rows of this year.
        outcome : str, optional
            Rows that have this outcome; of schools its means are the column of its name.
        complete_for : str, optional
            A model: just the rows that it analyses, for the outcome (or its only one).

        Raises
        ------
        UserError
            Where level, outcome, year or model is not known.
        Refusal
            While the study is blind.
        """
        self.blinding.refuse()
        if level not in SAMPLES:
            raise unknown("level", level, SAMPLES)
        outcomes = self.protocol.content["outcomes"]
        if outcome is not None and outcome not in outcomes:
            raise unknown("outcome", outcome, outcomes)
        rows = pd.read_parquet(there(self.paths.sample(level)))
        if complete_for is not None:
            rows = self._analysed(rows, level, complete_for, outcome)
        if outcome is not None:
            if level == "school":
                rows = rows[rows["outcome"] == outcome].rename(columns={"mean": outcome})
            elif outcome not in rows:
                raise unknown(f"outcome of {level}s", outcome, [o for o in outcomes if o in rows])
            rows = rows[rows[outcome].notna()]
        if year is not None:
            if year not in set(rows["year"]):
                raise unknown("year", str(year), map(str, sorted(set(rows["year"]))))
            rows = rows[rows["year"] == year]
        return rows.reset_index(drop=True)

    def _analysed(
        self, rows: pd.DataFrame, level: str, name: str, outcome: str | None
    ) -> pd.DataFrame:
        """Return the rows that a model analyses."""
        if name not in self.models:
            raise unknown("model", name, self.models)
        model = self.models[name]
        of_level = self.protocol.content["outcomes"][model["outcomes"][0]]["measured_on"]
        if level == "school" or of_level != level:
            raise UserError(
                f"{name} is of {of_level}s, so {level}s are not complete for it"
                if level != "school" else
                f"{name}: `complete_for` is of pupils and teachers; cells of schools are all there"
            )  # fmt: skip
        if outcome is None and len(model["outcomes"]) > 1:
            raise UserError(f"{name} has the outcomes {', '.join(model['outcomes'])}: name one")
        return build_design_matrix(rows, model, outcome or model["outcomes"][0]).rows

    def models_of(self, role: str) -> list[str]:
        """Return the models of a role: ``primary``, ``secondary``, ``sensitivity``."""
        return [name for name, model in self.models.items() if model["role"] == role]

    @property
    def panel_models(self) -> list[str]:
        """The models of a panel by year, primary ones first."""
        found = [name for name, model in self.models.items() if model["estimator"] in OF_PANELS]
        return sorted(found, key=lambda name: self.models[name]["role"] != "primary")

    def show(self, figure: str) -> Shown:
        """Show a figure of the results, or say why the study does not have it.

        Parameters
        ----------
        figure : str
            Such as ``love_plot``, ``effects`` or ``event_study``.
        """
        self.blinding.refuse()
        return show_figure(figure, self.protocol.content, self.paths)

    def counts(self) -> pd.DataFrame:
        """Count pupils, teachers and schools by year and group."""
        samples = {
            level: self.sample(level) for level in SAMPLES if self.paths.sample(level).is_file()
        }
        return count_people(samples, self.protocol.content)

    def variables(self) -> pd.DataFrame:
        """Describe each variable that was read: rows, share missing, different values."""
        return describe_variables(self.checks["codebook"], self.checks["quality_missing"])

    def leavers(self) -> pd.DataFrame:
        """List how many left at each step, why, by group."""
        return list_leavers(self.flow, self.protocol.content)

    def effects(self, role: str | None = None) -> pd.DataFrame:
        """List the effects that the models estimate, or those of a role."""
        chosen = self.models if role is None else {k: self.models[k] for k in self.models_of(role)}
        return list_effects(self.estimates, chosen, self.protocol.content["outcomes"])

    def effects_by_year(self, model: str) -> pd.DataFrame:
        """List the effects of a panel model in each year, and its tests of trends before."""
        if model not in self.panel_models:
            raise unknown("panel model", model, self.panel_models)
        return list_effects_by_year(self.estimates, model, self.protocol.content["outcomes"])

    def differences(self, most: int | None = None) -> pd.DataFrame:
        """List the differences at baseline, the largest first."""
        return list_differences(self.checks["balance"], most)

    def joint_tests(self) -> pd.DataFrame:
        """List the joint tests of baseline balance."""
        return list_joint_tests(self.checks["balance_omnibus"])

    def equivalence(self) -> pd.DataFrame:
        """List the differences at baseline among those who were analysed."""
        outcomes = self.protocol.content["outcomes"]
        return list_equivalence(self.checks["equivalence"], outcomes)

    def lessons(self, outcome: str) -> Lessons:
        """Return what the study says of the precision of its next trial."""
        if outcome not in self.protocol.content["outcomes"]:
            raise unknown("outcome", outcome, self.protocol.content["outcomes"])
        return read_lessons(self.checks["power"], outcome)

    def plan_next(
        self, outcome: str, units: Sequence[float] = SIZES, pupils: float | None = None
    ) -> pd.DataFrame:
        """Plan trials of several sizes with what this study teaches.

        Parameters
        ----------
        outcome : str
            Name of the outcome.
        units : sequence of float
            How many schools (or what else is assigned), both groups together.
        pupils : float, optional
            Records in each of them; as in this study by default.
        """
        return plan_trials(self.lessons(outcome), units, pupils)

    def compare_published(self, file: str | Path) -> pd.DataFrame:
        """Compare numbers printed in an article with the study's estimates, digit by digit."""
        return compare_with_published(read_published(Path(file)), self.estimates)

    def refit(
        self,
        model: str,
        outcome: str | None = None,
        *,
        formula: str | None = None,
        **changes: Any,
    ) -> Refit:
        """Fit a model again: as planned, or with changes, and then it is exploratory.

        Parameters
        ----------
        model : str
            Its name in the protocol.
        outcome : str, optional
            May be left out where the model has one, or one that is primary, or in a formula.
        formula : str, optional
            Outcome and covariates: ``"maths ~ treated + np.log(days) + sex * C(grade)"``. A name
            alone is the covariate of that name; ``treated`` means the model's treatment
            terms. The estimator, groups, weights and rows stay as planned.
        **changes
            Keys of the model with other values, without a formula:
            ``covariates=["girl"], where={"year": [2021]}``.

        Returns
        -------
        Refit
            ``planned`` where nothing is changed; it then equals the table of estimates to ten
            digits. Otherwise ``changed`` says what is, and so do its frame and its repr.

        Raises
        ------
        UserError
            Where a name is not known, with the closest one, and where a planned model does not come
            to what the table of estimates holds.
        Refusal
            While the study is blind, and where the data do not support the model.
        """
        given = changes if formula is None else {"formula": formula, **changes}
        return refit_model(self, model, outcome, given, read_schema())

    def refit_all(self, role: str | None = None, estimator: str | None = None) -> pd.DataFrame:
        """Fit all models again as planned, or those of a role or an estimator; return their rows.

        Raises
        ------
        UserError
            Where one does not come to what the table of estimates holds.
        """
        return refit_models(self, read_schema(), role, estimator)

    def trace(self, path: str | Path, model: str | None = None) -> Trace:
        """Return what made a file of the results: rule, script, modules, tests.

        Parameters
        ----------
        path : str or pathlib.Path
            Below the folder of results, such as ``"estimates/estimates.csv"``.
        model : str, optional
            Go straight to the estimator of one model's rows.

        Raises
        ------
        UserError
            Where no rule writes it, with the nearest file that one does.
        """
        lies = self.paths.root / path
        if model is not None:
            if model not in self.models:
                raise unknown("model", model, self.models)
            lies = self.paths.estimates_of(model)
        if not lies.is_relative_to(self.paths.root):
            raise UserError(f"{path} is not a file of the results in {self.paths.root}")
        below = lies.relative_to(self.paths.root).as_posix()
        return trace_file(
            f"results/{self.name}/{below}", own_checkout(),
            lambda _, named: self.models[named]["estimator"] if named in self.models else None,
            lies,
            self._asked,
        )  # fmt: skip

    def _asked(self, text: str, wildcards: Mapping[str, str]) -> list[str]:
        """Return the paths that a rule asks the study for, such as ``study.raw.files()``."""
        if "{model}" in text:
            return [text.replace("{model}", name) for name in self.models]
        question = re.fullmatch(r"study\.([\w.]+)\((model)?\)", text)
        if not question:
            return [text]
        ask: Any = self
        for name in question.group(1).split("."):
            ask = getattr(ask, name)
        found = ask(wildcards["model"]) if question.group(2) else ask()
        if isinstance(found, dict):
            found = [part for value in found.values() for part in _listed(value)]
        paths = _listed(found)
        if not all(isinstance(path, str) and "/" in path for path in paths):
            return []  # an answer that is no path, such as the steps of the report
        root = str(self.paths.root)
        return [path.replace(root, f"results/{self.name}", 1) for path in paths]

    def traces(self) -> Iterator[tuple[str, Trace]]:
        """Yield each model with what makes its rows of the table of estimates."""
        for name in self.models:
            yield name, self.trace(self.paths.estimates, name)


def _seen_from_here(folder: Path) -> str:
    """Return a folder relative to the working folder, where it is near; a page names no machine."""
    relative = os.path.relpath(folder)
    return relative if relative.count("..") < 2 else str(folder)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
