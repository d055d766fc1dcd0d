# Implementation table → fidelity, dosage and the monitoring page, without outcomes.
rule check_fidelity:
    """Compare implementation with the thresholds that the protocol set."""
    input:
        modules("check_fidelity.py"),
        implementation="results/{study}/data/implementation.parquet",
        assignment="results/{study}/data/assignment.parquet",
        crosswalk="results/{study}/data/crosswalk.parquet",
    output:
        check="results/{study}/checks/fidelity.csv",
        doses="results/{study}/checks/dosage.csv",
        contrasts="results/{study}/checks/contrast.csv",
    log:
        "results/{study}/logs/check_fidelity.log",
    benchmark:
        "results/{study}/benchmarks/check_fidelity.tsv"
    params:
        section=section("implementation"),
        arms=section("design", "arms"),
    script:
        "../scripts/check_fidelity.py"


rule check_costs:
    """Add up programme costs, by ingredient and per pupil per year."""
    input:
        modules("check_costs.py"),
        costs="results/{study}/data/costs.parquet",
        sample="results/{study}/data/sample.parquet",
    output:
        check="results/{study}/checks/costs.csv",
    log:
        "results/{study}/logs/check_costs.log",
    benchmark:
        "results/{study}/benchmarks/check_costs.tsv"
    params:
        settings=section("costs"),
        arms=section("design", "arms"),
        during=section("years", "programme"),
    script:
        "../scripts/check_costs.py"


rule draw_fidelity:
    """Draw the fidelity matrix."""
    input:
        modules("draw_fidelity.py"),
        fidelity="results/{study}/checks/fidelity.csv",
    output:
        **figure("results/{study}/figures/fidelity"),
    log:
        "results/{study}/logs/draw_fidelity.log",
    benchmark:
        "results/{study}/benchmarks/draw_fidelity.tsv"
    params:
        study=study_line,
    script:
        "../scripts/draw_fidelity.py"


rule draw_dosage:
    """Draw the dosage of each component by school and month."""
    input:
        modules("draw_dosage.py"),
        dosage="results/{study}/checks/dosage.csv",
    output:
        **figure("results/{study}/figures/dosage"),
    log:
        "results/{study}/logs/draw_dosage.log",
    benchmark:
        "results/{study}/benchmarks/draw_dosage.tsv"
    params:
        components=section("implementation", "components"),
        arms=section("design", "arms"),
        study=study_line,
    script:
        "../scripts/draw_dosage.py"


rule write_monitoring:
    """Write the monitoring page: enrolment and implementation, without any outcome."""
    input:
        modules("write_monitoring.py"),
        unpack(LOOK(lambda study: study.report.implementation())),
        code=LOOK(lambda study: code_of(study.report.monitoring_steps())),
        style=in_project("src/schooltrial/document/formats/page.css"),
        captions=in_project("src/schooltrial/exhibits/captions.yaml"),
        assignment="results/{study}/data/assignment.parquet",
        pupils="results/{study}/data/pupils.parquet",
        teachers="results/{study}/data/teachers.parquet",
        crosswalk="results/{study}/data/crosswalk.parquet",
        raw_files="results/{study}/checks/raw_files.csv",
    output:
        page="results/{study}/report/monitoring.html",
        units="results/{study}/checks/assigned_units.csv",
        enrolment="results/{study}/checks/enrolment.csv",
        embargoed="results/{study}/checks/embargoed_files.csv",
        steps="results/{study}/report/monitoring_steps.csv",
    log:
        "results/{study}/logs/write_monitoring.log",
    benchmark:
        "results/{study}/benchmarks/write_monitoring.tsv"
    params:
        design=section("design"),
        blinded=LOOK(lambda study: study.blinding.until()),
        held_back=LOOK(lambda study: study.blinding.held_back()),
        study=study_line,
        provenance=page_provenance(
            LOOK(lambda study: study.report.monitoring_steps()),
            "write_monitoring",
            ["units", "enrolment", "embargoed"],
        ),
    script:
        "../scripts/write_monitoring.py"
