"""Shapes of words: labels of 40 letters in any script, signs of markup, odd identifiers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from support.shapes.claims import words_drawn
from support.shapes.generator import draw_trial, plain_protocol, plain_tables
from support.shapes.right import assert_told, check_row, least_squares, text_of
from support.shapes.shape import Shape

ARABIC = (
    "برنامج القراءة المبكرة لتلاميذ الصف الثالث",
    "المجموعة الضابطة في محافظات صعيد مصر كلها",
    "مجموعة التدخل مع دروس مسائية إضافية يومية",
    "درجة الرياضيات في نهاية العام الدراسي ٢٠٢٤",
    "نموذج المربعات الصغرى مع أخطاء عنقودية متينة",
)
FINNISH = (
    "Lukutaitokerhojen satunnaistettu tutkimus",
    "Vertailuryhmän kouluyhteisötoimintakeskus",
    "Koulunkäynninohjaajakoulutusohjelmaryhmät",
    "Matematiikanosaamistasokartoituspisteet ok",
    "Pienimmänneliösummanmenetelmämallinnukset",
)
SIGNS = (
    '$x_1$ & <b>A&B</b> 50%_of \\alpha "q" 😀 ^2',
    "_A&B $",
    "50%_of $y^2$ <i>",
    "_hidden <script>alert(1)</script>",
    "\\frac{1}{2} $\\frac$ {{ x }} {x} %s",
)
DRAWN = draw_trial(seed=41, schools=12, pupils=5)
FIGURES = ("effects", "trends", "school_means", "flow")


def _right(words: Sequence[str]) -> Callable[[Path], None]:
    """Return a check that the effect is right, and that every label is read whole."""

    def right(results: Path) -> None:
        rows = DRAWN.year(2025).merge(DRAWN.units[["school", "block"]], on="school")
        check_row(results, "itt", least_squares(rows, "score", blocks=rows["block"]), 60, 12)
        text = " ".join(text_of(results).split())
        assert [label for label in words if " ".join(label.split()) not in text] == []
        drawn = "".join(
            "".join(words_drawn((results / "figures" / f"{name}.svg").read_text("utf-8")))
            for name in FIGURES
        )
        kept = _letters(drawn)
        assert [label for label in words[1:] if _letters(label) not in kept] == []

    return right


def _letters(text: str) -> str:
    """Return a text without what wrapping changes; `--` is no comment of an SVG."""
    return "".join(sign for sign in text if not sign.isspace() and sign != "-")


def _labelled(name: str, words: Sequence[str]) -> Shape:
    title, control, programme, outcome, model = words
    arms = [{"name": "control", "label": control}, {"name": "programme", "label": programme}]
    protocol: dict[str, Any] = plain_protocol(
        DRAWN,
        study={"title": title, "summary": title},
        design={"kind": "blocked", "arms": arms, "block_label": control},
        checks={"replications": 199},
        power={"replications": 0},
        variable_labels={"pretest": programme},
        notes=[title],
    )
    protocol["years"]["label"] = title
    protocol["outcomes"]["maths"] |= {"label": outcome, "units_label": outcome}
    protocol["subgroups"] = {"girls": {"label": programme, "where": {"sex": ["girl"]}}}
    protocol["models"]["itt"] |= {"label": model, "covariates": [], "subgroups": ["girls"]}
    tables = {
        file: rows.assign(**{
            column: outcome.replace("\\", "").replace("/", "") + rows[column]
            for column in ("school", "block") if column in rows
        })
        for file, rows in plain_tables(DRAWN).items()
    }  # fmt: skip
    return Shape(name, protocol, tables, right=_right(words))


def _spelt(name: str, spell: Callable[[str], str], shape: Shape) -> Shape:
    tables = {
        file: rows.assign(**{
            column: rows[column].map(spell)
            for column in ("school", "block", "pupil") if column in rows
        })
        for file, rows in shape.tables.items()
    }  # fmt: skip
    return replace(shape, name=name, tables=tables)


def _of_sixty(name: str) -> str:
    return f"St Mary’s, [{name}] {{b}} مدرسة 😀 %s $_^".ljust(60, "x")


def _identifiers(results: Path) -> None:
    rows = DRAWN.year(2025).merge(DRAWN.units[["school", "block"]], on="school")
    wanted = least_squares(rows, "score", ["pretest"], blocks=rows["block"])
    check_row(results, "itt", wanted, 60, 12)
    assert_told(results, r"12 schools randomised \(6 intervention, 6 control\)")


PLAIN = Shape("", plain_protocol(DRAWN), plain_tables(DRAWN), right=_identifiers)

SHAPES = (
    _labelled("labels_in_arabic", ARABIC),
    _labelled("labels_in_finnish", FINNISH),
    _labelled("labels_with_signs", SIGNS),
    _spelt("identifiers_of_digits", lambda name: f"0{name[1:]}", PLAIN),
    _spelt("identifiers_of_sixty_signs", _of_sixty, PLAIN),
    replace(
        _spelt("identifiers_with_slashes", lambda name: f"a/{name}", PLAIN),
        refused=("without /", "Change the identifier"), right=None,
    ),
)  # fmt: skip
