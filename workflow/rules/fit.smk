# The analysed sample enters; rows of the long table of estimates leave, model by model.
rule fit_multilevel:
    """Fit one multilevel model by REML to each of its outcomes."""
    input:
        modules("fit_multilevel.py"),
        sample=LOOK.of_model(lambda study, model: study.sample_of(model)),
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
        model=LOOK.of_model(lambda study, model: study.computed_model(model)),
        outcomes=computed("outcomes"),
        to_record=LOOK(lambda study: study.plan_to_record()),
    script:
        "../scripts/fit_multilevel.py"


rule fit_cluster_robust:
    """Fit one linear model with errors clustered by school to each of its outcomes."""
    input:
        modules("fit_cluster_robust.py"),
        sample=LOOK.of_model(lambda study, model: study.sample_of(model)),
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
        model=LOOK.of_model(lambda study, model: study.computed_model(model)),
        outcomes=computed("outcomes"),
        to_record=LOOK(lambda study: study.plan_to_record()),
    script:
        "../scripts/fit_cluster_robust.py"


rule fit_randomisation_inference:
    """Test one model by randomisation inference with the trial's own design."""
    input:
        modules("fit_randomisation_inference.py"),
        sample=LOOK.of_model(lambda study, model: study.sample_of(model)),
        assignment="results/{study}/data/assignment.parquet",
        drawn_from=LOOK(lambda study: study.draw.inputs()),
    output:
        estimates="results/{study}/estimates/models/{model}.csv",
        diagnostics="results/{study}/estimates/models/{model}.json",
        draws="results/{study}/estimates/models/{model}.draws.csv",
    log:
        "results/{study}/logs/fit_randomisation_inference.{model}.log",
    benchmark:
        "results/{study}/benchmarks/fit_randomisation_inference.{model}.tsv"
    wildcard_constraints:
        model=models_of("randomisation_inference"),
    params:
        frame=LOOK(lambda study: study.draw.file("eligible_list")),
        record=LOOK(lambda study: study.draw.file("record")),
        study=lambda wildcards: wildcards.study,
        name=lambda wildcards: wildcards.model,
        model=LOOK.of_model(lambda study, model: study.computed_model(model)),
        outcomes=computed("outcomes"),
        to_record=LOOK(lambda study: study.plan_to_record()),
        design=section("design"),
        seed=section("study", "seed"),
    script:
        "../scripts/fit_randomisation_inference.py"


rule fit_wild_bootstrap:
    """Test one model by the restricted wild cluster bootstrap."""
    input:
        modules("fit_wild_bootstrap.py"),
        sample=LOOK.of_model(lambda study, model: study.sample_of(model)),
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
        model=LOOK.of_model(lambda study, model: study.computed_model(model)),
        outcomes=computed("outcomes"),
        to_record=LOOK(lambda study: study.plan_to_record()),
        seed=section("study", "seed"),
    script:
        "../scripts/fit_wild_bootstrap.py"


rule fit_complier_effect:
    """Estimate the complier average causal effect (CACE) by two-stage least squares."""
    input:
        modules("fit_complier_effect.py"),
        sample=LOOK.of_model(lambda study, model: study.sample_of(model)),
    output:
        estimates="results/{study}/estimates/models/{model}.csv",
        diagnostics="results/{study}/estimates/models/{model}.json",
    log:
        "results/{study}/logs/fit_complier_effect.{model}.log",
    benchmark:
        "results/{study}/benchmarks/fit_complier_effect.{model}.tsv"
    wildcard_constraints:
        model=models_of("complier_effect"),
    params:
        study=lambda wildcards: wildcards.study,
        name=lambda wildcards: wildcards.model,
        model=LOOK.of_model(lambda study, model: study.computed_model(model)),
        outcomes=computed("outcomes"),
        to_record=LOOK(lambda study: study.plan_to_record()),
        taken_up=section("take_up", "variable"),
    script:
        "../scripts/fit_complier_effect.py"
