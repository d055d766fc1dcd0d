"""A table is set in the largest letters, and on an unturned page, where its texts allow it."""

from __future__ import annotations

import pytest

from schooltrial.document.table_layout import (
    GAP,
    PRINTED,
    PRINTED_GAP,
    PRINTED_WIDTH,
    SIZES,
    SMALLEST_PRINTED,
    Wanted,
    breakable,
    fitted_layout,
    printed_size,
    shared_widths,
    width_of,
)

PAGES = (482.0, 716.0)


def test_a_small_table_has_the_largest_letters_and_its_page_is_not_turned() -> None:
    layout = fitted_layout(["Name", "N"], [["Maths", "40"]] * 3, [False, True], PAGES)
    assert (layout.size, layout.flipped, layout.whole) == (SIZES[0], False, True)


def test_a_long_table_of_many_columns_turns_its_page_and_a_short_one_does_not() -> None:
    heads = [f"Column number {i}" for i in range(14)]
    row = ["0.123", "programme", "[−0.123,\u00a00.345]"] * 4 + ["a", "a longer note of some words"]
    right = [True, False, True] * 4 + [False, False]
    assert fitted_layout(heads, [row] * 60, right, PAGES).flipped
    assert not fitted_layout(heads[:8], [row[:8]] * 3, right[:8], PAGES).flipped


@pytest.mark.parametrize("cell", ["[−0.123,\u00a00.345]", "3 of 4 (75%)"])
def test_numbers_are_not_divided_between_lines_while_there_is_room(cell: str) -> None:
    rows = [["words and more words " * 9, cell]] * 5
    layout = fitted_layout(["Text", "CI"], rows, [False, True], PAGES)
    assert layout.widths[1] >= width_of(cell)


def test_columns_fill_the_page_and_none_is_narrower_than_its_widest_word() -> None:
    rows = [["randomisation", "of schools in blocks " * 8, "x" * 15]] * 4
    layout = fitted_layout(["A", "B", "C"], rows, [False] * 3, PAGES)
    assert layout.widths[0] >= width_of("randomisation")
    assert layout.widths[2] >= width_of("x" * 15)
    assert sum(layout.widths) == pytest.approx(PAGES[layout.flipped] / layout.size, rel=0.01)
    assert min(layout.widths) > GAP / layout.size


def test_the_longest_text_gets_most_room_and_others_keep_their_lines() -> None:
    widths = shared_widths([5, 5], [Wanted(10, 10 * 64), Wanted(300, 90_000)], 60)
    assert widths[0] > 8
    assert widths[1] > 45


def test_long_runs_of_letters_may_break_after_marks_and_words_may_not() -> None:
    assert breakable("counterfactual randomisation") == "counterfactual randomisation"
    path = "results/chicago_collaborative/data/sample.parquet"
    assert "/\u200b" in breakable(path)
    assert breakable(path).replace("\u200b", "") == path
    assert max(map(len, breakable("0123456789abcdef" * 4).split("\u200b"))) == 16


def test_a_printed_table_has_letters_so_small_that_no_word_is_divided_or_divides_them() -> None:
    heads = ["Individuals analysed", "Note"]
    assert printed_size(heads, [["5,920", "closed form"]]) == PRINTED
    many = [f"Differential {at}" for at in range(14)]
    size = printed_size(many, [["1"] * 14])
    assert size is not None
    assert SMALLEST_PRINTED <= size < PRINTED
    assert size * 14 * width_of("Differential") + 14 * PRINTED_GAP <= PRINTED_WIDTH + 1e-9
    assert printed_size([f"Differential {at}" for at in range(30)], []) is None
    assert printed_size(["Checksum"], [["0" * 400]]) is None
