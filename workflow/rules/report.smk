# Exhibits, checks and estimates enter; the tests of the results, the report and notebooks leave.
rule test_results:
    """Test what was built; a report exists only where every claim holds."""
    input:
        modules("test_results.py"),
        tests=sorted(str(path) for path in Path("tests/results").glob("*.py")),
        estimates="results/{study}/estimates/estimates.csv",
        ledger="results/{study}/checks/ledger.csv",
        figures=expand("results/{{study}}/figures/{figure}.csv", figure=FIGURES),
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
        code=sorted({path for name in TRACED for path in modules(f"{name}.py")}),
        lock="requirements.lock",
        template="workflow/templates/report.html.j2",
        style="workflow/templates/page.css",
        captions="workflow/templates/captions.yaml",
        claims="results/{study}/checks/results_tests.txt",
        estimates="results/{study}/estimates/estimates.csv",
        diagnostics="results/{study}/estimates/diagnostics.json",
        flow="results/{study}/checks/flow.csv",
        mobility="results/{study}/checks/mobility.csv",
        assignment="results/{study}/checks/assignment.csv",
        cleaning_log="results/{study}/checks/cleaning_log.csv",
        raw_files="results/{study}/checks/raw_files.csv",
        figures=expand("results/{{study}}/figures/{figure}.svg", figure=FIGURES),
        tables=expand("results/{{study}}/tables/{table}.html", table=TABLES),
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
