"""How many parameters a fit with absorbed effects has spent: the rules that packages follow."""

from __future__ import annotations

from dataclasses import dataclass

from schooltrial.models.least_squares.absorbed_effects import Absorption


@dataclass(frozen=True)
class ParameterCounts:
    """How many parameters a fit spends, by the rules in use.

    Attributes
    ----------
    columns : int
        Independent columns, indicators of absorbed factors included.
    hidden : int
        Of these, the indicators.
    plan : Absorption
        What else was absorbed.
    """

    columns: int
    hidden: int
    plan: Absorption

    @property
    def slopes(self) -> int:
        """Reported coefficients only (the rule of R's plm)."""
        return self.columns - self.hidden

    @property
    def all(self) -> int:
        """Every absorbed effect counted (the rule of Stata's areg, and of estimatr)."""
        return self.columns + self.plan.groups

    @property
    def unnested(self) -> int:
        """Effects nested within clusters counted as one (the default rule of R's fixest)."""
        return self.all - max(self.plan.nested_groups - 1, 0)

    def by(self, rule: str) -> int:
        """Return the count under a rule: ``all``, ``unnested`` or ``slopes``."""
        if rule not in ("all", "unnested", "slopes"):
            raise ValueError(f"parameters must be all, unnested or slopes, not {rule!r}")
        return int(getattr(self, rule))
