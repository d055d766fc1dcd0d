"""Who is kept by the filter of the sample; the rest leave, each entry of it being a step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from schooltrial.data.ledger.ledger import Ledger
from schooltrial.data.rows.filters import matches
from schooltrial.protocol.content.filters import in_words, named_variables


def leave_outside(
    frame: pd.DataFrame, keep: Mapping[str, Any], ledger: Ledger, *, level: str
) -> pd.DataFrame:
    """Return the rows that a filter keeps, and tell the ledger of the others.

    Parameters
    ----------
    frame : DataFrame
        Rows of pupils, teachers or published scores.
    keep : mapping
        The filter. An entry that names a variable which these rows do not have is passed over: it
        is of rows of another kind.
    ledger : Ledger
        What is told.
    level : str
        Whose rows they are.
    """
    for name, rule in keep.items():
        entry = {name: rule}
        variables = named_variables(entry)
        if not all(variable in frame for variable in variables):
            continue
        reason = f"outside: {in_words(entry)}"
        if isinstance(rule, list) and variables == [name]:
            reason = f"{name} is not {', '.join(map(str, rule))}"
        step = f"keep {', '.join(variables)}"
        frame = ledger.leave(frame, ~matches(frame, entry), step=step, reason=reason, level=level)
    return frame
