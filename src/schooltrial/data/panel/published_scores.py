"""Outcomes that are published by school: from the table of school scores into the panel."""

from __future__ import annotations

import numpy as np
import pandas as pd

from schooltrial.data.cells.suppression import is_bounded
from schooltrial.data.ledger.absent_units import PUBLISHED
from schooltrial.data.ledger.kept_rows import leave_outside
from schooltrial.data.ledger.ledger import Ledger
from schooltrial.data.ledger.log_texts import CLOSED
from schooltrial.data.linking.school_crosswalk import Crosswalk
from schooltrial.data.panel.bounded_cells import collect_bounded_cells
from schooltrial.data.panel.school_panel import in_panel_order, panel_columns
from schooltrial.data.rows.matching import positions, rows_at, texts
from schooltrial.data.variables.derived import add_variables
from schooltrial.data.variables.standardisation import scale_at_baseline, standardised
from schooltrial.protocol.content.sample_rules import SampleRules
from schooltrial.refusal import Fault, refuse

LEVEL = "school score"


def school_score_rows(
    scores: pd.DataFrame,
    units: pd.DataFrame,
    schools: pd.DataFrame,
    crosswalk: Crosswalk,
    rules: SampleRules,
    ledger: Ledger,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the values of schools that are analysed, on their scale, in long form.

    Every row of the table is one of these, or is told to the ledger: schools that were not
    assigned, that had closed or are a merger of assigned schools, that the protocol does not keep,
    and values that were not published or are suppressed.

    Parameters
    ----------
    scores : DataFrame
        ``school, year, outcome, value, (n_pupils)``.
    units, schools : DataFrame
        Assigned units; schools that are described.
    crosswalk, rules, ledger
        Schools that changed; the protocol; what is told.

    Returns
    -------
    values : DataFrame
        The columns of `school_panel` (``n_pupils`` is missing where it was not published), and
        what is known of the school.
    bounded : DataFrame
        The same of cells published as a bound or a range; see `bounded_cells`.

    Raises
    ------
    Refusal
        Where several rows are of one assigned school, and it is not known how many pupils each
        stands for.
    """
    outcomes = rules.outcomes_of("school")
    columns = panel_columns(rules.staggered)
    if len(scores) == 0:
        return in_panel_order([], columns), collect_bounded_cells(scores, scores, columns)
    if "n_pupils" not in scores:
        scores = scores.assign(n_pupils=np.nan)
    frame = scores.assign(_order=np.arange(len(scores)))
    frame = _of_owners(frame, units, crosswalk, rules, ledger)
    frame = _assigned(frame, units, schools, rules, ledger)
    frame = add_variables(frame, rules.variables, control=rules.control)
    frame = leave_outside(frame, rules.keep, ledger, level=LEVEL)
    bounded = frame[is_bounded(frame)]
    frame = ledger.leave(
        frame, is_bounded(frame), step=PUBLISHED,
        reason="published only as a bound or a range", level=LEVEL,
    )  # fmt: skip
    frame = ledger.leave(
        frame, frame["value"].isna(), step=PUBLISHED,
        reason="not published, or suppressed", level=LEVEL,
    )  # fmt: skip
    frame = _put_together(frame, ledger)
    frame = frame.rename(columns={"value": "mean"}).astype({"arm": "str", "outcome": "str"})
    parts = []
    for name, outcome in outcomes.items():
        rows = frame[frame["outcome"] == name].rename(columns={"mean": name})
        then, year = None, outcome["baseline_year"]
        if outcome["standardise"] == "control_at_baseline" and year is not None:
            then = scale_at_baseline(
                rows[rows["year"] == year], name, control=rules.control, year=year, level="school"
            )
        scaled = standardised(
            rows, name, outcome, control=rules.control, within=("year",), at_baseline=then
        )
        parts.append(rows.assign(mean=scaled))
    bounds = {"mean", "value_low", "value_high"}
    others = [name for name in frame if name not in {*columns, *bounds} and name[0] != "_"]
    columns = [*columns, *others]
    return in_panel_order(parts, columns), collect_bounded_cells(bounded, frame, columns)


def _of_owners(
    frame: pd.DataFrame,
    units: pd.DataFrame,
    crosswalk: Crosswalk,
    rules: SampleRules,
    ledger: Ledger,
) -> pd.DataFrame:
    """Give each row the assigned school that it is of, after the crosswalk."""
    if not crosswalk.changes:
        return frame
    assigned = set(units["school"]) if rules.unit == "school" else set()
    schools = sorted({*frame["school"].astype("str"), *crosswalk.schools(), *assigned})
    parts = []
    for year, rows in frame.groupby("year"):
        of_year = crosswalk.of_year(schools, assigned, int(year))
        listed = positions(texts(rows["school"]), texts(pd.Series(schools, dtype="str")))
        successor = of_year.successor[listed]
        place = np.maximum(successor, 0)
        named = pd.Series(schools, dtype="str").take(of_year.owner[place]).to_numpy()
        parts.append(
            rows.assign(school=named, _closed=successor < 0, _merged=of_year.merged[place])
        )
    frame = pd.concat(parts)
    frame = ledger.leave(frame, frame["_closed"], step="crosswalk", reason=CLOSED, level=LEVEL)
    return ledger.leave(
        frame, frame["_merged"], step="merged schools",
        reason="of a merger of schools of the study", level=LEVEL,
    )  # fmt: skip


def _assigned(
    frame: pd.DataFrame,
    units: pd.DataFrame,
    schools: pd.DataFrame,
    rules: SampleRules,
    ledger: Ledger,
) -> pd.DataFrame:
    """Join assignment and description; schools that were not assigned leave."""
    by_school = rules.unit == "school"
    names = texts(units["school"]) if by_school else texts(pd.Series(dtype="str"))
    at = positions(texts(frame["school"]), names)
    reason = "school is not in the allocation list"
    frame = ledger.leave(
        frame, at < 0, step=f"assigned {rules.levels.units}", level=LEVEL,
        reason=reason if by_school else f"{rules.levels.units} were randomised, not schools",
    )  # fmt: skip
    joined = rows_at(units.drop(columns="school", errors="ignore"), at[at >= 0], frame.index)
    described = positions(texts(frame["school"]), texts(schools["school"]))
    known = schools[[name for name in schools if name not in {*frame, *joined}]]
    return pd.concat([frame, joined, rows_at(known, described, frame.index)], axis=1)


def _put_together(frame: pd.DataFrame, ledger: Ledger) -> pd.DataFrame:
    """Average the rows of one school by their pupils: parts that a school was split into."""
    keys = ["school", "year", "outcome"]
    shared = frame.duplicated(keys, keep=False)
    if not shared.any():
        return frame
    parts = frame[shared]
    refuse(
        [
            Fault(
                "school_scores table",
                f"{row.school}, {row.year}, {row.outcome}: several rows after the crosswalk, with "
                "unknown numbers of pupils",
                "`n_pupils` in rows that are combined",
                "read the column `n_pupils`, or only one row",
                column="n_pupils",
            )
            for row in parts[parts["n_pupils"].isna()].drop_duplicates(keys).itertuples()
        ]
    )  # fmt: skip
    pupils = parts["n_pupils"].astype("float64")
    weighted = parts.assign(value=parts["value"].astype("float64") * pupils, n_pupils=pupils)
    sums = weighted.groupby(keys, observed=True)[["value", "n_pupils"]].sum().reset_index()
    sums["value"] /= sums["n_pupils"]
    stays = ledger.leave(
        frame, frame.duplicated(keys), step="crosswalk", level=LEVEL,
        reason="combined with another part of the school",
    )  # fmt: skip
    known = stays.astype({"value": "float64", "n_pupils": "float64"}).set_index(keys)
    known.update(sums.set_index(keys))
    return known.reset_index()
