# Checks, estimates and panel enter; figures and tables leave, each with the data that it shows.
rule draw_effects:
    """Draw the effects of the programme by outcome and model."""
    input:
        modules("draw_effects.py"),
        unpack(LOOK(lambda study: study.truth())),
        estimates="results/{study}/estimates/estimates.csv",
    output:
        **figure("results/{study}/figures/effects"),
    log:
        "results/{study}/logs/draw_effects.log",
    benchmark:
        "results/{study}/benchmarks/draw_effects.tsv"
    params:
        models=section("models"),
        outcomes=section("outcomes"),
        years=section("years"),
        arms=section("design", "arms"),
        study=study_line,
    script:
        "../scripts/draw_effects.py"


rule draw_timeline:
    """Draw when units were assigned, who had the programme when, and what was measured when."""
    input:
        modules("draw_timeline.py"),
        sample="results/{study}/data/sample.parquet",
        teacher_sample="results/{study}/data/teacher_sample.parquet",
        panel="results/{study}/data/school_panel.parquet",
        assignment="results/{study}/data/assignment.parquet",
    output:
        **figure("results/{study}/figures/timeline"),
    log:
        "results/{study}/logs/draw_timeline.log",
    benchmark:
        "results/{study}/benchmarks/draw_timeline.tsv"
    params:
        design=section("design"),
        years=section("years"),
        outcomes=section("outcomes"),
        study=study_line,
    script:
        "../scripts/draw_timeline.py"


rule draw_trends:
    """Draw the mean of each group by year."""
    input:
        modules("draw_trends.py"),
        panel="results/{study}/data/school_panel.parquet",
    output:
        **figure("results/{study}/figures/trends"),
    log:
        "results/{study}/logs/draw_trends.log",
    benchmark:
        "results/{study}/benchmarks/draw_trends.tsv"
    params:
        outcomes=section("outcomes"),
        years=section("years"),
        design=section("design"),
        study=study_line,
    script:
        "../scripts/draw_trends.py"


rule draw_event_study:
    """Draw effects by year before and since the programme began, with intervals and bands."""
    input:
        modules("draw_event_study.py"),
        estimates="results/{study}/estimates/estimates.csv",
        panel="results/{study}/data/school_panel.parquet",
    output:
        **figure("results/{study}/figures/event_study"),
    log:
        "results/{study}/logs/draw_event_study.log",
    benchmark:
        "results/{study}/benchmarks/draw_event_study.tsv"
    params:
        models=section("models"),
        outcomes=section("outcomes"),
        years=section("years"),
        study=study_line,
    script:
        "../scripts/draw_event_study.py"


rule draw_cohorts:
    """Draw the change of each cohort by years since its own start."""
    input:
        modules("draw_cohorts.py"),
        panel="results/{study}/data/school_panel.parquet",
    output:
        **figure("results/{study}/figures/cohorts"),
    log:
        "results/{study}/logs/draw_cohorts.log",
    benchmark:
        "results/{study}/benchmarks/draw_cohorts.tsv"
    params:
        outcomes=section("outcomes"),
        study=study_line,
    script:
        "../scripts/draw_cohorts.py"


rule draw_school_means:
    """Draw the mean of every school before and after, by group."""
    input:
        modules("draw_school_means.py"),
        panel="results/{study}/data/school_panel.parquet",
        pupils=LOOK(lambda study: study.report.pretests()),
    output:
        **figure("results/{study}/figures/school_means"),
    log:
        "results/{study}/logs/draw_school_means.log",
    benchmark:
        "results/{study}/benchmarks/draw_school_means.tsv"
    params:
        outcomes=section("outcomes"),
        arms=section("design", "arms"),
        years=section("years"),
        analysis_years=from_content(analysis_years),
        study=study_line,
    script:
        "../scripts/draw_school_means.py"


rule draw_re_randomisation:
    """Draw the statistic among re-randomisations, with the observed one."""
    input:
        modules("draw_re_randomisation.py"),
        draws=LOOK(lambda study: study.report.draws()),
    output:
        **figure("results/{study}/figures/re_randomisation"),
    log:
        "results/{study}/logs/draw_re_randomisation.log",
    benchmark:
        "results/{study}/benchmarks/draw_re_randomisation.tsv"
    params:
        models=section("models"),
        outcomes=section("outcomes"),
        study=study_line,
    script:
        "../scripts/draw_re_randomisation.py"


rule tabulate_baseline:
    """Tabulate the groups at baseline."""
    input:
        modules("tabulate_baseline.py"),
        balance="results/{study}/checks/balance.csv",
    output:
        multiext(
            "results/{study}/tables/baseline",
            csv=".csv",
            html=".html",
            tex=".tex",
            docx=".docx",
            md=".md",
        ),
    log:
        "results/{study}/logs/tabulate_baseline.log",
    benchmark:
        "results/{study}/benchmarks/tabulate_baseline.tsv"
    params:
        arms=section("design", "arms"),
        settings=section("balance"),
        study=study_line,
        year_label=from_content(year_label),
        control=from_content(control_word),
    script:
        "../scripts/tabulate_baseline.py"


rule tabulate_results:
    """Tabulate the effects."""
    input:
        modules("tabulate_results.py"),
        estimates="results/{study}/estimates/estimates.csv",
    output:
        multiext(
            "results/{study}/tables/results",
            csv=".csv",
            html=".html",
            tex=".tex",
            docx=".docx",
            md=".md",
        ),
    log:
        "results/{study}/logs/tabulate_results.log",
    benchmark:
        "results/{study}/benchmarks/tabulate_results.tsv"
    params:
        models=section("models"),
        outcomes=section("outcomes"),
        years=section("years"),
        arms=section("design", "arms"),
        labels=from_content(labels),
        deviations=section("deviations"),
        study=study_line,
    script:
        "../scripts/tabulate_results.py"
