"""What a column is for, by its name: an identifier, the group, a block, the year, a pre-test."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from schooltrial.proposal.seen import SeenColumn, SeenFile
from schooltrial.proposal.times import end_of_school_year, what_and_when

_NUMBER = r"(_?(id|code|no|nr|num|number|nummer|numero|key|name|ref|dfe|urn))?"
PATTERNS = {
    "school": r"(school|sch|site|campus|urn|centre|center|schule?|ecole|etablissement|escuela"
    rf"|escola|scuola|skola?e?|la_?estab|laestab|dfe|establishment|nces|ncessch){_NUMBER}",
    "pupil": r"(pupil|student|stud|child|learner|upn|participant|schue?ler(in|innen)?|kind|eleve"
    rf"|alumno|aluno|alunno|leerling|elev){_NUMBER}",
    "teacher": rf"(teacher|staff|educator|lehrer|lehrkraft|enseignant|docente?){_NUMBER}",
    "class": rf"(class|classroom|form|klasse|classe){_NUMBER}",
    "grade": r"(year|yr|class|grade|school_year|nc_?year)_?(group|grp|level)|class_?year|year|yr"
    r"|(school_)?grade|form|nc_?year|jahrgang(sstufe)?|klassenstufe|niveau|curso",
    "arm": r"((study|trial|treatment|intervention|experimental)_)?"
    r"(arm|group|condition|allocation|assignment)"
    r"|treat|treated|treatment|assigned|allocated|intervention|programme|program"
    r"|((is|in)_)?(treat(ment|ed)?|intervention|programme|program|control|experimental|trial|study)"
    r"_(schools?|pupils?|students?|teachers?|class|status|yn|y_n|flag|dummy)"
    r"|(is|in)_(the_)?(treatment|intervention|programme|program|control)(_group)?"
    r"|(randomi[sz](ed|ation)|allocat(ed|ion)|assign(ed|ment))"
    r"_(to|group|arm|status|condition|result|outcome)|rct_group"
    r"|(versuchs|studien)?gruppe|groupe|grupo|gruppo|bedingung|zuteilung",
    "block": r"(randomi[sz]ation_)?(block|strat(um|a)|pair|triplet|matched_(pair|set)|paar|paire)"
    r"(_?(id|no|nr))?",
    "year": r"(school_?|academic_?|test_?)?(year|yr)|wave_year|(schul|test)?jahr|annee"
    r"|(test_?|survey_?)?(wave|round|time|time_?point|occasion|phase|period|welle)|when|pre_?post",
    "cohort": r"cohort|first_(treated_)?year|(start|entry|adoption)_year"
    r"|((year|when)_)?(started|began|begins|starts)(_(in|year))?"
    r"|year_(started|joined|adopted)|(roll_?out|adoption|entry|treatment|programme|program)_(wave|phase|cohort|year)|roll_?out",
    "count": r"(n|number|count)(_(of_)?(pupils?|students?|tested|tests))?|tested|n_?tested"
    r"|(pupils|students)_tested|test_?takers|(pupils|students)",
}
"""Role → the names that a column of that role may have, in lower case and with underscores."""

YEAR_IN_NAME = re.compile(r"(?<!\d)(19|20)\d\d(?!\d)")

CONTROL = re.compile(
    r"(?i)c|ctrl|control.*|comparison.*|0|no|none|n|business.as.usual|bau|untreated|usual.*|false"
    r"|(.*[ _-])?wait(ing)?[ _-]?list(ed|[ _-].*)?|delayed.*|(.+ as|as) usual|standard.*|regular.*"
    r"|no[ _-](treatment|intervention|programme|program|training|support|coaching|offer|place).*"
    r"|not (offered|treated|selected|assigned)|placebo.*|warte.*|ohne.*"
    r"|kontroll.*|kg|vergleich.*|nein|non|temoin|contr[oô]le?"
)
"""What the control group is called."""


def plain(name: str) -> str:
    """Return a name in lower case, without accents, its other signs as underscores."""
    name = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    name = "".join(sign for sign in name if not unicodedata.combining(sign))
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def slug(name: str, taken: Sequence[str] = ()) -> str:
    """Return a name that a protocol may give, and that is not taken."""
    found = plain(name) or "x"
    found = found if found[0].isalpha() else f"x_{found}"
    while found in taken:
        found = f"{found}_"
    return found


def year_of(answer: str) -> int | None:
    """Return the year that an answer names; None if it names none, or several.

    A school year counts as the calendar year in which it ends: 2025 for ``2024/25``.
    """
    school_year = re.fullmatch(r"\D*((?:19|20)\d\d)\s*[-/–]\s*(\d\d|\d{4})\D*", answer)
    if school_year:
        return end_of_school_year(int(school_year[1]), school_year[2])
    years = YEAR_IN_NAME.findall(answer)
    found = YEAR_IN_NAME.search(answer)
    return int(found[0]) if found and len(years) == 1 else None


def is_called(role: str, name: str) -> bool:
    """Return whether a name, perhaps with an explanation in brackets, is that of a role."""
    bare = re.sub(r"\(.*?\)|\[.*?\]", " ", name, flags=re.DOTALL)
    pattern = rf"(id_|code_|cod_|nr_)?({PATTERNS[role]})"
    return any(re.fullmatch(pattern, plain(one)) for one in (name, bare))


def column_of(role: str, file: SeenFile) -> SeenColumn | None:
    """Return the column of a file that was named for a role, or whose name is of it; None if none.

    A column of years is one only if its cells say a year, or before and after.
    """
    if role in file.named:
        return next((one for one in file.columns if one.name == file.named[role]), None)
    fits = (one for one in file.columns if is_called(role, one.name))
    return next((one for one in fits if _may_have(role, one)), None)


HIGHEST_GRADE = 13
"""The last year of school, where years are counted from 0 or 1."""


def _may_have(role: str, column: SeenColumn) -> bool:
    """Return whether the cells of a column, whose name is of a role, are such as it has."""
    if role == "year":
        return bool(years_of(column) or stages_of(column))
    grades = is_called("grade", column.name) and _are_grades(column)
    if role == "grade":
        return grades and not (is_called("year", column.name) and stages_of(column))
    return role != "class" or not grades


def _are_grades(column: SeenColumn) -> bool:
    """Return whether all that is observed are small whole numbers."""
    odd = column.texts or column.withheld or not column.is_whole
    return not odd and bool(column.numbers) and (
        0 <= column.numbers[0] <= column.numbers[-1] <= HIGHEST_GRADE
    )  # fmt: skip


def years_of(column: SeenColumn) -> dict[str, int]:
    """Return text → the year that it says; empty where some cell says none."""
    found = {text: year_of(text) for text in column.counts}
    if not found or None in found.values() or column.years_of_dates:
        return {}
    return {text: year for text, year in found.items() if year is not None}


def stages_of(column: SeenColumn) -> dict[str, int]:
    """Return text → 0 before and 1 after, of a column with two such texts; else nothing."""
    texts = list(column.counts)
    if len(texts) != 2:
        return {}
    if set(texts) in ({"0", "1"}, {"1", "2"}):
        return {text: at for at, text in enumerate(sorted(texts))}
    stems = {text: what_and_when(plain(text)) for text in texts}
    if len({what for what, _ in stems.values()}) > 1 or len({at for _, at in stems.values()}) < 2:
        return {}
    in_time = sorted(texts, key=lambda text: stems[text][1].order)
    return {text: at for at, text in enumerate(in_time)}


def before_and_after(names: Sequence[str]) -> dict[str, int]:
    """Return name → 0 before and 1 after, of two names that differ in that alone; else nothing."""
    return stages_of(SeenColumn("", tuple(names)))


def may_be_before(name: str, other: str) -> bool:
    """Return whether a test may be from before another one, by what their names say of the time."""
    (_, when), (_, then) = (what_and_when(plain(one)) for one in (name, other))
    if name == other or when.order > then.order:
        return False
    return when.order < then.order or not when.year


def pretest_of(columns: Sequence[SeenColumn]) -> dict[str, str]:
    """Return outcome → its pre-test, of columns with numbers that lie in one row of a pupil.

    Names tell: ``pretest`` and ``posttest``, ``reading_pre`` and ``reading``, ``KS1 reading`` and
    ``KS2 reading``, ``score 2024`` and ``score 2025``, ``Reading Sept 2024`` and ``Reading July
    2025``. Of three tests or more the first is the pre-test of all others, of which the last comes
    first. A name without a time is of a test after those whose names say a year.
    """
    names = [column.name for column in columns]
    stems = {name: what_and_when(plain(name)) for name in names}
    found: dict[str, str] = {}
    for stem in dict.fromkeys(stem for stem, _ in stems.values()):
        timed = sorted((when.order, name) for name, (its, when) in stems.items() if its == stem)
        if len({order for order, _ in timed}) == len(timed) > 1:
            (_, first), *others = timed
            found |= {name: first for _, name in reversed(others)}
    return found
