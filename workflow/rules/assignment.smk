# Eligible list → signed record and allocation list, next to the protocol, once.
localrules:
    assignments,


rule assignments:
    """Draw the assignment of every study that is named, by `make assignment PROTOCOL=…`."""
    input:
        expand("results/{study}/checks/assignment_drawn.txt", study=STUDIES),


rule draw_assignment:
    """Assign units to groups at random, and write the signed record; an existing record is kept."""
    input:
        modules("draw_assignment.py"),
    output:
        drawn="results/{study}/checks/assignment_drawn.txt",
    log:
        "results/{study}/logs/draw_assignment.log",
    benchmark:
        "results/{study}/benchmarks/draw_assignment.tsv"
    params:
        # not outputs, which are removed before a rule runs
        frame=LOOK(lambda study: study.draw.frame()),
        record=LOOK(lambda study: study.draw.record()),
        listing=LOOK(lambda study: study.draw.listing()),
        design=section("design"),
        study=section("study", "name"),
        key=LOOK(lambda study: study.draw.key()),
    script:
        "../scripts/draw_assignment.py"
