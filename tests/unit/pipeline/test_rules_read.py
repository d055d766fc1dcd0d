"""What Snakemake's master imports when it reads the rules; it does so before every run."""

import re
import subprocess
import sys

from support.small_trial import ROOT

HEAVY = {"numpy", "pandas", "pyarrow", "scipy", "matplotlib", "numba"}


def test_reading_the_rules_imports_no_library_of_tables_or_numbers() -> None:
    common = (ROOT / "workflow" / "rules" / "common.smk").read_text("utf-8")
    lines = re.findall(r"^(?:from|import) (?:[^\n(]+\([^)]*\)|[^\n]+)", common, re.MULTILINE)
    assert any("study.study" in line for line in lines)
    told = "import sys\n" + "\n".join(lines) + "\nprint(*{m.split('.')[0] for m in sys.modules})"
    run = subprocess.run(
        [sys.executable, "-c", told],
        cwd=ROOT / "src",
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(run.stdout.split()) & HEAVY == set()
