# Protocols enter, validated before any rule; studies, and look-ups in their protocols, leave.
import os
import re
import sys
from pathlib import Path

SCRIPTS = Path(workflow.basedir) / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))

from module_inputs import modules
from provenance import steps
from report_files import ReportFiles
from schooltrial.data.table_keys import KEYS
from schooltrial.protocol import (
    analysis_years,
    balance_variables,
    baseline_year,
    labels,
    year_label,
)
from run_messages import logs_written, made, refusals
from schooltrial.protocol_yaml import parse_yaml
from studies import protocols

# One thread per job: bits differ between one BLAS thread and two.
os.environ.update(
    dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"], "1")
)

SCHEMA = parse_yaml((SCRIPTS.parent / "schemas" / "protocol.schema.yaml").read_text("utf-8"))
NOTEBOOKS = sorted(path.stem for path in (Path(workflow.basedir) / "notebooks").glob("*.ipynb"))
PROTOCOLS = protocols(config, Path(workflow.basedir), SCHEMA)
STUDIES = list(PROTOCOLS)
WRITTEN_BEFORE = logs_written(STUDIES)


wildcard_constraints:
    study="|".join(STUDIES),


LOOK_UPS = ReportFiles(PROTOCOLS)
section, computed, from_content = LOOK_UPS.section, LOOK_UPS.computed, LOOK_UPS.from_content
models_of = LOOK_UPS.models_of
study_line = LOOK_UPS.study_line


def provenance(wildcards):
    """Return every step from raw files to exhibits: what it ran, read and wrote."""
    return steps(rules, LOOK_UPS.traced(wildcards), wildcards.study)
