"""A study in its standard tables, in memory: what the clean stage begins with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from schooltrial.data.sample.build import Sample, build_sample
from schooltrial.protocol.content.sample_rules import SampleRules
from schooltrial.protocol.content.sections import Model, Outcome
from schooltrial.protocol.form.schema_validation import with_defaults
from support.sections import design, section
from support.small_trial import schema

SCHOOLS = pd.DataFrame({"school": [f"S{at}" for at in range(1, 7)]}, dtype="str").assign(
    region=pd.Categorical(["north", "south"] * 3)
)
ASSIGNMENT = pd.DataFrame(
    {"school": ["S1", "S2", "S3", "S4"], "block": ["1", "1", "2", "2"]}
).assign(arm=pd.Categorical(["control", "programme"] * 2))
"""S5 and S6 are schools that were not assigned."""


def outcome(**keys: Any) -> Outcome:
    """Return an outcome with the defaults of the schema."""
    node = schema()["properties"]["outcomes"]["additionalProperties"]
    made: Outcome = with_defaults({"label": "", "family": "", **keys}, node, schema())
    return made


def model(**keys: Any) -> Model:
    """Return a primary model with the defaults of the schema."""
    node = schema()["properties"]["models"]["additionalProperties"]
    plain = {"label": "", "estimator": "multilevel", "role": "primary", **keys}
    made: Model = with_defaults(plain, node, schema())
    return made


def roster(rows: Sequence[tuple[Any, ...]], *columns: str, unit: str = "pupil") -> pd.DataFrame:
    """Return pupils or teachers: identifier, year, school, then the named columns."""
    frame = pd.DataFrame(rows, columns=[unit, "year", "school", *columns])
    types = {unit: "str", "school": "str", "year": "Int64"}
    types |= {name: "Int64" for name in columns if name == "grade"}
    types |= {name: "str" for name in columns if name == "teacher"}
    return frame.astype(types).sort_values(["year", unit], ignore_index=True)


def scores(rows: Sequence[tuple[Any, ...]], name: str = "maths") -> pd.DataFrame:
    """Return scores of one outcome: pupil, year, value."""
    frame = pd.DataFrame(rows, columns=["pupil", "year", "value"])
    frame["outcome"] = pd.Categorical([name] * len(frame))
    return frame.astype({"pupil": "str", "year": "Int64", "value": "float64"})


def sample_rules(**keys: Any) -> SampleRules:
    """Return rules of a trial of 2019 and 2020; keys of the design stand beside the others."""
    of_design = {name: keys.pop(name) for name in ("kind", "unit", "arms") if name in keys}
    plain: dict[str, Any] = {
        "design": design(**{"kind": "complete", **of_design}),
        "years": section("years", baseline=[2019], programme=[2020]),
        # a frame of five pupils is no study: one without a match is a fifth of them
        "cleaning": section("cleaning", **{"match_at_least": 0, **keys.pop("cleaning", {})}),
        "variables": {},
        "outcomes": {"maths": outcome()},
        "models": {},
        "keep": {},
        "take_up": None,
        "baseline": 2019,
        "secret": "1",
    }
    return SampleRules(**plain | keys)


def build(tables: Mapping[str, pd.DataFrame], **keys: Any) -> Sample:
    """Clean a study; what is not named is as simple as can be."""
    every = {"schools": SCHOOLS, "assignment": ASSIGNMENT, **tables}
    return build_sample(every, sample_rules(**keys))


def cut(sample: Sample, level: str) -> int:
    """Return how many rows of a table left before the sample was made."""
    ledger = sample.ledger
    later = ledger["step"].astype("str").str.startswith(("analysed", "followed up"))
    units = ledger["step"].isin(["schools with pupils", "teachers with an enrolment record"])
    return int(((ledger["level"] == level) & ~later & ~units).sum())


def reasons(sample: Sample, level: str = "pupil") -> dict[str, int]:
    """Return reason → how many left for it."""
    told = sample.ledger[sample.ledger["level"] == level]
    return {str(name): int(count) for name, count in told["reason"].value_counts().items()}
