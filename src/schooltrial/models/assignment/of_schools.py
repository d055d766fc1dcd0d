"""Reduce pupils' records of assignment to one row for each school, and refuse contradictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from schooltrial.models.assignment.design import (
    AssignmentDesign,
    AssignmentError,
    design_as_assigned,
    shown,
)
from schooltrial.models.moments.school_runs import find_school_runs


@dataclass(frozen=True, slots=True)
class SchoolAssignment:
    """One row for each school, in sorted order of the labels.

    Attributes
    ----------
    schools : array (J,)
        Labels.
    arm : array (J,)
        Group labels.
    block : array (J,) or None
        Block labels.
    """

    schools: NDArray[Any]
    arm: NDArray[Any]
    block: NDArray[Any] | None

    def design(
        self, *, arms: Sequence[Any] | None = None, one_arm_blocks: bool = False
    ) -> AssignmentDesign:
        """Return the design that fixes the numbers by group that were drawn in each block.

        A block with one group is refused, or, where told so, stays as it is in every re-draw.
        """
        return design_as_assigned(
            self.schools, self.arm, self.block, arms=arms, one_arm_blocks=one_arm_blocks
        )

    def with_one_arm(self) -> list[str]:
        """Return the blocks of which one group alone is left, in order."""
        if self.block is None:
            return []
        names = np.unique(self.block).tolist()
        return [str(b) for b in names if len(np.unique(self.arm[self.block == b])) < 2]


def school_assignment(
    school: ArrayLike, arm: ArrayLike, block: ArrayLike | None = None
) -> SchoolAssignment:
    """Return the group and block of each school from rows of pupils.

    Parameters
    ----------
    school, arm : arrays of labels, one per pupil
    block : array of labels, one per pupil, optional

    Raises
    ------
    AssignmentError
        If a school holds pupils of two groups or of two blocks; the school is named.
    """
    runs = find_school_runs(school)
    codes = runs.row_codes()
    of_school = _constant(codes, runs.labels, arm, "groups", "an assignment of schools")
    blocks = None
    if block is not None:
        blocks = _constant(codes, runs.labels, block, "blocks", "a school drawn once")
    return SchoolAssignment(runs.labels, of_school, blocks)


def _constant(
    codes: NDArray[np.int64], schools: NDArray[Any], labels: ArrayLike, what: str, expected: str
) -> NDArray[Any]:
    """Return the one label of each school."""
    values = np.asarray(labels)
    if values.shape != codes.shape:
        raise AssignmentError(
            f"assignment: {values.size} {what} for {codes.size} pupils; give one for each row"
        )
    own = np.empty(len(schools), dtype=values.dtype)
    own[codes] = values
    differs = np.flatnonzero(own[codes] != values)
    if differs.size:
        at = codes[differs[0]]
        found = np.unique(values[codes == at]).tolist()
        raise AssignmentError(
            f"assignment: school {shown(schools[at])} has pupils in {len(found)} {what} "
            f"({', '.join(map(repr, found))}), where {expected} has one; "
            "use the group the school was assigned to, for all its pupils"
        )
    return own
