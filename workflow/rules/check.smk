# Samples and assignment enter; what a sceptical reviewer asks first leaves, as tables in checks/.
rule check_assignment:
    """Hold the recorded assignment against the design, its record and chance."""
    input:
        modules("check_assignment.py"),
        assignment="results/{study}/data/assignment.parquet",
        sample="results/{study}/data/sample.parquet",
        schools="results/{study}/data/schools.parquet",
        scores="results/{study}/data/scores.parquet",
        panel="results/{study}/data/school_panel.parquet",
        teachers="results/{study}/data/teacher_sample.parquet",
        drawn_from=LOOK(lambda study: study.draw.inputs()),
    output:
        check="results/{study}/checks/assignment.csv",
        tests="results/{study}/checks/assignment_tests.csv",
        units="results/{study}/checks/assignment_units.csv",
        verdict="results/{study}/checks/assignment_verdict.json",
    log:
        "results/{study}/logs/check_assignment.log",
    benchmark:
        "results/{study}/benchmarks/check_assignment.tsv"
    params:
        frame=LOOK(lambda study: study.draw.file("frame")),
        record=LOOK(lambda study: study.draw.file("record")),
        arms=section("design", "arms"),
        kind=section("design", "kind"),
        design=section("design"),
        study=section("study", "name"),
        variables=from_content(balance_variables),
        outcomes=section("outcomes"),
        key=LOOK(lambda study: study.draw.key()),
        year=from_content(baseline_year),
        before=section("years", "before"),
        take_up=section("compliance", "variable"),
        thresholds=section("checks"),
        seed=section("study", "seed"),
    script:
        "../scripts/check_assignment.py"


rule check_balance:
    """Compare the arms at baseline, schools and pupils, randomised and analysed."""
    input:
        modules("check_balance.py"),
        assignment="results/{study}/data/assignment.parquet",
        sample="results/{study}/data/sample.parquet",
        schools="results/{study}/data/schools.parquet",
        teachers="results/{study}/data/teacher_sample.parquet",
        panel="results/{study}/data/school_panel.parquet",
        drawn_from=LOOK(lambda study: study.draw.inputs()),
    output:
        check="results/{study}/checks/balance.csv",
        omnibus="results/{study}/checks/balance_omnibus.csv",
        pretrends="results/{study}/checks/pretrends.csv",
    log:
        "results/{study}/logs/check_balance.log",
    benchmark:
        "results/{study}/benchmarks/check_balance.tsv"
    params:
        frame=LOOK(lambda study: study.draw.file("frame")),
        record=LOOK(lambda study: study.draw.file("record")),
        settings=section("balance"),
        labels=from_content(labels),
        year=from_content(baseline_year),
        arms=section("design", "arms"),
        models=LOOK(lambda study: study.primary_models()),
        outcomes=from_content(lambda content: list(content["outcomes"])),
        before=section("years", "before"),
        design=section("design"),
        thresholds=section("checks"),
        seed=section("study", "seed"),
    script:
        "../scripts/check_balance.py"


rule check_attrition:
    """Count who was lost, who left, and what missing outcomes could do."""
    input:
        modules("check_attrition.py"),
        assignment="results/{study}/data/assignment.parquet",
        sample="results/{study}/data/sample.parquet",
        teacher_sample="results/{study}/data/teacher_sample.parquet",
        scores="results/{study}/data/scores.parquet",
        observations="results/{study}/data/observations.parquet",
        panel="results/{study}/data/school_panel.parquet",
        bounded="results/{study}/data/bounded_cells.parquet",
    output:
        attrition="results/{study}/checks/attrition.csv",
        who_left="results/{study}/checks/who_left.csv",
        missing_outcomes="results/{study}/checks/missing_outcomes.csv",
    log:
        "results/{study}/logs/check_attrition.log",
    benchmark:
        "results/{study}/benchmarks/check_attrition.tsv"
    params:
        outcomes=computed("outcomes"),
        arms=section("design", "arms"),
        years=section("years"),
        analysis_years=from_content(analysis_years),
        baseline=from_content(baseline_year),
        covariates=section("balance", "pupil_variables"),
        teacher_covariates=section("balance", "teacher_variables"),
        unit=section("design", "unit"),
        boundary=section("checks", "attrition_boundary"),
        lost_before=section("design", "lost_before"),
    script:
        "../scripts/check_attrition.py"


rule check_flow:
    """Gather the flow of schools and people through the trial, box by box."""
    input:
        modules("check_flow.py"),
        flow="results/{study}/checks/flow.csv",
        sample="results/{study}/data/sample.parquet",
        teacher_sample="results/{study}/data/teacher_sample.parquet",
        panel="results/{study}/data/school_panel.parquet",
        bounded="results/{study}/data/bounded_cells.parquet",
        assignment="results/{study}/data/assignment.parquet",
        schools="results/{study}/data/schools.parquet",
    output:
        check="results/{study}/checks/flow_boxes.csv",
        text="results/{study}/checks/flow_text.txt",
    log:
        "results/{study}/logs/check_flow.log",
    benchmark:
        "results/{study}/benchmarks/check_flow.tsv"
    params:
        design=section("design"),
        models=LOOK(lambda study: study.primary_models()),
        outcomes=section("outcomes"),
        labels=from_content(labels),
        baseline=from_content(baseline_year),
        years=from_content(analysis_years),
        before=section("years", "before"),
        take_up=section("compliance", "variable"),
    script:
        "../scripts/check_flow.py"
