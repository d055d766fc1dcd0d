"""Claims about the costs that a synthetic programme's office sends."""

from __future__ import annotations

import pandas as pd
import pytest

from schooltrial.simulate.school_randomised.parameters import Parameters
from schooltrial.simulate.school_randomised.programme import programme_costs

LOG = pd.DataFrame({
    "school_code": ["A", "A", "B", "B"], "leader_id": ["1", "2", "3", "4"],
    "month": ["2018-07", "2018-07", "2018-07", "2019-07"],
})  # fmt: skip


def _costs(of: str) -> pd.DataFrame:
    ingredient = ("coaching", of, 2, "day", 400, True, "synthetic: assumption")
    return programme_costs(Parameters(ingredients=(ingredient,)), LOG)


@pytest.mark.parametrize(("of", "quantity"), [("leader", "6"), ("school", "4"), ("programme", "2")])
def test_quantities_are_those_of_the_leaders_and_schools_of_the_first_year(
    of: str, quantity: str
) -> None:
    (row,) = _costs(of).to_dict("records")
    assert row["quantity"] == quantity
    assert (row["each_year"], row["source"]) == ("Y", "synthetic: assumption")


def test_an_ingredient_of_nothing_known_is_refused() -> None:
    with pytest.raises(ValueError, match="of each 'pupil'"):
        _costs("pupil")
