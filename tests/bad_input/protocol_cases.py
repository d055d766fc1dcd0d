"""Protocols that are YAML tricks, or state what cannot be."""

from __future__ import annotations

from typing import Any

from support.spoilt_trial import Case, Planted, Refused, Spoil, protocol, replaced

SEED, NAME = "seed: 7\n", "name: small\n"
BOMB = "seed: [&a [x, x], &b [*a, *a], &c [*b, *b], &d [*c, *c]]\n"
ZEROS = "0" * 64


def _yaml(name: str, old: str, new: str, found: str, row: int | None = None) -> Case:
    """Return a case of a text that is refused with its line."""
    at = {SEED: 4, NAME: 2}[old] if row is None else row
    planted = Planted("trial.yaml", found, at, None, "YAML in UTF-8", "fix that line")
    return Case(name, replaced(old, new), Refused((planted,), "protocol"))


def _stated(name: str, path: str, value: Any, found: str, **words: Any) -> Case:
    """Return a case of a value that is refused at its key; `at` where another key is at fault."""
    return _spoilt(name, protocol(path, value), words.pop("at", path), found, **words)


def _spoilt(name: str, spoil: Spoil, path: str, found: str, **words: Any) -> Case:
    return Case(
        name, spoil, Refused((_Anywhere("trial.yaml", found, None, path, **words),), "protocol")
    )


class _Anywhere(Planted):
    """A fault whose line depends on how the protocol happens to be written out."""

    def told_by(self, fault: Any) -> bool:
        words = self.found in fault.found and self.expected in fault.expected
        place = (fault.file, fault.column) == (self.file, self.column) and fault.row is not None
        return place and words and self.remedy in fault.remedy


PUPIL = "tables.pupils.0.columns"
DAYS = [
    ("cleaning.latest_date", "tomorrow"),
    ("cleaning.assigned_on", "30/06/2019"),
    ("cleaning.assigned_on", "2019-06-31"),
    ("blinding.until", "soon"),
    ("blinding.until", "20300101"),
    ("registration.date", "2019-W01-1"),
    ("design.randomisation.date", "２０１９-01-01"),
]
PROTOCOLS = [
    _yaml("aliases that would unfold without end", SEED, BOMB, "the anchor &a"),
    _yaml("an alias of nothing", SEED, "seed: *a\n", "the alias *a"),
    _yaml("a tag of Python", SEED, "seed: !!python/object/apply:os.getcwd []\n", "the tag tag:yaml.org,2002:python"),
    _yaml("a tag of a type", SEED, 'seed: !!int "7"\n', "the tag tag:yaml.org,2002:int"),
    _yaml("three thousand lists in each other", SEED, f"seed: {'[' * 3000}\n", "more than 50 nested sections"),
    _yaml("an integer of five thousand digits", SEED, f"seed: {'9' * 5000}\n", "a number of 5,000 digits"),
    _yaml("an octal number", SEED, "seed: 010\n",
    "'010' is a number to some programs and text to others"),
    _yaml("a number with a zero that is no octal one", SEED, "seed: 08\n", "'08' is a number to some programs"),
    _yaml("a hexadecimal number in the protocol", SEED, "seed: 0x10\n", "'0x10' is a number to some programs"),
    _yaml("a number with underscores", SEED, "seed: 1_000\n", "'1_000' is a number to some programs"),
    _yaml("a number to base sixty", SEED, "seed: 20:19\n", "'20:19' is a number to some programs"),
    _yaml("a fraction to base sixty", SEED, "seed: 20:19.5\n", "'20:19.5' is not a number in plain"),
    _yaml("a number that is not one", SEED, "seed: .nan\n", "'.nan' is not a number in plain"),
    _yaml("a number without end", SEED, "seed: -.inf\n", "'-.inf' is not a number in plain"),
    _yaml("a number beyond what can be computed with", SEED, f"seed: 1{'0' * 400}.0\n", "a number that is too large"),
    _yaml("half of a character", SEED, 'seed: "\\ud800"\n', "the character U+D800"),
    _yaml("a character that ends file names", SEED, 'seed: "a\\0b"\n', "the character U+0000"),
    _yaml("a key that cannot be shown", SEED, '"see\\x01d": 7\n', "the character U+0001"),
    _yaml("a list for a key", SEED, "? [seed]\n  : 7\n",
    "a list or section is in the place of a key"),
    _yaml("two documents in a file", SEED, "seed: 7\n---\nnotes: []\n", "but found another document", 5),
    _stated("a seed with a point", "study.seed", 7.0, "the value 7.0"),
    _stated("years before that come later", "years", {"baseline": [2021], "programme": [2019, 2020]}, "2021 is in `baseline`, but 2019 is in `programme`", at="years.programme"),
    _stated("a baseline in the year of the outcome", "outcomes.maths.baseline_year", 2020,
    "is 2020, but no later year follows"),
    _stated("a score that is a date", "tables.scores.0.columns.value.type", "date", "is read as date", expected="integer, number or flag"),
    _stated("a rate of a category", "outcomes.attendance.ratio.numerator", "sex", "computes with 'sex', which is read as category", expected="a number"),
    _stated("a threshold of a category", "variables.girl", {"from": "sex", "at_least": 1, "label": "Girl"}, "computes with 'sex', which is read as category", at="variables.girl.at_least"),
    _stated("names of columns on the thousand millionth line", "tables.schools.0.header_row", 10**9, "1000000000 is greater than the maximum"),
    _stated("a file whose name no folder could hold", "tables.schools.0.file", "a" * 5000, "is too long"),
    _stated("a name that ends in a new line", "study.name", "small\n", r"the text 'small\n'"),
    _stated("a number beyond whole numbers", "outcomes.maths.range", [0, 2**53 + 2], "9007199254740994", at="outcomes.maths.range.1"),
    _stated("a year beyond years", "years.follow_up", [20200], "20200 is greater than the maximum", at="years.follow_up.0"),
    *(
        _stated(f"a day in other words: {day} for {path}", path, day, repr(day), expected="a day that exists, as YYYY-MM-DD")
        for path, day in DAYS
    ),
    _stated("a deviation of no day", "deviations", [{"date": "", "what": "a", "why": "b"}], "the text ''", at="deviations.0.date"),
    _stated("a text that is a number", "study.title", 99, "the value 99", remedy="put it in quotes"),
    _stated("a checksum that holds the place of one", "tables.schools.0.sha256", ZEROS, "whose digits repeat", remedy="sha256sum"),
    _stated("a checksum of one pair of digits", "tables.schools.0.sha256", "ab" * 32, "whose digits repeat"),
    _stated("a range that is turned round", "outcomes.maths.range", [500, 0], "the range 500 to 0"),
    _stated("a range of one value", "outcomes.maths.range", [5, 5], "the range 5 to 5"),
    _stated("the range of a column turned round", f"{PUPIL}.grade.range", [8, 3], "the range 8 to 3"),
    _stated("a text that is coded and missing", f"{PUPIL}.sex.missing", ["f"], "a code for 'F', which is also listed in `missing`", at=f"{PUPIL}.sex.codes"),
    _stated("a text that is coded, and missing in its file", "tables.assignment.0.missing", ["", "T"], "a code for 'T'", at="tables.assignment.0.columns.arm.codes"),
    _stated("shares of less than one in all", "design.arms", [{"name": "control", "label": "C", "share": 0.5}, {"name": "programme", "label": "T", "share": 0.4}], "0.5, 0.4", expected="shares that sum to 1"),
    _stated("a share that leaves nothing", "design.arms", [{"name": "control", "label": "C", "share": 0.9999999}, {"name": "programme", "label": "T"}], "0.9999999, None", expected="divide the rest"),
    _stated("a criterion that accepts every draw", "design.randomisation.balance_on", ["size"], "no effect with `acceptance_rate: 1`", remedy="0.1"),
    _stated("a share of draws without a criterion", "design.randomisation.acceptance_rate", 0.1, "has no effect without `balance_on`"),
    _stated("an address that is none", "registration.url", "see our page", "the text 'see our page'"),
]  # fmt: skip
