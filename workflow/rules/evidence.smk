# Checks and estimates → power, and indicative ratings.
rule check_power:
    """Calculate power and MDES: at design, at randomisation and at analysis."""
    input:
        modules("check_power.py"),
        assignment="results/{study}/data/assignment.parquet",
        sample="results/{study}/data/sample.parquet",
        teacher_sample="results/{study}/data/teacher_sample.parquet",
        school_sample="results/{study}/data/school_sample.parquet",
        panel="results/{study}/data/school_panel.parquet",
        estimates="results/{study}/estimates/estimates.csv",
        diagnostics="results/{study}/estimates/diagnostics.json",
    output:
        check="results/{study}/checks/power.csv",
    log:
        "results/{study}/logs/check_power.log",
    benchmark:
        "results/{study}/benchmarks/check_power.tsv"
    params:
        protocol=LOOK.sections("study", "design", "years", "power", "outcomes", "balance", "models"),
    script:
        "../scripts/check_power.py"


rule check_rating:
    """Compute indicative WWC and EEF ratings, and write the study record."""
    input:
        modules("check_rating.py"),
        unpack(LOOK(lambda study: study.report.contrast())),
        attrition="results/{study}/checks/attrition.csv",
        balance="results/{study}/checks/balance.csv",
        equivalence="results/{study}/checks/equivalence.csv",
        power="results/{study}/checks/power.csv",
        assignment="results/{study}/checks/assignment_verdict.json",
        units="results/{study}/checks/assignment_units.csv",
        mobility="results/{study}/checks/mobility.csv",
        codebook="results/{study}/checks/codebook.csv",
        boxes="results/{study}/checks/flow_boxes.csv",
        estimates="results/{study}/estimates/estimates.csv",
        diagnostics="results/{study}/estimates/diagnostics.json",
    output:
        verdict="results/{study}/checks/verdict.json",
    log:
        "results/{study}/logs/check_rating.log",
    benchmark:
        "results/{study}/benchmarks/check_rating.tsv"
    params:
        protocol=from_content(dict),
    script:
        "../scripts/check_rating.py"
