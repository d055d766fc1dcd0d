"""Section 1: the programme, the question, and where the plan is registered."""

from __future__ import annotations

from math import isfinite, nan

import pandas as pd

from schooltrial.document.blocks import Block, Bullets, Paragraph, Section
from schooltrial.document.numbers import number
from schooltrial.document.text import Cite, Link, Text
from schooltrial.report.evidence import Evidence
from schooltrial.report.findings.headlines import digits_of
from schooltrial.report.wording import registration_sentence, to_come_sentence
from schooltrial.wording import listed


def programme_section(evidence: Evidence) -> Section:
    """Return what was evaluated, by which outcomes, and by which plan."""
    protocol = evidence.protocol
    blocks: list[Block] = []
    if protocol["study"]["summary"]:
        blocks.append(Paragraph(protocol["study"]["summary"]))
    outcomes = protocol["outcomes"].values()
    primary = [one["label"] for one in outcomes if one["primary"]]
    others = [one["label"] for one in outcomes if not one["primary"]]
    told = []
    if primary:
        told.append(f"Primary outcomes: {'; '.join(primary)}.")
    if others:
        told.append(f"Secondary outcomes: {'; '.join(others)}.")
    offered = bool(protocol["take_up"]["variable"])
    known = simulated_effects(evidence.drawn.get("effects"), offered=offered)
    if known:
        told.append(known)
    arms = list(evidence.arms.values())
    compared = f"Groups compared: {listed(arms)}." if arms else ""
    blocks.append(Bullets((compared, *told)))
    registration = protocol["registration"]
    plan: Text = registration_sentence(registration)
    if registration["url"]:
        plan = (f"{plan} ", Link(registration["url"], registration["url"]))
    if any(registration[key] for key in ("registry", "identifier", "date", "url")):
        blocks.append(Paragraph(plan))
    blocks.append(Paragraph(("Deviations from the plan: ", Cite("deviations"), ".")))
    to_come = to_come_sentence(protocol, evidence.models_to_come)
    if to_come:
        blocks.append(Paragraph(to_come))
    return Section("programme", "Programme and question", tuple(blocks))


def simulated_effects(drawn: pd.DataFrame | None, *, offered: bool) -> str:
    """Return the effects that a simulation put in, as primary models estimate them.

    Parameters
    ----------
    drawn : DataFrame, optional
        What the figure of effects draws; the column ``truth`` is of simulated studies alone.
    offered : bool
        Whether the effect is that of an offer, which not all take up.

    Returns
    -------
    str
        Empty where the simulation does not know them as they are analysed.
    """
    if drawn is None or "truth" not in drawn:
        return ""
    known = drawn[drawn["truth"].notna() & (drawn["subgroup"] == "all")]
    taken = known[known["estimand"] == "CACE"].groupby("outcome", sort=False)["truth"].first()
    told = []
    first = known[known["primary"].astype(bool)].drop_duplicates("outcome")
    for row in first.to_dict("records"):
        size, more = float(row["truth"]), float(taken.get(row["outcome"], nan))
        unit = str(row["units_label"])
        digits = digits_of(size)
        both = offered and row["estimand"] == "ITT" and isfinite(more)
        up = f" (of taking it up: {number(more, digits)})" if both else ""
        told.append(f"{row['outcome_label']} {number(size, digits)} {unit}{up}")
    if not told:
        return ""
    offer = " of the offer" if offered and (first["estimand"] == "ITT").all() else ""
    noun = "effect" if len(told) == 1 else "effects"
    return f"Simulated {noun}{offer} in the primary analysis: {'; '.join(told)}."
