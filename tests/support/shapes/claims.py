"""What holds of the end of any study, whatever its shape; each function returns what does not."""

from __future__ import annotations

import base64
import re
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd

from support.shapes.ending import NOTEBOOKS, Ending

PAGES = ("report/report.html", "report/data_quality.html", "report/monitoring.html")
NO_WORD = re.compile(
    r"(?<![\w.-])(?:[-−+]?(?:nan|NaN|NAN|inf|Inf|infinity)|NaT|None(?! of)|<NA>|\[\]|\{\})(?!\w)"
)
"""What a program writes where it has no value, and no reader should see."""
SHOWN = re.compile(r"<text[^>]*>(.*?)</text>", re.DOTALL)
UNSEEN = re.compile(r"<(style|script|head|pre)\b.*?</\1>", re.DOTALL)
TAG = re.compile(r"<[^>]*>", re.DOTALL)
FILE = re.compile(r"<code>[^<]*/[^<]*</code>")
"""The path of a file, as steps name what they read and wrote."""
CAPTION = re.compile(r"<(figcaption|caption)[^>]*>(.*?)</\1>", re.DOTALL)
CITED = r'<a href="#([^"]+)">(?:Figure|Table) '
IMAGE = re.compile(r"""<img[^>]*\bsrc=["']([^"']+)["'][^>]*>""", re.DOTALL)


def visible(page: str) -> str:
    """Return what a reader sees of a page: neither its styles nor what is set as code."""
    return re.sub(r"[ \t]+", " ", unescape(TAG.sub(" ", UNSEEN.sub(" ", page))))


def words_drawn(svg: str) -> list[str]:
    """Return the texts of a figure."""
    return [unescape(text) for text in SHOWN.findall(svg)]


def _around(text: str, at: int) -> str:
    return " ".join(text[max(at - 60, 0) : at + 40].split())


def _pages(ending: Ending) -> dict[str, str]:
    assert ending.results is not None
    return {page: (ending.results / page).read_text("utf-8") for page in PAGES}


def values_without_words(ending: Ending) -> list[str]:
    """Return where a page or a figure shows what a program writes for no value."""
    assert ending.results is not None
    texts = {page: visible(content) for page, content in _pages(ending).items()}
    for path in sorted((ending.results / "figures").glob("*.svg")):
        texts[f"figures/{path.name}"] = "\n".join(words_drawn(path.read_text("utf-8")))
    return [
        f"{where}: …{_around(text, found.start())}…"
        for where, text in texts.items()
        for found in NO_WORD.finditer(text)
    ]


def empty_captions(ending: Ending) -> list[str]:
    """Return the pages with a caption of no words."""
    return [
        f"{page}: an empty {kind}"
        for page, content in _pages(ending).items()
        for kind, caption in CAPTION.findall(content)
        if not visible(caption).strip()
    ]


def uncited_exhibits(report: Path) -> list[str]:
    """Return the exhibits of a report that no text cites."""
    page = report.read_text("utf-8")
    named = re.findall(r'<figure id="([^"]+)"', page)
    cited = set(re.findall(CITED, page))
    for first, last in re.findall(rf"{CITED}[^<]+</a> to {CITED}", page):
        cited |= set(named[named.index(first) : named.index(last)])
    return [f"{report.name}: no text cites {name}" for name in named if name not in cited]


def figures_missing(ending: Ending) -> list[str]:
    """Return the figures that the study has and the pages do not show, or that do not exist."""
    assert ending.results is not None
    wrong = [
        f"{kind}/{name}{end} was not made"
        for kind, names, end in (
            ("figures", ending.figures, ".svg"),
            ("tables", ending.tables, ".html"),
        )
        for name in names
        if not (ending.results / kind / f"{name}{end}").is_file()
    ]
    pages = _pages(ending)
    for page, content in pages.items():
        for source in IMAGE.findall(content):
            kind, _, data = source.partition(";base64,")
            if not kind.startswith("data:image/") or not base64.b64decode(data):
                wrong.append(f"{page}: no picture at {source[:80]}")
    shown = len(IMAGE.findall(pages[PAGES[0]]))
    if shown != len(ending.figures):
        wrong.append(f"{PAGES[0]}: {shown} figures, of {', '.join(ending.figures)}")
    return wrong


def estimates_without_reason(ending: Ending) -> list[str]:
    """Return the estimates that are no finite number, or lack an interval, without a note."""
    assert ending.results is not None
    rows = pd.read_csv(ending.results / "estimates" / "estimates.csv")
    assert len(rows)
    wrong = []
    for row in rows.to_dict("records"):
        told = isinstance(row["note"], str) and row["note"].strip() != ""
        numbers = [row["estimate"], row["std_error"], row["p_value"]]
        if not told and not all(np.isfinite(number) for number in numbers):
            wrong.append(f"{row['model']}, {row['outcome']}, {row['term']}: {numbers} and no note")
        # Degrees of freedom without a limit are those of the normal, or of chi-square.
        if any(np.isinf(v) for name, v in row.items() if isinstance(v, float) and name != "df"):
            wrong.append(f"{row['model']}, {row['outcome']}, {row['term']}: infinite")
    return wrong


def schools_spoken_of(ending: Ending) -> list[str]:
    """Return where a study without schools speaks of them; standard tables keep their names."""
    assert ending.results is not None
    if ending.run.protocol.content["design"]["schools"]:
        return []
    year = ending.run.protocol.content["years"]["label"]
    texts = {page: visible(FILE.sub("", content)) for page, content in _pages(ending).items()}
    for notebook in NOTEBOOKS:
        page = ending.results / "notebooks" / f"{notebook}.html"
        texts[f"notebooks/{notebook}.html"] = visible(page.read_text("utf-8"))
    for name in ending.figures:
        svg = (ending.results / "figures" / f"{name}.svg").read_text("utf-8")
        texts[f"figures/{name}.svg"] = "\n".join(words_drawn(svg))
    return [
        f"{where}: …{_around(text, found.start())}…"
        for where, content in texts.items()
        for text in [content.replace(year, "year")]
        for found in re.finditer(r"\bschools?\b", text, re.IGNORECASE)
    ]


def written(results: Path) -> list[str]:
    """Return every file of the results, by its path there."""
    return sorted(str(path.relative_to(results)) for path in results.rglob("*") if path.is_file())
