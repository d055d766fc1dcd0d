"""How numbers, names and notes are put into sentences."""

from __future__ import annotations

from schooltrial.wording import part_notes


def test_a_note_of_all_rows_is_shared_and_the_others_stay() -> None:
    notes = ["few schools; F(3, 9)", "few schools", "other; few schools"]
    assert part_notes(notes) == (["few schools"], ["F(3, 9)", "", "other"])


def test_one_row_alone_keeps_its_note_and_a_row_without_any_shares_none() -> None:
    assert part_notes(["few schools"]) == ([], ["few schools"])
    assert part_notes(["few schools", ""]) == ([], ["few schools", ""])
    assert part_notes(["", ""]) == ([], ["", ""])
    assert part_notes([]) == ([], [])
