"""Studies that a run refuses, as a user sees it."""

from __future__ import annotations

from collections.abc import Callable

from e2e.clone import Clone


def test_a_faulty_raw_file_stops_the_study_with_one_message_and_nothing_half_written(
    new_clone: Callable[[], Clone],
) -> None:
    clone = new_clone()
    path = clone.trial / "raw" / "pupils_2022.csv"
    lines = path.read_text().splitlines()
    lines[4] = lines[4].rsplit(",", 1)[0] + ",absent"
    path.write_text("\n".join(lines) + "\n")
    run = clone.snakemake()
    assert run.code == 1
    assert "pupils_2022.csv, row 5, column 'reading': the value 'absent'" in run.text
    assert "fix:" in run.text
    assert "Traceback" not in run.text
    written = [p for p in clone.results.rglob("*") if p.is_file() and "logs" not in p.parts]
    assert written == []


def test_a_misspelt_key_is_refused_before_any_rule_and_says_which_was_meant(
    new_clone: Callable[[], Clone],
) -> None:
    clone = new_clone()
    protocol = clone.trial / "trial.yaml"
    protocol.write_text(protocol.read_text().replace("covariates:", "covarites:"))
    run = clone.snakemake()
    assert run.code == 1
    assert "unknown key 'covarites'" in run.text
    assert "Did you mean 'covariates'?" in run.text
    assert "Traceback" not in run.text
    assert not (clone.project / "results").exists()
