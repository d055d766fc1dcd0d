# Exhibits, checks and estimates enter; the tests of the results, the report and notebooks leave.
rule verify_results:
    """Test what was built; a report exists only where every claim holds."""
    input:
        modules("verify_results.py"),
        tests=sorted(str(path) for path in Path("tests/results").glob("*.py")),
        estimates="results/{study}/estimates/estimates.csv",
        ledger="results/{study}/checks/ledger.csv",
        checks=LOOK(lambda study: study.report.checks()),
        figures=LOOK(lambda study: study.report.figure_data()),
    output:
        claims="results/{study}/checks/results_tests.txt",
    log:
        "results/{study}/logs/verify_results.log",
    benchmark:
        "results/{study}/benchmarks/verify_results.tsv"
    params:
        results=lambda wildcards: f"results/{wildcards.study}",
    script:
        "../scripts/verify_results.py"


rule write_report:
    """Write the report: one HTML page that needs no other file."""
    input:
        modules("write_report.py"),
        code=LOOK(lambda study: code_of(study.report.steps())),
        lock="requirements.lock",
        template="src/schooltrial/report/templates/report.html.j2",
        style="src/schooltrial/document/page.css",
        captions="src/schooltrial/exhibits/captions.yaml",
        claims="results/{study}/checks/results_tests.txt",
        estimates="results/{study}/estimates/estimates.csv",
        diagnostics="results/{study}/estimates/diagnostics.json",
        checks=LOOK(lambda study: study.report.checks()),
        figures=LOOK(lambda study: study.report.figures()),
        tables=LOOK(lambda study: study.report.tables()),
        panel_figures=LOOK(lambda study: study.report.panel_figures()),
        pages=[
            "results/{study}/report/data_quality.html",
            "results/{study}/report/monitoring.html",
        ],
    output:
        report="results/{study}/report/report.html",
    log:
        "results/{study}/logs/write_report.log",
    benchmark:
        "results/{study}/benchmarks/write_report.tsv"
    params:
        protocol=from_content(dict),
        models_to_come=LOOK(lambda study: study.protocol.models_to_come),
        study=study_line,
        provenance=provenance,
    script:
        "../scripts/write_report.py"


rule execute_notebook:
    """Execute a notebook on the results of a study, and render it as a page."""
    input:
        modules("execute_notebook.py"),
        notebook="notebooks/{notebook}.ipynb",
        study_file="results/{study}/report/study.json",
        sample="results/{study}/data/sample.parquet",
        teacher_sample="results/{study}/data/teacher_sample.parquet",
        panel="results/{study}/data/school_panel.parquet",
        flow="results/{study}/checks/flow.csv",
        estimates="results/{study}/estimates/estimates.csv",
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
        protocol=LOOK(lambda study: study.protocol_file()),
    script:
        "../scripts/execute_notebook.py"
