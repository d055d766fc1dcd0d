# Protocols enter, validated before any rule; studies, and look-ups in their protocols, leave.
import os
import sys
from pathlib import Path

SCRIPTS = Path(workflow.basedir) / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))

from module_inputs import modules
from schooltrial.data.reading import raw_file_names
from schooltrial.protocol import (
    all_years,
    analysis_years,
    baseline_year,
    labels,
    parse_yaml,
    read_protocol,
    year_label,
)
from schooltrial.refusal import Refusal

# One thread per job: bits differ between one BLAS thread and two.
os.environ.update(
    dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"], "1")
)

SCHEMA = parse_yaml((SCRIPTS.parent / "schemas" / "protocol.schema.yaml").read_text("utf-8"))
NOTEBOOKS = sorted(path.stem for path in (Path(workflow.basedir) / "notebooks").glob("*.ipynb"))
FIGURES = ["balance", "effects", "trends", "school_means"]
TABLES = ["baseline", "results"]


def listed(value):
    """Return a list from a list, or from text with commas as the command line gives it."""
    return [part for part in value.split(",") if part] if isinstance(value, str) else list(value)


def protocol_paths():
    """Return the protocols to run: those given by path, else the studies of the configuration."""
    if "protocols" in config:
        return [(path, Path(path)) for path in listed(config["protocols"])]
    folder = Path(workflow.basedir) / "config" / "studies"
    return [
        (f"config/studies/{name}.yaml", folder / f"{name}.yaml")
        for name in listed(config["studies"])
    ]


def read_protocols():
    """Read all protocols; every fault is told before any rule runs."""
    found, refusals = {}, []
    for shown, path in protocol_paths():
        try:
            protocol = read_protocol(path, SCHEMA, shown)
        except Refusal as refusal:
            refusals.append(str(refusal))
            continue
        if protocol.name in found:
            refusals.append(
                f"Refused: two protocols bear the study name {protocol.name!r}; rename one."
            )
        found[protocol.name] = protocol
    if refusals:
        print("\n" + "\n".join(refusals) + "\n", file=sys.stderr)
        sys.exit(1)
    return found


PROTOCOLS = read_protocols()
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
    """Return a pattern of the names of all models with this estimator, for a wildcard."""
    names = {name for protocol in PROTOCOLS.values() for name in protocol.models(estimator)}
    return "|".join(sorted(names)) or "no_model"


EXHIBITS = dict.fromkeys(FIGURES, "draw") | dict.fromkeys(TABLES, "tabulate")


def provenance(wildcards):
    """Return, for each exhibit, the rule and script that made it, its inputs and its code."""
    traced = {}
    for name, verb in EXHIBITS.items():
        rule_name = f"{verb}_{name}"
        inputs = dict(getattr(rules, rule_name).input.items())
        traced[name] = {
            "rule": rule_name,
            "script": f"workflow/scripts/{rule_name}.py",
            "inputs": [str(path).format(study=wildcards.study) for path in inputs.values()],
            "code": modules(f"{rule_name}.py"),
        }
    return traced
