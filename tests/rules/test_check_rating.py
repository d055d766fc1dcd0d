"""The study's record as JSON: what is not known is null, and what is infinite is said to be so."""

from __future__ import annotations

import json
from math import inf, nan

import numpy as np

from check_rating import as_json


def test_infinite_and_unknown_numbers_are_told_apart_in_the_record() -> None:
    text = as_json({"size": inf, "other": -np.float64(inf), "unknown": nan, "known": [0.1, 3]})
    assert json.loads(text) == {
        "size": "infinite", "other": "-infinite", "unknown": None, "known": [0.1, 3],
    }  # fmt: skip
