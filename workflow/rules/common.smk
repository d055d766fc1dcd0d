# Protocols enter, validated before any rule; studies, and look-ups in their protocols, leave.
import os
import sys
from pathlib import Path

SCRIPTS = Path(workflow.basedir) / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))

from module_inputs import modules
from provenance import steps
from schooltrial.data.reading import raw_file_names
from schooltrial.protocol import (
    all_years,
    analysis_years,
    baseline_year,
    labels,
    parse_yaml,
    unlabelled,
    year_label,
)
from studies import protocols, refusals

# One thread per job: bits differ between one BLAS thread and two.
os.environ.update(
    dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"], "1")
)

SCHEMA = parse_yaml((SCRIPTS.parent / "schemas" / "protocol.schema.yaml").read_text("utf-8"))
NOTEBOOKS = sorted(path.stem for path in (Path(workflow.basedir) / "notebooks").glob("*.ipynb"))
FIGURES = ["balance", "effects", "trends", "school_means"]
TABLES = ["baseline", "results"]
TRACED = [
    "obtain_tables",
    "clean_sample",
    "check_assignment",
    "check_balance",
    "fit_multilevel",
    "fit_cluster_robust",
    "fit_randomisation_inference",
    "fit_wild_bootstrap",
    "fit_complier_effect",
    "fit_difference_in_differences",
    "fit_staggered_adoption",
    "gather_estimates",
    *(f"draw_{name}" for name in FIGURES),
    *(f"tabulate_{name}" for name in TABLES),
]


PROTOCOLS = protocols(config, Path(workflow.basedir), SCHEMA)
STUDIES = list(PROTOCOLS)


wildcard_constraints:
    study="|".join(STUDIES),


def section(*keys):
    """Return a function of the wildcards that looks up one value of the study's protocol."""

    def look_up(wildcards):
        value = PROTOCOLS[wildcards.study].content
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    return look_up


def computed(name):
    """Return a function of the wildcards: outcomes or models without what only exhibits need."""
    return lambda wildcards: unlabelled(PROTOCOLS[wildcards.study].content[name])


def from_content(function):
    """Return a function of the wildcards that applies another to the study's protocol."""
    return lambda wildcards: function(PROTOCOLS[wildcards.study].content)


def study_line(wildcards):
    """Return what stands under every exhibit: study, whether synthetic, and the protocol's hash."""
    protocol = PROTOCOLS[wildcards.study]
    return {
        "title": protocol.content["study"]["title"],
        "synthetic": protocol.content["study"]["synthetic"],
        "protocol": protocol.sha256,
    }


SIMULATED = [study for study in STUDIES if PROTOCOLS[study].section("simulation")]


def raw_folder(wildcards):
    """Return the folder of a study's raw files."""
    if wildcards.study in SIMULATED:
        return f"results/{wildcards.study}/data/raw"
    protocol = PROTOCOLS[wildcards.study]
    return os.path.relpath(protocol.folder / protocol.section("raw_folder"))


def simulated_truth(wildcards):
    """Return what the simulation of a synthetic study knows, to be drawn beside the estimates."""
    if wildcards.study not in SIMULATED:
        return {}
    return {"truth": f"results/{wildcards.study}/data/truth.json"}


def raw_files(wildcards):
    """Return the raw files that are there; a missing one is refused by name when it is read."""
    folder = raw_folder(wildcards)
    if wildcards.study in SIMULATED:
        return [folder]
    protocol = PROTOCOLS[wildcards.study]
    names = raw_file_names(protocol.section("tables"), all_years(protocol.section("years")))
    paths = [Path(folder) / name for name in names]
    return [str(path) for path in paths if path.is_file()]


def models_of(estimator):
    """Return a pattern of the models with this estimator, for a wildcard after their study's path.

    Looking back at the study lets two studies use one name for models of two estimators.
    """
    found = [
        f"(?<={study}/estimates/models/){name}"
        for study, protocol in PROTOCOLS.items()
        for name in protocol.models(estimator)
    ]
    return "|".join(found) or "no_model"


SAMPLES = {"pupil": "sample", "teacher": "teacher_sample", "school": "school_panel"}


def sample_of_model(wildcards):
    """Return the analysed sample that holds a model's outcomes: of pupils or of teachers."""
    content = PROTOCOLS[wildcards.study].content
    level = content["outcomes"][content["models"][wildcards.model]["outcomes"][0]]["level"]
    return f"results/{wildcards.study}/data/{SAMPLES[level]}.parquet"


def provenance(wildcards):
    """Return every step from raw files to exhibits: what it ran, read and wrote."""
    fitted = PROTOCOLS[wildcards.study].models
    traced = {
        name: fitted(name.removeprefix("fit_")) if name.startswith("fit_") else [None]
        for name in TRACED
    }
    return steps(rules, traced, wildcards.study)
