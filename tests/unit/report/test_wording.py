"""What the report says in words of the design and its registration."""

import pytest

from schooltrial.report.wording import registration_sentence

NONE = {"registry": "", "identifier": "", "date": "", "url": "", "plan_sha256": None}


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ({}, "The protocol names no registration."),
        ({"registry": "AEARCTR"}, "Registered: AEARCTR."),
        ({"identifier": "0001"}, "Registered: 0001."),
        ({"date": "2019-06-30"}, "Registered: 2019-06-30."),
        ({"url": "https://example.org"}, "Registered:"),
        (
            {"registry": "AEARCTR", "identifier": "0001", "date": "2019-06-30"},
            "Registered: AEARCTR 0001, 2019-06-30.",
        ),
    ],
)
def test_whatever_is_stated_of_the_registration_is_told(stated: dict[str, str], told: str) -> None:
    assert registration_sentence({**NONE, **stated}) == told
