"""How numbers, names and notes are put into sentences."""

from __future__ import annotations

from schooltrial.wording import chance, degrees, part_notes, signed, stated_words


def test_a_note_of_all_rows_is_shared_and_the_others_stay() -> None:
    notes = ["few schools; F(3, 9)", "few schools", "other; few schools"]
    assert part_notes(notes) == (["few schools"], ["F(3, 9)", "", "other"])


def test_one_row_alone_keeps_its_note_and_a_row_without_any_shares_none() -> None:
    assert part_notes(["few schools"]) == ([], ["few schools"])
    assert part_notes(["few schools", ""]) == ([], ["few schools", ""])
    assert part_notes(["", ""]) == ([], ["", ""])
    assert part_notes([]) == ([], [])


def test_a_difference_has_its_sign_with_a_true_minus_and_zero_has_none() -> None:
    assert [signed(size) for size in (0.051, -0.094, -0.001, 0.0, 1234.5)] == [
        "+0.05", "−0.09", "0.00", "0.00", "+1,234.50",
    ]  # fmt: skip


def test_degrees_of_freedom_have_one_decimal_and_whole_ones_none() -> None:
    assert [degrees(df) for df in (19.9234, 34.0, 6.04)] == ["19.9", "34", "6"]


def test_a_chance_below_a_tenth_of_a_per_cent_is_said_to_be_less() -> None:
    assert [chance(p) for p in (0.0499, 0.001, 1e-5)] == ["5.0%", "0.1%", "less than 0.1%"]


def test_a_text_that_says_that_nothing_is_known_states_nothing() -> None:
    for words in ("Not known.", "unknown", "None stated", "n/a", "N.A.", "TBC", " ", None):
        assert stated_words(words) == "", words
    for words in ("None: the evaluators had no part in it", "None.", "A fund"):
        assert stated_words(words) == words
