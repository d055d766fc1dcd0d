# Samples and assignment → what a sceptical reviewer asks first, as tables in checks/.
rule check_assignment:
    """Check the allocation against the design, the randomisation record and chance."""
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
        distances="results/{study}/checks/assignment_distances.csv",
        verdict="results/{study}/checks/assignment_verdict.json",
    log:
        "results/{study}/logs/check_assignment.log",
    benchmark:
        "results/{study}/benchmarks/check_assignment.tsv"
    params:
        frame=LOOK(lambda study: study.draw.file("eligible_list")),
        record=LOOK(lambda study: study.draw.file("record")),
        key=LOOK(lambda study: study.draw.key()),
        protocol=before_fitting(
            "study", "design", "years", "outcomes", "take_up", "balance", "checks"
        ),
        labels=from_content(labels),
        groups=from_content(lambda content: arm_labels(content["design"])),
    script:
        "../scripts/check_assignment.py"


rule check_balance:
    """Compare the groups at baseline, schools and pupils, randomised and analysed."""
    input:
        modules("check_balance.py"),
        assignment="results/{study}/data/assignment.parquet",
        sample="results/{study}/data/sample.parquet",
        schools="results/{study}/data/schools.parquet",
        teachers="results/{study}/data/teacher_sample.parquet",
        panel="results/{study}/data/school_panel.parquet",
        school_sample="results/{study}/data/school_sample.parquet",
        drawn_from=LOOK(lambda study: study.draw.inputs()),
    output:
        check="results/{study}/checks/balance.csv",
        omnibus="results/{study}/checks/balance_omnibus.csv",
        pretrends="results/{study}/checks/pretrends.csv",
        equivalence="results/{study}/checks/equivalence.csv",
    log:
        "results/{study}/logs/check_balance.log",
    benchmark:
        "results/{study}/benchmarks/check_balance.tsv"
    params:
        frame=LOOK(lambda study: study.draw.file("eligible_list")),
        record=LOOK(lambda study: study.draw.file("record")),
        protocol=before_fitting(
            "study", "design", "years", "outcomes", "take_up", "balance", "checks", "models"
        ),
        labels=from_content(labels),
    script:
        "../scripts/check_balance.py"


rule check_attrition:
    """Count attrition and leavers, and bound the effect for missing outcomes."""
    input:
        modules("check_attrition.py"),
        assignment="results/{study}/data/assignment.parquet",
        sample="results/{study}/data/sample.parquet",
        teacher_sample="results/{study}/data/teacher_sample.parquet",
        scores="results/{study}/data/scores.parquet",
        observations="results/{study}/data/observations.parquet",
        panel="results/{study}/data/school_panel.parquet",
        bounded="results/{study}/data/bounded_cells.parquet",
        schools="results/{study}/data/schools.parquet",
        rosters="results/{study}/data/pupils.parquet",
        staff="results/{study}/data/teachers.parquet",
    output:
        attrition="results/{study}/checks/attrition.csv",
        who_left="results/{study}/checks/who_left.csv",
        missing_outcomes="results/{study}/checks/missing_outcomes.csv",
    log:
        "results/{study}/logs/check_attrition.log",
    benchmark:
        "results/{study}/benchmarks/check_attrition.tsv"
    params:
        protocol=before_fitting(
            "design",
            "years",
            "variables",
            "outcomes",
            "take_up",
            "balance",
            "sample",
            "checks",
            "models",
        ),
        analysis_years=from_content(analysis_years),
    script:
        "../scripts/check_attrition.py"


rule check_flow:
    """Count schools and individuals at each step of the participant flow."""
    input:
        modules("check_flow.py"),
        flow="results/{study}/checks/flow.csv",
        attrition="results/{study}/checks/attrition.csv",
        sample="results/{study}/data/sample.parquet",
        teacher_sample="results/{study}/data/teacher_sample.parquet",
        panel="results/{study}/data/school_panel.parquet",
        bounded="results/{study}/data/bounded_cells.parquet",
        assignment="results/{study}/data/assignment.parquet",
        schools="results/{study}/data/schools.parquet",
        linking="results/{study}/checks/linking.csv",
    output:
        check="results/{study}/checks/flow_boxes.csv",
        text="results/{study}/checks/flow_text.txt",
    log:
        "results/{study}/logs/check_flow.log",
    benchmark:
        "results/{study}/benchmarks/check_flow.tsv"
    params:
        protocol=before_fitting("design", "years", "outcomes", "take_up", "balance", "models"),
        arms=section("design", "arms"),
        labels=from_content(labels),
    script:
        "../scripts/check_flow.py"


rule check_goodman_bacon:
    """Decompose the two-way effects of a staggered programme into comparisons of cohorts."""
    input:
        modules("check_goodman_bacon.py"),
        sample="results/{study}/data/sample.parquet",
        panel="results/{study}/data/school_panel.parquet",
        bounded="results/{study}/data/bounded_cells.parquet",
        schools="results/{study}/data/schools.parquet",
        school_sample="results/{study}/data/school_sample.parquet",
    output:
        check="results/{study}/checks/goodman_bacon.csv",
    log:
        "results/{study}/logs/check_goodman_bacon.log",
    benchmark:
        "results/{study}/benchmarks/check_goodman_bacon.tsv"
    params:
        study=lambda wildcards: wildcards.study,
        design=section("design", "kind"),
        models=computed("models"),
        outcomes=computed("outcomes"),
        years=section("years"),
    script:
        "../scripts/check_goodman_bacon.py"


rule check_parallel_trends:
    """Test panel effects under other trends: bounds, placebos, parts left out."""
    input:
        modules("check_parallel_trends.py"),
        sample="results/{study}/data/sample.parquet",
        panel="results/{study}/data/school_panel.parquet",
        bounded="results/{study}/data/bounded_cells.parquet",
        schools="results/{study}/data/schools.parquet",
        school_sample="results/{study}/data/school_sample.parquet",
    output:
        check="results/{study}/checks/parallel_trends.csv",
        placebos="results/{study}/checks/parallel_trends_placebos.csv",
    log:
        "results/{study}/logs/check_parallel_trends.log",
    benchmark:
        "results/{study}/benchmarks/check_parallel_trends.tsv"
    params:
        study=lambda wildcards: wildcards.study,
        models=computed("models"),
        outcomes=computed("outcomes"),
        years=section("years"),
        settings=section("checks", "parallel_trends"),
        seed=section("study", "seed"),
    script:
        "../scripts/check_parallel_trends.py"
