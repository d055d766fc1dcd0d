"""What the protocol declares of the cleaning, as one thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from schooltrial.protocol.sections import Model, Outcome


@dataclass(frozen=True)
class CleaningSteps:
    """The section ``cleaning`` of the protocol, as far as it is of samples; see the schema."""

    school_of_pupil: str = "year"
    joiners: str = "keep"
    assigned_on: str = ""
    repeated_grade: str = "keep"
    grade_out_of_step: str = "keep"
    merged_schools: str = "before"
    mean_tolerance: float = 0.5

    @classmethod
    def of(cls, section: Mapping[str, Any]) -> CleaningSteps:
        """Return the steps of a section; what it leaves out is as the schema has it."""
        names = {item.name for item in fields(cls)}
        return cls(**{name: value for name, value in section.items() if name in names})


@dataclass(frozen=True)
class SampleRules:
    """All that the protocol says of how samples are made.

    Attributes
    ----------
    outcomes, arms, variables, keep, models : mapping or sequence
        Sections of the protocol.
    baseline : int
        Year at which arms are compared.
    years : sequence of int
        Years of the primary analysis.
    secret : str
        Key of the hashes in the ledger: what only those who hold the data can know. Identifiers
        are few enough to be tried one by one, so a key that is published would hide nobody.
    unit : str
        What was assigned: ``school``, ``teacher`` or ``pupil``.
    kind : str
        Kind of the design.
    last_before : int
        The last year before the programme.
    take_up : str or None
        Variable that tells whether the programme was taken up.
    steps : CleaningSteps
        The declared steps.
    """

    outcomes: Mapping[str, Outcome]
    arms: Sequence[Mapping[str, Any]]
    variables: Mapping[str, Mapping[str, Any]]
    keep: Mapping[str, Sequence[Any]]
    models: Mapping[str, Model]
    baseline: int
    years: Sequence[int]
    secret: str
    unit: str = "school"
    kind: str = "complete"
    last_before: int = 0
    take_up: str | None = None
    steps: CleaningSteps = field(default_factory=CleaningSteps)

    @property
    def control(self) -> str:
        """Name of the control arm."""
        return str(self.arms[0]["name"])

    @property
    def staggered(self) -> bool:
        """Whether schools entered in cohorts."""
        return self.kind == "staggered"

    def outcomes_of(self, level: str) -> dict[str, Outcome]:
        """Return the outcomes of a level."""
        return {name: part for name, part in self.outcomes.items() if part["level"] == level}
