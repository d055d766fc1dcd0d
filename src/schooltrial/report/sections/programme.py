"""Section 1: the programme, the question, and where the plan is registered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from schooltrial.document.blocks import Block, Bullets, Paragraph, Section
from schooltrial.document.text import Cite, Link, Text
from schooltrial.protocol.content.sections import Content
from schooltrial.report.evidence import Evidence
from schooltrial.report.wording import registration_sentence, to_come_sentence
from schooltrial.wording import listed, year_spans


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
    known = simulated_effects(protocol, evidence.years)
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


def simulated_effects(protocol: Content, years: Sequence[int]) -> str:
    """Return the effects that a simulation holds for the years analysed; empty where none is known.

    Parameters
    ----------
    protocol : Content
        Sections of the protocol.
    years : sequence of int
        Years of the primary analysis.
    """
    simulation: Mapping[str, Any] = protocol.get("simulation") or {}
    effects = simulation.get("parameters", {}).get("effects", {}).get("value", {})
    told = []
    for name, outcome in protocol["outcomes"].items():
        by_year = effects.get(name) if isinstance(effects, Mapping) else None
        sizes = [by_year[str(year)] for year in years if str(year) in by_year] if by_year else []
        if sizes:
            told.append(f"{outcome['label']} {listed([f'{size:g}' for size in sizes])}")
    if not told:
        return ""
    return (
        f"Effects put into the simulation for {protocol['years']['label']} {year_spans(years)}, in "
        f"the units that its section of the protocol states: {'; '.join(told)}."
    )
