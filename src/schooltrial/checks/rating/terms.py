"""Inputs of an outcome's ratings, and the words of a rating."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import isinf, isnan, nan

from schooltrial.wording import listed

LOW, HIGH = "low", "high"


@dataclass(frozen=True)
class LevelAttrition:
    """Attrition at one level: rates as shares, the largest low differential, verdict and group."""

    level: str
    overall: float
    differential: float
    boundary: float
    verdict: str
    arm: str = ""


@dataclass(frozen=True)
class BaselineDifference:
    """A difference at baseline of the analysed sample.

    Attributes
    ----------
    level : str
        Of whom it is a mean: pupil, teacher, school.
    variable, label : str
        What it is of.
    size : float
        Standardised difference, by the measure of What Works Clearinghouse; infinite where each
        arm has one value and they differ, NaN where it is not known.
    own : bool
        Whether it is of the outcome itself, as it was before.
    adjusted : bool
        Whether the primary model adjusts for it.
    known, missing : int
        People or schools that have the variable, and that lack it.
    sample : str
        Whose difference it is: that of those analysed, or of schools as assigned, where a published
        outcome has no other.
    arm : str
        The group that is compared with control.
    basis : str
        Why it counts: ``own``, ``named`` by the protocol, or of the outcome's ``domain``.
    covered : bool
        Whether those who lack it are few, by the boundary that attrition is compared with, or their
        schools' means are known.
    note : str
        Why the size is infinite or not known.
    """

    level: str
    variable: str
    label: str
    size: float
    own: bool
    adjusted: bool
    known: int = 0
    missing: int = 0
    sample: str = "analysed"
    arm: str = ""
    basis: str = "own"
    covered: bool = True
    note: str = ""


JOINED = "joined after the assignment"
"""What joiners did, where rosters show it."""


@dataclass(frozen=True)
class RatingInputs:
    """All inputs of the ratings of one outcome.

    Attributes
    ----------
    outcome : str
        Name of the outcome.
    randomised : bool
        Whether units were assigned at random.
    assignment_verdict : str
        What the check of the assignment found.
    compromised, doubted : bool
        Whether that verdict contradicts the randomisation, or doubts it.
    attrition : tuple of LevelAttrition
        Units, and people in the units that stay.
    people_attrition : float
        Share of people lost, all units together; NaN where not known.
    baseline : tuple of BaselineDifference
        What the standard asks to be alike: the measures that the protocol names, else the
        outcome's own baseline, of those analysed or of their schools, else that of outcomes of its
        domain. Empty where none is known: nothing else takes its place.
    joined : float
        Share of the people analysed who came after the assignment; NaN where not known.
    joiners_justification : str
        The protocol's reason why they are a low risk; empty if there is none.
    changed_arm : float
        Share of the people of the baseline, still there, who are in another group by then; NaN
        where not known.
    crossovers : float
        Share of an arm's units that received what they should not, or where take-up is recorded
        not what they should; NaN where neither is recorded.
    crossed : str
        Units that crossed over, and what they did: ``of the teachers in the …``; empty if not
        known.
    mdes : float
        Minimum detectable effect size (MDES) at randomisation, SD; NaN where not known.
    satisfied, adjustable : float
        Bands of baseline equivalence.
    arms : tuple of str
        Groups that the primary model compares with control; of several the worst counts.
    of_arm : mapping
        Field → the group whose share or size it is, where there are several.
    unsure : tuple of str
        Fields that are known of some of the groups compared, and not of all.
    label : str
        Name of the outcome in exhibits.
    people : str
        Whose outcome it is, in the plural: pupils, teachers, schools.
    came : str
        What joiners did, as far as the files show it.
    formed_since : bool
        Whether the assigned units hold groups that are formed again each year, as a teacher’s
        class is: ``joined`` and ``changed_arm`` are then of all on the rosters of the year, by
        where they were at baseline, and both are excused by ``joiners_justification``.
    """

    outcome: str
    randomised: bool
    assignment_verdict: str
    compromised: bool
    attrition: tuple[LevelAttrition, ...]
    people_attrition: float
    baseline: tuple[BaselineDifference, ...]
    mdes: float
    satisfied: float
    adjustable: float
    doubted: bool = False
    joined: float = nan
    joiners_justification: str = ""
    changed_arm: float = nan
    crossovers: float = nan
    crossed: str = ""
    arms: tuple[str, ...] = ()
    of_arm: Mapping[str, str] = field(default_factory=dict)
    unsure: tuple[str, ...] = ()
    label: str = ""
    people: str = "people"
    came: str = JOINED
    formed_since: bool = False

    def whose(self, arm: str) -> str:
        """Return the name of a group as the beginning of a text, where there are several."""
        return f"group {arm}: " if arm and len(self.arms) > 1 else ""

    def told(self, name: str, words: str) -> str:
        """Return words about a field with the group that decides, where there are several."""
        return self.whose(self.of_arm.get(name, "")) + words


@dataclass(frozen=True)
class Criterion:
    """One thing that a standard looks at.

    Attributes
    ----------
    name : str
    finding : str
        Words on what was found.
    result : str
        What follows for the rating.
    lowers : bool
        Whether it keeps the rating from being higher.
    """

    name: str
    finding: str
    result: str
    lowers: bool


@dataclass(frozen=True)
class Rating:
    """A rating, the rule that decided it, what would change it, and every criterion."""

    standard: str
    rating: str
    rule: str
    would_change: str
    criteria: tuple[Criterion, ...] = ()


@dataclass(frozen=True)
class Change:
    """One thing that would have to differ, in words and as inputs."""

    words: str
    apply: Callable[[RatingInputs], RatingInputs]


@dataclass(frozen=True)
class Lift:
    """A rating that is higher, and all that would have to differ to reach it."""

    rating: str
    changes: tuple[Change, ...]

    @property
    def words(self) -> str:
        """The changes as one clause."""
        return listed([change.words for change in self.changes])

    def applied(self, inputs: RatingInputs) -> RatingInputs:
        """Return the inputs as they would be."""
        for change in self.changes:
            inputs = change.apply(inputs)
        return inputs


def worst_of(differences: Iterable[BaselineDifference]) -> BaselineDifference | None:
    """Return the largest difference that is known; None if there is none."""
    known = (one for one in differences if not isnan(one.size))
    return max(known, key=lambda one: abs(one.size), default=None)


def sized(size: float) -> str:
    """Return the size of a difference in words, also if infinite or not known."""
    if isnan(size):
        return "an unknown amount"
    return "an infinite number of SDs" if isinf(size) else f"{abs(size):.3f} SD"


def named(difference: BaselineDifference, inputs: RatingInputs) -> str:
    """Return which baseline difference is meant, and of how many it is known."""
    of = f"{difference.label}, {difference.level}s"
    of += " by the SD of their means" if difference.level == "school" else ""
    of += {"named": ", a baseline measure that the protocol names",
           "domain": ", of the same family, as no baseline of the outcome itself is known",
           }.get(difference.basis, "")  # fmt: skip
    if difference.missing:
        of += f"; known for {difference.known:,} of {difference.known + difference.missing:,}"
    if isinf(difference.size):
        of += "; each group has one value, and they differ"
    return of if len(inputs.baseline) == 1 else f"{of}; largest of {len(inputs.baseline)}"
