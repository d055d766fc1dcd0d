"""The whole workflow, run as a user runs it, on a trial that lies outside the project."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from e2e.clone import Clone

FITS = {"fit_multilevel", "fit_cluster_robust", "fit_difference_in_differences"}
CHECKS = (
    "balance", "balance_omnibus", "assignment", "assignment_tests", "attrition", "power", "ledger",
    "flow", "cleaning_log", "codebook", "codebook_means", "raw_files",
)  # fmt: skip
FIGURES = (
    "flow", "love_plot", "attrition_boundary", "power_curve", "effects", "trends", "school_means",
    "missingness", "distributions", "school_outliers",
)  # fmt: skip
PROMISED = [
    "estimates/estimates.csv",
    *(f"checks/{name}.csv" for name in CHECKS),
    *(f"figures/{name}.{kind}" for name in FIGURES for kind in ("svg", "pdf", "csv")),
    *(f"tables/{name}.{kind}" for name in ("baseline", "results") for kind in ("csv", "html")),
    "checks/verdict.json",
    "checks/plan.json",
    "report/report.html",
    "report/data_quality.html",
    "report/monitoring.html",
    "notebooks/explore_results.html",
    "notebooks/explore_results.ipynb",
    "logs/fit_multilevel.itt.log",
    "benchmarks/fit_multilevel.itt.tsv",
]  # fmt: skip


def contents(folder: Path) -> dict[str, str]:
    """Return file → hash of everything but logs and benchmarks, which tell times."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0] not in ("logs", "benchmarks")
    }


def jobs(text: str) -> set[str]:
    """Return the rules that a dry run would run."""
    return set(re.findall(r"^(\w+) +\d+$", text, flags=re.M)) - {"total", "all"}


def test_one_command_takes_a_protocol_from_raw_files_to_every_promised_path(built: Clone) -> None:
    missing = [path for path in PROMISED if not (built.results / path).is_file()]
    assert missing == []


def test_the_report_carries_the_protocol_hash_and_needs_no_other_file(built: Clone) -> None:
    page = (built.results / "report/report.html").read_text("utf-8")
    assert hashlib.sha256((built.trial / "trial.yaml").read_bytes()).hexdigest() in page
    assert 'src="http' not in page
    assert str(built.project) not in page


def test_a_second_run_does_nothing(built: Clone) -> None:
    assert "Nothing to be done" in built.snakemake().text


def test_a_touched_module_runs_nothing_again(built: Clone) -> None:
    module = built.project / "src/schooltrial/models/cluster_robust/fit.py"
    module.write_bytes(module.read_bytes())
    assert jobs(built.snakemake("--dry-run").text) == set()


@pytest.mark.parametrize(
    ("module", "rule"),
    [
        ("multilevel/two_level", "fit_multilevel"),
        ("cluster_robust/fit", "fit_cluster_robust"),
        ("panel/difference_in_differences", "fit_difference_in_differences"),
    ],
)
def test_an_edited_estimator_runs_again_just_what_depends_on_it(
    built: Clone, module: str, rule: str
) -> None:
    path = built.project / f"src/schooltrial/models/{module}.py"
    original = path.read_bytes()
    path.write_bytes(original + b"\n# edited\n")
    try:
        due = jobs(built.snakemake("--dry-run").text)
    finally:
        path.write_bytes(original)
    spared = FITS - {rule}
    assert {rule, "gather_estimates", "draw_effects", "write_report"} <= due
    assert not due & (spared | {"obtain_tables", "clean_sample", "check_flow", "draw_trends"})


def test_figures_are_written_as_png_where_the_configuration_asks(built: Clone) -> None:
    pictures = [f"results/small_trial/figures/{name}.png" for name in FIGURES]
    assert not any((built.project / path).exists() for path in pictures)
    asked = f"protocols={built.trial / 'trial.yaml'}", "figure_formats=pdf,png"
    run = built.workflow("--dry-run", *pictures, "--config", *asked)
    assert run.code == 0, run.text
    assert jobs(run.text) == {f"draw_{name}" for name in FIGURES}
    assert built.snakemake("--dry-run", pictures[0]).code != 0


@pytest.mark.parametrize(
    ("module", "fits", "other"),
    [
        ("rows/filters", FITS, "check_balance"),
        ("panel/school_panel", {"fit_difference_in_differences"}, "clean_sample"),
        ("panel/bounded_cells", {"fit_difference_in_differences"}, "obtain_tables"),
        ("sample/build", set(), "clean_sample"),
        ("sample/rosters", set(), "clean_sample"),
        ("tables/schema", set(), "obtain_tables"),
    ],
)
def test_an_edited_module_of_the_data_runs_again_just_the_fits_that_rest_on_it(
    built: Clone, module: str, fits: set[str], other: str
) -> None:
    """Of the fits alone, as a sample that is to be made anew is to be fitted anew in any case."""
    path = built.project / f"src/schooltrial/data/{module}.py"
    original = path.read_bytes()
    path.write_bytes(original + b"\n# edited\n")
    estimates, rules = "results/small_trial/estimates/estimates.csv", (*FITS, "gather_estimates")
    try:
        every = jobs(built.snakemake("--dry-run").text)
        alone = built.snakemake(estimates, "--dry-run", "--allowed-rules", *rules)
    finally:
        path.write_bytes(original)
    assert alone.code == 0, alone.text
    assert jobs(alone.text) == (fits | {"gather_estimates"} if fits else set())
    assert other in every
    assert every & FITS == FITS  # whose sample is to be made again


def test_another_label_draws_again_and_computes_nothing(built: Clone) -> None:
    protocol = built.trial / "trial.yaml"
    original = protocol.read_bytes()
    protocol.write_bytes(original.replace(b"label: Clustered OLS", b"label: Least squares"))
    try:
        due = jobs(built.snakemake("--dry-run").text)
    finally:
        protocol.write_bytes(original)
    assert {"draw_effects", "tabulate_results", "write_report"} <= due
    assert not due & (FITS | {"clean_sample", "gather_estimates"})


def test_a_model_that_is_taken_out_computes_again_only_what_shows_it(built: Clone) -> None:
    protocol = built.trial / "trial.yaml"
    original = protocol.read_bytes()
    before, _, rest = original.partition(b"  itt_clustered:")
    protocol.write_bytes(before + rest[rest.index(b"  did:") :])
    try:
        due = jobs(built.snakemake("--dry-run").text)
    finally:
        protocol.write_bytes(original)
    assert {"gather_estimates", "draw_effects", "tabulate_results", "write_report"} <= due
    spared = {"obtain_tables", "clean_sample", "check_assignment", "check_balance"}
    spared |= {"check_attrition", "check_flow", "describe_tables"}
    assert not due & (FITS | spared)  # every exhibit is drawn, as the protocol's hash is under it


def test_one_core_and_two_cores_write_the_same_bytes(
    built: Clone, new_clone: Callable[[], Clone]
) -> None:
    other = new_clone()
    run = other.snakemake(cores=1)
    assert run.code == 0, run.text
    assert contents(other.results) == contents(built.results)


def test_a_blind_study_shows_its_monitoring_page_and_reads_no_outcome(
    new_clone: Callable[[], Clone],
) -> None:
    clone = new_clone()
    protocol = clone.trial / "trial.yaml"
    protocol.write_text(protocol.read_text("utf-8") + 'blinding: {until: "2999-01-01"}\n')
    run = clone.snakemake("results/small_trial/report/monitoring.html")
    assert run.code == 0, run.text
    page = (clone.results / "report/monitoring.html").read_text("utf-8")
    assert "blind until 2999-01-01" in page
    assert "<td>pupils_{year}.csv</td><td>reading</td>" in page
    assert "Synthetic data" in page
    tables = [pd.read_parquet(path) for path in (clone.results / "data").glob("*.parquet")]
    assert tables
    assert all("reading" not in table.columns for table in tables)
    assert pd.read_parquet(clone.results / "data/scores.parquet").empty
    run = clone.snakemake()
    assert run.code == 1
    assert "blinded until 2999-01-01, so none was read" in run.text
    assert f"{protocol}, key 'blinding.until'" in run.text
    assert "results/small_trial/report/monitoring.html" in run.text
    assert "Traceback" not in run.text
    assert not (clone.results / "data/sample.parquet").exists()


def test_a_plan_that_changes_after_outcomes_were_read_is_flagged_in_the_report(
    built: Clone,
) -> None:
    protocol = built.trial / "trial.yaml"
    original = protocol.read_bytes()
    protocol.write_bytes(original.replace(b"covariates: [girl]}\n  itt_cl", b"}\n  itt_cl"))
    assert protocol.read_bytes() != original
    report = "results/small_trial/report/report.html"
    try:
        run = built.snakemake(report)
        page = (built.results / "report/report.html").read_text("utf-8")
    finally:
        protocol.write_bytes(original)
        built.snakemake(report)
    assert run.code == 0, run.text
    assert "The plan CHANGED after outcomes were first read, in: models." in page
    assert "CHANGED" not in (built.results / "report/report.html").read_text("utf-8")


def test_a_plan_that_changes_after_only_a_sample_was_made_is_flagged(
    new_clone: Callable[[], Clone],
) -> None:
    clone = new_clone()
    protocol = clone.trial / "trial.yaml"
    assert clone.snakemake("results/small_trial/data/sample.parquet").code == 0
    protocol.write_text(
        protocol.read_text().replace("covariates: [girl]}\n  itt_cl", "}\n  itt_cl")
    )
    assert clone.snakemake("results/small_trial/checks/plan.json").code == 0
    plan = json.loads((clone.results / "checks/plan.json").read_text("utf-8"))
    assert plan["changed"] == ["models"]


def test_a_faulty_raw_file_stops_the_study_with_one_message_and_nothing_half_written(
    new_clone: Callable[[], Clone],
) -> None:
    clone = new_clone()
    path = clone.trial / "raw" / "pupils_2022.csv"
    lines = path.read_text().splitlines()
    lines[4] = lines[4].rsplit(",", 1)[0] + ",absent"
    path.write_text("\n".join(lines) + "\n")
    run = clone.snakemake()
    assert run.code == 1
    assert "pupils_2022.csv, row 5, column 'reading': the value 'absent'" in run.text
    assert "remedy" in run.text
    assert "Traceback" not in run.text
    written = [p for p in clone.results.rglob("*") if p.is_file() and "logs" not in p.parts]
    assert written == []


def test_a_misspelt_key_is_refused_before_any_rule_and_says_which_was_meant(
    new_clone: Callable[[], Clone],
) -> None:
    clone = new_clone()
    protocol = clone.trial / "trial.yaml"
    protocol.write_text(protocol.read_text().replace("covariates:", "covarites:"))
    run = clone.snakemake()
    assert run.code == 1
    assert "unknown key 'covarites'" in run.text
    assert "did you mean 'covariates'?" in run.text
    assert "Traceback" not in run.text
    assert not (clone.project / "results").exists()
