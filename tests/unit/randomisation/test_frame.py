"""The frame of a draw is read as text in UTF-8, or refused."""

from pathlib import Path

import pytest

from schooltrial.randomisation.frame import read_frame
from schooltrial.refusal import Refusal
from support.sections import design

DESIGN = design()


def test_units_and_blocks_are_text_and_covariates_numbers(tmp_path: Path) -> None:
    file = tmp_path / "frame.csv"
    file.write_bytes(b"\xef\xbb\xbfschool,block,size\n007,01,120\n")
    frame = read_frame(str(file), DESIGN)
    assert frame.to_dict("list") == {"school": ["007"], "block": ["01"], "size": [120]}


def test_a_frame_in_another_encoding_is_refused_with_its_row(tmp_path: Path) -> None:
    file = tmp_path / "frame.csv"
    file.write_bytes("school,block\nA,1\nÉcole,1\n".encode("latin-1"))
    with pytest.raises(Refusal) as caught:
        read_frame(str(file), DESIGN)
    (fault,) = caught.value.faults
    assert (fault.row, fault.found) == (3, "the byte 0xc9, which is not UTF-8")
    assert fault.remedy == "save the eligible list as UTF-8"


def test_an_empty_frame_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "frame.csv"
    file.write_text("\n", encoding="utf-8")
    with pytest.raises(Refusal, match="the file is empty"):
        read_frame(str(file), DESIGN)
