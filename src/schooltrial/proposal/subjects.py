"""Files with a row for each subject: which column says the subject, and which there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from schooltrial.proposal.people import columns_apart, plain_columns
from schooltrial.proposal.proposed import FEW, Proposal
from schooltrial.proposal.roles import slug
from schooltrial.proposal.seen import SeenColumn


def subject_of(found: Proposal) -> SeenColumn | None:
    """Return the column without which people (in a year) have several rows; None if none is.

    The rows of a person and year then differ in the text of that column, which is a category.
    """
    file = found.scores.last
    plain = {one.name for one in plain_columns(file, found.measured)}
    for one in columns_apart(file, found.score_columns.values()):
        if one.name in plain and 1 < len(one.spellings) <= FEW and not one.is_number:
            return one
    return None


def scores_by_subject(
    subject: SeenColumn, score: SeenColumn, taken: tuple[str, ...]
) -> Mapping[str, SeenColumn]:
    """Return outcome → the scores of its rows, under the text that names the subject."""
    found: dict[str, SeenColumn] = {}
    for texts in subject.spellings.values():
        cells = tuple(
            cell for cell, of in zip(score.cells, subject.cells, strict=True)
            if of.strip() in texts
        )  # fmt: skip
        found[slug(texts[0], [*found, *taken])] = replace(
            score, name=texts[0], cells=cells, title=""
        )
    return found
