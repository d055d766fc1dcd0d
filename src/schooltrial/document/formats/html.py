"""A document as one HTML page that needs no other file."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from importlib.resources import files

from markupsafe import Markup

from schooltrial.document.blocks import (
    SYNTHETIC,
    Block,
    Bullets,
    Details,
    Document,
    Equation,
    Exhibit,
    Heading,
    Paragraph,
    Picture,
    Preformatted,
    Section,
)
from schooltrial.document.drawing import size_of
from schooltrial.document.inline_code import with_code
from schooltrial.document.numbering import Numbers, number_document
from schooltrial.document.text import Cite, Link, Span, Strong, Text, spans

NOTHING = Markup("")

TRACE = "trace-"
"""How the name of a step's row begins, before its rule."""

TABLES = "tables/"
"""Folder of the tables that are written in each of the formats below."""

OTHER_FORMATS = {"Word": "docx", "LaTeX": "tex", "Markdown": "md"}
"""Name of a link → ending of its file."""


def html_page(document: Document) -> str:
    """Return the page of a document, with its style and pictures inside."""
    numbers = number_document(document)
    page = _Page(document, numbers)
    style = files("schooltrial.document.formats").joinpath("page.css").read_text("utf-8")
    head = Markup(
        '<!DOCTYPE html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n"
    ).format(f"{document.title}: {document.kind}", Markup(style))
    return str(head + page.body() + Markup("</body>\n</html>\n"))


class _Page:
    """The blocks of one document as HTML."""

    def __init__(self, document: Document, numbers: Numbers) -> None:
        self.document, self.numbers = document, numbers

    def body(self) -> Markup:
        document = self.document
        banner = Markup('<p class="banner">{}</p>\n').format(SYNTHETIC)
        return NOTHING.join([
            Markup('<a class="skip" href="#content">Skip to the content</a>\n'),
            Markup('<header>\n<p class="kind">{}</p>\n<h1>{}</h1>\n').format(
                document.kind, document.title
            ),
            banner if document.synthetic else NOTHING,
            Markup("</header>\n"),
            Markup('<main id="content">\n<div class="front">\n'),
            self.blocks(self.document.front, level=2),
            Markup("</div>\n"),
            self.contents(),
            self.record(),
            *(self.section(section) for section in document.sections),
            Markup("</main>\n<footer><p>{}</p></footer>\n").format(document.foot),
        ])  # fmt: skip

    def contents(self) -> Markup:
        if not self.document.sections:
            return NOTHING
        items = (
            Markup('<li><a href="#{}">{} {}</a></li>\n').format(
                section.name, self.numbers.sections[section.name], section.title
            )
            for section in self.document.sections
        )
        listed = NOTHING.join(items)
        return Markup('<nav aria-label="Contents"><ul>\n{}</ul></nav>\n').format(listed)

    def record(self) -> Markup:
        if not self.document.record:
            return NOTHING
        rows = (
            Markup("<dt>{}</dt><dd>{}</dd>\n").format(what, self.text(value))
            for what, value in self.document.record
        )
        return Markup('<dl class="record">\n{}</dl>\n').format(NOTHING.join(rows))

    def section(self, section: Section) -> Markup:
        return Markup('<section id="{}">\n<h2>{} {}</h2>\n{}</section>\n').format(
            section.name,
            self.numbers.sections[section.name],
            section.title,
            self.blocks(section.blocks, level=3),
        )

    def blocks(self, blocks: Iterable[Block], *, level: int) -> Markup:
        """Return blocks, their headings being of a level."""
        return NOTHING.join(self.block(block, level) for block in blocks)

    def block(self, block: Block, level: int) -> Markup:
        match block:
            case Paragraph(text, role):
                named = NOTHING if role == "plain" else Markup(' class="{}"').format(role)
                return Markup("<p{}>{}</p>\n").format(named, self.text(text))
            case Bullets(items, numbered):
                tag = Markup("ol" if numbered else "ul")
                told = NOTHING.join(Markup("<li>{}</li>\n").format(self.text(i)) for i in items)
                return Markup("<{}>\n{}</{}>\n").format(tag, told, tag)
            case Heading(words, name):
                named = Markup(' id="{}"').format(name) if name else NOTHING
                return Markup("<h{}{}>{}</h{}>\n").format(level, named, words, level)
            case Equation(formula):
                return Markup('<p class="equation">{}</p>\n').format(formula)
            case Preformatted(text):
                return Markup('<pre tabindex="0">{}</pre>\n').format(text)
            case Details(summary, inside, opened, printed):
                return Markup("<details{}{}><summary>{}</summary>\n{}</details>\n").format(
                    NOTHING if printed else Markup(' class="screen"'),
                    Markup(" open") if opened else NOTHING,
                    summary,
                    self.blocks(inside, level=level),
                )
            case Exhibit():
                return self.exhibit(block)

    def exhibit(self, exhibit: Exhibit) -> Markup:
        head = Markup("<b>{}. {}.</b> {}").format(
            self.numbers.exhibits[exhibit.name],
            exhibit.title.removesuffix("."),
            self.text(exhibit.caption),
        )
        if isinstance(exhibit.content, Picture):
            shown = _image(exhibit.content)
        else:
            number = self.numbers.exhibits[exhibit.name]
            shown = exhibit.content.boxed(f"{number}. {exhibit.title}")
        notes = NOTHING.join(
            Markup('<p class="note">{}</p>\n').format(self.text(note)) for note in exhibit.notes
        )
        ways = self.ways(exhibit)
        caption = Markup("<figcaption>{}{}</figcaption>\n").format(head, ways)
        inside = [shown, notes, caption] if exhibit.kind == "Figure" else [caption, shown, notes]
        return Markup('<figure id="{}" class="{}">\n{}</figure>\n').format(
            exhibit.name, exhibit.kind.lower(), NOTHING.join(inside)
        )

    def ways(self, exhibit: Exhibit) -> Markup:
        """Return the links to an exhibit's data and to what made it."""
        links = []
        if exhibit.data:
            address = "/".join(filter(None, [self.document.results, exhibit.data]))
            links.append(Markup('<a href="{}">Data</a>').format(address))
            if exhibit.data.startswith(TABLES):  # which are also written for word processors
                stem = address.removesuffix(".csv")
                links += [
                    Markup('<a href="{}.{}">{}</a>').format(stem, ending, name)
                    for name, ending in OTHER_FORMATS.items()
                ]
        if exhibit.source:
            there = exhibit.source if "#" in exhibit.source else f"#{TRACE}{exhibit.source}"
            links.append(Markup('<a href="{}">Source</a>').format(there))
        if not links:
            return NOTHING
        return Markup(' <span class="ways">{}</span>').format(Markup(" · ").join(links))

    def text(self, text: Text) -> Markup:
        return NOTHING.join(self.span(span) for span in spans(text))

    def span(self, span: Span) -> Markup:
        match span:
            case Strong(words):
                return Markup("<strong>{}</strong>").format(with_code(words))
            case Link(words, target):
                return Markup('<a href="{}">{}</a>').format(target, with_code(words))
            case Cite(name):
                return Markup('<a href="#{}">{}</a>').format(name, self.numbers.cited(span))
            case _:
                return with_code(span)


def _image(picture: Picture) -> Markup:
    """Return a figure with its own width, which the style sheet enlarges where there is room.

    By a third: the smallest letters of a figure (9 points) are then those of the text. Enlarged to
    the whole of the column they would be larger than it, and narrow figures more than wide ones.
    """
    address = "data:image/svg+xml;base64," + base64.b64encode(picture.svg).decode()
    width, _ = size_of(picture.svg)
    return Markup('<img src="{}" alt="{}" style="--own: {:g}pt">\n').format(
        address, picture.alt, width
    )
