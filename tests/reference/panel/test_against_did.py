"""Group-time effects and their averages agree with R's did."""

from collections.abc import Callable
from functools import cache
from typing import Literal

import numpy as np
import pytest

from reference.gold import dataset, entry
from schooltrial.models.panel.staggered_adoption import StaggeredFit, fit_staggered_adoption

Agreement = Callable[..., None]
Group = Literal["never_treated", "not_yet_treated"]
ENTRIES: dict[str, Group] = {
    "did.cs.nevertreated.reg.varying.nocov": "never_treated",
    "did.cs.nevertreated.dr.varying.nocov": "never_treated",
    "did.cs.notyettreated.dr.varying.nocov": "not_yet_treated",
}


@cache
def _fit(comparison_group: Group) -> StaggeredFit:
    data = dataset("syn_panel")
    return fit_staggered_adoption(
        data["y"].to_numpy(),
        school=data["school"].to_numpy(),
        year=data["year"].to_numpy(),
        cohort=data["first_treat"].replace(0, np.nan).to_numpy("float64"),
        n_pupils=data["n_pupils"].to_numpy("float64"),
        comparison_group=comparison_group,
    )


@pytest.mark.parametrize("name", ENTRIES)
def test_every_group_time_effect_and_its_error_agree(agreement: Agreement, name: str) -> None:
    stored = entry(name)["values"]["att_gt"]
    fit = _fit(ENTRIES[name])
    terms = [f"treated[cohort={row['group']}, year={row['time']}]" for row in stored]
    assert fit.terms_of("group-time effect") == tuple(terms)
    at = [fit.position(term) for term in terms]
    agreement(name, "att", fit.coefficients[at], [r["att"] for r in stored], rel=1e-8)
    if fit.comparison_group == "never_treated":
        agreement(name, "se", _errors_of_did(fit)[at], [r["se"] for r in stored], rel=1e-6)


def _errors_of_did(fit: StaggeredFit) -> np.ndarray:
    """Return standard errors by the rule of did, whose variances of groups have the divisor n."""
    found, variance = fit.found, np.zeros(len(fit.averages))
    for h, n in enumerate(found.sizes):
        b = found.effects.loadings[h]
        s = found.covariances.groups[h] * (n - 1) / n
        variance += np.einsum("tr,tu,ur->r", b, s, b) / n
    return np.sqrt(variance)


@pytest.mark.parametrize("name", ENTRIES)
def test_the_averages_agree_overall_by_event_time_and_by_cohort(
    agreement: Agreement, name: str
) -> None:
    stored = entry(name)["values"]
    fit = _fit(ENTRIES[name])
    agreement(name, "overall", fit.overall.estimate, stored["agg_simple"]["overall_att"], rel=1e-8)
    for quantity, ours, part in (
        ("dynamic", fit.since, "agg_dynamic"),
        ("group", fit.cohorts, "agg_group"),
        ("calendar", fit.estimates(fit.terms_of("calendar year")), "agg_calendar"),
    ):
        theirs = stored[part]["egt"]
        assert [effect.term.split("=")[1] for effect in ours] == [f"{r['e']}]" for r in theirs]
        agreement(name, quantity, [e.estimate for e in ours], [r["att"] for r in theirs], rel=1e-8)
