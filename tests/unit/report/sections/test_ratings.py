"""What the section on ratings says once, and what of each outcome."""

from __future__ import annotations

from typing import Any

from schooltrial.report.sections.ratings import rated_alike
from schooltrial.report.sections.summary import at_most_notes


def _rated(label: str, lost: str, rating: str = "at most 1 of 5") -> dict[str, Any]:
    unknown = "‘At most’: the share of joiners is not known, which could only lower the rating"
    return {
        "label": label, "year": 2020, "disagreement": [],
        "ratings": [
            {"standard": "WWC", "rating": "meets", "rule": "randomised", "would_change": ""},
            {
                "standard": "EEF", "rating": rating,
                "rule": f"3 of 5 for attrition ({lost}; of 90); {unknown}", "would_change": "",
            },
        ],
    }  # fmt: skip


def test_outcomes_that_are_rated_alike_are_told_together_and_others_apart() -> None:
    alike = rated_alike([_rated("Maths", "24%"), _rated("Reading", "23%")])
    assert [[one.label for one in group] for group in alike] == [["Maths", "Reading"]] * 2
    assert alike[1][0].sentences[0] == "3 of 5 for attrition (24%; of 90)."
    apart = rated_alike([_rated("Maths", "24%"), _rated("Reading", "23%", "0 of 5")])
    assert [[one.label for one in group] for group in apart] == [
        ["Maths", "Reading"], ["Maths"], ["Reading"],
    ]  # fmt: skip


def test_what_at_most_means_is_noted_once_where_a_rating_is_such() -> None:
    assert at_most_notes([_rated("Maths", "24%"), _rated("Reading", "23%")]) == [
        "‘At most’: the share of joiners is not known, which could only lower the rating."
    ]
