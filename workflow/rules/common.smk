# Protocols enter, validated before any rule; studies, and look-ups in their protocols, leave.
import os
import re
import sys
from pathlib import Path

# The library of this checkout comes first, here and in every job: an environment that another
# checkout installed would otherwise run that one's library, unseen.
SOURCE = Path(workflow.basedir) / "src"
SCRIPTS = Path(workflow.basedir) / "workflow" / "scripts"
sys.path.insert(0, str(SOURCE))

from schooltrial.checkout import in_project
from schooltrial.provenance.code_inputs import modules
from schooltrial.pipeline.internals.changed_files import compare_contents
from schooltrial.pipeline.forked_jobs.forked_scripts import fork_scripts
from schooltrial.pipeline.interpreter import start_by_name, use_library
from schooltrial.pipeline.messages import logs_written, made, refusals, unlinked
from schooltrial.pipeline.internals.expected_outputs import expect_first_plan
from schooltrial.pipeline.internals.plain_params import compare_params_as_text
from schooltrial.pipeline.plans.plan_record import recorded, withdraw
from schooltrial.pipeline.protocols import figure_formats, read_protocols
from schooltrial.pipeline.run_lock import wait_for_other_runs
from schooltrial.pipeline.internals.scheduling_rounds import schedule_when_jobs_end
from schooltrial.pipeline.steps import code_of, page_step, trace_steps
from schooltrial.pipeline.wildcards import Wildcards
from schooltrial.protocol.content.sections import (
    analysis_years,
    arm_labels,
    balance_variables,
    baseline_year,
    control_word,
    labels,
    year_label,
)
from schooltrial.protocol.content.variables import IDENTIFYING
from schooltrial.protocol.reading import read_schema
from schooltrial.study.report_files import QUALITY_FIGURES
from schooltrial.study.study import Study

use_library(SOURCE)
start_by_name()
compare_params_as_text()
if workflow.is_main_process:
    wait_for_other_runs(sys.argv[1:])
    compare_contents()
    expect_first_plan()

# One thread per job: bits differ between one BLAS thread and two.
os.environ.update(
    dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"], "1")
)

SCHEMA = read_schema()
NOTEBOOKS = sorted(path.stem for path in (Path(workflow.basedir) / "notebooks").glob("*.ipynb"))
PROTOCOLS = read_protocols(config, Path(workflow.basedir), SCHEMA)
STUDIES = list(PROTOCOLS)
RECORDED_BEFORE = recorded(STUDIES)
WRITTEN_BEFORE = logs_written(STUDIES)
FIGURE_FORMATS = figure_formats(config)


wildcard_constraints:
    study="|".join(STUDIES),


LOOK = Wildcards({name: Study.of(protocol) for name, protocol in PROTOCOLS.items()})
section, computed, from_content = LOOK.section, LOOK.computed, LOOK.from_content
before_fitting = LOOK.before_fitting
models_of = LOOK.models_of
study_line = LOOK(lambda study: study.line())


def figure(path):
    """Return the files of a figure: in its formats, the data that it draws, and its alt text."""
    return {kind: f"{path}.{kind}" for kind in [*FIGURE_FORMATS, "csv", "txt"]}


def provenance(wildcards):
    """Return every step from raw files to exhibits, the report last: what it ran, read and wrote."""
    steps = LOOK(lambda study: study.report.steps())(wildcards)
    own = page_step(rules, "write_report", wildcards.study, ["record"])
    return [*trace_steps(rules, steps, wildcards.study), {**own, "reads": []}]


def page_provenance(steps, rule, written=()):
    """Return a function: the steps behind a page, and that of its rule, with what that wrote."""
    return lambda wildcards: [
        *trace_steps(rules, steps(wildcards), wildcards.study),
        page_step(rules, rule, wildcards.study, written),
    ]
