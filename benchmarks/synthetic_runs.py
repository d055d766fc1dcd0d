"""The studies of the synthetic generators at many seeds: raw files, checks and main effects.

Each run does what the rules of a study do, from the raw files to the estimates, in one process: the
scripts are called as the rules call them. What a step refuses is kept as its message.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from check_assignment import main as check_assignment
from clean_sample import main as clean_sample
from fit_cluster_robust import main as fit_cluster_robust
from fit_complier_effect import main as fit_complier_effect
from fit_multilevel import main as fit_multilevel
from fit_staggered_adoption import main as fit_staggered_adoption
from obtain_tables import write_batches
from schooltrial.data.tables.keys import KEYS
from schooltrial.data.tables.left_out import all_left_out
from schooltrial.data.tables.parquet import table_files
from schooltrial.data.tables.reading import Study as Readings
from schooltrial.data.tables.schema import empty_schema, table_schema
from schooltrial.data.tables.standard_tables import read_batches
from schooltrial.exhibits.figures.effects import drawn, true_effects
from schooltrial.protocol.content.sections import (
    Content,
    Protocol,
    all_years,
    arm_labels,
    baseline_year,
    labels,
)
from schooltrial.protocol.form.strict_yaml import parse_yaml
from schooltrial.protocol.reading import read_protocol
from schooltrial.refusal import Refusal, UserError
from schooltrial.study.study import Study
from simulate_trial import main as simulate_trial

ROOT = Path(__file__).resolve().parents[1]
STUDIES = ("chicago_collaborative", "fellowship", "teacher_led_learning", "university_certificate")
SECONDARY = {
    "university_certificate": ("offer_retention", "take_up_teachers", "take_up_pupils"),
}
"""Models that are looked at beside the primary ones."""


FITTED = ("ITT", "CACE", "ATT", "effect by group", "event study")


class Effect(NamedTuple):
    """One estimate of one run, with what the generator knows to be true."""

    model: str
    outcome: str
    estimand: str
    term: str
    estimate: float
    std_error: float
    conf_low: float
    conf_high: float
    truth: float


@dataclass(frozen=True)
class SeedRun:
    """What a study gives at one seed.

    Attributes
    ----------
    study : str
    seed : int
    refused : str
        What a step said that refused; empty where the study ran to its estimates.
    verdict : str
        Of the check of the assignment; empty where it was not reached.
    reasons : tuple of str
        What that verdict rests on.
    effects : tuple of Effect
    """

    study: str
    seed: int
    refused: str = ""
    verdict: str = ""
    reasons: tuple[str, ...] = ()
    effects: tuple[Effect, ...] = field(default=())


@cache
def shipped(study: str) -> Protocol:
    """Return a study's protocol as it is shipped."""
    schema = ROOT / "src" / "schooltrial" / "protocol" / "schema.yaml"
    path = ROOT / "config" / "studies" / f"{study}.yaml"
    return read_protocol(path, parse_yaml(schema.read_text("utf-8")))


def with_seed(protocol: Protocol, seed: int) -> Protocol:
    """Return a protocol in which nothing but ``study.seed`` is another."""
    content: Any = {**protocol.content, "study": {**protocol.content["study"], "seed": seed}}
    return Protocol(content, protocol.sha256, protocol.path)


def with_parameters(protocol: Protocol, values: Mapping[str, Any]) -> Protocol:
    """Return a protocol with other parameters of its simulation."""
    simulation = protocol.content["simulation"]
    told = {name: {"value": value, "source": "changed"} for name, value in values.items()}
    changed = {**simulation, "parameters": {**simulation["parameters"], **told}}
    content: Any = {**protocol.content, "simulation": changed}
    return Protocol(content, protocol.sha256, protocol.path)


def run_seed(study: str, seed: int) -> SeedRun:
    """Run a shipped study at another seed, to the estimates of its main models."""
    return run_protocol(with_seed(shipped(study), seed), SECONDARY.get(study, ()))


def run_protocol(protocol: Protocol, secondary: tuple[str, ...] = ()) -> SeedRun:
    """Run a protocol of a synthetic study to the estimates of its primary and other named models.

    Anything but a refusal in plain words is an error of ours and is not caught.
    """
    name, seed = protocol.name, protocol.content["study"]["seed"]
    with TemporaryDirectory() as folder:
        study = Study.of(protocol, Path(folder))
        told: dict[str, Any] = {"verdict": "", "reasons": []}
        try:
            simulate(study)
            obtain(study)
            clean(study)
            told = check(study)
            fitted = pd.concat([fit(study, model) for model in main_models(protocol, secondary)])
        except (Refusal, UserError) as refusal:
            return SeedRun(name, seed, str(refusal), told["verdict"], tuple(told["reasons"]))
        truth = json.loads(study.paths.truth.read_text("utf-8"))
        effects = tuple(effects_of(fitted, protocol.content, truth))
        return SeedRun(name, seed, "", told["verdict"], tuple(told["reasons"]), effects)


def run_seeds(seeds: int, processes: int, studies: tuple[str, ...] = STUDIES) -> Iterator[SeedRun]:
    """Yield the runs of every study at seeds 1, 2, …, as they are ready: all studies by turns."""
    work = [(study, seed) for seed in range(1, seeds + 1) for study in studies]
    names, numbers = zip(*work, strict=True)
    if processes == 1:
        yield from map(run_seed, names, numbers)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(run_seed, names, numbers, chunksize=1)


def main_models(protocol: Protocol, secondary: tuple[str, ...]) -> list[str]:
    """Return the primary models, of all units, and the other ones that are named."""
    models = protocol.content["models"]
    primary = [n for n, m in models.items() if m["role"] == "primary" and "__" not in n]
    return [*primary, *secondary]


def simulate(study: Study) -> None:
    """Write the raw files and the truth."""
    content = study.protocol.content
    study.paths.truth.parent.mkdir(parents=True)
    study.paths.check("x").parent.mkdir(parents=True)
    study.paths.estimates_of("x").parent.mkdir(parents=True)
    simulate_trial(
        simulation=content["simulation"], seed=content["study"]["seed"], folder=study.raw.folder(),
        truth=str(study.paths.truth), design=content["design"], study=study.name,
    )  # fmt: skip


def obtain(study: Study) -> None:
    """Read the raw files into standard tables, as `obtain_tables` does, without the plan's hash."""
    content = study.protocol.content
    tables, unit = content["tables"], content["design"]["unit"]
    readings = Readings(
        tables, content["outcomes"], all_years(content["years"]), unit, content["cleaning"],
        [arm["name"] for arm in content["design"]["arms"]], content["limits"],
    )  # fmt: skip
    schemas = {
        name: table_schema(name, tables[name]).both if name in tables else empty_schema(name, unit)
        for name in KEYS
    }
    gone: list[pd.DataFrame] = []
    with table_files({name: study.paths.data(name) for name in KEYS}, schemas) as files:
        kept: Mapping[str, Any] = {**files, "changes": _Forgotten()}
        write_batches(read_batches(readings, Path(study.raw.folder()), {}), kept, [], {}, gone)
    all_left_out(gone).to_parquet(study.paths.data("left_out"), index=False)


class _Forgotten:
    """Takes the rows of the log of changed cells, and keeps none."""

    def write(self, rows: Any) -> None:
        """Keep nothing."""


def clean(study: Study) -> None:
    """Build the samples."""
    paths = study.paths
    clean_sample(
        **{n: str(paths.data(n)) for n in KEYS if n != "costs"},
        protocol=study.before_fitting(), baseline=baseline_year(study.protocol.content),
        blinded=None, sources=study.raw.by_table(), key_sources=study.raw.key_sources(),
        raw=study.raw.places(),
        left_out=str(paths.data("left_out")),
        sample=str(paths.data("sample")), teacher_sample=str(paths.data("teacher_sample")),
        panel=str(paths.data("school_panel")), bounded=str(paths.data("bounded_cells")),
        school_sample=str(paths.data("school_sample")),
        **{n: str(paths.check(f"{n}.csv"))
           for n in ("ledger", "flow", "mobility", "aggregates", "linking")},
    )  # fmt: skip


def check(study: Study) -> dict[str, Any]:
    """Return the verdict on the assignment, with its reasons."""
    paths = study.paths
    verdict = paths.check("assignment_verdict.json")
    check_assignment(
        protocol=study.before_fitting(), labels=labels(study.protocol.content),
        groups=arm_labels(study.protocol.content["design"]),
        **{n: str(paths.data(n)) for n in ("assignment", "sample", "schools", "scores")},
        panel=str(paths.data("school_panel")), teachers=str(paths.data("teacher_sample")),
        check=str(paths.check("assignment.csv")), tests=str(paths.check("assignment_tests.csv")),
        units=str(paths.check("assignment_units.csv")), verdict=str(verdict),
        distances=str(paths.check("assignment_distances.csv")),
        frame=study.draw.file("eligible_list"), record=study.draw.file("record"),
        key=study.draw.key(),
    )  # fmt: skip
    told: dict[str, Any] = json.loads(verdict.read_text("utf-8"))
    return told


def fit(study: Study, model: str) -> pd.DataFrame:
    """Fit a model and return its estimates."""
    content, paths = study.protocol.content, study.paths
    wanted: dict[str, Any] = {
        "sample": study.sample_of(model), "study": study.name, "name": model,
        "model": study.computed_model(model), "outcomes": content["outcomes"],
        "to_record": study.plan_to_record(), "estimates": str(paths.estimates_of(model)),
        "diagnostics": str(paths.estimates_of(model, "json")),
    }  # fmt: skip
    estimator = content["models"][model]["estimator"]
    if estimator == "multilevel":
        fit_multilevel(**wanted)
    elif estimator == "cluster_robust":
        fit_cluster_robust(**wanted)
    elif estimator == "complier_effect":
        fit_complier_effect(**wanted, taken_up=str(content["take_up"]["variable"]))
    else:
        fit_staggered_adoption(
            **wanted | {"sample": str(paths.data("sample"))}, years=content["years"],
            panel=str(paths.data("school_panel")), bounded=str(paths.data("bounded_cells")),
            schools=str(paths.data("schools")), school_sample=str(paths.data("school_sample")),
            design=content["design"], seed=content["study"]["seed"],
        )  # fmt: skip
    return pd.read_csv(paths.estimates_of(model))


def effects_of(
    fitted: pd.DataFrame, content: Content, truth: Mapping[str, Any]
) -> Iterator[Effect]:
    """Yield the estimates whose truth the generator knows in the unit of the analysis."""
    rows = fitted[fitted["estimand"].isin(FITTED) & fitted["conf_low"].notna()]
    models, years = content["models"], content["years"]
    main = drawn(rows, models, content["outcomes"], years)
    known = dict(
        zip(
            zip(main["model"].map(str), main["outcome"].map(str), strict=True),
            true_effects(main, models, truth),
            strict=True,
        )
    )
    for row in rows.to_dict("records"):
        name, outcome, term = str(row["model"]), str(row["outcome"]), str(row["term"])
        true = _of_cohort_or_year(truth, outcome, term)
        if (name, outcome) in known and "=" not in term:  # the effect of all units
            true = known[name, outcome]
            if np.isnan(true) and not any(truth["effects"].get(outcome, {"": 1}).values()):
                true = 0.0  # no effect is none in any unit
        if not np.isnan(true):
            yield Effect(
                name, outcome, str(row["estimand"]), term, float(row["estimate"]),
                float(row["std_error"]), float(row["conf_low"]), float(row["conf_high"]), true,
            )  # fmt: skip


def _of_cohort_or_year(truth: Mapping[str, Any], outcome: str, term: str) -> float:
    """Return the truth of ``treated[cohort=2016]`` or ``treated[since=0]``; NaN for other terms."""
    kind, _, value = term.removeprefix("treated[").removesuffix("]").partition("=")
    att = truth.get("att", {})
    known = att.get({"cohort": "cohort", "since": "since_start"}.get(kind, ""), {})
    return float(known.get(outcome, {}).get(value, np.nan))
