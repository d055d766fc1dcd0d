"""From standard tables to the samples that are analysed: link, derive, standardise, keep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from schooltrial.data.ledger.absent_units import leave_absent, leave_without_values
from schooltrial.data.ledger.analyses import record_analyses
from schooltrial.data.ledger.follow_up import (
    FLAGS,
    MOBILITY,
    mobility_of_year,
    record_follow_up,
    without_baseline,
)
from schooltrial.data.ledger.ledger import Ledger, one_ledger
from schooltrial.data.ledger.log_texts import (
    NO_VALUE,
    NOT_ENROLLED,
    follow_up_step,
    no_pupil_of,
    not_enrolled_in,
    units_seen,
)
from schooltrial.data.linking.key_sources import Sources
from schooltrial.data.linking.roster_history import LINKS
from schooltrial.data.panel.bounded_cells import with_bounded_cells
from schooltrial.data.panel.published_means import AGGREGATES, aggregate_check
from schooltrial.data.panel.published_scores import school_score_rows
from schooltrial.data.panel.school_panel import build_school_panel, in_panel_order, panel_columns
from schooltrial.data.panel.school_sample import (
    add_school_baselines,
    build_school_sample,
    with_values_by_year,
)
from schooltrial.data.rows.matching import positions, texts
from schooltrial.data.sample.baseline_scores import BaselineScores, find_baseline_scores
from schooltrial.data.sample.filter_values import filter_value_faults
from schooltrial.data.sample.linked_tables import Tables, link_tables
from schooltrial.data.sample.rosters import RosterSample, plain
from schooltrial.data.tables.left_out import SHARED, all_left_out
from schooltrial.data.variables.derived import add_variables
from schooltrial.data.variables.measurements import link_measurements
from schooltrial.protocol.content.levels import CLASSES
from schooltrial.protocol.content.sample_rules import SampleRules
from schooltrial.refusal import Refusal, refuse


@dataclass(frozen=True)
class Accounts:
    """Results of the cleaning other than the sample of pupils.

    Attributes
    ----------
    teachers : DataFrame
        One row per teacher and year: school, block, arm, treated, and one column per outcome.
    panel : DataFrame
        School × year × outcome, from pupils and from school scores; then what is known of schools.
    bounded : DataFrame
        Cells that were published as a bound or a range; the panel's columns and both ends.
    schools : DataFrame
        One row per school and year, and one column per outcome of schools.
    ledger, flow : DataFrame
        Who left and why; and the counts of every step.
    mobility : DataFrame
        Where the pupils of each year were in the baseline year, and how they came on.
    aggregates : DataFrame
        School means from pupils beside those that were published.
    linking : DataFrame
        How many identifiers of each table were found in those that they belong to, by year.
    """

    teachers: pd.DataFrame
    panel: pd.DataFrame
    bounded: pd.DataFrame
    schools: pd.DataFrame
    ledger: pd.DataFrame
    flow: pd.DataFrame
    mobility: pd.DataFrame
    aggregates: pd.DataFrame
    linking: pd.DataFrame


@dataclass(frozen=True)
class Sample(Accounts):
    """All that the cleaning leaves.

    Attributes
    ----------
    pupils : DataFrame
        One row per pupil and year: school, block, arm, cluster (the unit that was assigned),
        treated (0/1), covariates, and one column per outcome in the unit of analysis.
    """

    pupils: pd.DataFrame


class SampleBuild:
    """The samples of a study, made year by year, so that one year of pupils is in memory.

    Take `years` to its end, then ask for the `accounts`.

    Parameters
    ----------
    tables : mapping of str to DataFrame or YearTable
        Standard tables by name; ``schools`` and ``assignment`` at least.
    rules : SampleRules
        The protocol.
    left_out, sources : optional
        As in `link_tables`.

    Raises
    ------
    Refusal
        Where tables do not fit together, see `link_tables`; or a filter asks for a text that no
        row has.
    """

    def __init__(
        self, tables: Tables, rules: SampleRules, left_out: pd.DataFrame | None = None,
        sources: Sources | None = None,
    ) -> None:  # fmt: skip
        self.rules = rules
        faults = list(filter_value_faults(tables, rules))
        try:
            self._linked = link_tables(tables, rules, left_out, sources)
        except Refusal as refusal:
            faults += refusal.faults
        refuse(faults)
        self._sources = sources or Sources()
        self._left_out = all_left_out([]) if left_out is None else left_out
        steps = ("pupils", "teachers", "school scores", "units", "follow-up", "analyses")
        self._ledgers = {name: Ledger(rules.secret) for name in steps}
        self._panels: list[pd.DataFrame] = []
        self._mobility: list[pd.DataFrame] = []
        self._aggregates: list[pd.DataFrame] = []
        self._followed: list[pd.DataFrame] = []
        self._outside_then = self._outside(rules.baseline)
        self._highest_grade: float = -np.inf
        for level in ("pupil", "teacher"):
            self._tell_shared(level)

    def years(self) -> Iterator[pd.DataFrame]:
        """Yield the sample of pupils, a year at a time in order; at least one frame."""
        sample = self._linked.pupils
        then = pd.DataFrame({"school": [], "arm": []}, index=pd.Index([], dtype="int32"))
        baselines, at_baseline = find_baseline_scores(sample)
        if at_baseline is not None:
            then = at_baseline.set_index("_unit")[["_school", "arm"]]
            then = then.rename(columns={"_school": "school"})
        for year, frame in self._frames(sample, baselines, self._ledgers["pupils"]):
            self._account(year, frame, then)
            yield plain(frame)
        if not sample.years:
            yield _empty("pupil", self.rules)

    def _tell_shared(self, level: str) -> None:
        """Log people who share an identifier, as the reading left all of them out."""
        rows = self._left_out
        mine = rows[
            (rows["table"] == f"{level}s") & (rows["variable"] == level)
            & (rows["reason"] == SHARED) & rows["year"].notna()
        ]  # fmt: skip
        if len(mine):
            self._ledgers[f"{level}s"].leave(
                mine.rename(columns={"name": level}), np.ones(len(mine), dtype=bool),
                step="shared identifiers", level=level,
                reason=f"several {level}s share the identifier",
            )  # fmt: skip

    def links(self) -> Iterator[pd.DataFrame]:
        """Yield every row of the enrolment records, a year at a time, with the year before."""
        history = self._linked.pupils.history
        if not history.years:
            yield pd.DataFrame({name: pd.Series(dtype="str") for name in LINKS})
        for year in history.years:
            yield history.links(year)

    def accounts(self) -> Accounts:
        """Return everything but the sample of pupils, once all its years were taken."""
        teachers = self._teachers()
        panel, bounded, schools = self._panel()
        self._follow()
        if self.rules.unit == "school" and len(teachers):
            record_follow_up(
                teachers, self.rules.baseline, self.rules.analysed_years,
                self._ledgers["follow-up"], key="teacher", level="teacher",
            )  # fmt: skip
        ledger = one_ledger(self._ledgers.values())
        mobility = [part for part in self._mobility if len(part)]
        aggregates = [part for part in self._aggregates if len(part)]
        return Accounts(
            teachers,
            panel,
            bounded,
            schools,
            ledger.departed(),
            ledger.flow(),
            pd.concat(mobility, ignore_index=True) if mobility else pd.DataFrame(columns=MOBILITY),
            pd.concat(aggregates, ignore_index=True)
            if aggregates
            else pd.DataFrame(columns=AGGREGATES),
            self._linked.keys.table(self._sources),
        )

    def _frames(
        self, sample: RosterSample, baselines: Sequence[BaselineScores], ledger: Ledger
    ) -> Iterator[tuple[int, pd.DataFrame]]:
        """Yield each year of a sample, with baselines; outcomes measured of nobody are logged."""
        outcomes = self.rules.outcomes_of(sample.level)
        for year in sorted({*sample.years, *sample.measured.years}):
            if year not in sample.years:
                nobody = _empty(sample.level, self.rules)
                measured = sample.measured.read(year)
                link_measurements(nobody, measured, sample.level, outcomes, ledger)
                continue
            frame = sample.year(year, ledger)
            for scores in baselines:
                frame = scores.add_to(frame)
            frame = add_variables(frame, self.rules.variables, control=self.rules.control)
            record_analyses(
                frame, sample.level, outcomes, self.rules.models, self._ledgers["analyses"],
                self.rules.take_up,
            )  # fmt: skip
            yield year, frame

    def _outside(self, year: int) -> dict[str, np.ndarray]:
        return self._linked.pupils.outside_lottery(year, self._linked.schools["school"])

    def _account(self, year: int, frame: pd.DataFrame, then: pd.DataFrame) -> None:
        """Take from a year of pupils what is logged at the end."""
        rules = self.rules
        outcomes = rules.outcomes_of("pupil")
        self._panels.append(build_school_panel(frame, list(outcomes), staggered=rules.staggered))
        for unit in ("school", *CLASSES):
            self._tell_absent(frame, year, unit, no_pupil_of(unit))
        now = frame[["year", "arm", "_unit", *FLAGS.values()]].assign(school=frame["_school"])
        if rules.levels.in_schools:
            moved = mobility_of_year(now, then, "_unit", rules.unit, elsewhere=self._outside_then)
            if rules.baseline >= min(rules.years["programme"]):
                dated = bool(rules.cleaning["assigned_on"]) and "entered" in frame
                moved = without_baseline(moved, rules.baseline, dated=dated)
            self._mobility.append(moved)
        if "grade" in frame and pd.api.types.is_numeric_dtype(frame["grade"]):
            highest = frame["grade"].max()
            self._highest_grade = max(
                self._highest_grade, -np.inf if pd.isna(highest) else float(highest)
            )
        if year in {rules.baseline, *rules.analysed_years}:
            columns = ["pupil", "year", "arm", "_unit", *(["grade"] if "grade" in frame else [])]
            self._followed.append(frame[columns])
        self._compare_published(year)

    def _tell_absent(self, frame: pd.DataFrame, year: int, unit: str, reason: str) -> None:
        """Log randomised schools or teachers without a row in a year."""
        if unit != self.rules.unit:
            return
        units = self._linked.units
        of_year = units[units["year"] == year] if "year" in units else units
        told = of_year[[unit, "arm"]].assign(year=year)
        absent = ~told[unit].isin(frame[unit].unique())
        sample = self._linked.teachers if unit == "teacher" else self._linked.pupils
        changed = unit == "school" and bool(self._linked.crosswalk.changes)
        leave_absent(
            told, absent, self._ledgers["units"], level=unit, step=units_seen(unit), reason=reason,
            schools=sample.history.schools,
            of_year=sample.history.schools_of[year] if changed else None,
        )  # fmt: skip

    def _compare_published(self, year: int) -> None:
        published = self._linked.published
        published = published[published["year"] == year]
        if len(published) == 0:
            return
        sample = self._linked.pupils
        successor = sample.history.years[year].successor
        names = pd.Series([*sample.history.schools, None], dtype="str")
        roster = sample.roster.read(year)
        roster["school"] = names.take(successor).set_axis(roster.index)
        self._aggregates.append(
            aggregate_check(
                roster, sample.measured.read(year), published, self.rules.outcomes_of("pupil"),
                self.rules.cleaning["mean_tolerance"],
            )
        )  # fmt: skip

    def _teachers(self) -> pd.DataFrame:
        sample = self._linked.teachers
        baselines, _ = find_baseline_scores(sample)
        frames = []
        for year, frame in self._frames(sample, baselines, self._ledgers["teachers"]):
            self._tell_absent(frame, year, "teacher", NOT_ENROLLED)
            frames.append(plain(frame))
        return pd.concat(frames, ignore_index=True) if frames else _empty("teacher", self.rules)

    def _panel(self) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """Return the panel from pupils and from school scores, bounded cells, and rows of schools.

        All have what is known of schools.
        """
        rules, linked = self.rules, self._linked
        rows, bounded = school_score_rows(
            linked.school_scores, linked.units, linked.schools, linked.crosswalk, rules,
            self._ledgers["school scores"],
        )  # fmt: skip
        for year in sorted(rows["year"].unique()) if rules.unit == "school" else ():
            told = linked.units[["school", "arm"]].assign(year=year)
            absent = ~told["school"].isin(rows.loc[rows["year"] == year, "school"])
            leave_without_values(
                told, absent, (self._ledgers["units"], self._ledgers["school scores"]),
                linked.crosswalk, set(linked.units["school"]),
                reason=NO_VALUE,
            )  # fmt: skip
        outcomes = rules.outcomes_of("school")
        rows, bounded = (add_school_baselines(part, rows, outcomes) for part in (rows, bounded))
        sample = build_school_sample(rows, bounded, outcomes, rules.last_before + 1)
        for name, outcome in outcomes.items():
            for label, fitted in rules.models.items():
                rule = fitted["bounded_cells"]
                cells = with_bounded_cells(rows, bounded, rule, rules.first_year)
                own = cells[cells["outcome"] == name].rename(columns={"mean": name})
                mine = with_values_by_year(own, sample)
                record_analyses(
                    mine, "school", {name: outcome}, {label: fitted}, self._ledgers["analyses"],
                    rules.take_up,
                )  # fmt: skip
        columns = panel_columns(rules.staggered)
        panel = in_panel_order([*self._panels, rows[columns]], columns)
        schools = add_variables(linked.schools, rules.variables, control=rules.control)
        known = [name for name in schools if name == "school" or name not in panel]
        ends = ["mean_low", "mean_high"]
        panel, partly = (
            add_school_baselines(
                part.merge(schools[known], on="school", how="left"), rows, outcomes
            )
            for part in (panel, bounded[[*columns, *ends]])
        )
        return panel, partly, sample

    def _follow(self) -> None:
        """Tell the ledger who of the baseline year, or of the assignment, was followed up."""
        if not self._followed:
            return
        rules, ledger = self.rules, self._ledgers["follow-up"]
        pupils = pd.concat(self._followed, ignore_index=True)
        if rules.unit == "pupil":
            units = self._linked.units
            number = positions(texts(units["pupil"]), self._linked.pupils.history.units)
            for year in rules.analysed_years:
                there = set(pupils.loc[pupils["year"] == year, "_unit"])
                ledger.leave(
                    units[["pupil", "arm"]].assign(year=year),
                    ~pd.Series(number).isin(there),
                    step=follow_up_step(None, year),
                    reason=not_enrolled_in(year),
                )
        record_follow_up(
            pupils, rules.baseline, rules.analysed_years, ledger, key="_unit",
            highest_grade=self._highest_grade,
            elsewhere={year: self._outside(year) for year in rules.analysed_years},
        )  # fmt: skip


def _empty(level: str, rules: SampleRules) -> pd.DataFrame:
    """Return a sample without rows, for a study that has no such table."""
    unit = [rules.unit] if level == "pupil" else []  # every row of a pupil names what was assigned
    texts_ = dict.fromkeys([level, *unit, "school", "block", "arm", "cluster"], "str")
    numbers = dict.fromkeys(["treated", *rules.outcomes_of(level)], "float64")
    types = {**texts_, "year": "Int64", **numbers}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in types.items()})


def build_sample(tables: Tables, rules: SampleRules) -> Sample:
    """Build the samples in memory, and the ledger of those who are not in them.

    Parameters
    ----------
    tables : mapping of str to DataFrame or YearTable
        Standard tables; see `SampleBuild`.
    rules : SampleRules

    Raises
    ------
    Refusal
        Where tables do not fit together.
    """
    build = SampleBuild(tables, rules)
    frames = list(build.years())
    filled = [frame for frame in frames if len(frame)] or frames
    return Sample(**vars(build.accounts()), pupils=pd.concat(filled, ignore_index=True))
