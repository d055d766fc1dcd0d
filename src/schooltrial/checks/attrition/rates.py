"""Who was lost: units, pupils in units that stay, and pupils, against the attrition boundary.

Attrition is counted from assignment on and in the group of assignment, whether or not a pupil moved
since. Where a primary model analyses an outcome, everyone is lost whom it does not analyse; of
other outcomes, everyone of whom they were not measured. Those who came after the baseline year are
never part of it; they, and those who changed school or arm, have rows of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import pandas as pd

from schooltrial.checks.attrition.analyses import CAME, ENTERED, Analysis, PrimaryModels
from schooltrial.checks.attrition.roster import (
    Roster,
    assigned_units,
    counts_grades,
    draw_up_roster,
    of_year,
)
from schooltrial.checks.attrition.set_aside import SET_ASIDE
from schooltrial.data.rows.filters import among
from schooltrial.data.rows.grade_progress import grades_passed
from schooltrial.models.missing_outcomes.attrition_bias import (
    Assumption,
    attrition_boundary,
    attrition_verdict,
    implied_bias,
)
from schooltrial.protocol.content.sections import Arm, Outcome, Years
from schooltrial.wording import plural_of

BOUNDARIES: tuple[Assumption, ...] = ("cautious", "optimistic")


COLUMNS = [
    "kind", "outcome", "model", "year", "level", "arm", "n_control", "count_control",
    "rate_control", "n_treated", "count_treated", "rate_treated", "overall", "differential",
    "boundary_cautious", "boundary_optimistic", "verdict_cautious", "verdict_optimistic",
    "bias_cautious", "bias_optimistic", "verdict", "note",
]  # fmt: skip


@dataclass(frozen=True)
class Counted:
    """Units or pupils of which some count: lost, joined, moved."""

    arm: pd.Series
    counts: pd.Series
    note: str = ""


def attrition(
    assignment: pd.DataFrame,
    pupils: pd.DataFrame,
    *,
    outcomes: Mapping[str, Outcome],
    arms: Sequence[Arm],
    years: Years,
    baseline: int,
    unit: str = "school",
    boundary: Assumption = "cautious",
    no_data: Mapping[str, int] | None = None,
    primary: PrimaryModels | None = None,
    schools: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Count attrition, joiners and movers, each group with the control group.

    Parameters
    ----------
    assignment : DataFrame
        One row per unit that was assigned: the column named by ``unit``, ``arm``, ``block``.
    pupils : DataFrame
        The sample, one row per pupil and year: ``pupil, year, school``, where it is the unit
        ``teacher``, and a column per outcome, NaN where it was not observed.
    outcomes, arms, years : protocol sections
        Outcomes of pupils are counted; the control group comes first.
    baseline : int
        Baseline year.
    unit : {"school", "teacher", "pupil"}
        What was assigned.
    boundary : {"cautious", "optimistic"}
        Which boundary the column ``verdict`` follows.
    no_data : mapping of str to int, optional
        Group → units that were assigned and sent no data; they count as lost.
    primary : PrimaryModels, optional
        The primary models. Without them an outcome is lost where it was not measured.
    schools : DataFrame, optional
        What is known of schools, for those of which no pupil is on the roster.

    Returns
    -------
    DataFrame
        Columns ``COLUMNS``; rates, boundaries and biases (in SD) are shares, not per cent.
        ``kind`` is ``lost`` (one row per outcome, primary model of it, year from the
        programme's first on, level and arm; ``model`` is empty where none analyses the outcome in
        that year and arm); ``new intake`` (who by their grade came into the study's grades after
        the baseline year), ``joined early`` (in the programme's first year) and ``joined late``;
        ``came into the population`` (who is analysed, and by what was known at the assignment was
        outside; a share of those on the roster who are analysed, where there is any);
        ``joined, of those analysed`` (who was not on the baseline roster, as a share of those whom
        the model analyses, in the group where they are; where schools were assigned and the same
        pupils are followed); ``promoted`` (who left the grades of their school, which is still
        there, and are in another), ``changed school`` (others who did) and ``changed group`` (of
        either). Joiners are a share of the pupils there in the year, in the group where they are;
        movers of the baseline pupils still there, in their first group.
        ``differential`` is the arm's rate minus the control arm's.

        Someone is lost for an outcome and year when no row of theirs is analysed by the model (or,
        without one, when the outcome was not measured), and a unit when this holds of all its
        pupils. Those who by what was known at the assignment are outside the outcome's population
        or the model's `where` are not counted; see `Roster.of_population`. An outcome that was
        observed for nobody in a year is ``not measured``, not lost; where nobody of the roster
        could have one, being beyond the study's grades, the year is ``not followed``.
    """
    mine = {name: part for name, part in outcomes.items() if part["measured_on"] == "pupil"}
    judged = (primary or PrimaryModels()).analyses(pupils, mine, arms, years)
    found = {name: judged.of(name) for name in mine}
    present = pupils[~pupils[SET_ASIDE]] if SET_ASIDE in pupils else pupils
    rows: list[list[Any]] = []
    for year in sorted([*years["programme"], *years["follow_up"]]):
        units = assigned_units(of_year(assignment, year), unit)
        listed = draw_up_roster(
            assignment, pupils, unit=unit, year=year, baseline=baseline, schools=schools
        )
        for name in mine:
            for analysis in judged.in_year(year, found[name], name):
                whose = listed.of_population(pupils, analysis.population, judged.primary.since)
                shown = [arms[0], *(arm for arm in arms if arm["name"] in analysis.arms)]
                compared = [arm["name"] for arm in shown]
                whose = whose.of(compared)
                rows += _entered(analysis, listed.of(compared), whose, pupils, shown)
                rows += _came(analysis, listed, pupils, units, shown)
                for level, counted in _levels(analysis, whose, pupils, units, no_data or {}):
                    rows += lost_rows(analysis, year, level, counted, shown, boundary)
        rows += _movement(listed, present, units, arms, min(years["programme"]))
    return pd.DataFrame(rows, columns=COLUMNS)


def _levels(
    analysis: Analysis,
    listed: Roster,
    pupils: pd.DataFrame,
    units: pd.DataFrame,
    no_data: Mapping[str, int],
) -> Iterator[tuple[str, Counted]]:
    """Yield the levels of an outcome and year: units, pupils in those that stay, all pupils."""
    people, unit = listed.people, listed.unit
    lost = listed.analysed_outcome(pupils, analysis.outcome, analysis.rows).isna()
    now = pupils[(pupils["year"] == listed.year) & analysis.rows]
    noted = _noted(analysis, listed, pupils, lost)
    units = units[~units["unit"].astype("str").isin(listed.outside)]
    if unit == "pupil":
        yield "pupils", Counted(people["arm"], lost, noted)
        return
    there = now[unit]
    gone = ~among(units["unit"], there)
    unseen = pd.Series([arm for arm, count in no_data.items() for _ in range(count)], dtype=str)
    yield (
        plural_of(unit),
        Counted(
            pd.concat([units["arm"], unseen], ignore_index=True),
            pd.concat([gone, pd.Series(True, index=unseen.index)], ignore_index=True).astype(bool),
            f"no data received: {len(unseen):,}" if len(unseen) else "",
        ),
    )
    stays = among(people["unit"], there)
    yield (
        f"pupils {'of' if unit == 'teacher' else 'in'} {plural_of(unit)} that stay",
        Counted(people.loc[stays, "arm"], lost[stays], noted),
    )
    without = len(listed.without - listed.outside) + len(unseen)
    missing = (
        f"{plural_of(unit)} with no roster, whose pupils are not counted: {without:,}"
        if without
        else ""
    )
    yield "pupils", Counted(people["arm"], lost, "; ".join(filter(None, (noted, missing))))


def _noted(analysis: Analysis, listed: Roster, pupils: pd.DataFrame, lost: pd.Series) -> str:
    """Return what a reader must know of the people who are counted, and of those who are not."""
    notes = []
    if not listed.followed and listed.unit != "pupil":
        notes = [f"on the roster of {listed.year} itself"]
    if listed.beyond:
        notes = [f"beyond the study's grades, not counted: {listed.beyond:,}"]
    if SET_ASIDE in listed.people and (listed.people[SET_ASIDE] == 1).any():
        aside = int((listed.people[SET_ASIDE] == 1).sum())
        notes.append(f"left out by `sample.keep`, and counted: {aside:,}")
    if listed.unknown:
        told = "not known to be outside the population, and counted"
        notes.append(f"{told}: {listed.unknown}")
    if analysis.model:
        measured = listed.outcome(pupils, analysis.outcome).notna()
        left_out = int((lost & measured).sum())
        if left_out:
            notes.append(f"with the outcome, and not analysed: {left_out}")
    return "; ".join(notes)


def lost_rows(
    analysis: Analysis,
    year: int,
    level: str,
    counted: Counted,
    arms: Sequence[Arm],
    boundary: Assumption,
) -> Iterator[list[Any]]:
    """Yield the rows on attrition, each group with the control group.

    Parameters
    ----------
    analysis, year, level : Analysis, int, str
        What the rows are of.
    counted : Counted
        Units or people, and which of them are lost.
    arms, boundary
        As for `attrition`.
    """
    for arm in arms[1:]:
        first, second = (_rate(counted, chosen["name"]) for chosen in (arms[0], arm))
        overall, differential = _overall(first, second)
        head = ["lost", analysis.outcome, analysis.model, year, level, arm["name"]]
        row: list[Any] = [*head, *first, *second]
        if not (~counted.counts).any():
            seen = "analysed" if analysis.model else "observed"
            verdict, why = ("not measured", f"{seen} for nobody in this year")
            if counted.counts.empty:
                verdict, why = ("not followed", "nobody of the roster could have an outcome")
            note = "; ".join(filter(None, (why, counted.note)))
            yield [*row, *[nan] * 4, *[verdict] * 2, nan, nan, verdict, note]
            continue
        verdicts = {name: attrition_verdict(overall, differential, name) for name in BOUNDARIES}
        yield [
            *row, overall, differential,
            *[attrition_boundary(overall, name) for name in BOUNDARIES],
            *verdicts.values(),
            *[implied_bias(overall, differential, name) for name in BOUNDARIES],
            verdicts[boundary], counted.note,
        ]  # fmt: skip


def _rate(counted: Counted, arm: str) -> tuple[int, int, float]:
    here = counted.counts[counted.arm == arm]
    return len(here), int(here.sum()), float(here.mean()) if len(here) else nan


def _overall(first: tuple[int, int, float], second: tuple[int, int, float]) -> tuple[float, float]:
    """Return the rate of both groups together, and the second's minus the first's."""
    if not first[0] or not second[0]:
        return nan, nan
    return (first[1] + second[1]) / (first[0] + second[0]), second[2] - first[2]


def _entered(
    analysis: Analysis,
    listed: Roster,
    inside: Roster,
    pupils: pd.DataFrame,
    arms: Sequence[Arm],
) -> Iterator[list[Any]]:
    """Yield rows on individuals analysed although they were outside at randomisation."""
    analysed = listed.analysed_outcome(pupils, analysis.outcome, analysis.rows).notna()
    came = ~among(listed.people["pupil"], inside.people["pupil"])
    part = Counted(listed.people.loc[analysed, "arm"], came[analysed])
    if not analysis.model or not part.counts.any():
        return
    head = [ENTERED, analysis.outcome, analysis.model, listed.year, "pupils"]
    yield from (_shares(head, part, arms[0], arm) for arm in arms[1:])


def _came(
    analysis: Analysis,
    listed: Roster,
    pupils: pd.DataFrame,
    units: pd.DataFrame,
    arms: Sequence[Arm],
) -> Iterator[list[Any]]:
    """Yield rows on individuals analysed who were not enrolled at the assignment."""
    if listed.unit != "school" or not listed.followed or not analysis.model:
        return
    arm_of = units.set_index("unit")["arm"]
    here = analysis.rows & (pupils["year"] == listed.year) & among(pupils["school"], arm_of.index)
    now = pupils[here]
    came = ~among(now["pupil"], pupils.loc[pupils["year"] == listed.drawn_up, "pupil"])
    part = Counted(now["school"].map(arm_of), came)
    head = [CAME, analysis.outcome, analysis.model, listed.year, "pupils"]
    yield from (_shares(head, part, arms[0], arm) for arm in arms[1:])


def _shares(head: Sequence[Any], part: Counted, control: Arm, arm: Arm) -> list[Any]:
    """Return a row of the shares of two groups, to which no boundary applies."""
    first, second = (_rate(part, chosen["name"]) for chosen in (control, arm))
    blank = [nan, nan, "", "", nan, nan, "", ""]
    return [*head, arm["name"], *first, *second, *_overall(first, second), *blank]


def _movement(
    listed: Roster,
    pupils: pd.DataFrame,
    units: pd.DataFrame,
    arms: Sequence[Arm],
    first_year: int,
) -> Iterator[list[Any]]:
    """Yield rows of those who came and of those who moved, where the same pupils are followed."""
    if listed.unit != "school" or not listed.followed:
        return
    arm_of = units.set_index("unit")["arm"]
    counted = {
        **_joiners(listed, pupils, arm_of, first_year),
        **_movers(listed, pupils, arm_of),
    }
    for quantity, part in counted.items():
        head = [quantity, "", "", listed.year, "pupils"]
        yield from (_shares(head, part, arms[0], arm) for arm in arms[1:])


def _joiners(
    listed: Roster, pupils: pd.DataFrame, arm_of: pd.Series, first_year: int
) -> dict[str, Counted]:
    """Count who came, as a share of the pupils there in the year, in the group where they are."""
    now = pupils[(pupils["year"] == listed.year) & among(pupils["school"], arm_of.index)]
    before = pupils.loc[pupils["year"] == listed.drawn_up, "pupil"]
    since = pupils[pupils["year"] > listed.drawn_up].groupby("pupil")["year"].min()
    new = ~among(now["pupil"], before)
    intake = pd.Series(False, index=now.index)
    if counts_grades(now):
        then = now["grade"] - grades_passed(pupils, listed.drawn_up, listed.year)
        intake = new & (then < pupils["grade"].min()).fillna(False).astype(bool)
    joined = new & ~intake
    early = joined & (now["pupil"].map(since) <= first_year)
    here = now["school"].map(arm_of)
    return {
        "new intake": Counted(here, intake),
        "joined early": Counted(here, early),
        "joined late": Counted(here, joined & ~early),
    }


def _movers(listed: Roster, pupils: pd.DataFrame, arm_of: pd.Series) -> dict[str, Counted]:
    """Count who moved, as a share of the roster's pupils still there, in their first group."""
    now = pupils[(pupils["year"] == listed.year) & among(pupils["school"], arm_of.index)]
    school = listed.people["pupil"].map(now.set_index("pupil")["school"])
    people, school = listed.people[school.notna()], school[school.notna()]
    moved = school != people["unit"]
    promoted = pd.Series(False, index=people.index)
    if counts_grades(people):
        # Who was in a school that is no longer there had to leave it anyhow
        there = pupils[among(pupils["school"], now["school"])]
        highest = people["unit"].map(there.groupby("school")["grade"].max())
        expected = people["grade"] + grades_passed(pupils, listed.drawn_up, listed.year)
        promoted = moved & (expected > highest).fillna(False).astype(bool)
    return {
        "promoted": Counted(people["arm"], promoted),
        "changed school": Counted(people["arm"], moved & ~promoted),
        "changed group": Counted(people["arm"], school.map(arm_of) != people["arm"]),
    }
