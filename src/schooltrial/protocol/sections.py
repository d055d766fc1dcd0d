"""What a protocol declares, section by section, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypedDict

from schooltrial.protocol.table_readings import all_columns


class Outcome(TypedDict):
    """An outcome, as the protocol declares it; keys are documented in the schema."""

    label: str
    family: str
    primary: bool
    scale: str
    unit: str
    range: list[float] | None
    out_of_range: str
    level: Literal["pupil", "teacher", "school"]
    standardise: str
    norms: list[dict[str, Any]]
    made_from: dict[str, Any] | None
    baseline_year: int | None


class Model(TypedDict):
    """An analysis, as the protocol declares it; keys are documented in the schema."""

    label: str
    estimator: str
    role: str
    outcomes: list[str]
    where: dict[str, list[Any]]
    compare: list[str]
    by_subgroup: list[str]
    control_group: str
    bounded_cells: str
    subgroup: str
    covariates: list[str]
    blocks: str
    absorb: list[str]
    covariance: list[str]
    df: Literal["kenward-roger", "satterthwaite"]
    draws: int
    active_years: list[int]
    treatment_by: str | None
    moderator: str | None
    tests: dict[str, list[str]]
    level: float


class Years(TypedDict):
    """The years of a trial and their place in it."""

    label: str
    before: list[int]
    during: list[int]
    after: list[int]
    reference: int | None


class Arm(TypedDict):
    """One arm of the trial."""

    name: str
    label: str
    share: float | None


@dataclass(frozen=True)
class Protocol:
    """A validated protocol with all defaults filled.

    Attributes
    ----------
    content : dict
        The sections, by name.
    sha256 : str
        Checksum of the file as it lies on disk; it stands in every exhibit.
    path : pathlib.Path
        The file; raw paths are relative to its folder.
    """

    content: dict[str, Any]
    sha256: str
    path: Path

    @property
    def folder(self) -> Path:
        """Folder of the protocol; raw paths are relative to it."""
        return self.path.parent

    @property
    def name(self) -> str:
        """Name of the study."""
        return str(self.content["study"]["name"])

    def section(self, name: str) -> Any:
        """Return one section, or None where the protocol has none."""
        return self.content.get(name)

    def models(self, estimator: str | None = None) -> list[str]:
        """Return the names of the models, or of those of one estimator, in protocol order."""
        return [
            name
            for name, model in self.content["models"].items()
            if estimator in (None, model["estimator"])
        ]


def covariate_terms(model: Model, outcome: str) -> list[str]:
    """Return a model's covariate terms, ``baseline`` spelt out for the outcome."""
    made = [f"{outcome}_before", f"{outcome}_before_missing", f"{outcome}_before_school"]
    return [t for term in model["covariates"] for t in (made if term == "baseline" else [term])]


def needed_variables(model: Model, outcome: str) -> list[str]:
    """Return the variables that a pupil must have to be in a model, the outcome first."""
    used = {part for term in covariate_terms(model, outcome) for part in term.split(":")}
    used |= {part for part in (model["treatment_by"], model["moderator"]) if part}
    return [outcome, *sorted(used - {outcome})]


def all_years(years: Years) -> list[int]:
    """Return the years of the trial in order."""
    return sorted([*years["before"], *years["during"], *years["after"]])


def reference_year(years: Years) -> int:
    """Return the year from which event studies measure: the last one before, unless stated."""
    return years["reference"] or max(years["before"])


def default_unit(outcome: Outcome) -> str:
    """Return the unit of an outcome that declares none."""
    if outcome["standardise"] != "none":
        return {"control": "control SD", "all": "SD", "norms": "SD of the norms"}[
            outcome["standardise"]
        ]
    return "share of pupils" if outcome["scale"] == "binary" else "points"


def frame_columns(design: Mapping[str, Any]) -> dict[str, str]:
    """Return the columns of a frame that hold unit and block, as the protocol names them or not.

    A unit stands under what was assigned; schools are drawn in blocks, teachers and pupils in
    their school.
    """
    unit, draw = str(design.get("unit") or "school"), design.get("draw") or {}
    block = "block" if unit == "school" else "school"
    return {
        "unit_column": str(draw.get("unit_column") or unit),
        "block_column": str(draw.get("block_column") or block),
    }


def unlabelled(section: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return outcomes or models without the words that only exhibits need.

    Rules that compute take these, so that another label computes nothing again.
    """
    words = {"label", "unit", "family"}
    return {
        name: {key: value for key, value in part.items() if key not in words}
        for name, part in section.items()
    }


def baseline_year(content: Mapping[str, Any]) -> int:
    """Return the year at which the arms are compared."""
    return int(content["balance"]["year"] or max(content["years"]["before"]))


def balance_variables(content: Mapping[str, Any]) -> list[str]:
    """Return the variables of pupils and of schools that are compared at baseline."""
    settings = content["balance"]
    return list(dict.fromkeys([*settings["pupil_variables"], *settings["school_variables"]]))


def year_label(content: Mapping[str, Any]) -> str:
    """Return what the baseline year is called, such as ``cohort 2000``."""
    return f"{content['years']['label']} {baseline_year(content)}"


def analysis_years(content: Mapping[str, Any]) -> list[int]:
    """Return the years that the first primary model analyses, else the programme's last."""
    for model in content["models"].values():
        if model["role"] == "primary" and "year" in model["where"]:
            return [int(year) for year in model["where"]["year"]]
    return [max(content["years"]["during"])]


def labels(content: Mapping[str, Any]) -> dict[str, str]:
    """Return variable → name in exhibits, from wherever the protocol gives one."""
    columns = {
        name: spec["label"]
        for readings in content["tables"].values()
        for reading in readings
        for name, spec in [*all_columns(reading), *reading["outcomes"].items()]
    }
    variables = {name: spec["label"] for name, spec in content["variables"].items()}
    outcomes = {name: spec["label"] for name, spec in content["outcomes"].items()}
    every = {**columns, **variables, **outcomes, **content["covariate_labels"]}
    return {name: label for name, label in sorted(every.items()) if label}
