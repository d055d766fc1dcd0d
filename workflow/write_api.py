"""Write the API pages of the library from its docstrings, without network: site/api."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "src"))

import pdoc.doc  # noqa: E402
import pdoc.render  # noqa: E402

import schooltrial  # noqa: E402

RESULTS = (
    "study.opened.opened_study", "study.opened.study_model", "study.opened.refit",
    "study.opened.comparison", "study.opened.shown",
    "exhibits.style.coefficient_plot", "models.cluster_robust.result", "models.multilevel.result",
    "models.complier_effect.two_stage_least_squares", "models.randomisation_inference.result",
    "models.wild_bootstrap.result", "models.panel.difference_in_differences",
    "models.panel.staggered_adoption", "models.power.minimum_detectable_effect",
)  # fmt: skip
"""Modules of what public functions return, each a page of its own."""


def api_modules() -> dict[str, pdoc.doc.Module]:
    """Return the modules that have a page, by name: the library's face, and what it returns."""
    for name in schooltrial.__all__:
        getattr(schooltrial, name)  # now the module has it, for pdoc to see
    names = ["schooltrial", *(f"schooltrial.{module}" for module in RESULTS)]
    return {name: pdoc.doc.Module(import_module(name)) for name in names}


def write_api(folder: Path) -> Iterable[Path]:
    """Write the pages, an index and the words to search in, and return their paths.

    Parameters
    ----------
    folder : pathlib.Path
        Made where it is not there.
    """
    pdoc.render.configure(
        docformat="numpy",
        footer_text=f"schooltrial {schooltrial.__version__}",
        show_source=False,
    )
    warnings.filterwarnings("ignore", "Error parsing type annotation")  # shown as they are written
    found = api_modules()
    written = []
    for name, module in found.items():
        path = folder / f"{name.replace('.', '/')}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            _without_folder(pdoc.render.html_module(module, found)), "utf-8", newline="\n"
        )
        written.append(path)
    for name, text in (
        ("index.html", pdoc.render.html_index(found)),
        ("search.js", pdoc.render.search_index(found)),
    ):
        path = folder / name
        path.write_text(_without_folder(text), "utf-8", newline="\n")
        written.append(path)
    return written


def _without_folder(text: str) -> str:
    """Return a page that names files from the project's folder: the pages name no machine."""
    return text.replace(f"{ROOT}/", "")


def main() -> int:
    """Write the pages below site/api, and say where they begin."""
    folder = ROOT / "site" / "api"
    written = list(write_api(folder))
    first = (folder / "schooltrial.html").relative_to(ROOT)
    print(f"{len(written)} files were written; open {first}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
