"""Fit a model of a study again: as it was planned, or otherwise, and then said to be so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import floor, isfinite, log10, nan
from pathlib import Path
from typing import Any, cast

import pandas as pd

from schooltrial.analysis.estimators.randomisation_inference import Lottery
from schooltrial.analysis.estimators.registry import ESTIMATORS, Estimator, Need
from schooltrial.analysis.fitting import FittedModel, PlannedModel
from schooltrial.analysis.formulas.covariate_formula import CovariateFormula, parse_covariates
from schooltrial.analysis.formulas.model_formula import FormulaRows
from schooltrial.analysis.panel.panel_cells import read_panel_cells
from schooltrial.arrays import FloatArray
from schooltrial.data.rows.analysed import refuse_lacking
from schooltrial.data.rows.school_rows import rows_of_outcome
from schooltrial.exhibits.style.coefficient_plot import Plot, plot_estimates
from schooltrial.exhibits.style.figures import foot_text
from schooltrial.models.inference.estimate import Estimate
from schooltrial.protocol.consistency.model_keys import without_unread
from schooltrial.protocol.consistency.references import reference_faults
from schooltrial.protocol.content.sections import (
    Content,
    Model,
    StudyLine,
    drawn_by_lot,
    unlabelled,
)
from schooltrial.protocol.form.schema_validation import schema_faults
from schooltrial.randomisation.frame import read_frame
from schooltrial.randomisation.record import open_record
from schooltrial.refusal import UserError, unknown, words_of
from schooltrial.study.opened.fitted_rows import refuse_new_rows, rows_of_fit
from schooltrial.study.study import Study
from schooltrial.wording import listed

DIGITS = 10
"""To which a planned model equals the table of estimates: it differs by one in the last of them
at most."""

NO_PART_OF_A_FIT = {
    "outcomes": "name the outcome after the model, as in study.refit('itt', 'maths')",
    "role": "it says what a model is for, not what is fitted",
    "label": "it is a word of exhibits",
}
"""Keys of a model that a refit does not take, and why."""

TEXT = ("study", "model", "outcome", "estimand", "subgroup", "term", "method", "note")


@dataclass(frozen=True)
class Refit:
    """A model of a study, fitted to one outcome.

    Attributes
    ----------
    study, model, outcome : str
    planned : bool
        Whether it is the model of the protocol; anything else is exploratory.
    changed : dict
        Key of the model → what stands in place of the planned value.
    rows : DataFrame
        Rows as in ``estimates.csv``.
    diagnostics : dict
        What the fit says of itself.
    result : object
        The estimator's own result, of which more can be asked.
    line : StudyLine
        What stands below its tables and plots: study, protocol, whether its data are synthetic.
    analysed : callable
        Gives the rows that the model was fitted to.
    """

    study: str
    model: str
    outcome: str
    planned: bool
    changed: dict[str, Any]
    rows: pd.DataFrame
    diagnostics: dict[str, Any]
    result: Any
    line: StudyLine
    analysed: Callable[[], FormulaRows]

    @property
    def terms(self) -> list[str]:
        """The terms that are reported, in their order."""
        return list(dict.fromkeys(self.rows["term"]))

    @property
    def status(self) -> str:
        """Whether it was planned, in words."""
        if self.planned:
            return "as planned"
        told = ", ".join(f"{key}={value!r}" for key, value in self.changed.items())
        return f"exploratory, not planned: {told}"

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the estimator's result, such as ``conf_int``."""
        if name.startswith("_") or name == "result":
            raise AttributeError(name)
        try:
            return getattr(self.result, name)
        except AttributeError:
            raise AttributeError(
                f"a refit of {self.model!r} has no {name!r}, nor has its "
                f"{type(self.result).__name__}"
            ) from None

    def estimates(self) -> tuple[Estimate, ...]:
        """Return what is reported of the fit, as its estimator gave it."""
        keys = list(Estimate.__dataclass_fields__)
        return tuple(Estimate(**row) for row in self.rows[keys].to_dict("records"))

    def predict(self, data: Any = None, *, random_effects: bool = False) -> FloatArray:
        """Return what the model expects of each row that it analyses.

        The rows are those of ``study.sample(…, complete_for=model)``, in their order.

        Parameters
        ----------
        data : None
            A model of a study predicts the rows of its study.
        random_effects : bool
            Whether to add the predicted effects of schools and blocks (multilevel models).

        Raises
        ------
        UserError
            Where the estimator says nothing of single rows.
        """
        refuse_new_rows(data)
        kept = self.analysed()
        if random_effects and not kept.group_columns:
            raise UserError(
                f"{self.model} names its random levels, whose effects are not predicted; leave "
                "`random_effects` out"
            )
        found: FloatArray = replace(self.result, rows=kept).predict(random_effects=random_effects)
        return found

    def residuals(self, *, random_effects: bool = False) -> FloatArray:
        """Return the outcome of each row less what the model expects."""
        return self.analysed().outcome - self.predict(random_effects=random_effects)

    def plot(self, terms: str | Sequence[str] | None = None) -> Plot:
        """Plot what is reported of the fit, or some of its terms, with confidence intervals."""
        wanted = self.terms if terms is None else [terms] if isinstance(terms, str) else terms
        for term in wanted:
            if term not in self.terms:
                raise unknown("term", term, self.terms)
        rows = [row for row in self.estimates() if row.term in wanted]
        return plot_estimates({self.model: rows}, f"{self.model}, {self.outcome}",
                              f"{foot_text(self.line)}.  {self.status}")  # fmt: skip

    def to_frame(self) -> pd.DataFrame:
        """Return the rows, each with whether it was planned; frames of several fits stack."""
        return self.rows.assign(planned=self.planned, status=self.status)

    def __repr__(self) -> str:
        shown = ["estimand", "term", "estimate", "std_error", "p_value", "conf_low", "conf_high"]
        head = f"{self.study}: {self.model}, {self.outcome} ({self.status})"
        told = self.rows[shown].head(8).to_string(index=False, float_format="{:.5g}".format)
        return "\n".join([head, str(self.rows["method"].iloc[0]), told])


def refit_model(
    study: Study,
    name: str,
    outcome: str | None,
    changes: Mapping[str, Any],
    schema: Mapping[str, Any],
) -> Refit:
    """Fit a model of a study to one outcome.

    Parameters
    ----------
    study : Study
    name : str
        The model.
    outcome : str, optional
        May be left out where the model has one, or one that is primary.
    changes : mapping
        Key of the model → a value in place of the planned one; none for the model as planned. Or
        ``formula`` alone → outcome and covariates.
    schema : mapping
        The schema of protocols, which changes answer to as the protocol does.

    Raises
    ------
    UserError
        Where a model, outcome or key is not known, or a value does not fit the study; and where
        the planned model does not come to what ``estimates.csv`` holds.
    Refusal
        While the study is blind, and where the data do not support the model.
    """
    study.blinding.refuse()
    models = study.protocol.content["models"]
    if name not in models:
        raise unknown("model", name, models)
    planned = models[name]
    formula = None
    if "formula" in changes:
        formula = _read_formula(study, name, outcome, changes)
        changes, outcome = _keys_of(formula, planned), formula.outcome
    chosen = _outcome(study, planned, name, outcome)
    changed = {key: value for key, value in changes.items() if formula or planned.get(key) != value}
    unheard = [key for key in changes if key not in planned]
    if unheard:
        raise unknown("key of a model:", unheard[0], planned)
    idle = [key for key in NO_PART_OF_A_FIT if key in changed]
    if idle:
        raise UserError(f"{idle[0]!r} changes no fit: {NO_PART_OF_A_FIT[idle[0]]}")
    if chosen not in planned["outcomes"]:
        changed["outcomes"] = [chosen]
    model = cast(Model, {**planned, **changed, "outcomes": [chosen]})
    if "estimator" in changed and changed["estimator"] in ESTIMATORS:
        _refuse_unread(model, changed)
        model = without_unread(model)
    _hold_against_plan(study, name, model, changed, schema)
    fitted = _fit(study, name, model, formula)
    if formula is not None and "covariates" in changed:
        del changed["covariates"]
        changed = {"formula": formula.text, **changed}
    found = Refit(
        study.name, name, chosen, not changed, changed, fitted.table,
        fitted.diagnostics[chosen], fitted.results[chosen], study.line(),
        partial(_analysed, study, name, model, chosen, formula),
    )  # fmt: skip
    if found.planned:
        _hold_against_estimates(study, found)
    return found


def _read_formula(
    study: Study, name: str, outcome: str | None, changes: Mapping[str, Any]
) -> CovariateFormula:
    """Return what a formula says of a model, or say what it cannot say."""
    others = [key for key, value in changes.items() if key != "formula"]
    if others:
        raise UserError(
            f"give `formula` or `{others[0]}`, not both: a formula names all covariates, and the "
            "rest of the model stays as planned. To change other keys, give the covariates by key "
            f"too, as in study.refit({name!r}, covariates=[…], where={{…}})"
        )
    try:
        formula = parse_covariates(changes["formula"])
    except ValueError as error:
        raise UserError(words_of(error)) from error
    if outcome is not None and outcome != formula.outcome:
        raise UserError(
            f"the formula has the outcome {formula.outcome!r} on its left, and {outcome!r} is "
            "asked for: name one of them"
        )
    if formula.computed and ESTIMATORS[_estimator(study, name)].rows == "cells":
        raise UserError(
            f"{name} is fitted to schools by year, whose covariates are names alone: "
            f"{str(formula.computed[0])!r} cannot be computed there. Declare it under `variables` "
            "of the protocol, and name it"
        )
    if "baseline" in formula.computed_from:
        raise UserError(
            "`baseline` is several columns, and cannot be part of a product or function: "
            f"name the column, such as {formula.outcome}_before"
        )
    return formula


def _estimator(study: Study, name: str) -> str:
    return str(study.protocol.content["models"][name]["estimator"])


def _keys_of(formula: CovariateFormula, planned: Model) -> dict[str, Any]:
    """Return the change of keys that a formula is; none if it names the planned covariates.

    Variables of computed covariates are among them, to be compared with the protocol.
    """
    same = not formula.computed and sorted(formula.names) == sorted(planned["covariates"])
    return {} if same else {"covariates": formula.variables}


def refit_models(
    study: Study, schema: Mapping[str, Any], role: str | None, estimator: str | None
) -> pd.DataFrame:
    """Fit all models of a role, or of an estimator, as planned; return their rows.

    Raises
    ------
    UserError
        Where there is no such model, and where one does not come to what ``estimates.csv`` holds.
    """
    models = study.protocol.content["models"]
    for kind, asked, known in (
        ("role", role, {model["role"] for model in models.values()}),
        ("estimator", estimator, {model["estimator"] for model in models.values()}),
    ):
        if asked is not None and asked not in known:
            raise unknown(f"model of the {kind}", asked, sorted(known))
    found = [
        refit_model(study, name, outcome, {}, schema).to_frame()
        for name, model in models.items()
        if role in (None, model["role"]) and estimator in (None, model["estimator"])
        for outcome in model["outcomes"]
    ]
    if not found:
        raise UserError(f"no model is of the role {role!r} and the estimator {estimator!r}")
    return pd.concat(found, ignore_index=True)


def _outcome(study: Study, model: Model, name: str, outcome: str | None) -> str:
    if outcome is None:
        outcomes = study.protocol.content["outcomes"]
        primary = [one for one in model["outcomes"] if outcomes[one]["primary"]]
        among = primary if len(primary) == 1 else model["outcomes"]
        if len(among) > 1:
            raise UserError(
                f"{name} has the outcomes {listed(among)}, and a refit is of one: name it after "
                f"the model, as in study.refit({name!r}, {among[0]!r}, …)"
            )
        return among[0]
    if outcome not in study.protocol.content["outcomes"]:
        raise unknown("outcome", outcome, study.protocol.content["outcomes"])
    return outcome


def _hold_against_plan(
    study: Study,
    name: str,
    model: Model,
    changed: Mapping[str, Any],
    schema: Mapping[str, Any],
) -> None:
    """Compare changes with schema and study, as the protocol is when it is read."""
    if not changed:
        return
    if model["estimator"] in ESTIMATORS:
        _refuse_unread(model, changed)
    node = schema["properties"]["models"]["additionalProperties"]
    shown = f"refit of {name}"
    faults = list(schema_faults(dict(model), {**node, "$defs": schema["$defs"]}, shown))
    if not faults:
        content: Content = {**study.protocol.content, "models": {name: model}}
        place = f"models.{name}"
        faults = [
            fault
            for fault in reference_faults(content, shown, {name: changed})
            if fault.column is not None and fault.column.startswith(place)
        ]
    if faults:
        raise UserError("\n".join(str(fault) for fault in faults))


def _refuse_unread(model: Model, changed: Mapping[str, Any]) -> None:
    """Raise where a change is of a key that the estimator does not read."""
    keys = ESTIMATORS[model["estimator"]].keys
    for key in changed:
        if key not in keys:
            raise UserError(
                f"{model['estimator']} makes no use of `{key}`, so that to change it would change "
                f"nothing; it uses {', '.join(keys)}"
            )


def _fit(
    study: Study, name: str, model: Model, formula: CovariateFormula | None
) -> FittedModel[Any]:
    plan = _plan(study, name, model)
    estimator = ESTIMATORS[model["estimator"]]
    rows = _rows(study, estimator, plan)
    rows, plan = _by_formula(rows, plan, formula)
    return estimator.fit(plan, rows, **{need: _needed(study, need) for need in estimator.needs})


def _plan(study: Study, name: str, model: Model) -> PlannedModel:
    content = unlabelled({**study.protocol.content, "models": {name: model}})
    return PlannedModel(study.name, name, content["models"][name], content["outcomes"])


def _by_formula(
    rows: pd.DataFrame, plan: PlannedModel, formula: CovariateFormula | None
) -> tuple[pd.DataFrame, PlannedModel]:
    """Return rows with the columns that a formula computes, and the model that names them."""
    if formula is None or not formula.computed:
        return rows, plan
    ((_, model, outcome),) = plan.fits()
    if plan.sampled == "school":
        rows = rows_of_outcome(rows, outcome, model["bounded_cells"])
    refuse_lacking(rows, plan.sampled, plan.fits())
    try:
        rows, names = formula.add_columns(rows, model)
    except ValueError as error:
        raise UserError(f"{plan.name}, {outcome}: {words_of(error)}") from error
    return rows, replace(plan, model={**plan.model, "covariates": list(names)})


def _analysed(
    study: Study, name: str, model: Model, outcome: str, formula: CovariateFormula | None
) -> FormulaRows:
    """Return the rows that a model was fitted to."""
    plan = _plan(study, name, model)
    sample = pd.read_parquet(there(study.paths.fitted(plan.sampled)))
    return rows_of_fit(*_by_formula(sample, plan, formula), outcome)


def _rows(study: Study, estimator: Estimator, plan: PlannedModel) -> pd.DataFrame:
    paths = study.paths
    if estimator.rows == "cells":
        sample, panel, bounded, schools, by_year = (
            str(there(paths.data(name)))
            for name in ("sample", "school_panel", "bounded_cells", "schools", "school_sample")
        )
        return read_panel_cells(
            sample, panel, bounded, schools, plan, study.protocol.content["years"], by_year
        )
    return pd.read_parquet(there(paths.fitted(plan.sampled)))


def _needed(study: Study, need: Need) -> Any:
    content = study.protocol.content
    if need == "seed":
        return content["study"]["seed"]
    if need == "years":
        return content["years"]
    if need == "drawn_by_lot":
        return drawn_by_lot(content["design"])
    if need == "randomised":
        return content["design"]["randomised"]
    if need == "taken_up":
        return content["take_up"]["variable"]
    frame, record = study.draw.file("eligible_list"), study.draw.file("record")
    return Lottery.of(
        pd.read_parquet(there(study.paths.data("assignment"))),
        content["design"],
        read_frame(frame, content["design"]) if frame else None,
        open_record(record) if record else None,
    )


def there(path: Path) -> Path:
    """Return a file of the results, or say that it is not there."""
    if not path.is_file():
        raise UserError(f"{path} is not there: run the study first")
    return path


def _hold_against_estimates(study: Study, found: Refit) -> None:
    """Raise where a planned model does not come to what the study's table of estimates holds."""
    table = pd.read_csv(there(study.paths.estimates), dtype=str, keep_default_na=False)
    stored = table[(table["model"] == found.model) & (table["outcome"] == found.outcome)]
    if len(stored) != len(found.rows):
        raise UserError(
            f"{found.model}, {found.outcome}: {len(found.rows)} rows were fitted, and "
            f"{study.paths.estimates} has {len(stored)}: run the study again"
        )
    rows = zip(found.rows.to_dict("records"), stored.to_dict("records"), strict=True)
    for fitted, written in rows:
        for column, value in fitted.items():
            if not _agree(str(column), value, written[column]):
                raise UserError(
                    f"{found.model}, {found.outcome}, {fitted['term']}: the {column} is "
                    f"{value}, and {study.paths.estimates} has {written[column]}. Data, protocol "
                    "or code are not those that made the table: run the study again"
                )


def _agree(column: str, value: Any, written: str) -> bool:
    if column in TEXT or column == "converged":
        return str(value) == written
    number = float(written) if written else nan
    if pd.isna(value) or pd.isna(number):
        return bool(pd.isna(value) and pd.isna(number))
    if value == number:
        return True
    if not isfinite(number) or number == 0:
        return False
    return bool(abs(value - number) <= 10.0 ** (floor(log10(abs(number))) + 1 - DIGITS))
