# Exhibits, checks and estimates enter; the tests of the results, the report and notebooks leave.
rule test_results:
    """Test what was built; a report exists only where every claim holds."""
    input:
        modules("test_results.py"),
        tests=sorted(str(path) for path in Path("tests/results").glob("*.py")),
        estimates="results/{study}/estimates/estimates.csv",
        ledger="results/{study}/checks/ledger.csv",
        checks=LOOK_UPS.report_checks,
        figures=LOOK_UPS.figure_data,
    output:
        claims="results/{study}/checks/results_tests.txt",
    log:
        "results/{study}/logs/test_results.log",
    benchmark:
        "results/{study}/benchmarks/test_results.tsv"
    params:
        results=lambda wildcards: f"results/{wildcards.study}",
    script:
        "../scripts/test_results.py"


rule write_report:
    """Write the report: one HTML page that needs no other file."""
    input:
        modules("write_report.py"),
        code=LOOK_UPS.code,
        lock="requirements.lock",
        template="workflow/templates/report.html.j2",
        style="workflow/templates/page.css",
        captions="workflow/templates/captions.yaml",
        claims="results/{study}/checks/results_tests.txt",
        estimates="results/{study}/estimates/estimates.csv",
        diagnostics="results/{study}/estimates/diagnostics.json",
        checks=LOOK_UPS.report_checks,
        figures=LOOK_UPS.report_figures,
        tables=LOOK_UPS.report_tables,
        pages=[
            "results/{study}/report/data_quality.html",
            "results/{study}/report/monitoring.html",
        ],
    output:
        report="results/{study}/report/report.html",
        study_file="results/{study}/report/study.json",
    log:
        "results/{study}/logs/write_report.log",
    benchmark:
        "results/{study}/benchmarks/write_report.tsv"
    params:
        protocol=from_content(dict),
        analysis_years=from_content(analysis_years),
        study=study_line,
        provenance=provenance,
    script:
        "../scripts/write_report.py"


rule execute_notebook:
    """Execute a notebook on the results of a study, and render it as a page."""
    input:
        modules("execute_notebook.py"),
        notebook="notebooks/{notebook}.ipynb",
        report="results/{study}/report/report.html",
    output:
        executed="results/{study}/notebooks/{notebook}.ipynb",
        page="results/{study}/notebooks/{notebook}.html",
    log:
        "results/{study}/logs/execute_notebook.{notebook}.log",
    benchmark:
        "results/{study}/benchmarks/execute_notebook.{notebook}.tsv"
    wildcard_constraints:
        notebook="|".join(NOTEBOOKS) or "no_notebook",
    params:
        results=lambda wildcards: f"results/{wildcards.study}",
    script:
        "../scripts/execute_notebook.py"
