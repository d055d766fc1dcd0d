# Sample and school panel enter; one long table of estimates leaves.
rule fit_multilevel:
    """Fit one multilevel model by REML to each of its outcomes."""
    input:
        modules("fit_multilevel.py"),
        sample="results/{study}/data/sample.parquet",
    output:
        estimates="results/{study}/estimates/models/{model}.csv",
        diagnostics="results/{study}/estimates/models/{model}.json",
    log:
        "results/{study}/logs/fit_multilevel.{model}.log",
    benchmark:
        "results/{study}/benchmarks/fit_multilevel.{model}.tsv"
    wildcard_constraints:
        model=models_of("multilevel"),
    params:
        study=lambda wildcards: wildcards.study,
        name=lambda wildcards: wildcards.model,
        model=lambda wildcards: computed("models")(wildcards)[wildcards.model],
        outcomes=computed("outcomes"),
    script:
        "../scripts/fit_multilevel.py"


rule fit_cluster_robust:
    """Fit one linear model with errors clustered by school to each of its outcomes."""
    input:
        modules("fit_cluster_robust.py"),
        sample="results/{study}/data/sample.parquet",
    output:
        estimates="results/{study}/estimates/models/{model}.csv",
        diagnostics="results/{study}/estimates/models/{model}.json",
    log:
        "results/{study}/logs/fit_cluster_robust.{model}.log",
    benchmark:
        "results/{study}/benchmarks/fit_cluster_robust.{model}.tsv"
    wildcard_constraints:
        model=models_of("cluster_robust"),
    params:
        study=lambda wildcards: wildcards.study,
        name=lambda wildcards: wildcards.model,
        model=lambda wildcards: computed("models")(wildcards)[wildcards.model],
        outcomes=computed("outcomes"),
    script:
        "../scripts/fit_cluster_robust.py"


rule fit_randomisation_inference:
    """Test one model by re-drawing the assignment with the design that was used."""
    input:
        modules("fit_randomisation_inference.py"),
        sample="results/{study}/data/sample.parquet",
    output:
        estimates="results/{study}/estimates/models/{model}.csv",
        diagnostics="results/{study}/estimates/models/{model}.json",
    log:
        "results/{study}/logs/fit_randomisation_inference.{model}.log",
    benchmark:
        "results/{study}/benchmarks/fit_randomisation_inference.{model}.tsv"
    wildcard_constraints:
        model=models_of("randomisation_inference"),
    params:
        study=lambda wildcards: wildcards.study,
        name=lambda wildcards: wildcards.model,
        model=lambda wildcards: computed("models")(wildcards)[wildcards.model],
        outcomes=computed("outcomes"),
        kind=section("design", "kind"),
        seed=section("study", "seed"),
    script:
        "../scripts/fit_randomisation_inference.py"


rule fit_wild_bootstrap:
    """Test one model by the restricted wild cluster bootstrap."""
    input:
        modules("fit_wild_bootstrap.py"),
        sample="results/{study}/data/sample.parquet",
    output:
        estimates="results/{study}/estimates/models/{model}.csv",
        diagnostics="results/{study}/estimates/models/{model}.json",
    log:
        "results/{study}/logs/fit_wild_bootstrap.{model}.log",
    benchmark:
        "results/{study}/benchmarks/fit_wild_bootstrap.{model}.tsv"
    wildcard_constraints:
        model=models_of("wild_bootstrap"),
    params:
        study=lambda wildcards: wildcards.study,
        name=lambda wildcards: wildcards.model,
        model=lambda wildcards: computed("models")(wildcards)[wildcards.model],
        outcomes=computed("outcomes"),
        seed=section("study", "seed"),
    script:
        "../scripts/fit_wild_bootstrap.py"


rule fit_difference_in_differences:
    """Fit difference-in-differences and event study to the school by year panel."""
    input:
        modules("fit_difference_in_differences.py"),
        sample="results/{study}/data/sample.parquet",
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
        model=lambda wildcards: computed("models")(wildcards)[wildcards.model],
        outcomes=computed("outcomes"),
        years=section("years"),
    script:
        "../scripts/fit_difference_in_differences.py"


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
        estimates="results/{study}/estimates/estimates.csv",
        diagnostics="results/{study}/estimates/diagnostics.json",
    log:
        "results/{study}/logs/gather_estimates.log",
    benchmark:
        "results/{study}/benchmarks/gather_estimates.tsv"
    params:
        names=lambda wildcards: PROTOCOLS[wildcards.study].models(),
    script:
        "../scripts/gather_estimates.py"
