"""A stream is found by the seed and its own name, and by nothing else."""

from __future__ import annotations

from zlib import crc32

import numpy as np
import pytest
from numpy.random import PCG64, Generator, SeedSequence

from schooltrial.random_streams import stream

CHECK_VALUE = 0xCBF43926
"""CRC-32 of the text 123456789, the check value that the catalogues of such codes print."""


def _numbers(rng: Generator, how_many: int = 4) -> list[int]:
    return [int(number) for number in rng.integers(0, 2**32, size=how_many)]


def test_a_stream_is_the_child_of_its_seed_whose_key_is_the_code_of_its_name() -> None:
    expected = Generator(PCG64(SeedSequence(7, spawn_key=(CHECK_VALUE,))))
    np.testing.assert_array_equal(stream(7, "123456789").random(5), expected.random(5))


@pytest.mark.parametrize(
    ("names", "joined"),
    [(("entrants", 2019), "entrants/2019"), (("a", "b", "c"), "a/b/c"), (("école",), "école")],
)
def test_parts_of_a_name_are_joined_by_strokes_and_written_in_utf_8(
    names: tuple[str | int, ...], joined: str
) -> None:
    key = crc32(joined.encode("utf-8"))
    expected = Generator(PCG64(SeedSequence(11, spawn_key=(key,))))
    assert _numbers(stream(11, *names)) == _numbers(expected)


def test_the_order_of_the_parts_is_part_of_the_name() -> None:
    assert _numbers(stream(1, "a", "b")) != _numbers(stream(1, "b", "a"))


def test_the_streams_of_a_draw_begin_with_these_numbers() -> None:
    # Recorded draws were made from these: another list of numbers would repeat none of them.
    assert _numbers(stream(2024, "assignment")) == [798365542, 909129928, 2848665656, 750146607]
    assert _numbers(stream(2024, "entrants", 2019)) == [
        370162019, 2977161826, 2918879393, 2850021315,
    ]  # fmt: skip
