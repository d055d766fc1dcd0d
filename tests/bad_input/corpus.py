"""The corpus of bad input: studies that were spoilt, each with the answer that is due."""

from __future__ import annotations

from bad_input.cell_cases import CELLS
from bad_input.file_cases import FILES
from bad_input.protocol_cases import PROTOCOLS
from bad_input.study_cases import STUDIES
from support.spoilt_trial import Case

CASES: list[Case] = [*FILES, *CELLS, *STUDIES, *PROTOCOLS]
