"""One year of pupils, or of teachers: who is analysed, in which school and group, with what scores.

The same steps hold for both: the crosswalk, the assignment, the declared rules, the link with what
was measured. Helper columns begin with an underscore; ``plain`` takes them away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa

from schooltrial.data.ledger import log_texts
from schooltrial.data.ledger.kept_rows import leave_outside
from schooltrial.data.ledger.ledger import Ledger
from schooltrial.data.linking.roster_history import (
    CLOSED,
    NO_ONE_ARM,
    NOWHERE,
    RosterHistory,
)
from schooltrial.data.rows.matching import as_text, positions, rows_at, sorted_within, texts
from schooltrial.data.tables.parquet import YearTable
from schooltrial.data.variables.composites import Making, make_outcomes
from schooltrial.data.variables.derived import add_variables, add_variables_again, over_zero
from schooltrial.data.variables.measurements import MEASURED, link_measurements
from schooltrial.data.variables.standardisation import (
    Scale,
    scale_at_baseline,
    standardised,
    standardised_for_all,
)
from schooltrial.protocol.content.levels import CLASSES, NO_SCHOOL, SCHOOL_MISSING
from schooltrial.protocol.content.made_variables import with_components
from schooltrial.protocol.content.sample_rules import SampleRules
from schooltrial.protocol.content.sections import Outcome

NAMES = ("school", "block", "arm", "cluster")
"""Columns that are categories while a sample is made, for speed, and texts when it is written."""


WITHIN = {"pupil": ("grade", "year"), "teacher": ("year",)}


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the sample without helper columns, its names as texts."""
    kept = frame[[name for name in frame if not str(name).startswith("_")]]
    named = [name for name in NAMES if isinstance(kept[name].dtype, pd.CategoricalDtype)]
    return kept.assign(**{name: as_text(kept[name]) for name in named})


@dataclass(frozen=True)
class RosterSample:
    """What a year of the sample is made from.

    Attributes
    ----------
    level : str
        ``pupil`` or ``teacher``: whose rows they are.
    roster, measured : YearTable
        The table of pupils or teachers, and that of their scores or observations.
    history : RosterHistory
        All the rosters.
    units : DataFrame
        What `read_units` returns.
    schools : DataFrame
        What is known of schools, by their number in the history.
    teachers : YearTable or None
        Attributes of teachers, for the pupils they teach.
    rules : SampleRules
        The protocol.
    """

    level: str
    roster: YearTable
    measured: YearTable
    history: RosterHistory
    units: pd.DataFrame
    schools: pd.DataFrame
    teachers: YearTable | None
    rules: SampleRules

    @property
    def years(self) -> list[int]:
        """Years in which there is a roster."""
        return list(self.history.years)

    def year(self, year: int, ledger: Ledger) -> pd.DataFrame:
        """Return the analysed rows of a year, outcomes on their scale, without baselines."""
        frame = self._measured_in(year, self._analysed(year, ledger), ledger)
        for name, outcome in self.rules.outcomes_of(self.level).items():
            frame[name] = standardised(
                frame, name, outcome, control=self.rules.control, within=WITHIN[self.level],
                at_baseline=self._scale(name, outcome),
            )  # fmt: skip
        return sorted_within(frame, frame["_school"].to_numpy(), self.level)

    def _analysed(self, year: int, ledger: Ledger) -> pd.DataFrame:
        """Return those who are analysed in a year, with all that is known of them but outcomes."""
        frame = self._with_flags(self.roster.read(year), year)
        frame = self._in_schools(frame, ledger)
        frame = self._assigned(frame, ledger)
        frame = self._described(frame, year)
        frame = self._by_rules(frame, ledger)
        variables, control = self.rules.variables, self.rules.control
        frame = add_variables(frame, variables, control=control)
        frame = leave_outside(frame, self.rules.keep, ledger, level=self.level)
        frame = add_variables_again(frame, variables, control=control)
        for name, none in over_zero(frame, variables):
            if none.any():
                ledger.leave(
                    frame, none, step="ratios over zero", reason=f"{name} over 0 is missing",
                    level=MEASURED[self.level][0],
                )  # fmt: skip
        return frame

    def _measured_in(self, year: int, frame: pd.DataFrame, ledger: Ledger) -> pd.DataFrame:
        """Return rows of a year with their outcomes as measured, before any is standardised."""
        outcomes = self.rules.outcomes_of(self.level)
        measured = self.measured.read(year)
        on_roster = self.history.units.take(pa.array(self.history.years[year].unit))
        frame = link_measurements(frame, measured, self.level, outcomes, ledger, on_roster)
        return make_outcomes(frame, outcomes, self._making, ledger)

    @property
    def _making(self) -> Making:
        return Making(self.level, self.rules.control, WITHIN[self.level], self._earlier)

    def _earlier(self, outcome: str, year: int) -> pd.Series:
        """Return what an outcome was in an earlier year, of everyone on its rosters."""
        if (outcome, year) not in self._measured_then:
            found = pd.Series(dtype="float64")
            if year in self.years:
                rule: Outcome = {**self.rules.outcomes[outcome], "standardise": "none"}
                analysed = self._analysed(year, Ledger(self.rules.secret))
                then = self.everyone(year, {outcome: rule}, analysed[["_unit", "arm"]])
                found = then.set_index("_unit")[outcome]
            self._measured_then[outcome, year] = found
        return self._measured_then[outcome, year]

    @cached_property
    def _measured_then(self) -> dict[tuple[str, int], pd.Series]:
        return {}

    @cached_property
    def _scales(self) -> dict[str, Scale]:
        return {}

    def _scale(self, name: str, outcome: Outcome) -> Scale | None:
        """Return mean and SD of the control group at baseline, for outcomes on this scale."""
        year = outcome["baseline_year"]
        if outcome["standardise"] != "control_at_baseline" or year is None:
            return None
        if name not in self._scales:
            then = pd.DataFrame({"arm": pd.Series(dtype="str"), name: pd.Series(dtype="float64")})
            if year in self.years:
                nobody = Ledger(self.rules.secret)
                then = self._measured_in(year, self._analysed(year, nobody), nobody)
            self._scales[name] = scale_at_baseline(
                then, name, control=self.rules.control, year=year, level=self.level
            )
        return self._scales[name]

    def everyone(
        self, year: int, outcomes: Mapping[str, Outcome], analysed: pd.DataFrame
    ) -> pd.DataFrame:
        """Return the outcomes of everyone on the rosters of a year, in the trial or not.

        Rules of who is analysed do not hold here: nobody leaves. The scale is that of the sample
        of that year, so that those who are in it have the same values here; where it was not
        schools that were assigned, see also `standardised_for_all`. Where the protocol does not
        trust a grade that is out of step, there is no score within grades either.

        Parameters
        ----------
        year : int
            A year with a roster.
        outcomes : mapping
            Outcomes of the level that are wanted.
        analysed : DataFrame
            The sample of that year, with ``_unit`` and ``arm``.

        Returns
        -------
        DataFrame
            ``_unit``, ``school`` (missing where it had closed, or is a merger without one group),
            and the outcomes, in the order of a sample.
        """
        frame = self._with_flags(self.roster.read(year), year)
        arm = np.full(len(self.history.units), -1, dtype=np.int16)
        arm[analysed["_unit"].to_numpy("int64")] = analysed["arm"].cat.codes
        frame = frame.assign(
            arm=pd.Categorical.from_codes(arm[frame["_unit"]], dtype=analysed["arm"].dtype),
            _school=np.maximum(frame["_school"], NOWHERE),
            _at=self._positions(frame),
        )
        frame = self._described(frame, year)
        if "grade" in frame and self.rules.cleaning["grade_out_of_step"] != "keep":
            frame = frame.assign(grade=frame["grade"].mask(frame["_out_of_step"]))
        frame = add_variables(frame, self.rules.variables, control=self.rules.control)
        measured, nobody = self.measured.read(year), Ledger(self.rules.secret)
        every = with_components(outcomes, self.rules.outcomes_of(self.level))
        frame = link_measurements(frame, measured, self.level, every, nobody)
        frame = make_outcomes(frame, every, self._making, nobody)
        # Where schools were assigned, what has no scale in the sample has none here: a baseline is
        # the outcome of that year, to the last digit.
        scaled = standardised if self.rules.unit == "school" else standardised_for_all
        for name, outcome in outcomes.items():
            frame[name] = scaled(
                frame, name, outcome, control=self.rules.control, within=WITHIN[self.level],
                analysed=frame["arm"].notna().to_numpy(), at_baseline=self._scale(name, outcome),
            )  # fmt: skip
        ordered = frame[[self.level, "_unit", "_school", "school", *outcomes]]
        return sorted_within(ordered, ordered["_school"].to_numpy(), self.level)

    def outside_lottery(self, year: int, schools: pd.Series) -> dict[str, np.ndarray]:
        """Return which pupils of a year were in no class that was assigned, or of such a teacher.

        Parameters
        ----------
        year : int
            Any year.
        schools : Series of str
            The study's schools: those that are described.

        Returns
        -------
        dict
            Where they were → their numbers; empty where neither teachers nor classes were assigned.
        """
        unit = self.rules.unit
        inside = self.rules.levels.holds_pupils and self.level == "pupil"
        if not inside or year not in self.history.years:
            return {}
        roster = self.history.years[year]
        frame = self.roster.read(year, [unit])
        names = pa.array(self.history.schools, pa.large_string())
        described = np.append(positions(names, texts(schools)) >= 0, False)
        there = described[np.maximum(roster.school, NOWHERE)]
        known = frame[unit].notna().to_numpy()
        outside = there & known & (self._positions(frame) < 0)
        place = "class" if unit == "teacher" else unit
        unknown = "a class without a known teacher" if unit == "teacher" else f"an unknown {unit}"
        return {
            f"a {place} outside the randomisation": roster.unit[outside],
            unknown: roster.unit[there & ~known],
        }

    @cached_property
    def _joined(self) -> pd.DataFrame:
        return self.units.astype({"block": "category", "cluster": "category"})

    @cached_property
    def unit_of(self) -> np.ndarray:
        """Position among the assigned units by the number of the school or unit."""
        unit = texts(self.units[self.rules.unit])
        by_school = self.rules.unit == "school"
        names = pa.array(self.history.schools, pa.large_string())
        return positions(names if by_school else self.history.units, unit)

    @cached_property
    def _at_baseline(self) -> np.ndarray:
        return self.history.school_in(self.rules.baseline)

    @cached_property
    def _first_entered(self) -> np.ndarray:
        """The earliest date of entry of every unit, also if enrolment records repeat it."""
        first = np.full(len(self.history.units), np.datetime64("NaT"), dtype="datetime64[ns]")
        for year, roster in self.history.years.items():
            read = self.roster.read(year, ["entered"])["entered"]
            dates = pd.to_datetime(read).to_numpy("datetime64[ns]")
            first[roster.unit] = np.fmin(first[roster.unit], dates)
        return first

    def _with_flags(self, frame: pd.DataFrame, year: int) -> pd.DataFrame:
        """Add the numbers of unit and school, and what the history says of the row."""
        roster, cleaning = self.history.years[year], self.rules.cleaning
        from_baseline = self.level == "pupil" and cleaning["analyse_in"] == "baseline_school"
        school = self._at_baseline[roster.unit] if from_baseline else roster.school
        joined = self.history.first_year[roster.unit] > self.rules.last_before
        if cleaning["assigned_on"] and "entered" in frame:
            entered = self._first_entered[roster.unit]
            later = entered > np.datetime64(cleaning["assigned_on"])
            joined = np.where(np.isnat(entered), joined, later)
        return frame.assign(
            _unit=roster.unit,
            _school=school,
            _elsewhere=school != roster.school,
            _recoded=roster.listed != roster.school,
            _joined_late=joined,
            _repeated_grade=self.history.repeated(year),
            _out_of_step=self.history.out_of_step(year),
        )

    def _in_schools(self, frame: pd.DataFrame, ledger: Ledger) -> pd.DataFrame:
        """Let go of those who have no school in which they could be analysed."""
        cleaning = self.rules.cleaning
        if self.level == "pupil" and cleaning["analyse_in"] == "baseline_school":
            frame = ledger.leave(
                frame, frame["_school"] == NOWHERE, step="school at baseline",
                reason=log_texts.not_enrolled_in(self.rules.baseline),
                level=self.level,
            )  # fmt: skip
        if any((schools.successor < 0).any() for schools in self.history.schools_of.values()):
            frame = ledger.leave(
                frame, frame["_school"] == CLOSED, step="crosswalk",
                reason=log_texts.CLOSED, level=self.level,
            )  # fmt: skip
        if any(schools.merged.any() for schools in self.history.schools_of.values()):
            before = cleaning["merged_schools"] == "before"
            frame = ledger.leave(
                frame, frame["_school"] == NO_ONE_ARM, step="merged schools",
                reason="in a merger of schools of the study"
                + (", without a school before it" if before else ""), level=self.level,
            )  # fmt: skip
        return frame

    def _assigned(self, frame: pd.DataFrame, ledger: Ledger) -> pd.DataFrame:
        """Join the unit that was assigned; who belongs to none leaves."""
        unit = self.rules.unit
        at = self._positions(frame)
        code = self.units["arm"].cat.codes.to_numpy()
        arm = np.where(at >= 0, code[np.maximum(at, 0)], -1) if len(code) else at
        frame = frame.assign(
            arm=pd.Categorical.from_codes(arm, dtype=self.units["arm"].dtype), _at=at
        )
        step = f"assigned {self.rules.levels.units}"
        if unit == "school" and NO_SCHOOL in self.history.schools:
            unnamed = frame["_school"] == self.history.schools.index(NO_SCHOOL)
            frame = ledger.leave(frame, unnamed, step=step, reason=SCHOOL_MISSING, level=self.level)
        if self.rules.levels.holds_pupils and self.level == "pupil":
            frame = ledger.leave(
                frame, frame[unit].isna(), step=step, reason=f"{unit} is missing",
                level=self.level,
            )  # fmt: skip
        reason = f"{unit} is not in the allocation list"
        if unit in ("pupil", *CLASSES) and self.level == "teacher":
            reason = f"{self.rules.levels.units} were randomised, not teachers"
        return ledger.leave(frame, frame["_at"] < 0, step=step, reason=reason, level=self.level)

    def _positions(self, frame: pd.DataFrame) -> np.ndarray:
        unit = self.rules.unit
        if unit in ("school", self.level):
            number = frame["_school" if unit == "school" else "_unit"].to_numpy()
            found: np.ndarray = self.unit_of[number]
            return found
        if self.rules.levels.holds_pupils and unit in frame:
            return positions(texts(frame[unit]), texts(self.units[unit]))
        return np.full(len(frame), -1)

    def _described(self, frame: pd.DataFrame, year: int) -> pd.DataFrame:
        """Join what is known of unit, school and teacher; a variable of one's own comes first."""
        school, at = frame["_school"].to_numpy(), frame["_at"].to_numpy()
        own = set(frame.columns) - ({"block", "cluster", "treated", "cohort"} & set(self.units))
        own |= {"school"}
        frame = frame.drop(columns=["_at"]).assign(
            school=pd.Categorical.from_codes(school, self.history.schools)
        )
        frame = frame[[name for name in frame if name in own]]
        joined = self._joined[[name for name in self._joined if name not in own]]
        parts = [frame, rows_at(joined, at, frame.index)]
        parts.append(rows_at(self._new(self.schools, parts), school, frame.index))
        if self.teachers is not None and "teacher" in frame and self.level == "pupil":
            teachers = self.teachers.read(year)
            taught = positions(texts(frame["teacher"]), texts(teachers["teacher"]))
            parts.append(rows_at(self._new(teachers, parts), taught, frame.index))
        return pd.concat(parts, axis=1)

    @staticmethod
    def _new(table: pd.DataFrame, parts: list[pd.DataFrame]) -> pd.DataFrame:
        there = {name for part in parts for name in part}
        return table[[name for name in table if name not in there]]

    def _by_rules(self, frame: pd.DataFrame, ledger: Ledger) -> pd.DataFrame:
        """Exclude pupils by the protocol's rules."""
        if self.level != "pupil":
            return frame
        for column, rule, step, reason in self._rules_of_pupils():
            if rule == "drop":
                frame = ledger.leave(frame, frame[column], step=step, reason=reason)
            if rule == "missing":
                frame = frame.assign(grade=frame["grade"].mask(frame["_out_of_step"]))
        return frame

    def _rules_of_pupils(self) -> Iterator[tuple[str, str, str, str]]:
        cleaning = self.rules.cleaning
        when = f"without an enrolment record up to {self.rules.last_before}"
        if cleaning["assigned_on"]:
            when = f"first enrolled after {cleaning['assigned_on']} or, without a date, {when}"
        yield "_joined_late", cleaning["joiners"], "joiners", when
        repeats = "in the same grade as the year before"
        yield "_repeated_grade", cleaning["repeated_grade"], "repeated grade", repeats
        odd = "the grade fell, or rose by more than the years that passed"
        yield "_out_of_step", cleaning["grade_out_of_step"], "grade inconsistent", odd
