# Standard tables enter; the analysed sample, the school panel, the ledger and the flow leave.
rule clean_sample:
    """Link, derive, standardise and keep, with a ledger of everyone who left and why."""
    input:
        modules("clean_sample.py"),
        schools="results/{study}/data/schools.parquet",
        assignment="results/{study}/data/assignment.parquet",
        pupils="results/{study}/data/pupils.parquet",
        scores="results/{study}/data/scores.parquet",
    output:
        sample="results/{study}/data/sample.parquet",
        panel="results/{study}/data/school_panel.parquet",
        ledger="results/{study}/checks/ledger.csv",
        flow="results/{study}/checks/flow.csv",
        mobility="results/{study}/checks/mobility.csv",
    log:
        "results/{study}/logs/clean_sample.log",
    benchmark:
        "results/{study}/benchmarks/clean_sample.tsv"
    params:
        arms=section("design", "arms"),
        outcomes=computed("outcomes"),
        variables=section("variables"),
        keep=section("sample", "keep"),
        models=computed("models"),
        baseline=from_content(baseline_year),
        years=from_content(analysis_years),
        seed=section("study", "seed"),
    script:
        "../scripts/clean_sample.py"
