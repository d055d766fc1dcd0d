"""Fill the report's template from checks, estimates and exhibits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jinja2

from schooltrial.document.inline_code import with_code
from schooltrial.document.numbers import interval, number, p_text
from schooltrial.document.tables import STYLE
from schooltrial.report.exhibits import Exhibit
from schooltrial.wording import year_spans


def fill(template: str, context: Mapping[str, Any], exhibits: Sequence[Exhibit]) -> str:
    """Return the page; a name that the template uses and nobody gives is an error."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(number=number, p=p_text, code=with_code, spans=year_spans)
    environment.globals.update(interval=interval, table_style=STYLE)
    by_name = {exhibit.name: exhibit for exhibit in exhibits}
    return environment.from_string(template).render(**context, exhibits=by_name)
