# Raw files enter; standard tables, the cleaning log and the codebook leave.
rule simulate_trial:
    """Write the raw files of a synthetic trial, as a district would send them."""
    input:
        modules("simulate_trial.py"),
    output:
        folder=directory("results/{study}/data/raw"),
        truth="results/{study}/data/truth.json",
    log:
        "results/{study}/logs/simulate_trial.log",
    benchmark:
        "results/{study}/benchmarks/simulate_trial.tsv"
    params:
        simulation=section("simulation"),
        seed=section("study", "seed"),
        design=section("design"),
        study=section("study", "name"),
    script:
        "../scripts/simulate_trial.py"


TO_FETCH = {
    path: asked for study in LOOK.studies.values() for path, asked in study.raw.to_fetch().items()
}
STANDARD = {name: f"results/{{study}}/data/{name}.parquet" for name in IDENTIFYING}


rule fetch_file:
    """Fetch a raw file from its address, and keep it if its checksum is the declared one."""
    input:
        modules("fetch_file.py"),
    output:
        file="data/downloads/{kept}",
    log:
        "data/downloads/{kept}.log",
    benchmark:
        "data/downloads/{kept}.tsv"
    wildcard_constraints:
        # checksum and name, which may hold folders
        kept="|".join(re.escape(path.removeprefix("data/downloads/")) for path in TO_FETCH)
        or "nothing_to_fetch",
    params:
        url=lambda wildcards, output: TO_FETCH[output.file][0],
        sha256=lambda wildcards, output: TO_FETCH[output.file][1],
    script:
        "../scripts/fetch_file.py"


rule record_plan:
    """Compare the plan with the plan at the time outcomes were first read."""
    input:
        modules("record_plan.py"),
        first=LOOK(lambda study: study.sealed_plan()),
    output:
        plan="results/{study}/checks/plan.json",
        study_file="results/{study}/report/study.json",
    log:
        "results/{study}/logs/record_plan.log",
    benchmark:
        "results/{study}/benchmarks/record_plan.tsv"
    params:
        protocol=from_content(dict),
        models_to_come=LOOK(lambda study: study.protocol.models_to_come),
        study=study_line,
    script:
        "../scripts/record_plan.py"


rule obtain_tables:
    """Read raw files by the protocol's column map into standard tables, logging each change."""
    input:
        LOOK(lambda study: study.raw.files()),
        LOOK(lambda study: study.read_by_redraw()),
        modules("obtain_tables.py"),
    output:
        **STANDARD,
        changes="results/{study}/data/changes.parquet",
        left_out="results/{study}/data/left_out.parquet",
        cleaning_log="results/{study}/checks/cleaning_log.csv",
        raw_files="results/{study}/checks/raw_files.csv",
    log:
        "results/{study}/logs/obtain_tables.log",
    benchmark:
        "results/{study}/benchmarks/obtain_tables.tsv"
    params:
        raw_folder=LOOK(lambda study: study.raw.folder()),
        elsewhere=LOOK(lambda study: study.raw.fetched()),
        tables=LOOK(lambda study: study.blinding.tables_read()),
        protocol=LOOK(lambda study: study.protocol_file()),
        outcomes=section("outcomes"),
        years=section("years"),
        unit=section("design", "unit"),
        arms=from_content(lambda content: [arm["name"] for arm in content["design"]["arms"]]),
        cleaning=section("cleaning"),
        limits=section("limits"),
        redraw=LOOK(lambda study: study.redraw()),
    script:
        "../scripts/obtain_tables.py"
