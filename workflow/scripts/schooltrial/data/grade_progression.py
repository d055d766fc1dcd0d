"""Whether pupils went up a grade a year: who repeated one, and whose grade is out of step."""

from __future__ import annotations

import numpy as np


def repeated_grade(grade: np.ndarray, before: np.ndarray, passed: np.ndarray) -> np.ndarray:
    """Return who is in the grade in which they were the year before.

    Parameters
    ----------
    grade, before : ndarray of float
        Grade now, and on the last roster before; NaN where it is not known.
    passed : ndarray of int
        Years since that roster; 0 where there is none.
    """
    repeated: np.ndarray = (passed == 1) & (grade == before)
    return repeated


def out_of_step(grade: np.ndarray, before: np.ndarray, passed: np.ndarray) -> np.ndarray:
    """Return whose grade fell, or rose by more than the years that passed.

    The grade is held against the last roster on which the pupil was, so that one wrong grade can
    put two years out of step: the one in which it stands, and the next.
    """
    rise = grade - before
    odd: np.ndarray = (passed > 0) & ((rise < 0) | (rise > passed))
    return odd
