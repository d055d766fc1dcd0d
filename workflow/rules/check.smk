# Sample and assignment enter; what a sceptical reviewer asks first leaves, as tables in checks/.
rule check_assignment:
    """Hold the recorded assignment against the design, block by block."""
    input:
        modules("check_assignment.py"),
        assignment="results/{study}/data/assignment.parquet",
    output:
        check="results/{study}/checks/assignment.csv",
    log:
        "results/{study}/logs/check_assignment.log",
    benchmark:
        "results/{study}/benchmarks/check_assignment.tsv"
    params:
        arms=section("design", "arms"),
        kind=section("design", "kind"),
    script:
        "../scripts/check_assignment.py"


rule check_balance:
    """Compare the arms at baseline, schools and pupils, by standardised differences."""
    input:
        modules("check_balance.py"),
        sample="results/{study}/data/sample.parquet",
    output:
        check="results/{study}/checks/balance.csv",
    log:
        "results/{study}/logs/check_balance.log",
    benchmark:
        "results/{study}/benchmarks/check_balance.tsv"
    params:
        settings=section("balance"),
        labels=from_content(labels),
        year=from_content(baseline_year),
    script:
        "../scripts/check_balance.py"
