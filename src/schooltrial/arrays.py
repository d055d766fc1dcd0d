"""Types of arrays, as the models name them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
"""Numbers."""
IntArray = NDArray[np.intp]
"""Positions and codes, as numpy indexes with them."""
