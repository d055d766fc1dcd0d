"""Lines that are no wider than their room, whatever the words."""

from __future__ import annotations

import pytest
from matplotlib.font_manager import FontProperties

from schooltrial.exhibits.style.text_lines import width_of, wrap

FONT = FontProperties(family="DejaVu Sans", size=9)
FINNISH = "Koulunkäynninohjaajakoulutusohjelmaryhmät"
ARABIC = "برنامج القراءة المبكرة لتلاميذ الصف الثالث"


@pytest.mark.parametrize("text", [FINNISH, ARABIC, "Reading partners in small towns", "M" * 60])
@pytest.mark.parametrize("width", [0.4, 1.0, 2.5])
def test_no_line_is_wider_than_its_room(text: str, width: float) -> None:
    assert all(width_of(line, FONT) <= width for line in wrap(text, width, FONT))


def test_no_letter_is_lost_and_a_word_that_goes_on_has_a_hyphen() -> None:
    lines = wrap(FINNISH, 1.0, FONT)
    assert len(lines) > 1
    assert all(line.endswith("-") for line in lines[:-1])
    assert "".join(line.rstrip("-") for line in lines) == FINNISH


def test_a_word_of_arabic_that_goes_on_has_no_hyphen() -> None:
    word = ARABIC.replace(" ", "")
    assert "".join(wrap(word, 0.8, FONT)) == word


def test_lines_part_between_words() -> None:
    assert " ".join(wrap(ARABIC, 1.2, FONT)) == ARABIC


def test_what_fits_and_the_lines_that_a_text_has_stay() -> None:
    assert wrap("Maths", 2.0, FONT) == ["Maths"]
    assert wrap("Maths\n5 or more", 2.0, FONT) == ["Maths", "5 or more"]


def test_lines_that_hang_are_narrower_by_as_much() -> None:
    first, *others = wrap("Reading partners in all small towns", 1.2, FONT, hanging=0.3)
    assert width_of(first, FONT) > 0.9
    assert others
    assert all(width_of(line, FONT) <= 0.9 for line in others)


def test_a_larger_letter_is_wider() -> None:
    assert width_of("Maths", FontProperties(size=9)) < width_of("Maths", FontProperties(size=9.5))
