"""jsonschema is imported without the grammar that it does not need here."""

from __future__ import annotations

import subprocess
import sys

from support.small_trial import ROOT

SOURCE = ROOT / "src"
CHECK = """
import sys
from schooltrial.protocol.form.json_schema import Validator
assert "rfc3987_syntax" not in sys.modules
assert [error.validator for error in Validator({"type": "object"}).iter_errors(3)] == ["type"]
"""


def test_the_grammar_of_addresses_is_not_built_and_validation_works() -> None:
    command = [sys.executable, "-c", CHECK]
    done = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
