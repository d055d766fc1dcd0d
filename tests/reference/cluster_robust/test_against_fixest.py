"""Two-way effects and event study agree with R's fixest, under its default small-sample rule."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from reference.gold import dataset, entry
from schooltrial.models.panel.difference_in_differences import PanelFit, two_way_effects

Agreement = Callable[..., None]


def _fit(data: pd.DataFrame, columns: dict[str, pd.Series], weighted: bool = False) -> PanelFit:
    return two_way_effects(
        data["y"].to_numpy(),
        np.column_stack([column.to_numpy(float) for column in columns.values()]),
        names=list(columns),
        school=data["school"].to_numpy(),
        year=data["year"].to_numpy(),
        n_pupils=data["n_pupils"].to_numpy(float) if weighted else None,
    )


def _compare(agreement: Agreement, name: str, fit: PanelFit) -> None:
    stored = entry(name)["values"]
    rows = fit.estimates()
    terms = list(fit.names)
    for quantity, attribute in (("coef", "estimate"), ("se", "std_error"), ("t", "statistic")):
        theirs = [stored[quantity][term] for term in terms]
        ours = [getattr(row, attribute) for row in rows]
        agreement(name, quantity, ours, theirs, rel=1e-8)
    agreement(name, "p", [row.p_value for row in rows], [stored["p"][t] for t in terms], rel=1e-8)
    assert {row.df for row in rows} == {stored["df_t"]}
    assert fit.n_cells == stored["n"]


@pytest.mark.parametrize("name", ["fixest.twfe.cl_school", "fixest.twfe.weights"])
def test_the_two_way_effect_and_its_error_agree(agreement: Agreement, name: str) -> None:
    data = dataset("syn_panel")
    fit = _fit(data, {"treated": data["treated"]}, weighted=name.endswith("weights"))
    _compare(agreement, name, fit)


def test_the_event_study_and_its_whole_covariance_agree(agreement: Agreement) -> None:
    data = dataset("syn_panel")
    name = "fixest.eventstudy.twfe"
    stored = entry(name)["values"]
    relative = (data["year"] - data["first_treat"]).where(data["first_treat"] > 0)
    fit = _fit(data, {t: relative == int(t.removeprefix("rel::")) for t in stored["coef"]})
    _compare(agreement, name, fit)
    agreement(name, "vcov", fit.covariance(), stored["vcov"]["m"], rel=1e-8)
