"""A proposed protocol as YAML with comments: what is a guess says so on its line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from schooltrial.proposal.proposing import Proposal, Wave
from schooltrial.proposal.seen import SeenColumn

PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_ ./{}-]*[A-Za-z0-9_}]|[A-Za-z]")
NOT_TEXT = frozenset({"yes", "no", "true", "false", "on", "off", "null", "y", "n"})
GUESS = "  # GUESS: "


def quoted(text: str) -> str:
    """Return a text as YAML, in quotes where it could be read as something else."""
    if PLAIN.fullmatch(text) and text.lower() not in NOT_TEXT and "{" not in text:
        return text
    return json.dumps(text, ensure_ascii=False)


def protocol_text(found: Proposal) -> str:
    """Return the protocol."""
    lines = [*_head(found), *_design(found), *_tables(found), *_outcomes(found), *_models(found)]
    return "\n".join(lines) + "\n"


def _head(found: Proposal) -> Iterator[str]:
    yield "# A first protocol, proposed by `schooltrial new` from the files of the trial."
    yield "# Read each line that says GUESS, correct what is wrong, and delete the remark."
    yield "# `schooltrial help KEY` explains a key, such as `schooltrial help design.kind`."
    for text in found.lacking:
        yield f"# MISSING: {text}"
    yield ""
    yield f"study: {{name: {found.name}, title: {quoted(found.title)}, seed: 1}}"
    if found.raw_folder != ".":
        yield f"raw_folder: {quoted(found.raw_folder)}  # where the files lie, from this protocol"


def _design(found: Proposal) -> Iterator[str]:
    yield ""
    yield "design:"
    yield f"  kind: {found.kind}{_why(found, 'kind')}"
    yield f"  unit: {found.unit}{_why(found, 'unit')}"
    yield f"  arms:{_why(found, 'arms')}"
    for name, label, _ in found.arms:
        yield f"    - {{name: {quoted(name)}, label: {quoted(label)}}}"
    if found.block and found.unit == "school":
        yield f"  block_label: {quoted(found.block)}"
    before = f"baseline: {found.baseline}, " if found.baseline else ""
    yield ""
    yield f"years: {{{before}programme: {found.programme}}}{_why(found, 'years')}"


def _tables(found: Proposal) -> Iterator[str]:
    yield ""
    yield "tables:  # which column of which file is what"
    yield "  assignment:"
    yield from _file(found.assignment, first=True)
    if found.by_pupil and found.unit == "school":
        yield "      collapse_repeats: true  # a row a pupil: every school counts once"
    yield "      columns:"
    unit = f"{{column: {quoted(found.unit_column)}}}"
    yield f"        {found.unit}: {unit}{_why(found, 'unit column')}"
    if found.block:
        yield f"        block: {{column: {quoted(found.block)}, required: true}}"
    codes = ", ".join(f"{json.dumps(raw, ensure_ascii=False)}: {name}"
                      for name, _, raw in found.arms)  # fmt: skip
    yield (
        f"        arm: {{column: {quoted(found.arm_column)}, type: category, "
        f"codes: {{{codes}}}, required: true}}"
    )
    yield "  pupils:"
    yield from _file(found.pupils)
    yield from _missing(_other_numbers(found))
    yield "      columns:"
    for role, column in found.columns.items():
        kind = ", type: integer" if role == "year" else ""
        yield f"        {role}: {{column: {quoted(column)}{kind}}}{_why(found, f'pupils {role}')}"
    for name, column in found.pretests.values():
        yield (
            f"        {name}: {{column: {quoted(column)}, type: number, "
            f"label: {quoted(_label(column))}}}{_why(found, 'pretest ' + _outcome(found, name))}"
        )
    for name, seen in found.attributes.items():
        keys = (
            f"column: {quoted(seen.name)}, type: {_type(seen)}, label: {quoted(_label(seen.name))}"
        )
        yield f"        {name}: {{{keys}}}"
    yield "  scores:"
    yield from _file(found.scores)
    yield from _missing(found.outcomes.values())
    yield "      columns:"
    for role, column in found.score_columns.items():
        kind = ", type: integer" if role == "year" else ""
        yield f"        {role}: {{column: {quoted(column)}{kind}}}"
    yield "      outcomes:"
    for name, seen in found.outcomes.items():
        yield f"        {name}: {{column: {quoted(seen.name)}, type: number}}"


def _file(wave: Wave, first: bool = False) -> Iterator[str]:
    """Yield the name of a file and how its text is read; of the first year alone where asked."""
    seen = wave.files[min(wave.files)] if first else wave.last
    yield f"    - file: {quoted(seen.path.name if first else wave.pattern)}"
    if seen.delimiter != ",":
        yield f"      delimiter: {json.dumps(seen.delimiter)}"
    if seen.encoding != "utf-8":
        yield f"      encoding: {seen.encoding}"
    if seen.decimal != ".":
        yield f"      decimal: {json.dumps(seen.decimal)}{GUESS}its numbers have a decimal comma"


def _other_numbers(found: Proposal) -> list[SeenColumn]:
    file = found.pupils.last
    before = [file[column] for _, column in found.pretests.values()]
    return [*before, *found.attributes.values()]


def _missing(columns: Iterable[SeenColumn]) -> Iterator[str]:
    """Yield the texts that mean a missing value, with mere guesses kept apart."""
    seen = [column for column in columns if column.is_number]
    known = dict.fromkeys(text for one in seen for text in one.missing)
    guessed = dict.fromkeys(text for one in seen for text in (*one.sentinels, *one.texts))
    if known or guessed:
        codes = ", ".join(json.dumps(text, ensure_ascii=False) for text in ("", *known, *guessed))
        why = f"{GUESS}these texts mean that nothing was observed"
        yield f"      missing: [{codes}]{why}"


def _outcomes(found: Proposal) -> Iterator[str]:
    yield ""
    yield "outcomes:"
    for at, (name, seen) in enumerate(found.outcomes.items()):
        keys = [f"label: {quoted(_label(seen.name))}", "family: attainment"]
        keys += ["primary: true"] if at == 0 else []
        keys += ["standardise: control"]
        keys += [f"baseline_year: {max(found.baseline)}"] if found.baseline else []
        if name in found.pretests:
            keys.append(f"baseline_measures: [{found.pretests[name][0]}]")
        why = _why(found, "primary") if at == 0 else ""
        yield f"  {name}: {{{', '.join(keys)}}}{why}"


def _models(found: Proposal) -> Iterator[str]:
    compared = list(found.outcomes) if found.baseline else []
    compared += [name for name, _ in found.pretests.values()]
    compared += list(found.attributes)
    if compared:
        yield ""
        yield f"balance: {{pupil_variables: [{', '.join(compared)}]}}  # compared at baseline"
    yield ""
    yield "models:"
    groups: dict[str, list[str]] = {}
    for name in found.outcomes:
        before = "baseline" if found.baseline else found.pretests.get(name, ("",))[0]
        groups.setdefault(before, []).append(name)
    for at, (before, outcomes) in enumerate(groups.items()):
        yield f"  {'itt' if at == 0 else f'itt_{outcomes[0]}'}:"
        of = f", {_label(found.outcomes[outcomes[0]].name)}" if at else ""
        yield f"    label: {quoted(f'Intention to treat{of}')}"
        # each pupil is a unit: a level of pupils would be the residual
        yield f"    estimator: {'cluster_robust' if found.unit == 'pupil' else 'multilevel'}"
        yield f"    role: {'primary' if at == 0 else 'secondary'}"
        yield f"    outcomes: [{', '.join(outcomes)}]"
        yield f"    where: {{year: [{max(found.programme)}]}}"
        if before:
            yield f"    covariates: [{before}]"


def _outcome(found: Proposal, pretest: str) -> str:
    return next(name for name, (its, _) in found.pretests.items() if its == pretest)


def _type(seen: SeenColumn) -> str:
    if not seen.is_number:
        return "category"
    return "integer" if seen.is_whole else "number"


def _label(column: str) -> str:
    """Return the name of a column as a reader would write it: abbreviations stay as they are."""
    words = " ".join(column.replace("_", " ").split())
    return f"{words[:1].upper()}{words[1:]}"


def _why(found: Proposal, what: str) -> str:
    reason = found.guesses.get(what)
    return f"{GUESS}{reason}" if reason else ""
