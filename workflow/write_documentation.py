"""Write the generated tables of ``docs``, and ``config/README.md``."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "src"))

from schooltrial.protocol.consistency.design import LEVELS  # noqa: E402
from schooltrial.protocol.consistency.model_keys import EVERY, MODEL_KEYS  # noqa: E402
from schooltrial.protocol.content.variables import STANDARD_VARIABLES, Variable  # noqa: E402
from schooltrial.protocol.form.strict_yaml import parse_yaml  # noqa: E402
from schooltrial.protocol.reading import read_schema  # noqa: E402

INCLUDED = re.compile(r'^include: "workflow/rules/(\w+)\.smk"', re.M)
RULE = re.compile(r"^rule (\w+):\n(.*?)(?=^rule |\Z)", re.M | re.S)
PATH = re.compile(r'"(results/\{+study\}+/[^"]*|src/[^"]*|notebooks/[^"]*)"')


def rules_of(text: str) -> dict[str, dict[str, str]]:
    """Return the rules of a file: docstring, input and output, as they are written."""
    found = {}
    for name, body in RULE.findall(text):
        parts = re.split(r"^    (\w+):\n", body, flags=re.M)
        sections = dict(zip(parts[1::2], parts[2::2], strict=True))
        doc = re.search(r'"""(.*?)"""', parts[0], re.S)
        found[name] = {"doc": doc.group(1) if doc else "", **sections}
    return found


def short(path: str) -> str:
    """Return a path as a reader thinks of it, below the results of a study."""
    return re.sub(r"results/\{+study\}+/", "", path).replace("{{", "{").replace("}}", "}")


def paths(section: str) -> list[str]:
    """Return the paths that a rule's input or output names, without repeats."""
    return list(dict.fromkeys(short(path) for path in PATH.findall(section)))


IN_WORDS = {
    "study.raw.files()": "raw files of the protocol",
    "**STANDARD": "standard tables (`data/*.parquet`)",
    "study.sample_of(": "`data/sample.parquet` (or the sample of teachers or schools)",
    "study.draw.inputs()": "the randomisation record, if there is one",
    "study.report.checks()": "`checks/*`",
    "study.report.figures()": "`figures/*`",
    "study.report.tables()": "`tables/*`",
    "study.report.draws()": "`estimates/models/*.draws.csv`",
    "study.report.implementation()": "`checks/fidelity.csv`, `checks/contrast.csv`, if any",
    "study.report.contrast()": "`checks/contrast.csv`, if any",
}
"""What a rule's input or output names by a look-up in the protocol → words for a reader."""

WITHOUT_INPUT = {
    "draw_assignment": "the eligible list",
    "record_plan": "the protocol, `checks/plan_first.json`",
    "fetch_file": "an address of the protocol",
    "simulate_trial": "the protocol",
}
"""Rules whose inputs are parameters → what they read."""


def _files(section: str) -> str:
    """Return the files that a rule's input or output names, as a cell of a table."""
    named = [f"`{path}`" for path in paths(section) if not path.startswith("src/")]
    return ", ".join([words for look, words in IN_WORDS.items() if look in section] + named)


def stages() -> list[str]:
    """Return the files of rules in the order in which the Snakefile includes them."""
    return INCLUDED.findall((ROOT / "Snakefile").read_text("utf-8"))


def exhibit_rules(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the rules that draw a figure or make a table, with what they are."""
    for stage in stages():
        for name, rule in rules_of((folder / f"{stage}.smk").read_text("utf-8")).items():
            if re.search(r"results/\{study\}/(figures|tables)/", rule.get("output", "")):
                yield name, rule


def stage_table(folder: Path) -> str:
    """Return the table of stages: what each reads and writes, and where its rules are."""
    lines = ["| stage | rule | what it does | reads | writes |", "|---|---|---|---|---|"]
    for stage in stages():
        file = f"workflow/rules/{stage}.smk"
        for name, rule in rules_of((folder / f"{stage}.smk").read_text("utf-8")).items():
            if "output" not in rule:
                continue
            read = _files(rule.get("input", "")) or WITHOUT_INPUT[name]
            wrote = _files(rule["output"]) or "named by the protocol"
            lines.append(f"| [{stage}](../{file}) | {name} | {rule['doc']} | {read} | {wrote} |")
    return "\n".join(lines)


def exhibit_table(folder: Path, captions: Mapping[str, Mapping[str, str]]) -> str:
    """Return the table of exhibits: rule, script and input of each."""
    lines = ["| exhibit | title | rule | script | input |", "|---|---|---|---|---|"]
    for name, rule in exhibit_rules(folder):
        exhibit = name.split("_", 1)[1]
        kind = "figures" if name.startswith("draw") else "tables"
        script = f"../workflow/scripts/{name}.py"
        inputs = _files(rule["input"])
        title = captions[exhibit]["title"]
        lines.append(
            f"| `{kind}/{exhibit}` | {title} | {name} | [{name}.py]({script}) | {inputs} |"
        )
    return "\n".join(lines)


def between(text: str, mark: str, content: str) -> str:
    """Return a text with the part between two marks replaced."""
    pattern = re.compile(rf"(<!-- {mark} -->\n).*?(\n<!-- end {mark} -->)", re.S)
    return pattern.sub(lambda found: found.group(1) + content + found.group(2), text)


COLUMNS = ROOT / "src/schooltrial/study/columns.yaml"


def column_table(groups: Mapping[str, Mapping[str, Mapping[str, str]]]) -> str:
    """Return the table of the columns of CSV files, in the order of the alphabet."""
    lines = ["| column | what it is | unit |", "|---|---|---|"]
    named = {name: one for columns in groups.values() for name, one in columns.items()}
    for name, one in sorted(named.items()):
        lines.append(f"| `{name}` | {one['meaning']} | {one.get('unit', '')} |")
    return "\n".join(lines)


def key_lines(name: str, node: Mapping[str, Any], depth: int, needed: bool = False) -> list[str]:
    """Return a key of the protocol with its meaning, type and default, and the keys below it."""
    facts = "; ".join(["required"] * needed + _facts(node))
    described = node.get("description", "")
    head = f"{'  ' * depth}- **`{name}`**" + (f" ({facts})" if facts else "")
    shown = f" Example: `{example}`." if (example := example_of(name, node)) else ""
    lines = [f"{head}: {described}{shown}" if described else f"{head}{shown}"]
    for below in (node, node.get("items", {})):
        for key, child in below.get("properties", {}).items():
            lines += key_lines(key, child, depth + 1, key in below.get("required", []))
        others = below.get("additionalProperties")
        if isinstance(others, dict) and (others.get("properties") or others.get("description")):
            lines += key_lines("<name>", others, depth + 1)
    return lines


def example_of(name: str, node: Mapping[str, Any]) -> str:
    """Return a line of a protocol that gives a key a value; empty for a section of keys.

    The value is the schema's example. A key with a list of possible values, or that is true or
    false, needs none: it is shown with the first value that is not its default.
    """
    others = [value for value in node.get("enum", []) if value not in (node.get("default"), None)]
    if "examples" in node:
        value = node["examples"][0]
    elif others:
        value = others[0]
    elif node.get("type") == "boolean":
        value = not node.get("default", False)
    else:
        return ""
    line = yaml.dump({name: value}, default_flow_style=True, sort_keys=False, width=10_000)
    return str(line).strip()[1:-1]


def _facts(node: Mapping[str, Any]) -> list[str]:
    """Return type, default and reference of a key, in words."""
    facts = []
    if "$ref" in node:
        target = node["$ref"].rsplit("/", 1)[1]
        facts.append(f"see [{target}](#{target})")
    if "enum" in node:
        facts.append("one of " + ", ".join(_value(value) for value in node["enum"]))
    elif "type" in node:
        kind = node["type"]
        facts.append(" or ".join(kind) if isinstance(kind, list) else str(kind))
    default = node.get("default")
    if default is not None and default not in ({}, []):
        facts.append(f"default `{json.dumps(default)}`")
    return facts


BLANKS = {" ": "a blank", "\u00a0": "a no-break space (U+00A0)", "\u202f": "a narrow one (U+202F)"}


def _value(value: Any) -> str:
    """Return a value as a protocol has it; blanks that look alike by their names."""
    if value == "":
        return '`""`'
    return BLANKS.get(value) or ("`null`" if value is None else f"`{value}`")


def standard_tables(described: Mapping[str, Any]) -> list[str]:
    """Return a section for each standard table: the variables that the pipeline knows by name."""
    lines = [
        "", "## Standard tables", "",
        "The variables that the pipeline knows by name. `columns` may list any others: they are",
        "attributes that models, filters and checks can name. The variables marked *key* together",
        "identify a row.",
    ]  # fmt: skip
    for table, variables in STANDARD_VARIABLES.items():
        lines += ["", f"### {table}", "", described[table]["description"], ""]
        lines += ["| variable | | what it is |", "|---|---|---|"]
        lines += [f"| `{one.name}` | {_place(one)} | {one.meaning} |" for one in variables]
    return lines


def _place(variable: Variable) -> str:
    needed = "required" if variable.needed or variable.when else ""
    told = f"{needed} {variable.when}" if variable.when not in ("", "the unit") else needed
    return ", ".join(part for part in ("key" if variable.key else "", told) if part)


def estimators() -> list[str]:
    """Return which estimators fit outcomes of which level."""
    levels = ("pupil", "teacher", "school")
    lines = ["", "## Estimators and outcomes", ""]
    lines += [
        "Which `estimator` accepts outcomes `measured_on` pupils, teachers or schools; others are"
    ]
    lines += ["refused. Panel models use means of pupil outcomes by school and year.", ""]
    lines += ["| estimator | " + " | ".join(levels) + " |", "|---" * (len(levels) + 1) + "|"]
    for name, of in LEVELS.items():
        cells = " | ".join("yes" if level in of else "" for level in levels)
        lines.append(f"| `{name}` | {cells} |")
    return lines


def model_key_table() -> str:
    """Return the table of estimator × key: where a key acts, and where it is refused."""
    lines = ["| key | " + " | ".join(f"`{name}`" for name in EVERY) + " | acts |"]
    lines.append("|---" * (len(EVERY) + 2) + "|")
    for key, spec in MODEL_KEYS.items():
        cells = " | ".join("acts" if name in spec.readers else "refused" for name in EVERY)
        lines.append(f"| `{key}` | {cells} | {spec.when or 'always'} |")
    return "\n".join(lines)


def config_readme(schema: Mapping[str, Any]) -> str:
    """Return config/README.md: every key of a protocol."""
    lines = [
        "# The protocol, key by key",
        "",
        "Written by `make docs` from `src/schooltrial/protocol/schema.yaml`; edit that, not this.",
        "",
        "`config.yaml` names the studies to run, and the formats of figures in addition to SVG",
        "(`figure_formats`: `pdf`, `png`). Each study has a protocol in `studies/`: the",
        "pre-analysis plan as data. A key that is not listed here is refused; the message suggests",
        "the key that was probably meant. Paths are relative to the protocol.",
        "[`example.yaml`](example.yaml) has three groups, a joined file, published means, costs;",
        "[the minimal example](../examples/minimal/README.md) has 15 lines. Below the keys:",
        "[standard tables](#standard-tables), [estimators and outcomes](#estimators-and-outcomes).",
        "",
        "YAML is read strictly: no anchors, aliases or tags; numbers in plain digits. Use quotes",
        "for text that could be a number (`010`, `20:19`), and for `yes` and `no` as text.",
        "An example shows how a value is written; it is not a recommendation.",
        "",
    ]
    for name, node in schema["properties"].items():
        lines += key_lines(name, node, 0, name in schema["required"])
    for name, node in schema["$defs"].items():
        lines += ["", f"## {name}", "", node.get("description", ""), ""]
        inner = node.get("items", node)
        for key, child in inner.get("properties", {}).items():
            lines += key_lines(key, child, 0, key in inner.get("required", []))
        others = inner.get("additionalProperties")
        if isinstance(others, dict) and others.get("description"):
            lines += key_lines("<name>", others, 0)
    lines += standard_tables(schema["properties"]["tables"]["properties"])
    lines += estimators()
    return "\n".join(lines) + "\n"


def documents() -> dict[Path, str]:
    """Return the documents with generated parts, as they should be."""
    rules = ROOT / "workflow" / "rules"
    captions = parse_yaml((ROOT / "src/schooltrial/exhibits/captions.yaml").read_text("utf-8"))
    schema = read_schema()
    tables = {
        "pipeline": ("stages", stage_table(rules)),
        "exhibits": ("exhibits", exhibit_table(rules, captions)),
        "models": ("model keys", model_key_table()),
        "columns": ("columns", column_table(parse_yaml(COLUMNS.read_text("utf-8")))),
    }
    found = {ROOT / "config/README.md": config_readme(schema)}
    for page, (mark, table) in tables.items():
        path = ROOT / "docs" / f"{page}.md"
        found[path] = between(path.read_text("utf-8"), mark, table)
    return found


if __name__ == "__main__":
    for path, text in documents().items():
        path.write_text(text, encoding="utf-8")
