# The school panel enters; rows of the long table leave, and the rows of all models in one table.
rule fit_difference_in_differences:
    """Fit difference-in-differences and event study to the school by year panel."""
    input:
        modules("fit_difference_in_differences.py"),
        sample="results/{study}/data/sample.parquet",
        panel="results/{study}/data/school_panel.parquet",
        bounded="results/{study}/data/bounded_cells.parquet",
        schools="results/{study}/data/schools.parquet",
        school_sample="results/{study}/data/school_sample.parquet",
    output:
        estimates="results/{study}/estimates/models/{model}.csv",
        diagnostics="results/{study}/estimates/models/{model}.json",
    log:
        "results/{study}/logs/fit_difference_in_differences.{model}.log",
    benchmark:
        "results/{study}/benchmarks/fit_difference_in_differences.{model}.tsv"
    wildcard_constraints:
        model=models_of("difference_in_differences"),
    params:
        study=lambda wildcards: wildcards.study,
        name=lambda wildcards: wildcards.model,
        model=LOOK.of_model(lambda study, model: study.computed_model(model)),
        outcomes=computed("outcomes"),
        to_record=LOOK(lambda study: study.plan_to_record()),
        years=section("years"),
        design=section("design"),
    script:
        "../scripts/fit_difference_in_differences.py"


rule fit_staggered_adoption:
    """Estimate group-time effects of a programme that schools enter in different years."""
    input:
        modules("fit_staggered_adoption.py"),
        sample="results/{study}/data/sample.parquet",
        panel="results/{study}/data/school_panel.parquet",
        bounded="results/{study}/data/bounded_cells.parquet",
        schools="results/{study}/data/schools.parquet",
        school_sample="results/{study}/data/school_sample.parquet",
    output:
        estimates="results/{study}/estimates/models/{model}.csv",
        diagnostics="results/{study}/estimates/models/{model}.json",
    log:
        "results/{study}/logs/fit_staggered_adoption.{model}.log",
    benchmark:
        "results/{study}/benchmarks/fit_staggered_adoption.{model}.tsv"
    wildcard_constraints:
        model=models_of("staggered_adoption"),
    params:
        study=lambda wildcards: wildcards.study,
        name=lambda wildcards: wildcards.model,
        model=LOOK.of_model(lambda study, model: study.computed_model(model)),
        outcomes=computed("outcomes"),
        to_record=LOOK(lambda study: study.plan_to_record()),
        years=section("years"),
        design=section("design"),
        seed=section("study", "seed"),
    script:
        "../scripts/fit_staggered_adoption.py"


rule gather_estimates:
    """Stack the rows of all models into the one long table, in protocol order."""
    input:
        modules("gather_estimates.py"),
        tables=lambda wildcards: expand(
            "results/{study}/estimates/models/{model}.csv",
            study=wildcards.study,
            model=PROTOCOLS[wildcards.study].models(),
        ),
        diagnoses=lambda wildcards: expand(
            "results/{study}/estimates/models/{model}.json",
            study=wildcards.study,
            model=PROTOCOLS[wildcards.study].models(),
        ),
    output:
        # written by the first model that was fitted; what was first is kept, whatever happens later
        plan_first=update("results/{study}/checks/plan_first.json"),
        estimates="results/{study}/estimates/estimates.csv",
        diagnostics="results/{study}/estimates/diagnostics.json",
    log:
        "results/{study}/logs/gather_estimates.log",
    benchmark:
        "results/{study}/benchmarks/gather_estimates.tsv"
    params:
        names=lambda wildcards: PROTOCOLS[wildcards.study].models(),
        to_record=LOOK(lambda study: study.plan_to_record()),
    script:
        "../scripts/gather_estimates.py"
