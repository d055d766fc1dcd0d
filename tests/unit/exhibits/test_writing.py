"""Data of exhibits say from which protocol they come, and that they are synthetic."""

from pathlib import Path

import pandas as pd
import pytest

from schooltrial.exhibits.writing import write_data
from schooltrial.protocol.content.sections import StudyLine


@pytest.mark.parametrize("synthetic", [True, False])
def test_each_row_carries_the_whole_checksum_of_the_protocol(
    tmp_path: Path, synthetic: bool
) -> None:
    data = pd.DataFrame({"estimate": [0.1, 0.2]})
    study: StudyLine = {"synthetic": synthetic, "protocol": "ab" * 32, "title": "A trial"}
    write_data(data, study, str(tmp_path / "x.csv"))
    written = pd.read_csv(tmp_path / "x.csv")
    assert written["protocol"].tolist() == ["ab" * 32] * 2
    assert ("data" in written) is synthetic
    assert list(data) == ["estimate"], "what was given is left as it was"
