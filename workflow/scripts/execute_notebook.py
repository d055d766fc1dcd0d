"""Execute a notebook on the results of one study, and render it as a page."""

import json
import os
import re
from pathlib import Path
from typing import Any

import schooltrial.protocol.json_schema  # noqa: F401 - nbformat imports jsonschema too

# isort: split

import nbclient
import nbformat
from nbconvert import HTMLExporter

from schooltrial.pipeline.rule_adapter import run_as_rule


def main(
    *,
    notebook: str,
    results: str,
    study_file: str,
    protocol: str,
    executed: str,
    page: str,
    **traced: Any,
) -> None:
    """Write the executed notebook and its HTML; a failing cell fails the rule."""
    os.environ["SCHOOLTRIAL_RESULTS"] = str(Path(results).resolve())
    os.environ["SCHOOLTRIAL_PROTOCOL"] = str(Path(protocol).resolve())
    os.environ["PYTHONHASHSEED"] = "0"
    content = nbformat.read(notebook, as_version=4)
    client = nbclient.NotebookClient(
        content,
        timeout=300,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(Path(notebook).parent)}},
    )
    client.execute()
    study = json.loads(Path(study_file).read_text("utf-8"))
    label = "**SYNTHETIC DATA.** " if study["synthetic"] else ""
    banner = f"{label}{study['title']}. Protocol {study['protocol'][:12]}"
    content.cells.insert(0, nbformat.v4.new_markdown_cell(banner, id="study"))
    content.metadata.pop("widgets", None)
    nbformat.write(content, executed)
    body, _ = HTMLExporter(theme="light").from_notebook_node(
        content, resources={"metadata": {"name": f"{study['title']}: {Path(notebook).stem}"}}
    )
    Path(page).write_text(without_fetched_scripts(body), "utf-8", newline="\n")


def without_fetched_scripts(body: str) -> str:
    """Return a page that asks for nothing from elsewhere: the notebooks hold no formula."""
    body = re.sub(r"<script\b[^>]*\bsrc=[^>]*>\s*</script>", "", body)
    body = re.sub(r"<script\b[^>]*text/x-mathjax-config[^>]*>.*?</script>", "", body, flags=re.S)
    return body.replace('<html lang="en">', '<html lang="en-GB">')


run_as_rule(main, globals())
