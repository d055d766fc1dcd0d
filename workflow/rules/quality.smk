# Standard tables → codebook, data quality alerts and their page.
QUALITY_STEPS = LOOK(lambda study: study.report.quality_steps())


rule describe_tables:
    """Describe the standard tables: codebook, means by group and year, data quality alerts."""
    input:
        modules("describe_tables.py"),
        **STANDARD,
    output:
        codebook_file="results/{study}/checks/codebook.csv",
        means_file="results/{study}/checks/codebook_means.csv",
        missing_file="results/{study}/checks/quality_missing.csv",
        distributions_file="results/{study}/checks/quality_distributions.csv",
        heaping_file="results/{study}/checks/quality_heaping.csv",
        outliers_file="results/{study}/checks/quality_outliers.csv",
    log:
        "results/{study}/logs/describe_tables.log",
    benchmark:
        "results/{study}/benchmarks/describe_tables.tsv"
    params:
        tables=section("tables"),
        unit=section("design", "unit"),
        labels=from_content(labels),
        thresholds=section("checks"),
        outcomes=section("outcomes"),
        variables=section("variables"),
    script:
        "../scripts/describe_tables.py"


rule draw_missingness:
    """Draw the map of missing cells."""
    input:
        modules("draw_missingness.py"),
        missing="results/{study}/checks/quality_missing.csv",
    output:
        **figure("results/{study}/figures/missingness"),
    log:
        "results/{study}/logs/draw_missingness.log",
    benchmark:
        "results/{study}/benchmarks/draw_missingness.tsv"
    params:
        labels=from_content(labels),
        study=study_line,
    script:
        "../scripts/draw_missingness.py"


rule draw_distributions:
    """Draw the distribution of every outcome as it was read, by year."""
    input:
        modules("draw_distributions.py"),
        distributions="results/{study}/checks/quality_distributions.csv",
        heaping="results/{study}/checks/quality_heaping.csv",
        means="results/{study}/checks/codebook_means.csv",
    output:
        **figure("results/{study}/figures/distributions"),
    log:
        "results/{study}/logs/draw_distributions.log",
    benchmark:
        "results/{study}/benchmarks/draw_distributions.tsv"
    params:
        outcomes=section("outcomes"),
        arms=section("design", "arms"),
        study=study_line,
    script:
        "../scripts/draw_distributions.py"


rule draw_school_outliers:
    """Draw school means as they were read, and mark outlying schools."""
    input:
        modules("draw_school_outliers.py"),
        outliers="results/{study}/checks/quality_outliers.csv",
    output:
        **figure("results/{study}/figures/school_outliers"),
    log:
        "results/{study}/logs/draw_school_outliers.log",
    benchmark:
        "results/{study}/benchmarks/draw_school_outliers.tsv"
    params:
        outcomes=section("outcomes"),
        study=study_line,
    script:
        "../scripts/draw_school_outliers.py"


rule write_data_quality:
    """Write the page on data quality: one HTML page that needs no other file."""
    input:
        modules("write_data_quality.py"),
        code=LOOK(lambda study: code_of(study.report.quality_steps())),
        style=in_project("src/schooltrial/document/formats/page.css"),
        captions=in_project("src/schooltrial/exhibits/captions.yaml"),
        codebook="results/{study}/checks/codebook.csv",
        means="results/{study}/checks/codebook_means.csv",
        missing="results/{study}/checks/quality_missing.csv",
        heaping="results/{study}/checks/quality_heaping.csv",
        outliers="results/{study}/checks/quality_outliers.csv",
        aggregates="results/{study}/checks/aggregates.csv",
        linking="results/{study}/checks/linking.csv",
        cleaning_log="results/{study}/checks/cleaning_log.csv",
        figures=expand("results/{{study}}/figures/{figure}.svg", figure=QUALITY_FIGURES),
        alt_texts=expand("results/{{study}}/figures/{figure}.txt", figure=QUALITY_FIGURES),
    output:
        page="results/{study}/report/data_quality.html",
        steps="results/{study}/report/data_quality_steps.csv",
    log:
        "results/{study}/logs/write_data_quality.log",
    benchmark:
        "results/{study}/benchmarks/write_data_quality.tsv"
    params:
        labels=from_content(labels),
        design=section("design"),
        study=study_line,
        provenance=page_provenance(QUALITY_STEPS, "write_data_quality"),
    script:
        "../scripts/write_data_quality.py"
