# Checks enter; their figures leave, each with the data that it shows.
rule draw_love_plot:
    """Draw the love plot of the baseline check."""
    input:
        modules("draw_love_plot.py"),
        balance="results/{study}/checks/balance.csv",
    output:
        **figure("results/{study}/figures/love_plot"),
    log:
        "results/{study}/logs/draw_love_plot.log",
    benchmark:
        "results/{study}/benchmarks/draw_love_plot.tsv"
    params:
        settings=section("balance"),
        arms=section("design", "arms"),
        study=study_line,
        year_label=from_content(year_label),
        control=from_content(control_word),
    script:
        "../scripts/draw_love_plot.py"


rule draw_flow:
    """Draw the flow diagram."""
    input:
        modules("draw_flow.py"),
        boxes="results/{study}/checks/flow_boxes.csv",
        assignment="results/{study}/data/assignment.parquet",
        panel="results/{study}/data/school_panel.parquet",
        bounded="results/{study}/data/bounded_cells.parquet",
    output:
        **figure("results/{study}/figures/flow"),
    log:
        "results/{study}/logs/draw_flow.log",
    benchmark:
        "results/{study}/benchmarks/draw_flow.tsv"
    params:
        design=section("design"),
        models=section("models"),
        outcomes=section("outcomes"),
        years=section("years"),
        labels=from_content(labels),
        study=study_line,
    script:
        "../scripts/draw_flow.py"


rule draw_attrition_boundary:
    """Draw attrition with the boundaries of What Works Clearinghouse."""
    input:
        modules("draw_attrition_boundary.py"),
        attrition="results/{study}/checks/attrition.csv",
    output:
        **figure("results/{study}/figures/attrition_boundary"),
    log:
        "results/{study}/logs/draw_attrition_boundary.log",
    benchmark:
        "results/{study}/benchmarks/draw_attrition_boundary.tsv"
    params:
        outcomes=section("outcomes"),
        arms=section("design", "arms"),
        analysis_years=from_content(analysis_years),
        boundary=section("checks", "attrition_boundary"),
        unit=section("design", "unit"),
        study=study_line,
    script:
        "../scripts/draw_attrition_boundary.py"


rule draw_power_curve:
    """Draw power by effect size, and the MDES by number of schools."""
    input:
        modules("draw_power_curve.py"),
        power="results/{study}/checks/power.csv",
    output:
        **figure("results/{study}/figures/power_curve"),
    log:
        "results/{study}/logs/draw_power_curve.log",
    benchmark:
        "results/{study}/benchmarks/draw_power_curve.tsv"
    params:
        outcomes=section("outcomes"),
        arms=section("design", "arms"),
        randomised=section("design", "randomised"),
        study=study_line,
    script:
        "../scripts/draw_power_curve.py"


rule draw_bacon_weights:
    """Draw the comparisons of cohorts that two-way effects average, by weight and kind."""
    input:
        modules("draw_bacon_weights.py"),
        comparisons="results/{study}/checks/goodman_bacon.csv",
    output:
        **figure("results/{study}/figures/bacon_weights"),
    log:
        "results/{study}/logs/draw_bacon_weights.log",
    benchmark:
        "results/{study}/benchmarks/draw_bacon_weights.tsv"
    params:
        models=section("models"),
        outcomes=section("outcomes"),
        study=study_line,
    script:
        "../scripts/draw_bacon_weights.py"


rule draw_parallel_trends:
    """Draw the interval of the effect as larger differences in trend are allowed."""
    input:
        modules("draw_parallel_trends.py"),
        checks="results/{study}/checks/parallel_trends.csv",
    output:
        **figure("results/{study}/figures/parallel_trends"),
    log:
        "results/{study}/logs/draw_parallel_trends.log",
    benchmark:
        "results/{study}/benchmarks/draw_parallel_trends.tsv"
    params:
        models=section("models"),
        outcomes=section("outcomes"),
        study=study_line,
    script:
        "../scripts/draw_parallel_trends.py"


rule draw_placebos:
    """Draw placebo estimates with the observed effect."""
    input:
        modules("draw_placebos.py"),
        checks="results/{study}/checks/parallel_trends.csv",
        draws="results/{study}/checks/parallel_trends_placebos.csv",
    output:
        **figure("results/{study}/figures/placebos"),
    log:
        "results/{study}/logs/draw_placebos.log",
    benchmark:
        "results/{study}/benchmarks/draw_placebos.tsv"
    params:
        models=section("models"),
        outcomes=section("outcomes"),
        study=study_line,
    script:
        "../scripts/draw_placebos.py"
