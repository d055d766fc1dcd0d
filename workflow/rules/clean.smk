# Standard tables → analysed samples, school panel, exclusions log and participant flow.
rule clean_sample:
    """Link tables, derive and standardise variables, and log every exclusion with its reason."""
    input:
        modules("clean_sample.py"),
        schools="results/{study}/data/schools.parquet",
        assignment="results/{study}/data/assignment.parquet",
        pupils="results/{study}/data/pupils.parquet",
        scores="results/{study}/data/scores.parquet",
        teachers="results/{study}/data/teachers.parquet",
        observations="results/{study}/data/observations.parquet",
        school_scores="results/{study}/data/school_scores.parquet",
        published_means="results/{study}/data/published_means.parquet",
        crosswalk="results/{study}/data/crosswalk.parquet",
        implementation="results/{study}/data/implementation.parquet",
        left_out="results/{study}/data/left_out.parquet",
    output:
        sample="results/{study}/data/sample.parquet",
        teacher_sample="results/{study}/data/teacher_sample.parquet",
        panel="results/{study}/data/school_panel.parquet",
        bounded="results/{study}/data/bounded_cells.parquet",
        school_sample="results/{study}/data/school_sample.parquet",
        ledger="results/{study}/checks/ledger.csv",
        flow="results/{study}/checks/flow.csv",
        mobility="results/{study}/checks/mobility.csv",
        aggregates="results/{study}/checks/aggregates.csv",
        linking="results/{study}/checks/linking.csv",
    log:
        "results/{study}/logs/clean_sample.log",
    benchmark:
        "results/{study}/benchmarks/clean_sample.tsv"
    params:
        protocol=before_fitting(
            "design",
            "years",
            "cleaning",
            "variables",
            "outcomes",
            "take_up",
            "sample",
            "models",
        ),
        baseline=from_content(baseline_year),
        blinded=LOOK(lambda study: study.blinding.refusal()),
        sources=LOOK(lambda study: study.raw.by_table()),
        key_sources=LOOK(lambda study: study.raw.key_sources()),
        raw=LOOK(lambda study: study.raw.places()),
    script:
        "../scripts/clean_sample.py"
