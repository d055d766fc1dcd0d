"""The whole workflow, run as a user runs it, on a trial that lies outside the project."""

from __future__ import annotations

import hashlib
import re

import pytest

from e2e.clone import Clone

FITS = {"fit_multilevel", "fit_cluster_robust", "fit_difference_in_differences"}
CHECKS = (
    "balance", "balance_omnibus", "assignment", "assignment_tests", "attrition", "power", "ledger",
    "flow", "cleaning_log", "codebook", "codebook_means", "raw_files",
)  # fmt: skip
FIGURES = (
    "timeline", "flow", "love_plot", "attrition_boundary", "power_curve", "effects", "trends",
    "school_means", "missingness", "distributions", "school_outliers",
)  # fmt: skip
NOTEBOOKS = (
    "explore_data", "look_at_balance", "try_a_model", "read_event_study", "plan_next_trial",
    "reproduce_published_table",
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
    *(f"notebooks/{name}.{kind}" for name in NOTEBOOKS for kind in ("html", "ipynb")),
    "logs/fit_multilevel.itt.log",
    "benchmarks/fit_multilevel.itt.tsv",
]  # fmt: skip


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
    ("module", "rule", "resting"),
    [
        pytest.param("multilevel/two_level", "fit_multilevel", set(), marks=pytest.mark.slow),
        # Two-way effects are least squares with clustered errors, school and year absorbed.
        ("cluster_robust/fit", "fit_cluster_robust", {"fit_difference_in_differences"}),
        pytest.param(
            "panel/difference_in_differences",
            "fit_difference_in_differences",
            set(),
            marks=pytest.mark.slow,
        ),
    ],
)
def test_an_edited_estimator_runs_again_just_what_depends_on_it(
    built: Clone, module: str, rule: str, resting: set[str]
) -> None:
    path = built.project / f"src/schooltrial/models/{module}.py"
    original = path.read_bytes()
    path.write_bytes(original + b"\n# edited\n")
    try:
        due = jobs(built.snakemake("--dry-run").text)
    finally:
        path.write_bytes(original)
    spared = FITS - {rule} - resting
    assert {rule, *resting, "gather_estimates", "draw_effects", "write_report"} <= due
    assert not due & (spared | {"obtain_tables", "clean_sample", "describe_tables", "draw_trends"})


@pytest.mark.slow
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
        pytest.param("rows/filters", FITS, "check_balance", marks=pytest.mark.slow),
        ("panel/school_panel", {"fit_difference_in_differences"}, "clean_sample"),
        pytest.param(
            "panel/bounded_cells",
            {"fit_difference_in_differences"},
            "clean_sample",
            marks=pytest.mark.slow,
        ),
        pytest.param("sample/build", set(), "clean_sample", marks=pytest.mark.slow),
        pytest.param("sample/rosters", set(), "clean_sample", marks=pytest.mark.slow),
        pytest.param("tables/schema", set(), "obtain_tables", marks=pytest.mark.slow),
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


@pytest.mark.slow
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
    assert "record_plan" in due  # which tells that the plan has changed
    spared = {"obtain_tables", "clean_sample", "check_assignment", "check_balance"}
    spared |= {"check_attrition", "check_flow", "describe_tables"}
    assert not due & (FITS | spared)  # every exhibit is drawn, as the protocol's hash is under it
