"""Baseline differences of the analytic sample, in the measures that decide equivalence.

What Works Clearinghouse asks whether the analysed sample was alike in baseline measures of the
outcome's domain, or in proxies that were named in advance (Standards Handbook 4.1, chapter II).
Other variables of the balance table, such as gender, show nothing of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from schooltrial.checks.balance.analysed import analysed_pupils, score_before
from schooltrial.checks.balance.compared_columns import school_rows
from schooltrial.checks.balance.standardised_differences import ANALYSED, plain_differences
from schooltrial.data.rows.coding import code_columns
from schooltrial.data.rows.school_rows import rows_of_outcome
from schooltrial.protocol.consistency.baseline_measures import year_of_baseline
from schooltrial.protocol.content.sections import (
    Balance,
    Compared,
    Design,
    Level,
    Model,
    Outcome,
    analysis_years,
    baseline_year,
    measured_years,
    model_of_outcome,
    modelled_arms,
    years_of_model,
)

Basis = Literal["own", "named", "domain"]
"""The outcome's own baseline, a measure that the protocol names, or one of the same family."""

EQUIVALENCE_COLUMNS = [
    "outcome", "model", "basis", "sample", "level", "arm", "variable", "category", "label",
    "n_control", "n_treated", "missing", "missing_control", "missing_treated", "n_control_units",
    "n_treated_units", "mean_control", "mean_treated", "sd_control", "sd_treated", "difference",
    "standardised_difference", "wwc_effect_size", "wwc_measure", "wwc_band", "note",
]  # fmt: skip

PLACE = ("school", "cluster", "block", "arm", "treated")

SCHOOL_MEAN = "_before_school"


class EquivalenceSections(Compared):
    """The sections of a protocol that say who is analysed, and by what equivalence is judged."""

    design: Design
    outcomes: dict[str, Outcome]
    models: dict[str, Model]


@dataclass(frozen=True)
class Measure:
    """A baseline measure of those analysed.

    Attributes
    ----------
    name : str
    level : str
        Of whom it is: pupil, teacher or school.
    rows : DataFrame
        One row per person or school, with the measure in a column of its name.
    """

    name: str
    level: str
    rows: pd.DataFrame

    @property
    def known(self) -> bool:
        """Whether anybody has it."""
        return bool(self.rows[self.name].notna().any())

    @property
    def values(self) -> pd.Series:
        """What each has, as numbers; missing if that is none."""
        return pd.to_numeric(self.rows[self.name].astype("object"), errors="coerce").astype(
            "float64"
        )


@dataclass(frozen=True)
class Analysis:
    """The analytic sample of a primary model for one outcome, and where its baseline is found.

    Attributes
    ----------
    content : EquivalenceSections
        The protocol's sections.
    outcome : str
    level : {"pupil", "teacher", "school"}
        Whose outcome it is.
    rows : DataFrame
        One row per person or school analysed.
    samples : mapping
        Level → the sample of all years.
    attributes : collection of str
        Variables of schools, which are compared school by school.
    """

    content: EquivalenceSections
    outcome: str
    level: Level
    rows: pd.DataFrame
    samples: Mapping[str, pd.DataFrame]
    attributes: Collection[str]

    def of_outcome(self, outcome: str) -> Measure:
        """Return an outcome as it was at baseline, of each person (or school) analysed.

        The baseline of whoever was outside the sample then, such as a pupil in a class that was
        not randomised, is the score from before that the sample holds.
        """
        year = year_of_baseline(self.content["outcomes"][outcome], self.content)
        part = self.content["outcomes"][outcome]["gain_from"]
        source = part["outcome"] if part else outcome
        sample, before = self.samples[self.level], f"{source}_before"
        values = pd.Series(float("nan"), self.rows.index)
        if year is not None and source in sample:
            values = self._looked_up(sample[sample["year"] == year], source)
        if before in self.rows:
            declared = self.content["outcomes"].get(source)
            if (declared and declared["baseline_year"] == year) or not values.notna().any():
                values = values.astype("float64").fillna(self._before(before))
        return self._measure(outcome, values)

    def of_schools(self, outcome: str) -> Measure:
        """Return the means of the schools of those analysed in an outcome at baseline."""
        mean, declared = f"{outcome}{SCHOOL_MEAN}", self.content["outcomes"][outcome]
        if self.level == "school" or "school" not in self.rows:
            return Measure(outcome, "school", pd.DataFrame({outcome: []}))
        if mean in self.rows and declared["measured_on"] == self.level:
            return self._by_school(mean, self.rows[mean])
        year = year_of_baseline(declared, self.content)
        sample = self.samples.get(declared["measured_on"], pd.DataFrame())
        if year is None or outcome not in sample:
            return Measure(outcome, "school", pd.DataFrame({outcome: []}))
        then = sample[sample["year"] == year]
        means = then.groupby(then["school"].astype("str"))[outcome].mean()
        return self._by_school(outcome, self.rows["school"].astype("str").map(means))

    def named(self, name: str) -> Measure:
        """Return a measure that the protocol names."""
        if name in self.content["outcomes"]:
            if self.content["outcomes"][name]["measured_on"] != self.level:
                return _known_or(self.of_schools(name), self._unknown(name))
            own = self.of_outcome(name)
            return own if own.known else _known_or(self.of_schools(name), own)
        sample = self.samples[self.level]
        if name.endswith("_before") and f"{name}_missing" in self.rows:
            return self._measure(name, self._before(name))
        if name not in sample:
            return self._unknown(name)
        if self.level != "school" and (name.endswith(SCHOOL_MEAN) or name in self.attributes):
            by_school = self._by_school(name, self.rows[name])
            return _known_or(by_school, self._measure(name, self.rows[name]))
        then = sample[sample["year"] == baseline_year(self.content)]
        values = self._looked_up(then, name)
        return self._measure(name, values if values.notna().any() else self.rows[name])

    def _unknown(self, name: str) -> Measure:
        return self._measure(name, pd.Series(float("nan"), self.rows.index))

    def _looked_up(self, then: pd.DataFrame, name: str) -> pd.Series:
        """Return what a year holds of those analysed."""
        held = then.drop_duplicates(self.level).set_index(self.level)[name]
        return self.rows[self.level].astype("object").map(held)

    def _before(self, name: str) -> pd.Series:
        """Return the score from before; the sample holds 0 if there is none."""
        return score_before(self.rows, name.removesuffix("_before"))

    def _measure(self, name: str, values: pd.Series) -> Measure:
        place = [column for column in PLACE if column in self.rows]
        return Measure(name, self.level, self.rows[place].assign(**{name: values}))

    def _by_school(self, name: str, values: pd.Series) -> Measure:
        place = [column for column in PLACE if column in self.rows and column != "cluster"]
        return Measure(
            name, "school", school_rows(self.rows[place].assign(**{name: values}), [name])
        )


def with_baseline_measures(content: EquivalenceSections, attributes: Collection[str]) -> Balance:
    """Return the ``balance`` section with the measures that outcomes name, each at its level.

    Parameters
    ----------
    content : EquivalenceSections
        The protocol's sections ``balance`` and ``outcomes``.
    attributes : collection of str
        Variables of schools.
    """
    settings = content["balance"]
    wanted: dict[str, list[str]] = {
        "pupil": list(settings["pupil_variables"]),
        "teacher": list(settings["teacher_variables"]),
        "school": list(settings["school_variables"]),
    }
    for outcome in content["outcomes"].values():
        for name in outcome["baseline_measures"]:
            other = content["outcomes"].get(name)
            of_school = name.endswith(SCHOOL_MEAN) or name in attributes
            level = other["measured_on"] if other else outcome["measured_on"]
            level = "school" if of_school else level
            # A score from before holds 0 where there is none: it is compared by the outcome.
            plain = name.removesuffix("_before")
            shown = plain if plain in content["outcomes"] else name
            if shown in content["outcomes"]:
                year = year_of_baseline(content["outcomes"][shown], content)
                if year != baseline_year(content):
                    continue  # the table is of one year, in which this outcome is not at baseline
            if shown not in wanted[level]:
                wanted[level].append(shown)
    return {
        **settings,
        "pupil_variables": wanted["pupil"],
        "teacher_variables": wanted["teacher"],
        "school_variables": wanted["school"],
    }


def primary_outcomes(protocol: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return (outcome, model) of every primary outcome and the first primary model that fits it."""
    found: dict[str, str] = {}
    for name, model in protocol["models"].items():
        if model["role"] == "primary":
            for outcome in model["outcomes"]:
                if protocol["outcomes"][outcome]["primary"]:
                    found.setdefault(outcome, name)
    return list(found.items())


def rated_year(model: Model, content: Mapping[str, Any]) -> int:
    """Return the year for which a primary model is rated: the last with data that it analyses."""
    sections: Any = content
    named = years_of_model(model, sections["years"])
    there = measured_years(sections["years"])
    return max([year for year in named if year in there] or named or analysis_years(sections))


def equivalence_table(
    content: EquivalenceSections,
    samples: Mapping[str, pd.DataFrame],
    labels: Mapping[str, str],
    attributes: Collection[str] = (),
    take_up: str | None = None,
) -> pd.DataFrame:
    """Compare those analysed at baseline, for every primary outcome.

    Parameters
    ----------
    content : EquivalenceSections
        The protocol's sections ``design, years, outcomes, models, balance``.
    samples : mapping
        Level (pupil, teacher, school) → its sample of all years.
    labels : mapping
        Variable → its name in exhibits.
    attributes : collection of str
        Variables of schools.
    take_up : str, optional
        What a model of the effect on compliers needs too.

    Returns
    -------
    DataFrame
        ``EQUIVALENCE_COLUMNS``, a row per outcome, measure (category of it) and arm. The measures
        are those of ``baseline_measures``, and the outcome's own baseline where it is known though
        not named; without named ones, the own baseline, of people and of their schools; else those
        of the outcomes of its family. A measure that is known of nobody has a row whose size is
        missing; an outcome without a measure has none.
    """
    means = {f"{name}{SCHOOL_MEAN}": labels.get(name, name) for name in content["outcomes"]}
    labels = {**means, **labels}
    rows: list[dict[str, Any]] = []
    for outcome, name in primary_outcomes(content):
        model = content["models"][name]
        analysis = _analysis(content, outcome, model, samples, attributes, take_up)
        if analysis is None:
            continue
        compared = _compared_arms(content, model)
        for basis, measure in _measures(analysis):
            columns = code_columns(measure.rows, [measure.name], levels="all", labels=labels)
            rows += [
                {**row, "outcome": outcome, "model": name, "basis": basis}
                for row in plain_differences(
                    ANALYSED, measure.level, measure.rows, columns, content["balance"], compared
                )
            ]  # fmt: skip
    return pd.DataFrame(rows, columns=EQUIVALENCE_COLUMNS)


def _analysis(
    content: EquivalenceSections,
    outcome: str,
    model: Model,
    samples: Mapping[str, pd.DataFrame],
    attributes: Collection[str],
    take_up: str | None,
) -> Analysis | None:
    level, year = content["outcomes"][outcome]["measured_on"], rated_year(model, content)
    sample = samples.get(level)
    if sample is None or sample.empty or outcome not in sample:
        return None
    if level == "school":
        sample = rows_of_outcome(sample, outcome, model["bounded_cells"])
    fitted = model_of_outcome(model, outcome, content["outcomes"])
    rows = analysed_pupils(sample, fitted, outcome, level, take_up)
    rows = rows[rows["year"] == year].drop_duplicates(level).reset_index(drop=True)
    if rows.empty:
        return None
    return Analysis(content, outcome, level, rows, {**samples, level: sample}, attributes)


def _compared_arms(content: EquivalenceSections, model: Model) -> Sequence[str]:
    control, *others = [str(arm["name"]) for arm in modelled_arms(content["design"])]
    return [control, *(arm for arm in others if not model["arms"] or arm in model["arms"])]


def _measures(analysis: Analysis) -> Iterator[tuple[Basis, Measure]]:
    """Yield the measures of an analysis, and why they count."""
    outcomes = analysis.content["outcomes"]
    declared = outcomes[analysis.outcome]
    if declared["baseline_measures"]:
        named = {name: analysis.named(name) for name in declared["baseline_measures"]}
        for name, measure in named.items():
            yield "own" if names_own([name], analysis.outcome) else "named", measure
        own = analysis.of_outcome(analysis.outcome)
        again = any(measure.values.equals(own.values) for measure in named.values())
        if own.known and not again and not names_own(named, analysis.outcome):
            yield "own", own
        return
    before = [analysis.of_outcome(analysis.outcome), analysis.of_schools(analysis.outcome)]
    known = [measure for measure in before if measure.known]
    for measure in known:
        yield "own", measure
    if known:
        return
    kin = [
        name
        for name, other in outcomes.items()
        if name != analysis.outcome
        and other["family"] == declared["family"]
        and other["measured_on"] == declared["measured_on"]
    ]
    for name in kin:
        for measure in (analysis.of_outcome(name), analysis.of_schools(name)):
            if measure.known:
                yield "domain", measure


def names_own(measures: Collection[str], outcome: str) -> bool:
    """Return whether an outcome's own baseline is among the measures that a protocol names."""
    return outcome in measures or f"{outcome}_before" in measures


def _known_or(one: Measure, other: Measure) -> Measure:
    """Return the first measure if anybody has it, else the second."""
    return one if one.known else other
