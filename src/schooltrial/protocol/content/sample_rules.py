"""What the protocol declares of the samples, as one thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from schooltrial.protocol.content.filters import Filter
from schooltrial.protocol.content.levels import DesignLevels
from schooltrial.protocol.content.sections import (
    Arm,
    Cleaning,
    DerivedVariable,
    Design,
    Kind,
    Model,
    Outcome,
    SampleSection,
    TakeUp,
    Unit,
    Years,
    analysis_years,
    first_year,
    last_before,
)


class SampleSections(TypedDict):
    """The sections that samples are made by."""

    design: Design
    years: Years
    cleaning: Cleaning
    variables: dict[str, DerivedVariable]
    outcomes: dict[str, Outcome]
    take_up: TakeUp
    sample: SampleSection
    models: dict[str, Model]


@dataclass(frozen=True)
class SampleRules:
    """All that the protocol says of how samples are made.

    Attributes
    ----------
    design, years, cleaning, variables, outcomes, models
        Sections of the protocol.
    keep : mapping
        The filter of those who are kept.
    take_up : str or None
        Variable that tells whether the programme was taken up.
    baseline : int
        Year at which groups are compared.
    secret : str
        Key of the hashes in the ledger: what only those who hold the data can know. Identifiers
        are few enough to be tried one by one, so a key that is published would hide nobody.
    """

    design: Design
    years: Years
    cleaning: Cleaning
    variables: Mapping[str, DerivedVariable]
    outcomes: Mapping[str, Outcome]
    models: Mapping[str, Model]
    keep: Filter
    take_up: str | None
    baseline: int
    secret: str

    @classmethod
    def of(cls, sections: SampleSections, *, baseline: int, secret: str) -> SampleRules:
        """Return the rules that the sections of a protocol state."""
        return cls(
            design=sections["design"],
            years=sections["years"],
            cleaning=sections["cleaning"],
            variables=sections["variables"],
            outcomes=sections["outcomes"],
            models=sections["models"],
            keep=sections["sample"]["keep"],
            take_up=sections["take_up"]["variable"],
            baseline=baseline,
            secret=secret,
        )

    @property
    def arms(self) -> list[Arm]:
        """The groups, the control group first."""
        return self.design["arms"]

    @property
    def unit(self) -> Unit:
        """What was assigned."""
        return self.design["unit"]

    @property
    def kind(self) -> Kind:
        """How units were drawn."""
        return self.design["kind"]

    @property
    def control(self) -> str:
        """Name of the control group."""
        return self.arms[0]["name"]

    @property
    def staggered(self) -> bool:
        """Whether schools entered in cohorts."""
        return self.kind == "staggered"

    @property
    def last_before(self) -> int:
        """The last year before the programme; its first if there is none before."""
        return last_before(self.years)

    @property
    def first_year(self) -> int:
        """The first year of the programme."""
        return first_year(self.years)

    @property
    def levels(self) -> DesignLevels:
        """What the trial is made of."""
        return DesignLevels.of(self.design)

    @property
    def analysed_years(self) -> Sequence[int]:
        """Years of the primary analysis."""
        return analysis_years({"years": self.years, "models": dict(self.models)})

    def outcomes_of(self, level: str) -> dict[str, Outcome]:
        """Return the outcomes of a level."""
        return {name: part for name, part in self.outcomes.items() if part["measured_on"] == level}
