"""How every table looks as HTML, the same on every run.

It stands apart from `table_style`, since pages need how numbers are written and not great_tables,
which is slow to import.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from great_tables import GT


def html(
    data: pd.DataFrame,
    *,
    name: str,
    title: str,
    group: str,
    right: Sequence[str],
    notes: Sequence[str],
    study: Mapping[str, Any],
) -> str:
    """Return a table as a fragment of HTML, grouped, with its notes and the study's line."""
    label = "SYNTHETIC DATA. " if study["synthetic"] else ""
    table = GT(data, groupname_col=group, id=name).tab_header(title=title)
    for note in notes:
        table = table.tab_source_note(note)
    table = (
        table.tab_source_note(f"{label}{study['title']}. Protocol {study['protocol'][:12]}")
        .cols_align("right", columns=list(right))
        .tab_options(table_font_size="13px", heading_align="left", table_width="100%")
    )
    return str(table.as_raw_html())
