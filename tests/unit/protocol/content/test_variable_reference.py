"""Standard variables are explained where the user asks: in the terminal."""

from __future__ import annotations

from schooltrial.protocol.content.variable_reference import reference_lines
from support.small_trial import schema

SCHEMA = schema()


def test_standard_variables_are_listed_with_the_columns_and_explained_by_their_names() -> None:
    told = reference_lines(SCHEMA, "tables.pupils.columns")
    assert any(line.startswith("  grade: Grade, a number") for line in told)
    assert any(line.startswith("  column: ") for line in told)
    first, place, also = reference_lines(SCHEMA, "grade")
    assert first.startswith("grade: Grade, a number")
    assert "tables.pupils.columns" in place
    assert "schooltrial help outcomes.norms.grade" in also
