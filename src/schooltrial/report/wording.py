"""The design of a study in words, for its report."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from schooltrial.protocol.content.filters import in_words
from schooltrial.protocol.content.levels import GROUPS, DesignLevels
from schooltrial.protocol.content.sections import (
    PANELS,
    analysis_years,
    measured_years,
    years_of_model,
)
from schooltrial.wording import listed, plural_of, sentence, stated_words, uncapitalised, year_spans

PLAIN_BLOCK = "block"
"""The label of blocks that a protocol does not name."""


MATCHED = ("pair", "match", "triplet", "set")
"""What a label of units that were matched has in it."""


def block_word(design: Mapping[str, Any]) -> str:
    """Return what readers call a block: ``pair of schools``, ``region``, ``matched set``."""
    label = uncapitalised(str(design["block_label"])) or PLAIN_BLOCK
    if design["kind"] != "paired" or any(word in label.lower() for word in MATCHED):
        return label
    return "matched set" if label == PLAIN_BLOCK else f"matched set ({label})"


ENDS_HEAD = re.compile(r" (?:of|in|within|at|from|for|with) | \(")
"""Where the noun of a label ends that is put in the plural: pairs of schools,
classes in a school."""


SEVERAL = re.compile(r" (?:and|by|×|x|\+|&) |, | ?/ ?|-by-", re.I)
"""What joins the columns of blocks that are made of several: district and level."""


def of_several(design: Mapping[str, Any]) -> bool:
    """Return whether a block is made of several columns, such as district and level."""
    return bool(SEVERAL.search(ENDS_HEAD.split(block_word(design))[0]))


def block_words(design: Mapping[str, Any]) -> str:
    """Return what readers call several blocks: ``pairs of schools``.

    Where a block is made of several columns, ``combinations of district and level``.
    """
    word = block_word(design)
    found = ENDS_HEAD.search(word)
    one, rest = (word[: found.start()], word[found.start() :]) if found else (word, "")
    if of_several(design):
        return f"combinations of {word}"
    return f"{one if one.endswith('s') and not one.endswith('ss') else plural_of(one)}{rest}"


def design_sentence(protocol: Mapping[str, Any]) -> str:
    """Return how units were assigned, as the protocol declares it."""
    design = protocol["design"]
    levels, label = DesignLevels.of(design), block_word(design)
    of = "" if label == PLAIN_BLOCK else f" ({label})"
    units = levels.units.capitalize() + (" inside schools" if levels.inside_schools else "")
    how = {
        "complete": "without blocking",
        "simple": "one by one (simple randomisation)",
        "blocked": f"within blocks{of}",
        "paired": f"within {block_words(design)}",
        "staggered": "in cohorts that began in different years",
    }[design["kind"]]
    if design["randomised"]:
        return f"{units} were randomised {how}."
    joined = f"they joined {how}" if design["kind"] == "staggered" else f"they were assigned {how}"
    return (
        f"{units} were not randomised: {joined}. Differences between groups are effects only "
        "under the assumptions of the model, such as parallel trends."
    )


def models_by_label(protocol: Mapping[str, Any]) -> dict[str, str]:
    """Return model → its label."""
    return {name: str(model["label"]) for name, model in protocol["models"].items()}


def measured_sentence(protocol: Mapping[str, Any]) -> str:
    """Return the years whose outcomes the primary models analyse: ``spring 2020``.

    A model of changes, or of several years, averages over its years; this is said.
    """
    years, averaged = set[int](), False
    there = measured_years(protocol["years"])
    for model in protocol["models"].values():
        if model["role"] != "primary":
            continue
        named = years_of_model(model, protocol["years"])
        if model["estimator"] in PANELS:
            programme = protocol["years"]["programme"]
            named = [year for year in programme if year in (named or programme)]
        mine = [year for year in named if year in there] or named
        averaged |= len(mine) > 1
        years |= set(mine)
    found = sorted(years) or analysis_years(cast(Any, protocol))
    if not found:
        return ""
    mean = ", averaged over these years" if averaged else ""
    spans = listed(year_spans(found).split(", "))
    return f"{protocol['years']['label']} {spans}{mean}"


def registration_sentence(registration: Mapping[str, Any]) -> str:
    """Return where and when the plan was registered, as far as the protocol states it."""
    keys = ("registry", "identifier", "url")
    registry, identifier, url = (stated_words(registration[key]) for key in keys)
    where = " ".join(filter(None, [registry, identifier]))
    told = ", ".join(filter(None, [where, registration["date"]]))
    if told:
        return f"Registered: {told}."
    return "Registered:" if url else "No registration is stated."


NOT_STATED = "not stated"


def stated(words: str) -> str:
    """Return what a protocol states as a sentence, or that it does not."""
    return sentence(stated_words(words) or NOT_STATED)


def to_come_sentence(protocol: Mapping[str, Any], models: Mapping[str, Any]) -> str:
    """Return of which years there are no data yet, and what is planned for them; else nothing.

    Parameters
    ----------
    protocol : mapping
        The protocol's sections.
    models : mapping
        The models that only these years inform.
    """
    years = sorted(protocol["years"]["to_come"])
    if not years:
        return ""
    told = f"There are no data for {listed([str(year) for year in years])} yet"
    labels = list(dict.fromkeys(model["label"] for model in models.values()))
    return f"{told}; planned for then: {'; '.join(labels)}." if labels else f"{told}."


YEAR_IS = re.compile(r"^([^()=]*?) is (\d{4})")
"""A filter that begins with a year."""


def analysed_sentences(protocol: Mapping[str, Any], labels: Mapping[str, str]) -> list[str]:
    """Return the filters of the sample, of outcomes and of models, in words.

    Parameters
    ----------
    protocol : mapping
        The protocol's sections.
    labels : mapping
        Variable → its name in exhibits.
    """
    named = {"year": protocol["years"]["label"], **labels}
    kept = in_words(protocol["sample"]["keep"], named)
    whose = [
        (f"{outcome['label']} is measured of", in_words(outcome["population"], named))
        for outcome in protocol["outcomes"].values()
    ]
    fitted: dict[str, list[str]] = {}
    for model in protocol["models"].values():
        fitted.setdefault(in_words(model["where"], named), []).append(model["label"])
    common = max(fitted, key=lambda words: len(fitted[words]), default="")
    told = []
    if common and len(fitted[common]) > 1:
        told = [f"Analyses are of {of_rows(common)} unless stated below."]
        del fitted[common]
        if whole := fitted.pop("", []):
            told.append(f"{'; '.join(whole)}: not limited to these.")
    return [
        *([f"The sample keeps: {kept}."] if kept else []),
        *(f"{head}: {words}." for head, words in whose if words),
        *told,
        *(
            f"Analysed in {'; '.join(models)}: {of_rows(words)}."
            for words, models in fitted.items()
            if words
        ),
    ]


def of_rows(words: str) -> str:
    """Return a filter as what it keeps: ``spring is 2020`` is "spring 2020"."""
    return YEAR_IS.sub(r"\1 \2", words, count=1)


def mobility_sentence(protocol: Mapping[str, Any]) -> str:
    """Return in which school, and so in which group, a pupil is analysed."""
    unit = protocol["design"]["unit"]
    if unit in GROUPS:
        return (
            f"Pupils are analysed in the {'arm' if unit == 'group' else 'group'} of the {unit} "
            "they had when the outcome was measured. The table shows all on the rosters of the "
            "year, whether or not they are analysed."
        )
    if unit == "pupil":
        return "Pupils are analysed in the group to which they were assigned."
    if protocol["cleaning"]["analyse_in"] == "baseline_school":
        return (
            "Pupils are analysed in the school of the baseline year, and so in its group, wherever "
            "the outcome was measured; those who joined later are not analysed."
        )
    return (
        "Pupils are analysed in the school they attended when tested, and so in its group. The "
        "table shows all on the rosters of the year, whether or not they are analysed."
    )
