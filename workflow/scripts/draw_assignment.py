"""Assign schools, teachers or pupils to groups at random, and write the signed record."""

from pathlib import Path

from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Design
from schooltrial.randomisation.frame import read_frame
from schooltrial.randomisation.record import draw_assignment
from schooltrial.refusal import Fault, Refusal, refuse
from schooltrial.version import software_versions


def main(
    *,
    frame: str,
    design: Design,
    study: str,
    record: str,
    listing: str,
    drawn: str,
    key: str | None = None,
) -> None:
    """Write the record (JSON) and the list (CSV); a record that is there is never overwritten.

    The seed and the date are those of ``design.randomisation``. ``record`` and ``listing`` must not
    be outputs of the rule, since Snakemake removes these before it runs.
    """
    draw = design["randomisation"]
    given = (("seed", draw["seed"] is not None), ("date", draw["date"] != ""))
    lacking = [name for name, is_given in given if not is_given]
    faults = [
        Fault(
            "protocol.yaml", f"design.randomisation.{name} is not given", "a seed and a date",
            "write them into the protocol; the date is never taken from the clock",
            column=f"design.randomisation.{name}",
        )
        for name in lacking
    ]  # fmt: skip
    faults += [
        Fault(
            path, "it is there already", "no record of an earlier draw",
            "a trial is randomised once; to do it again, move the record away and give the reason "
            "in `deviations`",
        )
        for path in (record, listing)
        if Path(path).exists()
    ]  # fmt: skip
    for path, what in ((frame, "the eligible list"), (key, "the signing key")):
        if path is not None and not Path(path).is_file():
            faults.append(Fault(path, "there is no such file", what, "make it, or name another"))
    refuse(faults)
    done = draw_assignment(
        read_frame(frame, design), design, study=study, seed=draw["seed"] or 0, date=draw["date"],
        software=software_versions(), file=frame,
        key=None if key is None else Path(key).read_bytes(),
    )  # fmt: skip
    try:
        with Path(record).open("x", encoding="utf-8") as file:
            file.write(done.json())
    except FileExistsError as error:
        raise Refusal([Fault(record, "it is there already", "", "")]) from error
    table = done.table()
    table.to_csv(listing, index=False)
    counts = table["arm"].value_counts()
    by_arm = ", ".join(f"{counts.get(a['name'], 0)} {a['name']}" for a in design["arms"])
    told = [
        f"{study}: {done.n_units} units of assignment ({done.unit}) were drawn: {by_arm}; "
        f"draws made: {done.draws_made}",
        f"  the list    {listing}",
        f"  the record  {record}",
        f"  signature   {done.seal} {done.signature}",
        "Publish the signature before the trial begins, for example with its registration: a "
        "changed record can be re-signed, but its signature will no longer match.",
    ]
    Path(drawn).write_text("\n".join(told) + "\n", encoding="utf-8")


run_as_rule(main, globals())
