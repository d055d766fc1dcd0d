"""Which figures and tables a study has, and why it lacks the others."""

from __future__ import annotations

from schooltrial.checks.goodman_bacon.panel_models import decomposed_models
from schooltrial.checks.parallel_trends.panel_models import OF_PANELS, checked_models
from schooltrial.protocol.content.levels import DesignLevels
from schooltrial.protocol.content.sections import Content, all_years

FIGURES = (
    "timeline", "flow", "love_plot", "attrition_boundary", "effects", "school_means",
    "re_randomisation", "trends", "event_study", "cohorts", "bacon_weights", "parallel_trends",
    "placebos", "power_curve", "fidelity", "dosage",
)  # fmt: skip


TABLES = ("baseline", "results")


def lacking(content: Content) -> dict[str, str]:
    """Return exhibit → why the study does not have it, in one line."""
    levels = {outcome["measured_on"] for outcome in content["outcomes"].values()}
    tables = content["tables"]
    balance = content["balance"]
    compared = [
        *balance["pupil_variables"],
        *balance["school_variables"],
        *balance["teacher_variables"],
    ]
    reasons = {}
    if not compared:
        for name in ("love_plot", "baseline"):
            reasons[name] = "the protocol names no variable to be compared at baseline"
    followed = {level for level in ("pupil", "teacher") if f"{level}s" in tables}
    if content["design"]["unit"] == "school":
        followed.add("school")  # the assignment is their roster
    if not levels & followed:
        reasons["attrition_boundary"] = (
            "the study has no roster of those whose outcomes are analysed"
        )
    if not levels & {"pupil", "school"}:
        for name in ("trends", "school_means"):
            reasons[name] = "the study has no outcome of pupils or schools"
    else:
        if len(all_years(content["years"])) < 2:
            reasons["trends"] = "outcomes were measured in one year, so there is no trend"
        if not DesignLevels.of(content["design"]).in_schools:
            reasons["school_means"] = "pupils were randomised outside schools"
    reasons |= _lacking_of_panels(content)
    if not any(one["estimator"] == "randomisation_inference" for one in content["models"].values()):
        reasons["re_randomisation"] = "no model compares the effect with re-randomisations"
    if "implementation" not in tables:
        for name in ("fidelity", "dosage"):
            reasons[name] = "the study has no implementation table"
    elif not content["implementation"]["components"]:
        reasons["fidelity"] = "the protocol declares no components of the programme"
    return reasons


def _lacking_of_panels(content: Content) -> dict[str, str]:
    """Return the figures of panels that the study does not have, and why."""
    reasons = {}
    if not any(model["estimator"] in OF_PANELS for model in content["models"].values()):
        reasons["event_study"] = "the protocol has no panel model"
    if content["design"]["kind"] != "staggered":
        reasons["cohorts"] = "the programme began for all at the same time"
    if not checked_models(content["models"]):
        for name in ("parallel_trends", "placebos"):
            reasons[name] = "no primary model assumes parallel trends"
    if not decomposed_models(content["models"], content["design"]["kind"]):
        reasons["bacon_weights"] = "no two-way effect averages comparisons of cohorts"
    return reasons


def figures_of(content: Content) -> list[str]:
    """Return the figures of a study, in the order in which they are listed."""
    return [name for name in FIGURES if name not in lacking(content)]


def tables_of(content: Content) -> list[str]:
    """Return the tables of a study."""
    return [name for name in TABLES if name not in lacking(content)]
