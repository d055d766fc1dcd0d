"""What a run tells at its end, as a user sees it."""

from __future__ import annotations

import json
from collections.abc import Callable

import yaml

from e2e.clone import Clone

FORCED = ("assignments", "--forcerun", "draw_assignment")


def test_a_draw_tells_where_it_is_and_its_refusal_is_told_once_and_never_later(
    new_clone: Callable[[], Clone],
) -> None:
    clone = new_clone()
    protocol = clone.trial / "trial.yaml"
    content = yaml.safe_load(protocol.read_text("utf-8"))
    content["design"]["randomisation"] = {
        "seed": 3, "date": "2021-08-01", "eligible_list": "raw/schools.csv", "record": "draw.json",
    }  # fmt: skip
    protocol.write_text(yaml.safe_dump(content), encoding="utf-8")
    run = clone.snakemake(*FORCED)
    assert run.code == 0, run.text
    record = json.loads((clone.trial / "draw.json").read_text("utf-8"))
    assert "12 units of assignment (school) were drawn: 6 control, 6 treated" in run.text
    assert "elsewhere/draw.json" in run.text
    assert record["signature"] in run.text
    assert "The report of" not in run.text
    run = clone.snakemake(*FORCED)
    assert run.code == 1
    assert run.text.count("it is there already") == 2  # the record, and the list
    (clone.trial / "raw" / "pupils_2022.csv").unlink()
    run = clone.snakemake("results/small_trial/checks/raw_files.csv")
    assert run.code == 1
    assert "no such file" in run.text
    assert "it is there already" not in run.text
