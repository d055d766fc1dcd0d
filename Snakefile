# A school-level trial, from raw files to a report. This page is the table of contents.
configfile: f"{workflow.basedir}/config/config.yaml"


include: "workflow/rules/common.smk"  # protocols, validated → studies, sections, modules of a script
include: "workflow/rules/assignment.smk"  # eligible list → signed record of the randomisation, before a trial begins
include: "workflow/rules/obtain.smk"  # raw files → standard tables, cleaning log, codebook
include: "workflow/rules/clean.smk"  # standard tables → analysed sample, school panel, exclusions log
include: "workflow/rules/quality.smk"  # standard tables → codebook, the page on data quality
include: "workflow/rules/check.smk"  # sample → assignment and balance checks
include: "workflow/rules/implementation.smk"  # implementation table → fidelity, dosage, monitoring page
include: "workflow/rules/fit.smk"  # sample → rows of estimates, model by model
include: "workflow/rules/fit_panel.smk"  # school panel → the same; and one long table of all
include: "workflow/rules/evidence.smk"  # checks, estimates → power, ratings, the study record
include: "workflow/rules/exhibit_checks.smk"  # checks → their figures
include: "workflow/rules/exhibit.smk"  # checks, estimates → figures and tables
include: "workflow/rules/report.smk"  # exhibits → report, executed notebook, tests of the results


localrules:
    all,


rule all:
    """Build the report of every study, once the tests of its results hold, and notebooks."""
    input:
        "results/index.html",
        expand("results/{study}/report/report.html", study=STUDIES),
        expand(
            "results/{study}/notebooks/{notebook}.html",
            study=STUDIES,
            notebook=NOTEBOOKS,
        ),


onstart:
    fork_scripts(SCRIPTS)
    schedule_when_jobs_end(workflow)


onsuccess:
    for tell in (unlinked, made):
        for message in tell(STUDIES, workflow.dag_settings.targets):
            print(f"\n{message}")


onerror:
    refused_in = [name for name in STUDIES if refusals([name], WRITTEN_BEFORE)]
    for message in withdraw(refused_in, RECORDED_BEFORE):
        print(message, flush=True)
    for message in refusals(STUDIES, WRITTEN_BEFORE):
        print(f"\n{message}", file=sys.stderr)
