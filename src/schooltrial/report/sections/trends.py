"""Section 8: trends, effects by year and cohort, and their assumptions."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from schooltrial.document.blocks import (
    Block,
    Bullets,
    Details,
    Exhibit,
    Heading,
    Paragraph,
    Section,
)
from schooltrial.document.text import Cite
from schooltrial.protocol.content.shown_units import as_shown, effect_unit
from schooltrial.report.evidence import Evidence
from schooltrial.report.findings.persistence import persistence_shown
from schooltrial.report.tables.comparison_schools import weighted_schools_shown
from schooltrial.report.tables.panel import base_sentences
from schooltrial.report.tables.parallel_trends import (
    parallel_trends_sentences,
    parallel_trends_shown,
)
from schooltrial.report.tables.two_way import (
    comparisons_shown,
    explain_two_way,
    forbidden_sentences,
)


def trends_section(evidence: Evidence) -> Section | None:
    """Return trends and the panel models; None if outcomes were measured in one year alone."""
    blocks = [
        *_figures(evidence),
        *_panels(evidence),
        *weighting_blocks(evidence, primary=True),
        *_two_way(evidence),
        *_parallel_trends(evidence),
    ]
    return Section("trends_section", "Trends", tuple(blocks)) if blocks else None


def _figures(evidence: Evidence) -> list[Block]:
    points = evidence.drawn.get("event_study")
    more = {"event_study": base_sentences(points)} if points is not None else {}
    found = [
        evidence.exhibit(name, more=more.get(name, ""))
        for name in ("trends", "cohorts", "event_study")
    ]
    return [exhibit for exhibit in found if exhibit is not None]


def panel_exhibits(evidence: Evidence) -> list[tuple[Exhibit, bool]]:
    """Return the effects by year of each panel model, and whether it is a primary one.

    Parameters
    ----------
    evidence : Evidence
        Of the study.
    """
    by = "cohort and year" if evidence.staggered else "year"
    whose = {True: "primary analyses", False: "other analyses"}
    return [
        (
            Exhibit(
                f"panel_{at + 1}", f"{panel.label}: effects by {by}", panel.table,
                notes=tuple(panel.notes), data="estimates/estimates.csv", source="gather_estimates",
                subject=f"effects by {by} of the {whose[panel.primary]}",
            ),
            panel.primary,
        )
        for at, panel in enumerate(evidence.panels)
    ]  # fmt: skip


def _panels(evidence: Evidence) -> list[Block]:
    exhibits = panel_exhibits(evidence)
    blocks: list[Block] = [exhibit for exhibit, primary in exhibits if primary]
    if len(blocks) < len(exhibits):
        blocks.append(Paragraph(("Other models by year: ", Cite("panels"), ".")))
    return [*blocks, *lasting_blocks(evidence, primary=True)]


def lasting_blocks(evidence: Evidence, *, primary: bool) -> list[Block]:
    """Return the effects during and after the programme, of the primary models or of the others.

    Parameters
    ----------
    evidence : Evidence
        Of the study.
    primary : bool
        Of which models; a model fitted again in a subgroup is not a primary one.
    """
    models = evidence.protocol["models"]
    mine = [name for name, model in models.items() if (model["role"] == "primary") is primary]
    rows = evidence.estimates[evidence.estimates["model"].isin(mine)]
    lasting = persistence_shown(rows, evidence.protocol["outcomes"], models)
    if lasting is None:
        return []
    more = "" if primary else ", other models"
    return [Exhibit(
        "persistence" if primary else "persistence_others",
        f"Effects during and after the programme{more}", lasting,
        "Each effect after the programme is compared with that on the same cohorts during it. "
        "“Share of during” is the ratio of the two, with Fieller’s interval; where the effect "
        "during the programme may be zero it has no ends, or cannot be estimated. The model has "
        "the years after the programme as well, so that its effect during it can differ in the "
        "last digits from that of a model without them.",
        data="estimates/estimates.csv", source="gather_estimates",
        subject="effects during and after the programme",
    )]  # fmt: skip


def weighting_blocks(evidence: Evidence, *, primary: bool) -> list[Block]:
    """Return how alike comparison schools are by weighting, in the primary models or the others.

    Parameters
    ----------
    evidence : Evidence
        Of the study.
    primary : bool
        Of which models.
    """
    models = evidence.protocol["models"]
    mine = {
        name: told for name, told in evidence.diagnostics.items()
        if (models[name]["role"] == "primary") is primary
    }  # fmt: skip
    shown = weighted_schools_shown(mine, evidence.labels)
    if shown is None:
        return []
    return [Exhibit(
        "weighted_schools" if primary else "weighted_schools_others",
        "Comparison schools before and after weighting", shown,
        "Differences are the cohort minus its comparison schools, in SDs of schools within both "
        "groups. The effective number (Kish) is how many schools of equal weight would be as "
        "precise. Standard errors take the weights as fixed.",
        data="estimates/diagnostics.json", source="gather_estimates",
    )]  # fmt: skip


def _two_way(evidence: Evidence) -> list[Block]:
    outcomes = evidence.protocol["outcomes"]
    found = evidence.check("goodman_bacon")
    found = None if found is None else as_shown(found, outcomes, ["estimate"])
    labels = {
        **evidence.labels,
        **{name: f"{one['label']} ({effect_unit(one)})" for name, one in outcomes.items()},
    }
    said = forbidden_sentences(found, labels) if found is not None else []
    blocks: list[Block] = []
    if found is not None and said:
        blocks += [
            Heading("Comparisons behind two-way effects"),
            Paragraph(
                "Two-way effects of a programme that schools enter in different years average "
                "comparisons of two cohorts (Goodman-Bacon). Some use schools that are already "
                "treated as the comparison, which misleads where effects change over the years. "
                "The two-way effects below take each cohort as treated from its own start, over "
                "schools seen in every year."
            ),
            Bullets(tuple(said)),
            *_explained(evidence, found, labels),
        ]  # fmt: skip
    figure = evidence.exhibit("bacon_weights")
    if figure is not None:
        blocks.append(figure)
    shown = comparisons_shown(found, labels) if found is not None else None
    if shown is not None:
        table = Exhibit(
            "comparisons", "Comparisons that two-way effects average", shown,
            "Effect of having begun, with school and year effects, over schools seen in every "
            "year. The weights sum to one.",
            data="checks/goodman_bacon.csv", source="check_goodman_bacon",
            subject="each comparison with its weight",
        )  # fmt: skip
        blocks.append(Details.of(table))
    return blocks


def _explained(evidence: Evidence, found: pd.DataFrame, labels: Mapping[str, str]) -> list[Block]:
    """Return why two-way effects are other numbers than those of the primary analysis."""
    estimates = as_shown(evidence.estimates, evidence.protocol["outcomes"], ["estimate"])
    told = explain_two_way(found, estimates, evidence.protocol, labels)
    if not told.outcomes:
        return []
    return [Bullets(told.outcomes), Paragraph(" ".join(told.reasons))]


ASSUMED = (
    "The effects above are effects if trends would have been parallel without the programme. That "
    "cannot be tested; what follows shows how far trends may have differed before the conclusion "
    "changes."
)

BY_CHANCE = (
    "Schools were randomised, so that trends without the programme differ between the groups by "
    "chance alone. What follows shows how far they may have differed before the conclusion changes."
)


def _parallel_trends(evidence: Evidence) -> list[Block]:
    found = evidence.check("parallel_trends")
    if found is None:
        return []
    said = parallel_trends_sentences(found, evidence.labels)
    blocks: list[Block] = [
        Heading("Parallel trends", "parallel_trends_section"),
        Paragraph(BY_CHANCE if evidence.protocol["design"]["randomised"] else ASSUMED),
    ]
    if said:
        blocks.append(Bullets(tuple(said)))
    for name in ("parallel_trends", "placebos"):
        figure = evidence.exhibit(name)
        if figure is not None:
            blocks.append(figure)
    shown = parallel_trends_shown(found, evidence.labels)
    if shown is not None:
        table = Exhibit(
            "other_trends", "Effects under other trends, and placebo effects", shown,
            "Critical values of the bounds are those of a normal distribution with a known "
            "covariance. Few treated schools estimate it badly, so each standard error is "
            "multiplied by t/z, t with its own degrees of freedom.",
            data="checks/parallel_trends.csv", source="check_parallel_trends",
            subject="effects under other trends and placebo effects",
        )  # fmt: skip
        blocks.append(Details.of(table))
    return blocks
