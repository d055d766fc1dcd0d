# Exhibits, checks and estimates → automated checks, report and notebooks.
NOTEBOOK_TABLES = [
    "sample",
    "teacher_sample",
    "school_panel",
    "school_sample",
    "bounded_cells",
    "schools",
    "assignment",
]


rule verify_results:
    """Run automated checks of the results; without a pass there is no report."""
    input:
        modules("verify_results.py"),
        tests=sorted(str(path) for path in Path(in_project("tests/results")).glob("*.py")),
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
    """Write the report and its summary as HTML and PDF, its tables for texts, and its record."""
    input:
        modules("write_report.py"),
        code=LOOK(lambda study: code_of(study.report.steps())),
        lock=in_project("requirements.lock"),
        schema=in_project("src/schooltrial/report/study_record.schema.json"),
        style=[
            in_project("src/schooltrial/document/formats/page.css"),
            in_project("src/schooltrial/document/formats/page.typ"),
        ],
        captions=in_project("src/schooltrial/exhibits/captions.yaml"),
        claims="results/{study}/checks/results_tests.txt",
        estimates="results/{study}/estimates/estimates.csv",
        diagnostics="results/{study}/estimates/diagnostics.json",
        checks=LOOK(lambda study: study.report.checks()),
        figures=LOOK(lambda study: study.report.figures()),
        tables=LOOK(lambda study: study.report.tables()),
        drawn=LOOK(lambda study: study.report.figure_data()),
        alt_texts=LOOK(lambda study: study.report.alt_texts()),
        pages=[
            "results/{study}/report/data_quality.html",
            "results/{study}/report/monitoring.html",
        ],
    output:
        report="results/{study}/report/report.html",
        pdf="results/{study}/report/report.pdf",
        summary="results/{study}/report/summary.html",
        summary_pdf="results/{study}/report/summary.pdf",
        overview="results/{study}/report/overview.json",
        record="results/{study}/report/study_record.json",
        steps="results/{study}/report/report_steps.csv",
        tables_tex="results/{study}/report/tables.tex",
        tables_docx="results/{study}/report/tables.docx",
        tables_md="results/{study}/report/tables.md",
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


rule execute_notebooks:
    """Execute the notebooks on the results of a study, and render each as a page."""
    input:
        modules("execute_notebooks.py"),
        notebooks=expand(in_project("notebooks/{notebook}.ipynb"), notebook=NOTEBOOKS),
        published=sorted(
            str(path) for path in Path(in_project("notebooks/published")).glob("*.csv")
        ),
        style=in_project("src/schooltrial/document/formats/page.css"),
        captions=in_project("src/schooltrial/exhibits/captions.yaml"),
        data=expand("results/{{study}}/data/{table}.parquet", table=NOTEBOOK_TABLES),
        checks=LOOK(lambda study: study.report.checks()),
        codebook="results/{study}/checks/codebook.csv",
        estimates="results/{study}/estimates/estimates.csv",
        figures=LOOK(lambda study: study.report.figures()),
        quality=expand("results/{{study}}/figures/{figure}.svg", figure=QUALITY_FIGURES),
    output:
        executed=expand("results/{{study}}/notebooks/{notebook}.ipynb", notebook=NOTEBOOKS),
        pages=expand("results/{{study}}/notebooks/{notebook}.html", notebook=NOTEBOOKS),
    log:
        "results/{study}/logs/execute_notebooks.log",
    benchmark:
        "results/{study}/benchmarks/execute_notebooks.tsv"
    params:
        results=lambda wildcards: f"results/{wildcards.study}",
        protocol=LOOK(lambda study: study.protocol_file()),
        study=study_line,
    script:
        "../scripts/execute_notebooks.py"


rule write_overview:
    """Write one page of all studies: effects, ratings and links."""
    input:
        modules("write_overview.py"),
        style=in_project("src/schooltrial/document/formats/page.css"),
        studies=expand("results/{study}/report/overview.json", study=STUDIES),
    output:
        page="results/index.html",
    log:
        "results/write_overview.log",
    params:
        notebooks=NOTEBOOKS,
    script:
        "../scripts/write_overview.py"
