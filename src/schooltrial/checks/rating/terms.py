"""What the ratings of an outcome rest on, and what a rating says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import nan

from schooltrial.wording import listed

LOW, HIGH = "low", "high"


@dataclass(frozen=True)
class LevelAttrition:
    """Attrition at one level: rates as shares, the largest low differential, verdict and arm."""

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
        Standardised difference, by the measure of What Works Clearinghouse.
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
        The arm that is compared with control.
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


@dataclass(frozen=True)
class RatingInputs:
    """All that the ratings of one outcome rest on.

    Attributes
    ----------
    outcome : str
        Name of the outcome.
    randomised : bool
        Whether units came to their arm by lot.
    assignment_verdict : str
        What the check of the assignment found.
    compromised, doubted : bool
        Whether that verdict contradicts the lot, or doubts it.
    attrition : tuple of LevelAttrition
        Units, and people in the units that stay.
    people_attrition : float
        Share of people lost, all units together; NaN where not known.
    baseline : tuple of BaselineDifference
        What the standard asks to be alike: the outcome's own baseline of those analysed, else that
        of their schools, else all that is compared.
    joined : float
        Share of the people of the analysis who came after the assignment; NaN where not known.
    joiners_justification : str
        The protocol's reason why they are a low risk; empty for none.
    changed_arm : float
        Share of the people of the baseline, still there, who are analysed in another arm; NaN
        where not known.
    crossovers : float
        Share of an arm's units that received what they should not, or where take-up is recorded
        not what they should; NaN where nothing tells.
    mdes : float
        Least detectable effect at randomisation, SD; NaN where not known.
    satisfied, adjustable : float
        Bands of baseline equivalence.
    arms : tuple of str
        Arms that the primary model compares with control; of several the worst counts.
    of_arm : mapping
        Field → the arm whose share or size it is, where there are several.
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
    arms: tuple[str, ...] = ()
    of_arm: Mapping[str, str] = field(default_factory=dict)

    def whose(self, arm: str) -> str:
        """Return the name of an arm as the beginning of a text, where there are several."""
        return f"arm {arm}: " if arm and len(self.arms) > 1 else ""

    def told(self, name: str, words: str) -> str:
        """Return words about a field with the arm that decides, where there are several."""
        return self.whose(self.of_arm.get(name, "")) + words


@dataclass(frozen=True)
class Rating:
    """A rating, the rule that decided it, and what would change it."""

    standard: str
    rating: str
    rule: str
    would_change: str


@dataclass(frozen=True)
class Change:
    """One thing that would have to be otherwise, in words and as inputs."""

    words: str
    apply: Callable[[RatingInputs], RatingInputs]


@dataclass(frozen=True)
class Lift:
    """A rating that is higher, and all that would have to be otherwise to reach it."""

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
    """Return the largest difference; None for none."""
    return max(differences, key=lambda one: abs(one.size), default=None)


def named(difference: BaselineDifference, inputs: RatingInputs) -> str:
    """Return which row of the baseline table is meant, and of how many it is known."""
    of = f"{difference.label}, {difference.level}s"
    of += " by the SD of their means" if difference.level == "school" else ""
    if not difference.own:
        of += ", as no prior outcome is known"
    if difference.missing:
        of += f"; known for {difference.known:,} of {difference.known + difference.missing:,}"
    return of if len(inputs.baseline) == 1 else f"{of}; largest of {len(inputs.baseline)}"
